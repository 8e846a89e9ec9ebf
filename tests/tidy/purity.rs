//! Boxes are pure: no clock, no socket, no task. `clippy.toml` of each pure crate bans the calls; these tests hold that
//! no pure crate reaches a library with sockets or tasks, and that all have the same bans.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::repository::{assert_none, root};
use crate::workspace::Workspace;

/// Crates without a clock, a socket or a task.
const PURE: &[&str] = &[
    "account",
    "campaign",
    "contract",
    "ladder",
    "load-gen",
    "media",
    "operations",
    "page",
    "psap-mock",
    "sip-proto",
    "switch",
    "topology",
    "trace",
    "world",
];

/// Libraries with sockets or tasks.
const IMPURE: &[&str] = &["actix", "axum", "mio", "nix", "socket2", "tokio"];

/// Read and write files, but open no socket and start no task: what a program that only reads runs links (docs/adr/0024).
const SOCKETLESS: &[&str] = &["run-folder"];

/// Reads and writes files with code in C, which needs an operating system.
const SQLITE: &str = "rusqlite";

#[test]
fn no_pure_crate_and_no_reader_of_runs_reaches_sockets_or_tasks() {
    let workspace = Workspace::read();
    let mut breaches = Vec::new();
    for name in PURE.iter().chain(SOCKETLESS) {
        let reached = workspace.reached(name);
        let found = IMPURE.iter().filter(|library| reached.contains(*library));
        breaches.extend(found.map(|library| format!("{name} reaches {library}")));
    }
    assert_none(
        "what is pure, or only reads runs, reaches no library with sockets or tasks (docs/adr/0001, 0024)",
        breaches,
    );
}

#[test]
fn all_pure_crates_have_the_same_bans() {
    let workspace = Workspace::read();
    let mut bans: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for member in workspace.members().filter(|member| PURE.contains(&&*member.name)) {
        let file = member.manifest_path.with_file_name("clippy.toml");
        let text = fs::read_to_string(file).unwrap_or_default();
        bans.entry(text).or_default().insert(&member.name);
    }
    let differ = bans.values().map(|crates| format!("{crates:?}")).collect::<Vec<_>>();
    assert!(differ.len() == 1 && !bans.contains_key(""), "clippy.toml differs between {differ:?}");
}

#[test]
fn the_workflow_builds_each_pure_crate_without_an_operating_system() {
    let workspace = Workspace::read();
    let workflow = fs::read_to_string(root().join(".github/workflows/ci.yml")).expect("a workflow");
    let built: BTreeSet<&str> =
        workflow.lines().filter_map(|line| line.trim().strip_prefix("-p ")).collect();
    let pure = PURE.iter().filter(|name| !workspace.reached(name).contains(SQLITE));
    let pure: BTreeSet<&str> = pure.copied().collect();
    assert_eq!(built, pure, "the lines `-p NAME` of .github/workflows/ci.yml");
}
