//! Peers that answer twice, late, or never: INVITE and BYE, over UDP and TCP, at each hop and from both sides.

use std::net::SocketAddr;

use contract::Node as _;
use psap_mock::Psap;
use sip_proto::user_agent::LegId;
use sip_proto::{Packet, Transport};
use system_tests::network::Network;
use system_tests::phone::{CallEnd, Phone};
use telemetry::{BoxKind, Outcome};
use world::trace::TracedPacket;

use crate::support::{assert_idle, seconds, two_sites_with};

const TRANSPORTS: [Transport; 2] = [Transport::Udp, Transport::Tcp];

/// The way of every call.
const HOPS: [(&str, &str); 3] = [("caller", "mobile"), ("mobile", "alpha"), ("alpha", "samu-59")];

/// One site and one answering point, which answers after 2 s and never hangs up.
fn network() -> Network {
    two_sites_with(&[
        ("psaps = [\"samu-59\", \"samu-75\"]", "psaps = [\"samu-59\"]"),
        ("talk = \"10s\"", "talk = \"never\""),
        ("policy = \"round-robin\"", "policy = \"round-robin\"\nsites = [\"alpha\"]"),
    ])
}

/// A call that goes over this transport all the way: one with a location is too large for a datagram (RFC 3261 §18.1.1).
fn dial(network: &mut Network, transport: Transport) -> LegId {
    let mut invite = network.invite("15", "mobile");
    let caller = network.at("caller");
    if transport == Transport::Tcp {
        invite.payload = crate::transparency::location_payload(caller);
    }
    network.net.act(caller, |phone: &mut Phone, now| phone.dial(now, invite))
}

fn sent(network: &Network) -> Vec<TracedPacket> {
    network.net.trace().packets().cloned().collect()
}

/// Sends again what was sent, as far as it is `meant`. Returns how many packets that were.
fn again(network: &mut Network, meant: impl Fn(&TracedPacket) -> bool) -> usize {
    let packets: Vec<_> = sent(network).into_iter().filter(meant).collect();
    for TracedPacket { from, to, transport, bytes, .. } in packets.iter().cloned() {
        network.net.inject(from, Packet { transport, peer: to, bytes });
    }
    packets.len()
}

fn is_response(packet: &TracedPacket) -> bool {
    packet.bytes.starts_with(b"SIP/2.0 ")
}

/// What one hop loses in both directions: messages with these labels.
fn lose(network: &mut Network, hop: (&str, &str), labels: &[&str]) {
    let (one, other) = (network.at(hop.0), network.at(hop.1));
    for label in labels {
        network.net.lose(one, other, label, 1_000);
        network.net.lose(other, one, label, 1_000);
    }
}

fn heals(network: &mut Network) {
    network.net.lose_no_more();
}

/// The call taker hangs up.
fn drain_psap(network: &mut Network) {
    let at = network.at("samu-59");
    network.net.act(at, |psap: &mut Psap, now| psap.handle_drain(now));
}

fn assert_over(network: &Network, transport: Transport, hop: (&str, &str)) {
    let ends: [SocketAddr; 2] = [network.at(hop.0), network.at(hop.1)];
    // Probes go by UDP.
    let between = |packet: &TracedPacket| {
        let is_probe = packet.label().ends_with("OPTIONS");
        ends.contains(&packet.from) && ends.contains(&packet.to) && !is_probe
    };
    let others = |packet: &TracedPacket| between(packet) && packet.transport != transport;
    assert!(sent(network).iter().any(between) && !sent(network).iter().any(others));
}

// RFC 3261 §17: transactions absorb what comes again; a 2xx is acknowledged each time (§13.2.2.4).
#[test]
fn whatever_comes_twice_changes_nothing() {
    for transport in TRANSPORTS {
        for callee_hangs_up in [false, true] {
            let mut network = network();
            let leg = dial(&mut network, transport);
            network.run_for(seconds(1));
            again(&mut network, |_| true);
            network.run_for(seconds(3));
            again(&mut network, |_| true);
            network.run_for(seconds(1));
            assert_eq!(network.call(leg).heard.last(), Some(&200), "{transport:?}");
            assert!(network.call(leg).ends.is_empty(), "{transport:?}");
            assert_eq!(network.psap("samu-59").offered, 1, "{transport:?}");
            if callee_hangs_up {
                drain_psap(&mut network);
            } else {
                network.hang_up("caller", leg);
            }
            network.run_for(seconds(1));
            again(&mut network, |_| true);
            network.run_for(seconds(1));
            let end = if callee_hangs_up { CallEnd::Bye } else { CallEnd::HungUp(true) };
            assert_eq!(network.call(leg).ends, [end], "{transport:?}");
            assert_eq!(network.call(leg).heard.iter().filter(|heard| **heard == 200).count(), 1);
            for kind in [BoxKind::TrunkGroup, BoxKind::CallServer, BoxKind::Psap] {
                let of_kind = network.records().iter().filter(|record| record.kind == kind);
                assert_eq!(of_kind.count(), 1, "{transport:?} {kind:?}");
                assert_eq!(network.count(kind, Outcome::Answered), 1, "{transport:?} {kind:?}");
            }
            HOPS.iter().for_each(|hop| assert_over(&network, transport, *hop));
            assert_idle(&mut network);
        }
    }
}

