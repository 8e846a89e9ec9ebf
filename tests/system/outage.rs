//! Sites that die, are cut off and come back while calls flow.

use std::collections::BTreeSet;

use switch::pool::MemberState;
use system_tests::link::Link;
use system_tests::network::Network;
use telemetry::{BoxKind, Outcome};

use crate::support::{SIX_SITES, assert_idle, campaign, seconds};

fn network(seed: u64) -> Network {
    let mut network = Network::new(SIX_SITES, Link::CLEAN, seed);
    network.net.forget_packets();
    network.run_for(seconds(1));
    network
}

/// Attempts that a trunk group had offered to `site` last.
fn attempts_at(network: &Network, site: &str) -> BTreeSet<String> {
    let records = network.net.records().iter();
    let there = records.filter(|record| {
        record.kind == BoxKind::TrunkGroup && record.site.as_deref() == Some(site)
    });
    there.map(|record| record.attempt.clone()).collect()
}

#[test]
fn a_site_that_dies_takes_only_its_own_calls() {
    let mut network = network(21);
    network.start_campaign(&campaign(80.0, seconds(25), 21));
    network.run_for(seconds(10));
    assert!(network.call_server("gamma").calls > 0);
    network.kill("gamma");
    assert!(network.run_until_idle(seconds(3 * 3_600)), "{:?}", network.held());

    let now = network.generator();
    assert!(now.offered > 1_700, "{now:?}");
    let ledger = network.ledger(now.offered, false);
    assert!(ledger.balanced, "{ledger:#?}");
    assert!(ledger.lost > 0, "{ledger:#?}");
    let places: Vec<&str> = ledger.lost_at.iter().map(|place| place.node.as_str()).collect();
    assert_eq!(places, ["gamma"], "{ledger:#?}");

    let at_gamma = attempts_at(&network, "gamma");
    let lost = network.net.records().iter().filter(|record| {
        record.kind == BoxKind::Generator
            && matches!(record.outcome, Outcome::Lost | Outcome::TimedOut)
    });
    for record in lost {
        assert!(at_gamma.contains(&record.attempt), "{record:?} was not at the dead site");
    }
    assert_idle(&mut network);
}

#[test]
fn calls_find_another_site_while_one_is_cut_off_and_use_it_again_afterwards() {
    let mut network = network(22);
    network.start_campaign(&campaign(40.0, seconds(60), 22));
    network.run_for(seconds(10));
    let delta = network.at("delta");
    network.net.isolate(delta);
    network.run_for(seconds(20));
    let before = network.call_server("delta").counts.offered;
    network.run_for(seconds(5));
    assert_eq!(network.call_server("delta").counts.offered, before);
    network.net.heal(delta);
    network.run_for(seconds(20));
    assert!(network.call_server("delta").counts.offered > before, "delta gets no calls any more");
    assert!(network.run_until_idle(seconds(3 * 3_600)), "{:?}", network.held());
    let now = network.generator();
    assert_eq!(now.offered, now.answered + now.rejected + now.abandoned + now.timed_out + now.lost);
    assert!(now.answered * 10 > now.offered * 8, "{now:?}");
    assert_idle(&mut network);
}

#[test]
fn sites_die_and_return_while_links_are_bad() {
    let mut network = Network::new(SIX_SITES, Link::BAD, 27);
    network.net.forget_packets();
    network.start_campaign(&campaign(60.0, seconds(40), 27));
    for site in ["alpha", "epsilon", "beta"] {
        network.run_for(seconds(6));
        network.kill(site);
        network.run_for(seconds(6));
        network.revive(site);
        assert_eq!(network.unbalanced(), [""; 0]);
    }
    assert!(network.run_until_idle(seconds(3 * 3_600)), "{:?}", network.held());
    let ledger = network.ledger(network.generator().offered, false);
    assert!(ledger.balanced, "{ledger:#?}");
    assert!(ledger.answered > 1_500, "{ledger:#?}");
    assert_idle(&mut network);
}

#[test]
fn one_trunk_group_loses_one_site_and_the_others_keep_it() {
    let mut network = network(26);
    network.start_campaign(&campaign(60.0, seconds(30), 26));
    let (mobile, alpha) = (network.at("mobile"), network.at("alpha"));
    network.net.cut(mobile, alpha);
    network.run_for(seconds(15));
    let towards_alpha = |network: &Network, group: &str| {
        let members = network.trunk_group(group).members;
        let alpha = members.into_iter().find(|member| member.site == "alpha").unwrap();
        (alpha.state, alpha.counts.answered)
    };
    assert_eq!(towards_alpha(&network, "mobile"), (MemberState::Down, 0));
    let (state, answered) = towards_alpha(&network, "fixe");
    assert_eq!(state, MemberState::Up);
    assert!(answered > 10, "{answered}");
    network.net.heal(mobile);
    network.run_for(seconds(15));
    assert!(towards_alpha(&network, "mobile").1 > 5);
    assert!(network.run_until_idle(seconds(3 * 3_600)), "{:?}", network.held());
    let ledger = network.ledger(network.generator().offered, false);
    assert!(ledger.balanced && ledger.lost == 0, "{ledger:#?}");
    assert_idle(&mut network);
}

#[test]
fn a_site_that_starts_again_knows_nothing_and_carries_calls() {
    let mut network = network(23);
    network.start_campaign(&campaign(40.0, seconds(40), 23));
    network.run_for(seconds(8));
    network.kill("zeta");
    network.run_for(seconds(10));
    network.revive("zeta");
    network.run_for(seconds(15));
    assert!(network.call_server("zeta").counts.offered > 0, "zeta gets no calls any more");
    assert!(network.run_until_idle(seconds(3 * 3_600)), "{:?}", network.held());
    let ledger = network.ledger(network.generator().offered, false);
    assert!(ledger.balanced, "{ledger:#?}");
    assert_idle(&mut network);
}

#[test]
fn five_of_six_sites_die_and_the_last_one_carries_on() {
    let mut network = network(24);
    network.start_campaign(&campaign(20.0, seconds(60), 24));
    network.run_for(seconds(5));
    for site in ["alpha", "beta", "gamma", "delta", "epsilon"] {
        network.kill(site);
        network.run_for(seconds(1));
    }
    network.run_for(seconds(15));
    let before = network.generator().answered;
    network.run_for(seconds(15));
    assert!(network.generator().answered > before + 100, "zeta alone carries no calls");
    assert!(network.run_until_idle(seconds(3 * 3_600)), "{:?}", network.held());
    let ledger = network.ledger(network.generator().offered, false);
    assert!(ledger.balanced, "{ledger:#?}");
    assert_idle(&mut network);
}

#[test]
fn all_sites_dead_means_every_caller_is_told() {
    let mut network = network(25);
    for site in ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"] {
        network.kill(site);
    }
    network.start_campaign(&campaign(10.0, seconds(20), 25));
    network.run_for(seconds(20));
    assert!(network.run_until_idle(seconds(600)), "{:?}", network.held());
    let now = network.generator();
    assert_eq!((now.answered, now.lost, now.timed_out), (0, 0, 0), "{now:?}");
    assert_eq!(now.offered, now.rejected + now.abandoned);
    assert!(now.rejected > now.abandoned, "{now:?}");
    assert_idle(&mut network);
}
