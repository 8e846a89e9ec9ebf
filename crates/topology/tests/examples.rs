//! The example networks are good, and their pictures fit the page.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may stop")]

use std::path::{Path, PathBuf};

use topology::{Layers, Topology};

fn networks() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/networks");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|ending| ending == "toml")).collect()
}

#[test]
fn the_picture_shows_every_box_within_the_page() {
    assert!(networks().len() >= 2);
    for file in networks() {
        let network = Topology::load(&file, &Layers::none()).unwrap();
        let picture = topology::picture(&network);
        assert!(picture.lines().all(|line| line.chars().count() <= 100), "{picture}");
        let boxes = network.call_servers().map(|c| (&c.name, c.address));
        let boxes =
            boxes.chain(network.trunk_groups.iter().map(|group| (&group.name, group.address)));
        for (name, address) in
            boxes.chain(network.psaps.iter().map(|psap| (&psap.name, psap.address)))
        {
            let row = picture.lines().find(|line| line.contains(&format!("─ {name} ")));
            let row = row.unwrap_or_else(|| panic!("no row for {name}:\n{picture}"));
            assert!(row.contains(&address.to_string()), "{row}");
        }
        for psap in &network.psaps {
            assert!(picture.contains(&psap.number), "{picture}");
        }
    }
}

#[test]
fn a_call_from_anywhere_has_a_route_in_the_six_site_network() {
    let six = networks().into_iter().find(|path| path.ends_with("six-sites.toml")).unwrap();
    let network = Topology::load(&six, &Layers::none()).unwrap();
    assert_eq!(network.sites.len(), 6);
    for number in ["15", "17", "18", "112", "114", "115", "116000", "119", "191", "196"] {
        for commune in [Some("59350"), Some("2A004"), Some("97411"), None] {
            assert!(network.routes.find(number, commune).is_some(), "{number} from {commune:?}");
        }
    }
    let psap = |number, commune| &network.routes.find(number, commune).unwrap().psaps[0][..];
    assert_eq!(psap("15", Some("59350")), "samu-59");
    assert_eq!(psap("15", Some("75056")), "samu-75");
    assert_eq!(psap("urn:service:sos.mountain", Some("59350")), "cta-59");
}
