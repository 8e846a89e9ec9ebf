//! One source locks nobody out: a flood of calls that are never acknowledged, beside callers who mean it.

use contract::PositionCounts;
use system_tests::network::Network;
use system_tests::rogue::{Opening, Rogue, Whim};
use telemetry::{BoxKind, Outcome};
use world::Link;

use crate::support::{assert_idle, campaign, ms, seconds};

const ROGUE: &str = "127.9.0.1:5060";

/// One site, and so many circuits and call takers.
fn network(circuits: u32, more: &str) -> Network {
    network_with(circuits, more, "", "")
}

/// The same with settings of the site and of the PSAP.
fn network_with(circuits: u32, more: &str, of_site: &str, of_psap: &str) -> Network {
    let text = format!(
        "[sites.alpha]\naddress = \"127.0.0.11:5060\"\n{of_site}\n\
         [trunk_groups.mobile]\naddress = \"127.0.0.21:5060\"\ncircuits = {circuits}\n{more}\n\
         [psaps.samu-59]\naddress = \"127.0.0.31:5060\"\nnumber = \"0353010015\"\npositions = {circuits}\n\
         queue = 0\nring = \"2s\"\ntalk = \"10s\"\n{of_psap}\n\
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
    calls_to(network, "mobile", "15", count);
}

fn calls_to(network: &mut Network, box_name: &str, number: &'static str, count: usize) {
    let (rogue, hop) = (network.at("rogue"), network.at(box_name));
    let contact = "<sip:rogue@127.9.0.1>".to_owned();
    let opening = Opening { number, contact, has_tag: true };
    network.net.act(rogue, |rogue: &mut Rogue, _| {
        for _ in 0..count {
            rogue.call(hop, &opening);
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

/// What a call server or a PSAP has counted: refused for the limits of their source, and calls in progress.
fn limited(network: &Network, box_name: &str) -> (u64, usize) {
    match box_name {
        "alpha" => {
            let shown = network.call_server("alpha");
            (shown.counts.limited, shown.calls)
        }
        _ => {
            let shown = network.psap("samu-59");
            let PositionCounts { ringing, talking, .. } = shown.positions;
            (shown.limited, shown.waiting + ringing + talking)
        }
    }
}

/// The boxes that a caller may call without a trunk group, with a number that each takes.
const STRAIGHT: [(&str, &str); 2] = [("alpha", "15"), ("samu-59", "0353010015")];

#[test]
fn a_source_that_calls_a_call_server_or_a_psap_has_its_limit_there_too() {
    for (name, number) in STRAIGHT {
        let limit = "calls_per_source = 3";
        let mut network = network_with(100, "", limit, limit);
        calls_to(&mut network, name, number, 3);
        network.run_for(ms(500));
        assert_eq!(limited(&network, name), (0, 3), "{name}");
        calls_to(&mut network, name, number, 1);
        network.run_for(ms(500));
        assert_eq!(limited(&network, name), (1, 3), "{name}");
        let refusal = network.records().iter().find(|record| record.node == name).unwrap();
        assert_eq!((refusal.status, refusal.outcome), (Some(503), Outcome::Rejected), "{name}");
        let why = refusal.reason.as_deref().unwrap_or_default();
        assert!(why.contains("calls_per_source"), "{name}: {why}");
        // The network's own boxes are peers: their calls are those of many people.
        network.start_campaign(&campaign(5.0, seconds(10), 7));
        assert!(network.run_until_idle(seconds(120)), "{name}: {:?}", network.held());
        assert_eq!(refused(&network), 0, "{name}");
        assert_idle(&mut network);
    }
}

// Calls that ring when the source is barred end with the others.
#[test]
fn a_source_that_acknowledges_no_answer_is_barred_by_call_server_and_psap() {
    for (name, number) in STRAIGHT {
        let mut network = network_with(100, "", "", "");
        calls_to(&mut network, name, number, 10);
        network.run_for(seconds(5));
        calls_to(&mut network, name, number, 2);
        network.run_for(ms(500));
        assert_eq!(limited(&network, name).1, 12, "{name}");
        // Two seconds of ringing, T2, and the BYEs.
        network.run_for(ms(1_500));
        assert_eq!(limited(&network, name).1, 0, "{name}: {:?}", network.held());
        calls_to(&mut network, name, number, 1);
        network.run_for(ms(500));
        assert_eq!(limited(&network, name), (1, 0), "{name}");
        let refusal = network.records().iter().rev().find(|record| record.node == name).unwrap();
        let why = refusal.reason.as_deref().unwrap_or_default();
        assert!(why.contains("unacknowledged_per_source"), "{name}: {why}");
        network.run_for(seconds(33));
        calls_to(&mut network, name, number, 1);
        network.run_for(ms(500));
        assert_eq!(limited(&network, name), (1, 1), "{name}: it may try again");
        assert!(network.run_until_idle(seconds(120)), "{name}: {:?}", network.held());
        assert_idle(&mut network);
    }
}
