//! The states of pool members: up, suspect, down, and up again.

use contract::MemberState;
use system_tests::network::Network;
use world::Link;

use crate::support::{SIX_SITES, seconds};

fn state_of(network: &Network, site: &str) -> MemberState {
    let members = network.trunk_group("mobile").members;
    members.iter().find(|member| member.site == site).unwrap().state
}

/// Changes of one call server as the pool monitor reported them, with their times in whole seconds.
fn changes_of(network: &Network, call_server: &str) -> Vec<(u64, MemberState)> {
    let changes = network.changes().iter();
    let ours = changes.filter(|(_, change)| {
        change.seen_by == "pool-monitor" && change.call_server == call_server
    });
    ours.map(|(at, change)| (at.as_secs(), change.to)).collect()
}

// Probes every 2 s with 1 s of patience; suspect after 1 silence, down after 3, up again after 2
// answers.
#[test]
fn a_dead_site_is_suspected_then_down_and_comes_back() {
    let mut network = Network::new(SIX_SITES, Link::CLEAN, 31);
    network.run_for(seconds(5));
    network.kill("beta");
    network.run_for(seconds(3));
    assert_eq!(state_of(&network, "beta"), MemberState::Suspect);
    network.run_for(seconds(4));
    assert_eq!(state_of(&network, "beta"), MemberState::Down);
    network.run_for(seconds(8));
    network.revive("beta");
    network.run_for(seconds(5));
    assert_eq!(state_of(&network, "beta"), MemberState::Up);
    let expected = [(7, MemberState::Suspect), (11, MemberState::Down), (22, MemberState::Up)];
    assert_eq!(changes_of(&network, "beta"), expected);
    for site in ["alpha", "gamma", "delta", "epsilon", "zeta"] {
        assert_eq!(changes_of(&network, site), [], "{site}");
    }
}

#[test]
fn a_lost_probe_makes_a_site_suspect_for_a_moment_only() {
    let mut network = Network::new(SIX_SITES, Link::CLEAN, 32);
    network.run_for(seconds(1));
    let (mobile, alpha) = (network.at("mobile"), network.at("alpha"));
    // The probe and its retransmission of Timer E.
    network.net.lose(mobile, alpha, "OPTIONS", 2);
    network.run_for(seconds(2));
    assert_eq!(state_of(&network, "alpha"), MemberState::Suspect);
    network.run_for(seconds(2));
    assert_eq!(state_of(&network, "alpha"), MemberState::Up);
}

#[test]
fn a_draining_site_gets_no_new_calls_and_ends_those_that_it_has() {
    use contract::Node as _;
    let mut network = Network::new(SIX_SITES, Link::CLEAN, 33);
    network.start_campaign(&crate::support::campaign(30.0, seconds(30), 33));
    network.run_for(seconds(10));
    let alpha = network.at("alpha");
    assert!(network.call_server("alpha").calls > 0);
    network.net.act(alpha, |server: &mut switch::CallServer, now| server.handle_drain(now));
    network.run_for(seconds(5));
    assert_eq!(state_of(&network, "alpha"), MemberState::Draining);
    assert_eq!(network.call_server("alpha").calls, 0);
    let offered = network.call_server("alpha").counts.offered;
    network.run_for(seconds(10));
    assert_eq!(network.call_server("alpha").counts.offered, offered);
    assert!(network.run_until_idle(seconds(3_600)), "{:?}", network.held());
    let ledger = network.ledger(network.generator().offered, false);
    assert!(ledger.balanced, "{ledger:#?}");
}
