//! Runs that differ in their seeds alone, held against each other: what is called a difference is chance.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use serde_json::Value;
use system_tests::program::tocsin;

use crate::{CampaignFolder, NETWORK, placed};

const SEEDS: u64 = 40;
/// Two hundred callers by chance, who give up after a while.
const CAMPAIGN: &str = r#"
network = "network.toml"
[[phases]]
name = "evening"
duration = "400s"
arrivals = { model = "poisson", rate = 0.5 }
[[mix]]
number = "15"
[callers]
media = 0.0
talk = "exponential 18s"
caller_hangs_up = 1.0
patience = "exponential 60s"
"#;

fn ask(workspace: &Path, words: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(tocsin()).current_dir(workspace).args(words).output();
    let output = output.expect("tocsin starts");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.code(), said.into_owned())
}

/// Forty runs of a PSAP with so many positions for nine calls at a time on average; how many of the pairs of neighbours are called
/// different, by figure.
fn called_different(positions: u32) -> Vec<(String, usize)> {
    let workspace = CampaignFolder::new(1, "1s");
    let positions = format!("positions = {positions}\nqueue = 1000");
    let network = placed(&NETWORK.replace("positions = 200", &positions));
    workspace.write("network.toml", &network);
    workspace.write("campaign.toml", CAMPAIGN);
    let folder = workspace.path(".");
    let next = AtomicU64::new(1);
    let runs = |seed: u64| format!("runs-{seed}");
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed > SEEDS {
                return;
            }
            let (set, place) = (format!("seed={seed}"), runs(seed));
            let words = [
                "run",
                "campaign.toml",
                "--virtual-time",
                "--quiet",
                "--set",
                &set,
                "--runs",
                &place,
            ];
            let (code, said) = ask(&folder, &words);
            assert_eq!(code, Some(0), "{said}");
        }
    };
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        (0..cores).for_each(|_| drop(scope.spawn(work)));
    });
    let mut found: Vec<(String, usize)> = Vec::new();
    for seed in 1..=SEEDS {
        let run = |seed: u64| {
            let place = folder.join(runs(seed)).join("latest");
            fs::canonicalize(place).expect("a run").display().to_string()
        };
        let (one, other) = (run(seed), run(seed % SEEDS + 1));
        let (code, said) = ask(&folder, &["compare", &one, &other, "--force", "--json"]);
        assert_eq!(code, Some(0), "{said}");
        let told: Value = serde_json::from_str(&said).expect("JSON");
        for figure in told["figures"].as_array().expect("figures") {
            if figure["interval_known"] != true {
                continue;
            }
            let name = figure["name"].as_str().expect("a name");
            let word = figure["judgement"].as_str().expect("a word");
            let is_clear = !["the same", "no clear difference"].contains(&word);
            match found.iter_mut().find(|(known, _)| known == name) {
                Some((_, clear)) => *clear += usize::from(is_clear),
                None => found.push((name.to_owned(), usize::from(is_clear))),
            }
        }
    }
    found
}

// Of 40 pairs of equal runs 5 % are two; seven or more would be chance in one of two hundred figures.
#[test]
fn of_forty_equal_runs_through_a_crowded_psap_no_more_differ_than_chance_makes() {
    for positions in [200, 9] {
        let found = called_different(positions);
        println!("{positions} positions: {found:?}");
        assert!(found.iter().any(|(name, _)| name == "setup_p50"), "{found:?}");
        assert!(found.iter().all(|(_, clear)| *clear <= 6), "{positions} positions: {found:?}");
    }
}
