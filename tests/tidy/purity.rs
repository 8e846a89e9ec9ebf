//! Boxes are pure: no clock, no socket, no task. `clippy.toml` of each pure crate bans the calls; these tests hold that
//! no pure crate reaches a library with sockets or tasks, and that all have the same bans.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::repository::{assert_none, root};
use crate::workspace::Workspace;

/// Crates without a clock, a socket or a task.
const PURE: &[&str] = &[
    "campaign",
    "contract",
    "load-gen",
    "media",
    "operations",
    "psap-mock",
    "sip-proto",
    "switch",
    "topology",
    "world",
];

/// Libraries with sockets or tasks.
const IMPURE: &[&str] = &["actix", "axum", "mio", "socket2", "tokio"];

/// Crates that still reach some of them, and which.
const NOT_YET: &[(&str, &[&str])] =
    &[("load-gen", IMPURE), ("psap-mock", IMPURE), ("switch", IMPURE), ("world", IMPURE)];

#[test]
fn no_pure_crate_reaches_sockets_or_tasks() {
    let workspace = Workspace::read();
    let allowed: BTreeMap<&str, &[&str]> = NOT_YET.iter().copied().collect();
    let mut breaches = Vec::new();
    for name in PURE {
        let reached = workspace.reached(name);
        let found: Vec<&str> = IMPURE.iter().copied().filter(|it| reached.contains(it)).collect();
        let known = allowed.get(name).copied().unwrap_or_default();
        if found != known {
            breaches.push(format!("({name:?}, &{found:?}), and the list says {known:?}"));
        }
    }
    assert_none("a pure crate reaches no library with sockets or tasks (docs/adr/0001)", breaches);
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
    let impure: BTreeSet<&str> = NOT_YET.iter().map(|(name, _)| *name).collect();
    let members = workspace.members().map(|member| &*member.name);
    let pure: BTreeSet<&str> =
        members.filter(|name| PURE.contains(name) && !impure.contains(name)).collect();
    assert_eq!(built, pure, "the lines `-p NAME` of .github/workflows/ci.yml");
}
