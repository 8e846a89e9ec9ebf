//! Bytes that no good box would send, at every box of the network, with a call in progress.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use contract::Node as _;
use proptest::prelude::*;
use proptest::sample::Index;
use sip_proto::{Packet, Transport};
use system_tests::network::Network;
use system_tests::phone::CallEnd;

use crate::support::{assert_idle, ms, seconds, two_sites};

/// Where the bad bytes come from.
const STRANGER: &str = "127.0.0.1:5999";

/// Puts bytes on the way to `to` over UDP, as if the caller had sent them.
pub(crate) fn inject(network: &mut Network, to: SocketAddr, bytes: Vec<u8>) {
    let from = network.at("caller");
    inject_from(network, from, to, bytes);
}

fn inject_from(network: &mut Network, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
    let packet = Packet { transport: Transport::Udp, peer: to, bytes: bytes.into() };
    network.net.inject(from, packet);
}

/// The torture messages of RFC 4475 and RFC 5118.
fn torture_messages() -> Vec<(PathBuf, Vec<u8>)> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/sip-proto/tests/data");
    let mut files = Vec::new();
    collect(&data, &mut files);
    files.sort();
    assert!(files.len() >= 49, "{} torture messages in {}", files.len(), data.display());
    files.into_iter().map(|path| (path.clone(), std::fs::read(&path).unwrap())).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_none_or(|ending| ending == "dat") {
            files.push(path);
        }
    }
}

const BOXES: [&str; 5] = ["mobile", "alpha", "beta", "samu-59", "samu-75"];

#[test]
fn torture_messages_change_no_call_and_leave_nothing() {
    let mut network = two_sites();
    let leg = network.dial("15");
    network.run_for(seconds(3));
    let stranger: SocketAddr = STRANGER.parse().unwrap();
    for (_, bytes) in torture_messages() {
        for name in BOXES {
            let to = network.at(name);
            inject_from(&mut network, stranger, to, bytes.clone());
            let packet =
                Packet { transport: Transport::Tcp, peer: to, bytes: bytes.clone().into() };
            network.net.inject(stranger, packet);
        }
        network.run_for(ms(10));
    }
    assert!(network.call(leg).ends.is_empty(), "{:?}", network.call(leg));
    network.hang_up("caller", leg);
    network.run_for(seconds(1));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(true)]);
    assert!(network.trunk_group("mobile").malformed > 0);
    assert!(network.call_server("alpha").malformed > 0);
    // Some of the messages are good INVITEs, which ring until the network's own limits.
    assert_idle(&mut network);
}

/// A message of the call in progress, changed in one place.
#[derive(Debug, Clone)]
enum Mutation {
    Truncate(usize),
    Flip(usize, u8),
    Insert(usize, Vec<u8>),
    Repeat(usize, usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = 0..2_000_usize;
    prop_oneof![
        at.clone().prop_map(Mutation::Truncate),
        (at.clone(), any::<u8>()).prop_map(|(at, with)| Mutation::Flip(at, with)),
        (at.clone(), prop::collection::vec(any::<u8>(), 1..40))
            .prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        (at, 1..200_usize).prop_map(|(at, length)| Mutation::Repeat(at, length)),
    ]
}

fn mutate(mut bytes: Vec<u8>, mutation: &Mutation) -> Vec<u8> {
    let length = bytes.len().max(1);
    match mutation {
        Mutation::Truncate(at) => bytes.truncate(at % length),
        Mutation::Flip(at, with) => bytes[at % length] ^= with,
        Mutation::Insert(at, new) => {
            bytes.splice(at % length..at % length, new.iter().copied());
        }
        Mutation::Repeat(at, count) => {
            let start = at % length;
            let part = bytes[start..length.min(start + count)].to_vec();
            bytes.splice(start..start, part);
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The packets of a call, damaged and sent by a stranger to any box, end no box and leak
    /// nothing.
    #[test]
    fn damaged_packets_leave_nothing_behind(
        damage in prop::collection::vec((any::<Index>(), mutation(), 0..BOXES.len()), 1..30),
    ) {
        let mut network = two_sites();
        let leg = network.dial("15");
        network.run_for(seconds(3));
        let stranger: SocketAddr = STRANGER.parse().unwrap();
        let sent: Vec<Vec<u8>> =
            network.net.trace().packets().map(|packet| packet.bytes.to_vec()).collect();
        for (which, mutation, to) in damage {
            let to = network.at(BOXES[to]);
            inject_from(&mut network, stranger, to, mutate(which.get(&sent).clone(), &mutation));
            network.run_for(ms(5));
        }
        network.hang_up("caller", leg);
        prop_assert!(network.run_until_idle(seconds(8_000)), "{:?}", network.held());
        prop_assert_eq!(network.call(leg).ends.len(), 1);
        prop_assert_eq!(network.unbalanced(), Vec::<String>::new());
    }

    #[test]
    fn random_bytes_are_counted_and_dropped(
        noise in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 1..20),
    ) {
        let mut network = two_sites();
        // Empty lines and zeros are keep-alives.
        let keep_alive = |bytes: &[u8]| bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0));
        let count = noise.iter().filter(|bytes| !keep_alive(bytes)).count() as u64;
        for bytes in noise {
            let mobile = network.at("mobile");
            inject(&mut network, mobile, bytes);
        }
        network.run_for(seconds(1));
        let now = network.net.node::<switch::TrunkGroup>(network.at("mobile")).snapshot();
        prop_assert_eq!(now.malformed + now.stray, count);
        prop_assert_eq!(now.calls, 0);
        prop_assert_eq!(now.counts.offered, 0);
    }
}

// RFC 3261 §16.12: what is inside a dialog follows its routes; a dialog is no licence to send anything anywhere.
#[test]
fn a_call_makes_the_trunk_group_nobodys_relay() {
    let mut network = two_sites();
    let leg = network.dial("15");
    network.run_for(seconds(4));
    let (caller, mobile) = (network.at("caller"), network.at("mobile"));
    let group = |network: &Network| network.trunk_group("mobile").counts;
    let invite = network.net.trace().sent_to(mobile, "INVITE").find_map(|packet| packet.message());
    let invite = invite.expect("an INVITE of the caller");
    let (call_id, tag) = (invite.call_id(), invite.from_tag());
    let before = group(&network).unknown_dialog;
    let victim = network.at("samu-75");
    for (method, to_tag) in [("MESSAGE", "any"), ("INVITE", "any"), ("REGISTER", "x")] {
        let text = format!(
            "{method} sip:x@{victim} SIP/2.0\r\nVia: SIP/2.0/UDP {caller};branch=z9hG4bK{method}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:a@{caller}>;tag={tag}\r\nTo: <sip:15@{mobile}>;tag={to_tag}\r\n\
             Call-ID: {call_id}\r\nCSeq: 9 {method}\r\nContent-Length: 0\r\n\r\n"
        );
        inject(&mut network, mobile, text.into_bytes());
        network.run_for(ms(100));
    }
    assert_eq!(group(&network).unknown_dialog - before, 3);
    network.hang_up("caller", leg);
    network.run_for(seconds(1));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(true)]);
    assert_idle(&mut network);
}
