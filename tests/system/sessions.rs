//! Changes of an established session: hold, resume, glare.

use insta::assert_snapshot;
use sip_proto::user_agent::LegId;
use system_tests::network::Network;
use system_tests::phone::{CallEnd, Phone, sdp};

use crate::support::{PATH, assert_idle, ms, seconds, two_sites};

/// The small network with a telephone in the place of the answering point, and a call between the
/// two.
fn talking() -> (Network, LegId, LegId) {
    let mut network = two_sites();
    network.phone("samu-59", "127.0.0.31:5060");
    let leg = network.dial("15");
    network.run_for(seconds(1));
    let callee = network.net.node::<Phone>(network.at("samu-59")).calls().next().unwrap().0;
    (network, leg, callee)
}

fn offer(network: &mut Network, phone: &str, leg: LegId, direction: &str) {
    let at = network.at(phone);
    let description = sdp(at, direction);
    assert!(network.net.act(at, |phone: &mut Phone, now| phone.reinvite(now, leg, description)));
}

fn answers(network: &Network, phone: &str, leg: LegId) -> Vec<u16> {
    network.net.node::<Phone>(network.at(phone)).call(leg).modified.clone()
}

// RFC 3264 §8.4: hold is an offer that is sendonly; its answer is recvonly.
#[test]
fn call_taker_holds_and_resumes() {
    let (mut network, leg, callee) = talking();
    let start = network.net.elapsed();
    offer(&mut network, "samu-59", callee, "sendonly");
    network.run_for(seconds(2));
    offer(&mut network, "samu-59", callee, "sendrecv");
    network.run_for(seconds(2));
    assert_eq!(answers(&network, "samu-59", callee), [200, 200]);
    network.hang_up("caller", leg);
    network.run_for(ms(100));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(true)]);
    let ladder = network.ladder("call_taker_holds_and_resumes", &PATH).with_bodies().since(start);
    assert_snapshot!(ladder);
    assert_idle_but_for_the_phone(&mut network);
}

// RFC 3261 §14.1: both sides are told 491, wait for different times and try again.
#[test]
fn glare_is_resolved_through_the_pool() {
    let (mut network, leg, callee) = talking();
    let start = network.net.elapsed();
    offer(&mut network, "samu-59", callee, "sendonly");
    offer(&mut network, "caller", leg, "inactive");
    network.run_for(seconds(10));
    assert_eq!(answers(&network, "samu-59", callee), [200]);
    assert_eq!(answers(&network, "caller", leg), [200]);
    let ladder = network.ladder("glare_is_resolved_through_the_pool", &PATH).with_bodies();
    assert_snapshot!(ladder.since(start).without_trying());
    network.hang_up("caller", leg);
    assert_idle_but_for_the_phone(&mut network);
}

// RFC 3261 §9.1: the CANCEL of a re-INVITE crosses too, so that the other side is free to change the
// session itself.
#[test]
fn a_cancelled_re_invite_is_cancelled_on_the_other_side() {
    let (mut network, leg, callee) = talking();
    let (caller, psap) = (network.at("caller"), network.at("samu-59"));
    network.net.act(psap, |phone: &mut Phone, _| phone.ponders_changes = true);
    offer(&mut network, "caller", leg, "inactive");
    network.run_for(seconds(1));
    network.net.act(caller, |phone: &mut Phone, now| phone.cancel_reinvite(now, leg));
    network.run_for(seconds(1));
    assert_eq!(answers(&network, "caller", leg), [487]);
    offer(&mut network, "samu-59", callee, "sendonly");
    network.run_for(seconds(1));
    assert_eq!(answers(&network, "samu-59", callee), [200]);
    network.hang_up("caller", leg);
    assert_idle_but_for_the_phone(&mut network);
}

/// The telephone is in the place of a PSAP, so the network cannot be asked as a whole.
fn assert_idle_but_for_the_phone(network: &mut Network) {
    network.run_for(seconds(60));
    let psap = network.at("samu-59");
    assert_eq!(network.net.node::<Phone>(psap).legs(), 0);
    network.net.kill(psap);
    assert_idle(network);
}
