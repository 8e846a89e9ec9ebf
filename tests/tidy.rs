//! Rules of the repository that no compiler checks.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use campaign::Campaign;
use topology::{Layers, Topology};

/// Lines of a source file without its tests, and of a test file, beyond which it must be split.
const LONGEST_SOURCE: usize = 500;
const LONGEST_TEST: usize = 700;

/// Files that may be longer, and why.
const LONGER: &[(&str, &str)] = &[];

/// Words that say nothing of what a thing is.
const EMPTY_WORDS: &[&str] = &[
    "manager",
    "handler",
    "helper",
    "util",
    "utils",
    "common",
    "core",
    "engine",
    "orchestrator",
    "coordinator",
    "service",
    "processor",
    "wrapper",
    "info",
    "data",
    "context",
    "misc",
];

/// Names that end in such a word and may, and why.
const NAMED_ANYWAY: &[(&str, &str)] = &[];

/// Folders whose code never reads a clock: time is an argument there.
const PURE: &[&str] = &[
    "crates/account/src/",
    "crates/campaign/src/",
    "crates/media/src/",
    "crates/operations/src/",
    "crates/page/src/",
    "crates/sip-proto/src/",
    "crates/topology/src/",
    "load-gen/src/",
    "psap-mock/src/",
    "switch/src/",
];

/// What in those folders is no box: it has sockets and the real clock.
const SHELL: &[&str] = &["plane.rs"];

/// A library, and the only places that may name it.
const FENCES: &[(&str, &[&str])] = &[
    ("actix", &["crates/node/"]),
    ("dashmap", &["crates/node/"]),
    ("nix", &["crates/node/"]),
    ("rsip", &["crates/sip-proto/src/digest.rs", "crates/sip-proto/Cargo.toml"]),
    ("rtp_rs", &["crates/media/"]),
    ("rtp-rs", &["crates/media/"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ has a parent").to_path_buf()
}

/// Every file of the repository by its path from the root, without what builds and runs leave
/// behind.
fn files() -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    collect(&root(), &root(), &mut found);
    found.sort();
    assert!(found.len() > 100, "the repository was not found");
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<(String, PathBuf)>) {
    for entry in fs::read_dir(folder).expect("a folder that can be read") {
        let path = entry.expect("an entry that can be read").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !["target", ".git", "runs"].contains(&&*name) {
                collect(root, &path, found);
            }
        } else if let Ok(relative) = path.strip_prefix(root) {
            found.push((relative.to_string_lossy().into_owned(), path));
        }
    }
}

fn sources() -> impl Iterator<Item = (String, String)> {
    let rust = files().into_iter().filter(|(name, _)| name.ends_with(".rs"));
    rust.map(|(name, path)| (name, fs::read_to_string(path).expect("source is UTF-8")))
}

/// A file of tests as a whole: in a folder of tests, or called so.
fn is_test(name: &str) -> bool {
    name.split('/').any(|part| part == "tests" || part == "tests.rs" || part == "benches")
}

/// A source file up to the tests at its end.
fn without_tests(source: &str) -> &str {
    source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()
}

/// True when `line` has a path that begins with the crate `library`: `unix::` is none of `nix`.
fn has_path(line: &str, library: &str) -> bool {
    let part_of_word = |before: &str| before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    line.match_indices(&format!("{library}::")).any(|(at, _)| !part_of_word(&line[..at]))
}

/// Fails with every breach at once.
fn assert_none(rule: &str, breaches: Vec<String>) {
    assert!(breaches.is_empty(), "{rule}:\n  {}", breaches.join("\n  "));
}

#[test]
fn files_are_short_enough_to_be_read() {
    let too_long = sources().filter_map(|(name, source)| {
        let (lines, limit) = match is_test(&name) {
            true => (source.lines().count(), LONGEST_TEST),
            false => (without_tests(&source).lines().count(), LONGEST_SOURCE),
        };
        let allowed = LONGER.iter().any(|(longer, _)| *longer == name);
        (lines > limit && !allowed).then(|| format!("{name}: {lines} lines, at most {limit}"))
    });
    assert_none("split a file along an RFC section or a state machine", too_long.collect());
}

/// The last word of a name in snake_case, kebab-case or CamelCase, in lower case.
fn last_word(name: &str) -> String {
    let name = name.rsplit(['_', '-']).next().unwrap_or_default();
    let start = name.rfind(char::is_uppercase).unwrap_or_default();
    name[start..].to_lowercase()
}

#[test]
fn names_say_what_a_thing_is() {
    let mut breaches = Vec::new();
    let is_empty = |name: &str| {
        EMPTY_WORDS.contains(&last_word(name).as_str())
            && !NAMED_ANYWAY.iter().any(|(allowed, _)| *allowed == name)
    };
    for (name, source) in sources() {
        let stem = Path::new(&name).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if is_empty(&stem) {
            breaches.push(name.clone());
        }
        for line in source.lines().map(str::trim_start).filter(|line| !line.starts_with("//")) {
            let words: Vec<&str> = line.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
            let declared =
                words.windows(2).filter(|pair| ["struct", "enum", "trait"].contains(&pair[0]));
            let empty = declared.map(|pair| pair[1]).filter(|declared| is_empty(declared));
            breaches.extend(empty.map(|declared| format!("{name}: {declared}")));
        }
    }
    assert_none("use the word of the standard, see docs/glossary.md", breaches);
}

