//! The environment lies over the file, and the command line over both.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may stop")]

use std::collections::HashMap;

use topology::{Layers, Problems, Topology};

fn layered(environment: &[(&str, &str)], overrides: &[(&str, &str)]) -> Result<Topology, Problems> {
    let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let layers = Layers::none()
        .with_environment("TOCSIN", owned(environment).into_iter().collect::<HashMap<_, _>>())
        .with_overrides(owned(overrides));
    Topology::parse("net.toml", include_str!("data/good.toml"), &layers)
}

#[test]
fn the_environment_wins_over_the_file_and_the_command_line_over_both() {
    let environment = [
        ("TOCSIN__SITES__ZETA__ADDRESS", "127.0.0.1:4000"),
        ("TOCSIN__PSAPS__SAMU-59__POSITIONS", "7"),
        ("TOCSIN_LOG", "debug"),
        ("TOCSIN_CAMPAIGN__SEED", "9"),
        ("PATH", "/bin"),
    ];
    let network = layered(&environment, &[]).unwrap();
    assert_eq!(network.sites[0].call_servers[0].address.to_string(), "127.0.0.1:4000");
    assert_eq!(network.psaps[0].positions, 7);

    let overrides = [
        ("sites.zeta.address", "[::1]:0"),
        ("routes[0].psaps", "samu-75, samu-59"),
        ("pool.down_after", "5"),
    ];
    let network = layered(&environment, &overrides).unwrap();
    assert_eq!(network.sites[0].call_servers[0].address.to_string(), "[::1]:0");
    assert_eq!(network.psaps[0].positions, 7);
    assert_eq!(network.pool.down_after, 5);
    assert_eq!(network.routes.iter().next().unwrap().psaps, ["samu-75", "samu-59"]);
}

#[test]
fn a_site_or_a_blade_may_have_other_equipment_than_the_rest() {
    let overrides = [
        ("equipment.watchdog", "30s"),
        ("equipment.boot", "60s"),
        ("sites.zeta.watchdog", "5s"),
        ("sites.zeta.boot", "20s"),
        ("sites.zeta.contexts", "300"),
        ("sites.alpha.call_servers.blade-1.hang_answers_probes", "false"),
    ];
    let network = layered(&[], &overrides).unwrap();
    let of = |name: &str| {
        let server = network.call_servers().find(|one| one.name == name).unwrap();
        let it = &server.equipment;
        (it.watchdog.as_secs(), it.boot.as_secs(), it.contexts, it.hang_answers_probes)
    };
    assert_eq!(of("zeta"), (5, 20, 300, true));
    assert_eq!(of("alpha.blade-1"), (30, 60, 12_000, false));
    assert_eq!(of("alpha.blade-2"), (30, 60, 12_000, true));
}

#[test]
fn a_mistake_in_a_layer_names_the_layer() {
    for (key, value, message) in [
        (
            "psaps.samu-59.positions",
            "none",
            "--set: psaps.samu-59.positions: must be 1..=10000, got \"none\"",
        ),
        (
            "pool.dwon_after",
            "5",
            "--set: pool: unknown key \"dwon_after\"; did you mean \"down_after\"?",
        ),
        (
            "sites.omega.address",
            "127.0.0.9:1",
            "--set: sites.omega: is not in the file; only the file can add it",
        ),
        (
            "routes[7].psaps",
            "samu-59",
            "--set: routes[7].psaps: the file has no routes[7]; only the file can add one",
        ),
        ("routes[0", "x", "--set: routes[0: is not a key; write it like"),
    ] {
        let found = layered(&[], &[(key, value)]).unwrap_err().to_string();
        assert!(found.starts_with(message), "{key} gave:\n{found}");
    }
    let found = layered(&[("TOCSIN__POOL__UP_AFTER", "0")], &[]).unwrap_err().to_string();
    assert_eq!(found, "the environment: pool.up_after: must be 1..=100, got \"0\"");
}
