//! No input of 64 KiB takes more than 5 ms to be refused, whatever stands in it.
//!
//! Time is counted in instructions, which are the same on every machine: 5 ms are 15 million of a processor that carries out three in
//! a nanosecond. The test runs [`measured`] of this program under callgrind, which writes a count for each call of [`under_callgrind`].

use std::fs;
use std::path::Path;
use std::process::Command;

use system_tests::process::installed;
use tempfile::TempDir;

use crate::worst::{self, Case};

/// What 5 ms are worth.
const MOST: u64 = 15_000_000;

/// The same for the files of a person: the parser of TOML alone takes twice as much as a message may, and these counts are those of a
/// build for tests, which takes three times as many as a release.
const MOST_OF_A_FILE: u64 = 7 * MOST;

#[test]
fn no_input_of_64_kib_takes_more_than_5_ms_to_be_refused() {
    let folder = TempDir::new().unwrap();
    let names = folder.path().join("names");
    let mut valgrind = Command::new(installed("valgrind", "valgrind"));
    valgrind.args([
        "--tool=callgrind",
        "--collect-atstart=no",
        "--toggle-collect=fuzz::cost::under_callgrind",
    ]);
    valgrind.args([
        "--dump-after=fuzz::cost::under_callgrind",
        "--compress-strings=no",
        "--error-exitcode=0",
    ]);
    valgrind.arg(format!("--callgrind-out-file={}", folder.path().join("out").display()));
    valgrind.arg(std::env::current_exe().unwrap());
    valgrind.args(["--exact", "cost::measured", "--ignored", "--test-threads=1"]);
    let output = valgrind.env("NAMES", &names).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");

    let names = fs::read_to_string(&names).unwrap();
    let names: Vec<&str> = names.lines().collect();
    assert!(names.len() > 80, "{} inputs were measured", names.len());
    let costs = |number: usize| total(&folder.path().join(format!("out.{}", number + 1)));
    let mut costs: Vec<(u64, &str)> =
        names.iter().enumerate().map(|(number, name)| (costs(number), *name)).collect();
    costs.sort_unstable();
    for (cost, name) in &costs {
        println!("{cost:>12} {name}");
    }
    let most = |name: &str| if name.starts_with("file: ") { MOST_OF_A_FILE } else { MOST };
    let too_dear: Vec<_> = costs.iter().filter(|(cost, name)| *cost > most(name)).collect();
    assert!(too_dear.is_empty(), "too many instructions: {too_dear:#?}");
    assert!(costs.iter().any(|(cost, _)| *cost > MOST / 20), "nothing was counted: {costs:?}");
}

/// The instructions of one part of a profile.
fn total(path: &Path) -> u64 {
    let text = fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    let line = text.lines().find_map(|line| line.strip_prefix("totals: "));
    line.unwrap().trim().parse().unwrap()
}

#[test]
#[ignore = "runs under callgrind, by the test above"]
fn measured() {
    let mut names = String::new();
    for Case { name, mut refuse } in worst::cases() {
        under_callgrind(&mut *refuse);
        names += &name;
        names.push('\n');
    }
    if let Some(path) = std::env::var_os("NAMES") {
        fs::write(path, names).unwrap();
    }
}

#[inline(never)]
fn under_callgrind(refuse: &mut dyn FnMut()) {
    refuse();
}
