//! Telephones that have TCP only, and telephones behind a translator (NAT).

use std::net::SocketAddr;

use sip_proto::user_agent::LegId;
use sip_proto::{Packet, Transport};
use system_tests::network::Network;
use system_tests::phone::{CallEnd, Phone, sdp};
use world::trace::TracedPacket;

use crate::support::{assert_idle, ms, seconds, two_sites_with};

/// Where a telephone behind a translator believes that it is, and from where its packets come.
const INNER: &str = "192.168.1.20:5060";
const OUTER: &str = "127.0.0.77:41000";

/// The small network, whose answering point talks for 50 s: longer than any message is repeated.
fn network() -> Network {
    two_sites_with(&[("talk = \"10s\"", "talk = \"50s\"")])
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Dials `15` at `at` from the telephone `caller` over TCP.
fn dial_by_tcp(network: &mut Network, at: &str, number: &str) -> LegId {
    let invite = network.invite(number, at);
    let caller = network.at("caller");
    network
        .net
        .act(caller, |phone: &mut Phone, now| phone.dial_over(now, invite, Some(Transport::Tcp)))
}

/// What crossed between two boxes, by transport: whatever is counted for UDP, a telephone with TCP only never saw.
fn crossed(network: &Network, one: SocketAddr, other: SocketAddr) -> [Vec<String>; 2] {
    let between =
        |packet: &&TracedPacket| [(one, other), (other, one)].contains(&(packet.from, packet.to));
    [Transport::Udp, Transport::Tcp].map(|transport| {
        let all = network.net.trace().packets().filter(between);
        all.filter(|packet| packet.transport == transport).map(TracedPacket::label).collect()
    })
}

// RFC 3261 §12.1.1, §16.6 item 4; RFC 5658: a route for each side of a proxy at which the transport changes.
#[test]
fn a_caller_with_tcp_only_talks_until_the_callee_hangs_up() {
    for at in ["mobile", "alpha"] {
        let mut network = network();
        let leg = dial_by_tcp(&mut network, at, "15");
        let (caller, next) = (network.at("caller"), network.at(at));
        network.run_for(seconds(10));
        let offer = sdp(caller, "sendonly");
        assert!(network.net.act(caller, |phone: &mut Phone, now| phone.reinvite(now, leg, offer)));
        network.run_for(seconds(35));
        assert_eq!(
            (network.call(leg).ends.len(), &network.call(leg).modified[..]),
            (0, &[200][..])
        );
        network.run_for(seconds(20));
        assert_eq!(network.call(leg).ends, [CallEnd::Bye], "{at}");
        let [udp, tcp] = crossed(&network, caller, next);
        assert_eq!(udp, [""; 0], "{at}");
        for label in ["INVITE", "180", "200", "ACK", "BYE"] {
            assert!(tcp.iter().any(|have| have == label), "{at}: no {label} in {tcp:?}");
        }
        assert_eq!(tcp.iter().filter(|label| *label == "ACK").count(), 2, "{at}: {tcp:?}");
        assert_idle(&mut network);
    }
}

#[test]
fn a_caller_with_tcp_only_hangs_up_or_gives_up() {
    let mut network = network();
    let (caller, mobile) = (network.at("caller"), network.at("mobile"));
    let leg = dial_by_tcp(&mut network, "mobile", "15");
    network.run_for(seconds(40));
    network.hang_up("caller", leg);
    network.run_for(seconds(1));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(true)]);
    let leg = dial_by_tcp(&mut network, "mobile", "15");
    network.run_for(seconds(1));
    network.hang_up("caller", leg);
    network.run_for(seconds(1));
    assert_eq!(network.call(leg).ends, [CallEnd::Refused(487)]);
    assert_eq!(crossed(&network, caller, mobile)[0], [""; 0]);
    assert_idle(&mut network);
}

// A psap is called as any other: also directly, and over TCP.
#[test]
fn an_answering_point_that_is_called_over_tcp_hangs_up_over_tcp() {
    let mut network = network();
    let leg = dial_by_tcp(&mut network, "samu-59", "0353010015");
    network.run_for(seconds(60));
    assert_eq!(network.call(leg).ends, [CallEnd::Bye]);
    assert_eq!(crossed(&network, network.at("caller"), network.at("samu-59"))[0], [""; 0]);
    assert_idle(&mut network);
}

// 3GPP TS 24.229 §5.2.8.1.2: the trunk group ends the call in the place of a site that has died.
#[test]
fn a_site_that_dies_leaves_no_caller_with_tcp_only_behind() {
    let release = "next_site_after = \"2s\"\nwhen_site_dies = \"release\"";
    let mut network = two_sites_with(&[
        ("talk = \"10s\"", "talk = \"100s\""),
        ("probe_interval = \"1h\"", "probe_interval = \"1s\""),
        ("next_site_after = \"2s\"", release),
    ]);
    let leg = dial_by_tcp(&mut network, "mobile", "15");
    network.run_for(seconds(10));
    let alpha = network.at("alpha");
    network.net.kill(alpha);
    network.run_for(seconds(20));
    assert_eq!(network.call(leg).ends, [CallEnd::Bye]);
    assert_eq!(crossed(&network, network.at("caller"), network.at("mobile"))[0], [""; 0]);
}

