//! Thousands of calls over bad links: each ends in exactly one outcome, and nothing is left over.

use std::collections::BTreeSet;

use system_tests::network::Network;
use telemetry::{BoxKind, Outcome};
use world::Link;

use crate::support::{SIX_SITES, assert_idle, campaign, ms, seconds};

/// The six sites under `rate` calls per second for twenty seconds.
fn flood(link: Link, rate: f64, seed: u64) -> Network {
    let mut network = Network::new(SIX_SITES, link, seed);
    network.net.forget_packets();
    network.run_for(seconds(3));
    network.start_campaign(&campaign(rate, seconds(20), seed));
    network
}

/// The generator's outcomes add up, and no attempt has two.
fn assert_one_outcome_each(network: &Network) {
    let now = network.generator();
    let records = network.records().iter();
    let attempts: Vec<&str> = records
        .filter(|record| record.kind == BoxKind::Generator)
        .map(|record| record.attempt.as_str())
        .collect();
    assert_eq!(attempts.len() as u64, now.offered);
    assert_eq!(attempts.iter().collect::<BTreeSet<_>>().len(), attempts.len());
    assert_eq!((now.in_progress, now.not_started), (0, 0));
}

#[test]
fn clean_links_lose_nothing() {
    let mut network = flood(Link::CLEAN, 100.0, 11);
    assert!(network.run_until_idle(seconds(300)), "{:?}", network.held());
    assert_one_outcome_each(&network);
    let now = network.generator();
    assert!(now.offered > 1_800, "{now:?}");
    assert_eq!((now.lost, now.timed_out), (0, 0));
    let ledger = network.ledger(now.offered, false);
    assert!(ledger.balanced, "{ledger:#?}");
    assert_idle(&mut network);
}

#[test]
fn loss_duplication_and_reordering_leave_one_outcome_for_each_attempt() {
    let mut network = flood(Link::BAD, 100.0, 12);
    // The law holds at every instant, not only at the end.
    for _ in 0..250 {
        network.run_for(ms(100));
        assert_eq!(network.unbalanced(), [""; 0], "at {:?}", network.net.elapsed());
    }
    assert!(network.run_until_idle(seconds(2 * 3_600)), "{:?}", network.held());
    assert_one_outcome_each(&network);
    let now = network.generator();
    assert!(now.answered * 10 > now.offered * 8, "{now:?}");
    let ledger = network.ledger(now.offered, false);
    assert!(ledger.balanced, "{ledger:#?}");
    assert_idle(&mut network);
}

#[test]
fn circuits_never_exceed_their_limit() {
    let small = SIX_SITES
        .replace("circuits = 120", "circuits = 4")
        .replace("circuits = 60", "circuits = 3")
        .replace("circuits = 30", "circuits = 2");
    // Of a seed in which no BYE and no 200 of an abandoned call is lost four times in a row.
    let mut network = Network::new(&small, Link::BAD, 14);
    network.net.forget_packets();
    network.start_campaign(&campaign(60.0, seconds(20), 14));
    let mut most = 0;
    for _ in 0..400 {
        network.run_for(ms(50));
        for group in &network.topology.trunk_groups {
            for member in network.trunk_group(&group.name).members {
                assert!(member.seized <= member.circuits, "{member:?}");
                most = most.max(member.seized);
            }
        }
    }
    assert_eq!(most, 4, "the circuits were not all in use");
    assert!(network.run_until_idle(seconds(2 * 3_600)), "{:?}", network.held());
    assert!(network.count(BoxKind::Generator, Outcome::Rejected) > 0);
    assert_one_outcome_each(&network);
    let ledger = network.ledger(network.generator().offered, false);
    assert!(ledger.balanced, "{ledger:#?}");
    assert_idle(&mut network);
}

#[test]
fn same_seed_gives_the_same_packets_and_records() {
    let run = |seed| {
        let mut network = flood(Link::BAD, 20.0, seed);
        network.run_for(seconds(10));
        network.kill("beta");
        network.run_for(seconds(60));
        let records = serde_json::to_string(network.records()).unwrap();
        (network.net.trace().hash(), records)
    };
    let (hash, records) = run(14);
    assert!(run(14) == (hash, records), "two runs with one seed differ");
    assert_ne!(run(15).0, hash);
}
