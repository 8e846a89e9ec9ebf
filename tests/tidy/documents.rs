//! Documents and examples agree with what is there.

use std::collections::BTreeSet;
use std::fs;

use campaign::Campaign;
use topology::{Layers, Topology};

use crate::repository::{assert_none, files, root};

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

// SECURITY.md: "Examples listen on loopback alone".
#[test]
fn examples_listen_on_loopback_alone() {
    let mut breaches = Vec::new();
    let networks = files()
        .into_iter()
        .filter(|(name, _)| name.starts_with("configs/networks/") && name.ends_with(".toml"));
    for (name, path) in networks {
        let Ok(network) = Topology::load(&path, &Layers::none()) else { continue };
        let sites = network.sites.iter().map(|site| &site.name);
        let groups = network.trunk_groups.iter().map(|group| &group.name);
        let psaps = network.psaps.iter().map(|psap| &psap.name);
        for one in sites.chain(groups).chain(psaps) {
            let strange = network.ips_of(one).into_iter().filter(|ip| !ip.is_loopback());
            breaches.extend(strange.map(|ip| format!("{name}: {one} listens on {ip}")));
        }
    }
    assert_none("every box of an example is on loopback", breaches);
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