#[test]
fn each_fenced_library_has_one_place() {
    let mut breaches = Vec::new();
    for (name, path) in files() {
        let is_manifest = name.ends_with("Cargo.toml") && name != "Cargo.toml";
        if !(name.ends_with(".rs") || is_manifest) || name == "tests/tidy.rs" {
            continue;
        }
        let text = fs::read_to_string(path).expect("source is UTF-8");
        for (library, places) in FENCES {
            let names_it = text.lines().any(|line| {
                let line = line.trim_start();
                let starts =
                    [format!("use {library}"), format!("{library}."), format!("{library} =")];
                let used = starts.iter().any(|start| line.starts_with(start.as_str()));
                used || (!line.starts_with("//") && has_path(line, library))
            });
            if names_it && !places.iter().any(|place| name.starts_with(place)) {
                breaches.push(format!("{name} names {library}; only {} may", places.join(", ")));
            }
        }
    }
    assert_none("a library that may be replaced is known in one place", breaches);
}

#[test]
fn boxes_read_no_clock() {
    let mut breaches = Vec::new();
    for (name, source) in sources() {
        let file = name.rsplit('/').next().unwrap_or_default();
        let is_pure = PURE.iter().any(|folder| name.starts_with(folder));
        if !is_pure || is_test(&name) || SHELL.contains(&file) || file == "fixture.rs" {
            continue;
        }
        for clock in ["Instant::now", "SystemTime::now", "thread::sleep", "rand::rng()"] {
            if without_tests(&source).contains(clock) {
                breaches.push(format!("{name}: {clock}"));
            }
        }
    }
    assert_none("time is an argument and randomness a seeded field (docs/adr/0001)", breaches);
}

#[test]
fn programs_do_not_know_each_other() {
    let programs = ["switch", "psap-mock", "load-gen"];
    let mut breaches = Vec::new();
    for program in programs {
        let manifest = root().join(program).join("Cargo.toml");
        let manifest = fs::read_to_string(manifest).expect("each program has a manifest");
        let others = programs.into_iter().filter(|other| *other != program);
        let known = others.filter(|other| manifest.contains(&format!("\n{other}")));
        breaches.extend(known.map(|other| format!("{program} depends on {other}")));
    }
    assert_none("programs share crates and never import each other (docs/adr/0008)", breaches);
}

#[test]
fn every_configuration_loads() {
    let mut loaded = 0;
    let mut breaches = Vec::new();
    for (name, path) in files() {
        let Some(kind) = name.strip_prefix("configs/").filter(|_| name.ends_with(".toml")) else {
            continue;
        };
        let problems = if kind.starts_with("networks/") {
            Topology::load(&path, &Layers::none()).err()
        } else {
            Campaign::load_with_network(&path, &Layers::none(), &Layers::none()).err()
        };
        loaded += 1;
        breaches.extend(problems.map(|problems| format!("{name}: {problems}")));
    }
    assert_none("every example works", breaches);
    assert!(loaded >= 3, "only {loaded} configuration files were found");
}

#[test]
fn every_decision_is_in_the_index() {
    let folder = root().join("docs/adr");
    let index = fs::read_to_string(folder.join("README.md")).expect("docs/adr has an index");
    let records: BTreeSet<String> = files()
        .into_iter()
        .filter_map(|(name, _)| name.strip_prefix("docs/adr/").map(str::to_owned))
        .filter(|name| name != "README.md")
        .collect();
    assert!(!records.is_empty(), "docs/adr is empty");
    let missing = records.into_iter().filter(|record| !index.contains(&format!("({record})")));
    assert_none("docs/adr/README.md lists every record", missing.collect());
}

#[test]
fn nothing_depends_on_one_machine() {
    let folders = ["work", "home", "root", "Users"].map(|folder| format!("/{folder}/"));
    let mut breaches = Vec::new();
    for (name, path) in files() {
        let text = fs::read(path).expect("a file that can be read");
        let text = String::from_utf8_lossy(&text).into_owned();
        for (number, line) in text.lines().enumerate() {
            // Part of a URL is not a path.
            let local = |folder: &&String| {
                line.match_indices(folder.as_str()).any(|(at, _)| {
                    let before = line[..at].chars().next_back();
                    before.is_none_or(|before| " \"'(=`".contains(before))
                })
            };
            if let Some(folder) = folders.iter().find(local) {
                breaches.push(format!("{name}:{}: {folder}", number + 1));
            }
        }
    }
    assert_none("paths are relative, or come from the environment", breaches);
}

#[test]
fn last_words_are_found_in_every_spelling() {
    for (name, last) in [
        ("SipManager", "manager"),
        ("call_data", "data"),
        ("core", "core"),
        ("ServiceLevel", "level"),
    ] {
        assert_eq!(last_word(name), last);
    }
}
