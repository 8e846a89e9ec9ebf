//! Packets that cross or get lost at the worst moment.

use insta::assert_snapshot;
use system_tests::network::Network;
use system_tests::phone::CallEnd;

use crate::support::{PATH, assert_idle, ms, seconds, two_sites};

/// Loses the next `times` packets called `label` from one box to another.
fn lose(network: &mut Network, from: &str, to: &str, label: &str, times: u32) {
    let (from, to) = (network.at(from), network.at(to));
    network.net.lose(from, to, label, times);
}

// RFC 3261 §9.1: the CANCEL comes too late, so the caller's user agent ends the call with BYE.
#[test]
fn cancel_crosses_the_answer() {
    let mut network = two_sites();
    let leg = network.dial("15");
    // The call taker picks up two seconds after the INVITE, three hops away.
    network.run_for(ms(2_004));
    network.hang_up("caller", leg);
    network.run_for(seconds(1));
    assert_eq!(network.call(leg).ends.len(), 1, "{:?}", network.call(leg));
    assert_snapshot!(network.ladder("cancel_crosses_the_answer", &PATH));
    assert_idle(&mut network);
}

// RFC 3261 §13.3.1.4: the 200 is repeated until the ACK comes.
#[test]
fn lost_answer_is_sent_again() {
    let mut network = two_sites();
    lose(&mut network, "mobile", "caller", "200", 2);
    let leg = network.dial("15");
    network.run_for(seconds(5));
    network.hang_up("caller", leg);
    network.run_for(seconds(1));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(true)]);
    assert_snapshot!(network.ladder("lost_answer_is_sent_again", &PATH));
    assert_idle(&mut network);
}

// RFC 3261 §13.2.2.4: each copy of the 200 is acknowledged again.
#[test]
fn lost_ack_is_sent_again_when_the_answer_comes_again() {
    let mut network = two_sites();
    lose(&mut network, "caller", "mobile", "ACK", 1);
    let leg = network.dial("15");
    network.run_for(seconds(4));
    network.hang_up("caller", leg);
    network.run_for(seconds(1));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(true)]);
    assert_snapshot!(network.ladder("lost_ack_is_sent_again_when_the_answer_comes_again", &PATH));
    assert_idle(&mut network);
}

// RFC 3261 §17.1.2: Timer E repeats the BYE; the circuit is free when it is answered.
#[test]
fn lost_bye_is_sent_again() {
    let mut network = two_sites();
    lose(&mut network, "caller", "mobile", "BYE", 2);
    lose(&mut network, "mobile", "caller", "200 BYE", 1);
    let leg = network.dial("15");
    network.run_for(seconds(3));
    network.hang_up("caller", leg);
    network.run_for(seconds(5));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(true)]);
    assert_snapshot!(network.ladder("lost_bye_is_sent_again", &PATH));
    assert_idle(&mut network);
}

// RFC 3261 §17.1.1.2: Timer A repeats the INVITE until a provisional response.
#[test]
fn lost_invite_is_sent_again() {
    let mut network = two_sites();
    lose(&mut network, "caller", "mobile", "INVITE", 2);
    let leg = network.dial("15");
    network.run_for(seconds(5));
    network.hang_up("caller", leg);
    network.run_for(ms(100));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(true)]);
    assert_eq!(network.trunk_group("mobile").counts.offered, 1);
    assert_idle(&mut network);
}

// RFC 3261 §13.3.1.4: 64*T1 without an ACK, then BYE.
#[test]
fn answer_that_nobody_acknowledges_ends_the_call() {
    let mut network = two_sites();
    lose(&mut network, "caller", "mobile", "ACK", 100);
    let leg = network.dial("15");
    network.run_for(seconds(40));
    assert_eq!(network.call(leg).ends.len(), 1, "{:?}", network.call(leg));
    assert_idle(&mut network);
}

#[test]
fn both_sides_hang_up_at_once() {
    let mut network = two_sites();
    let leg = network.dial("15");
    // The call taker hangs up ten seconds after the ACK.
    network.run_for(ms(12_007));
    network.hang_up("caller", leg);
    network.run_for(seconds(1));
    assert_eq!(network.call(leg).ends.len(), 1, "{:?}", network.call(leg));
    assert_snapshot!(network.ladder("both_sides_hang_up_at_once", &PATH));
    assert_idle(&mut network);
}
