//! One source locks nobody out: a flood of calls that are never acknowledged, beside callers who mean it.

use system_tests::network::Network;
use system_tests::rogue::{Opening, Rogue, Whim};
use telemetry::{BoxKind, Outcome};
use world::Link;

use crate::support::{assert_idle, campaign, ms, seconds};

const ROGUE: &str = "127.9.0.1:5060";

/// One site, and so many circuits and call takers.
fn network(circuits: u32, more: &str) -> Network {
    let text = format!(
        "[sites.alpha]\naddress = \"127.0.0.11:5060\"\n\
         [trunk_groups.mobile]\naddress = \"127.0.0.21:5060\"\ncircuits = {circuits}\n{more}\n\
         [psaps.samu-59]\naddress = \"127.0.0.31:5060\"\nnumber = \"0353010015\"\npositions = {circuits}\n\
         queue = 0\nring = \"2s\"\ntalk = \"10s\"\n\
         [[routes]]\nnumbers = [\"15\", \"17\", \"18\", \"112\", \"urn:service:sos.fire\"]\npsaps = [\"samu-59\"]\n"
    );
    let mut network = Network::new(&text, Link::CLEAN, 7);
    let at = ROGUE.parse().unwrap();
    network.name("rogue", at);
    network.net.attach(at, Rogue::new(at, vec![Whim::Ignore]));
    network.net.forget_packets();
    network
}

fn calls(network: &mut Network, count: usize) {
    let (rogue, mobile) = (network.at("rogue"), network.at("mobile"));
    let contact = "<sip:rogue@127.9.0.1>".to_owned();
    let opening = Opening { number: "15", contact, has_tag: true };
    network.net.act(rogue, |rogue: &mut Rogue, _| {
        for _ in 0..count {
            rogue.call(mobile, &opening);
        }
    });
}

/// 500 calls a second from one source for forty seconds, while others make two calls a second.
fn flooded(more: &str) -> Network {
    let mut network = network(100, more);
    network.start_campaign(&campaign(2.0, seconds(35), 7));
    for _ in 0..400 {
        calls(&mut network, 50);
        network.run_for(ms(100));
    }
    network
}

fn refused(network: &Network) -> usize {
    network.count(BoxKind::Generator, Outcome::Rejected)
}

#[test]
fn a_flood_from_one_source_leaves_room_for_all_others() {
    let mut network = flooded("");
    let group = network.trunk_group("mobile").counts;
    assert!(group.limited > 15_000, "{group:?}");
    assert!(network.run_until_idle(seconds(120)), "{:?}", network.held());
    assert!(network.generator().offered > 50, "{:?}", network.generator());
    assert_eq!(refused(&network), 0);
    assert_idle(&mut network);
    // Without the limits, the same flood locks them out.
    let network = flooded("calls_per_source = 0\nunacknowledged_per_source = 0");
    assert_eq!(network.trunk_group("mobile").counts.limited, 0);
    assert!(refused(&network) > 30, "{:?}", network.generator());
}

// The answered ones are ended after T2, not after 64·T1, and the source is barred.
#[test]
fn a_source_that_acknowledges_nothing_is_barred_and_loses_its_calls() {
    let mut network = network(100, "calls_per_source = 0");
    calls(&mut network, 30);
    network.run_for(seconds(3));
    assert_eq!(network.trunk_group("mobile").counts.answered, 30);
    calls(&mut network, 10);
    network.run_for(ms(3_500));
    assert!(network.held().is_empty(), "{:?}", network.held());
    calls(&mut network, 1);
    network.run_for(ms(100));
    assert_eq!(network.trunk_group("mobile").counts.limited, 1);
    let refusal = network.records().iter().rev().find(|record| record.node == "mobile").unwrap();
    assert_eq!((refusal.status, refusal.outcome), (Some(503), Outcome::Rejected));
    network.run_for(seconds(33));
    calls(&mut network, 1);
    network.run_for(ms(100));
    assert_eq!(network.trunk_group("mobile").calls, 1, "it may try again");
    assert_idle(&mut network);
}

#[test]
fn a_source_that_acknowledges_has_as_many_calls_as_it_likes_one_after_the_other() {
    let mut network = network(100, "calls_per_source = 3");
    let rogue = network.at("rogue");
    network.net.act(rogue, |rogue: &mut Rogue, _| rogue.set_whims(vec![Whim::Answer(200)]));
    for _ in 0..10 {
        calls(&mut network, 3);
        network.run_for(ms(2_100));
    }
    let counts = network.trunk_group("mobile").counts;
    assert_eq!((counts.answered, counts.limited), (30, 0));
    calls(&mut network, 4);
    network.run_for(ms(100));
    assert_eq!(network.trunk_group("mobile").counts.limited, 1);
    assert_idle(&mut network);
}

#[test]
fn a_peer_has_no_limit() {
    let mut network = network(100, "calls_per_source = 3\npeers = [\"127.9.0.0/16\"]");
    calls(&mut network, 60);
    network.run_for(seconds(10));
    let counts = network.trunk_group("mobile").counts;
    assert_eq!((counts.answered, counts.limited), (60, 0));
    assert_idle(&mut network);
}