/// A call that is long over: so are all its transactions, and what is left of its legs is forgotten.
fn after_a_call(transport: Transport) -> (Network, LegId) {
    let mut network = network();
    let leg = dial(&mut network, transport);
    network.run_for(seconds(4));
    network.hang_up("caller", leg);
    network.run_for(seconds(120));
    (network, leg)
}

// RFC 6026 §7.2, RFC 3261 §16.7: a response to nothing goes nowhere, and makes nobody speak.
#[test]
fn responses_to_transactions_that_are_over_are_counted_and_go_nowhere() {
    for transport in TRANSPORTS {
        let (mut network, leg) = after_a_call(transport);
        assert_eq!(network.transactions(), [""; 0]);
        let before = sent(&network).len();
        let strays = |network: &Network| {
            network.trunk_group("mobile").stray + network.call_server("alpha").stray
        };
        let strayed = strays(&network);
        let boxes = [network.at("mobile"), network.at("alpha")];
        let to_boxes = |packet: &TracedPacket| is_response(packet) && boxes.contains(&packet.to);
        let late = again(&mut network, to_boxes);
        assert!(late > 6, "{late}");
        network.run_for(seconds(40));
        assert_eq!(sent(&network).len(), before + late, "{transport:?}: nobody says anything");
        assert_eq!(strays(&network) - strayed, late as u64, "{transport:?}");
        assert_eq!(network.call(leg).ends, [CallEnd::HungUp(true)]);
        assert_idle(&mut network);
    }
}

// RFC 3261 §12.2.2: a BYE of a call that is over is answered 481, and an ACK of it by nothing.
#[test]
fn requests_inside_calls_that_are_over_are_refused_and_hold_nothing() {
    for transport in TRANSPORTS {
        let (mut network, _) = after_a_call(transport);
        let from = sent(&network).len();
        let late = again(&mut network, |packet| ["ACK", "BYE"].contains(&&packet.label()[..]));
        assert_eq!(late, 6, "{transport:?}: an ACK and a BYE on each hop");
        network.run_for(seconds(40));
        let said: Vec<String> = sent(&network)[from..]
            .iter()
            .filter(|one| is_response(one))
            .map(TracedPacket::label)
            .collect();
        assert_eq!(said.len(), 3, "{transport:?}: {said:?}");
        assert!(said.iter().all(|label| label == "481 BYE"), "{transport:?}: {said:?}");
        assert_eq!(network.records().len(), 3, "{transport:?}");
        assert_idle(&mut network);
    }
}

// Timer B, `response_timeout` and `next_site_after`: what was waited for comes when nobody waits any more.
#[test]
fn an_invite_that_is_never_answered_ends_everywhere_and_a_late_answer_brings_nothing_back() {
    for transport in TRANSPORTS {
        for hop in HOPS {
            let mut network = network();
            lose(&mut network, hop, &["100", "180", "200", "480", "487", "503"]);
            let leg = dial(&mut network, transport);
            network.run_for(seconds(45));
            let name = format!("{transport:?} {hop:?}: {:?}", network.call(leg));
            assert_eq!(network.call(leg).ends.len(), 1, "{name}");
            assert!(!network.call(leg).heard.contains(&200), "{name}");
            heals(&mut network);
            // Whoever has answered must hear that the call is over.
            again(&mut network, |packet| packet.lost && is_response(packet));
            network.run_for(seconds(80));
            assert_eq!(network.call(leg).ends.len(), 1, "{name}");
            assert_eq!(network.held(), [""; 0], "{name}");
            assert_idle(&mut network);
        }
    }
}

// Timer F: whoever hangs up is rid of the call, whether the other side says so or not.
#[test]
fn a_bye_that_is_never_answered_ends_the_call_and_its_late_answer_changes_nothing() {
    for transport in TRANSPORTS {
        for hop in HOPS {
            for callee_hangs_up in [false, true] {
                let mut network = network();
                let leg = dial(&mut network, transport);
                network.run_for(seconds(4));
                lose(&mut network, hop, &["200 BYE", "481 BYE", "408 BYE"]);
                if callee_hangs_up {
                    drain_psap(&mut network);
                } else {
                    network.hang_up("caller", leg);
                }
                network.run_for(seconds(40));
                let name = format!("{transport:?} {hop:?} callee: {callee_hangs_up}");
                assert_eq!(network.call(leg).ends.len(), 1, "{name}: {:?}", network.call(leg));
                assert_eq!(network.held(), [""; 0], "{name}");
                let records = network.records().len();
                heals(&mut network);
                let late = again(&mut network, |packet| packet.lost && is_response(packet));
                assert!(late > 0, "{name}");
                network.run_for(seconds(40));
                assert_eq!(network.call(leg).ends.len(), 1, "{name}");
                assert_eq!(network.records().len(), records, "{name}");
                assert_idle(&mut network);
            }
        }
    }
}