/// A telephone behind a translator, as caller.
fn behind_a_translator(network: &mut Network) -> SocketAddr {
    let outer = address(OUTER);
    network.net.attach(outer, Phone::new(address(INNER), 7));
    outer
}

fn dial_from(network: &mut Network, outer: SocketAddr, at: &str, by: Option<Transport>) -> LegId {
    let number = if at == "samu-59" { "0353010015" } else { "15" };
    let mut invite = network.invite(number, at);
    invite.from = format!("<sip:+33639980001@{INNER}>");
    network.net.act(outer, |phone: &mut Phone, now| phone.dial_over(now, invite, by))
}

fn ends(network: &Network, outer: SocketAddr, leg: LegId) -> Vec<CallEnd> {
    network.net.node::<Phone>(outer).call(leg).ends.clone()
}

// RFC 5626 §1, RFC 3581: nothing ever arrives at its Contact.
#[test]
fn a_caller_behind_a_translator_hears_that_the_callee_hung_up() {
    for at in ["mobile", "alpha", "samu-59"] {
        for by in [None, Some(Transport::Tcp)] {
            let mut network = network();
            let outer = behind_a_translator(&mut network);
            let leg = dial_from(&mut network, outer, at, by);
            network.run_for(seconds(60));
            assert_eq!(ends(&network, outer, leg), [CallEnd::Bye], "{at} {by:?}");
            let inner = address(INNER);
            let astray: Vec<_> =
                network.net.trace().packets().filter(|packet| packet.to == inner).collect();
            assert!(astray.is_empty(), "{at} {by:?}: {astray:#?}");
            assert_idle(&mut network);
        }
    }
}

// The translator gives the telephone another port while it talks: its next request tells.
#[test]
fn a_caller_that_gets_another_port_is_reached_there() {
    for at in ["mobile", "alpha", "samu-59"] {
        let mut network = network();
        let outer = behind_a_translator(&mut network);
        dial_from(&mut network, outer, at, None);
        network.run_for(seconds(10));
        let next = network.at(at);
        let ack = network.net.trace().sent_to(next, "ACK").next().unwrap();
        let text = String::from_utf8(ack.bytes.to_vec()).unwrap();
        let info = text.replace("ACK", "INFO").replace("CSeq: 1 ", "CSeq: 2 ");
        let moved = address("127.0.0.77:42000");
        let info = Packet { transport: Transport::Udp, peer: next, bytes: info.into() };
        network.net.inject(moved, info);
        network.run_for(seconds(50));
        let byes = |to| network.net.trace().sent_to(to, "BYE").count();
        assert!(byes(moved) > 0 && byes(outer) == 0, "{at}: {} {}", byes(moved), byes(outer));
    }
}

// An answering point that is not ours, at an address that its own network does not know.
#[test]
fn a_callee_behind_a_translator_is_reached_where_it_was_called() {
    let mut network = network();
    let psap = network.at("samu-59");
    network.net.attach(psap, Phone::new(address(INNER), 7));
    let leg = network.dial("15");
    network.run_for(seconds(40));
    assert_eq!(network.call(leg).ends, [], "its 200 was acknowledged");
    network.hang_up("caller", leg);
    network.run_for(ms(500));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(true)]);
    assert_eq!(network.net.node::<Phone>(psap).legs(), 0);
}

// Whoever offers media may name the address of somebody else, and never acknowledge.
#[test]
fn an_invite_that_is_never_acknowledged_sends_a_third_party_no_more_than_a_second_of_media() {
    let direct = "next_site_after = \"2s\"\nmedia = \"direct\"";
    for (at, way) in [
        ("mobile", "next_site_after = \"2s\""),
        ("mobile", direct),
        ("alpha", "next_site_after = \"2s\""),
        ("samu-59", "next_site_after = \"2s\""),
    ] {
        let mut network = two_sites_with(&[
            ("talk = \"10s\"", "talk = \"50s\""),
            ("next_site_after = \"2s\"", way),
        ]);
        let victim = address("127.0.0.99:40000");
        let number = if at == "samu-59" { "0353010015" } else { "15" };
        let (attacker, next) = (address("127.0.0.66:5060"), network.at(at));
        let body = sdp(victim, "sendrecv");
        let invite = format!(
            "INVITE sip:{number}@{next} SIP/2.0\r\nVia: SIP/2.0/UDP {attacker};branch=z9hG4bKa\r\nMax-Forwards: 70\r\n\
             From: <sip:a@{attacker}>;tag=a\r\nTo: <sip:15@{next}>\r\nCall-ID: attack\r\nCSeq: 1 INVITE\r\n\
             Contact: <sip:a@{attacker}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let packet = Packet { transport: Transport::Udp, peer: next, bytes: invite.into() };
        network.net.inject(attacker, packet);
        network.run_for(seconds(40));
        let sent = network.net.media_sent(victim);
        assert!((1..=50).contains(&sent), "{at}, {way}: {sent} packets");
    }
}

// The same call with its ACK: as much media as there is.
#[test]
fn an_invite_that_is_acknowledged_gets_all_of_its_media() {
    let mut network = two_sites_with(&[("talk = \"10s\"", "talk = \"50s\"")]);
    network.dial("15");
    network.run_for(seconds(12));
    let sent = network.net.media_sent(address("127.0.0.1:40000"));
    assert!((490..=501).contains(&sent), "{sent} packets in ten seconds of talk");
}
