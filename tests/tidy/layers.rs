//! Arrows go down: who may depend on whom.

use std::collections::BTreeSet;
use std::fs;

use serde::Deserialize;

use crate::repository::{assert_none, root};
use crate::workspace::Workspace;

/// The crates of the workspace from the bottom. A crate depends on lower layers only, also for its tests.
const LAYERS: &[&[&str]] = &[
    &["sip-proto", "topology"],
    &["media"],
    &["telemetry"],
    &["trace"],
    &["operations", "ladder"],
    &["campaign"],
    &["contract"],
    &["switch", "access", "psap-mock", "load-gen", "node"],
    &["world", "account", "cli"],
    &["conductor", "page"],
    &["run-folder"],
    &["switch-program", "psap-program", "load-program", "console"],
    &["tocsin"],
    &["system-tests"],
];

#[test]
fn arrows_go_down() {
    let workspace = Workspace::read();
    let members: BTreeSet<&str> = workspace.members().map(|member| &*member.name).collect();
    let layer = |name: &str| LAYERS.iter().position(|layer| layer.contains(&name));
    let mut breaches = Vec::new();
    for member in workspace.members() {
        let Some(own) = layer(&member.name) else {
            breaches.push(format!(
                "{} is in no layer: in tests/tidy/layers.rs, put it into LAYERS below all that use it and above all \
                 that it uses",
                member.name
            ));
            continue;
        };
        let used = member.dependencies.iter().map(|dependency| &*dependency.name);
        let used = used.filter(|used| members.contains(used));
        let used = used.filter(|used| layer(used).is_some_and(|layer| layer >= own));
        breaches.extend(used.map(|used| format!("{} depends on {used}", member.name)));
    }
    assert_none("a crate depends only on crates of lower layers (docs/adr/0008)", breaches);
}

#[test]
fn each_crate_says_what_it_is() {
    let workspace = Workspace::read();
    let silent = workspace.members().filter(|member| member.description.is_none());
    assert_none("`description` in its manifest", silent.map(|it| it.name.clone()).collect());
}

/// What this test reads of `deny.toml`.
#[derive(Deserialize)]
struct Rules {
    bans: Bans,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Fence>,
}

/// Only `wrappers` may depend on a crate.
#[derive(Deserialize)]
struct Fence {
    #[serde(rename = "crate")]
    name: String,
    wrappers: BTreeSet<String>,
}

#[test]
fn each_fenced_library_has_one_place() {
    let workspace = Workspace::read();
    let rules = fs::read_to_string(root().join("deny.toml")).expect("deny.toml is there");
    let rules: Rules = toml::from_str(&rules).expect("deny.toml has fences with wrappers");
    let mut breaches = Vec::new();
    for Fence { name, wrappers } in rules.bans.deny {
        let users: BTreeSet<String> =
            workspace.users(&name).into_iter().map(str::to_owned).collect();
        let outside = users.difference(&wrappers);
        breaches.extend(outside.map(|user| format!("{user} depends on {name}")));
        let idle = wrappers.difference(&users);
        breaches.extend(idle.map(|wrapper| format!("{wrapper} may depend on {name} and does not")));
    }
    assert_none("who depends on a fenced crate is who deny.toml names", breaches);
}

#[test]
fn each_dependency_is_used() {
    let workspace = Workspace::read();
    let mut breaches = Vec::new();
    for member in workspace.members() {
        let folder = member.manifest_path.parent().expect("a manifest is in a folder");
        let mut sources = String::new();
        read_all(folder, &mut sources);
        let words: BTreeSet<&str> =
            sources.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let unused = member
            .dependencies
            .iter()
            .filter(|dependency| !words.contains(&*dependency.own_name().replace('-', "_")));
        breaches
            .extend(unused.map(|unused| format!("{} names {}", member.name, unused.own_name())));
    }
    let shared = fs::read_to_string(root().join("Cargo.toml")).expect("a manifest");
    let shared: toml::Table = shared.parse().expect("a manifest is TOML");
    let shared = shared["workspace"]["dependencies"].as_table().expect("a table");
    let named: BTreeSet<&str> = workspace
        .members()
        .flat_map(|member| &member.dependencies)
        .map(|dependency| dependency.own_name())
        .collect();
    let unnamed = shared.keys().filter(|name| !named.contains(name.as_str()));
    breaches.extend(unnamed.map(|name| format!("the workspace names {name}")));
    assert_none("a dependency that no source names goes", breaches);
}

/// The code of a crate without comments, with that of its tests and benches.
fn read_all(folder: &std::path::Path, sources: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder that can be read") {
        let path = entry.expect("an entry that can be read").path();
        if path.is_dir() {
            read_all(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(path).expect("source is UTF-8");
            for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
                sources.push_str(line);
                sources.push('\n');
            }
        }
    }
}
