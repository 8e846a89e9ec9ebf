//! Calls that go as they should.

use insta::assert_snapshot;
use sip_proto::message::Payload;
use system_tests::phone::{CallEnd, Phone};

use crate::support::{PATH, assert_idle, ms, seconds, two_sites, two_sites_with};

#[test]
fn caller_hangs_up() {
    let mut network = two_sites();
    let leg = network.dial("15");
    network.run_for(seconds(5));
    network.hang_up("caller", leg);
    network.run_for(seconds(1));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(true)]);
    assert_snapshot!(network.ladder("caller_hangs_up", &PATH));
    assert_idle(&mut network);
}

#[test]
fn call_taker_hangs_up() {
    let mut network = two_sites();
    let leg = network.dial("15");
    network.run_for(seconds(13));
    assert_eq!(network.call(leg).ends, [CallEnd::Bye]);
    assert_snapshot!(network.ladder("call_taker_hangs_up", &PATH));
    assert_idle(&mut network);
}

#[test]
fn caller_gives_up_while_it_rings() {
    let mut network = two_sites();
    let leg = network.dial("15");
    network.run_for(seconds(1));
    network.hang_up("caller", leg);
    network.run_for(seconds(1));
    assert_eq!(network.call(leg).ends, [CallEnd::Refused(487)]);
    assert_snapshot!(network.ladder("caller_gives_up_while_it_rings", &PATH));
    assert_idle(&mut network);
}

// RFC 3261 §13.2.1: an INVITE without an offer; the 200 has the offer, the ACK the answer.
#[test]
fn delayed_offer_crosses_the_pool() {
    let mut network = two_sites();
    let mut invite = network.invite("15", "mobile");
    invite.payload = Payload::empty();
    let caller = network.at("caller");
    let leg = network.net.act(caller, |phone: &mut Phone, now| phone.dial(now, invite));
    network.run_for(seconds(3));
    network.hang_up("caller", leg);
    network.run_for(seconds(1));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(true)]);
    assert_snapshot!(network.ladder("delayed_offer_crosses_the_pool", &PATH).with_bodies());
    assert_idle(&mut network);
}

// RFC 5031: the URN stays the Request-URI on every hop, and Route shows the way.
#[test]
fn service_urn_travels_by_route() {
    let mut network = two_sites();
    let leg = network.dial("urn:service:sos.fire");
    network.run_for(seconds(3));
    network.hang_up("caller", leg);
    network.run_for(seconds(1));
    let boxes = ["caller", "mobile", "alpha", "samu-75"];
    for name in &boxes[1..] {
        let invites = network.net.trace().sent_to(network.at(name), "INVITE");
        let lines: Vec<String> = invites
            .map(|packet| String::from_utf8_lossy(&packet.bytes).lines().take(1).collect())
            .collect();
        assert_eq!(lines, ["INVITE urn:service:sos.fire SIP/2.0"], "at {name}");
    }
    assert_snapshot!(network.ladder("service_urn_travels_by_route", &boxes));
    assert_idle(&mut network);
}

// RFC 3261 §18.1.1: an INVITE of more than 1,300 bytes goes by TCP on each hop.
#[test]
fn large_invite_with_location_goes_by_tcp() {
    let mut network = two_sites();
    let mut invite = network.invite("15", "mobile");
    invite.payload = crate::transparency::location_payload(network.at("caller"));
    let caller = network.at("caller");
    let leg = network.net.act(caller, |phone: &mut Phone, now| phone.dial(now, invite));
    network.run_for(seconds(3));
    network.hang_up("caller", leg);
    network.run_for(seconds(1));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(true)]);
    assert_snapshot!(network.ladder("large_invite_with_location_goes_by_tcp", &PATH));
    assert_idle(&mut network);
}

#[test]
fn one_call_of_two_can_be_drawn_alone() {
    let mut network = two_sites_with(&[("circuits = 2", "circuits = 9")]);
    let first = network.dial("15");
    let second = network.dial("18");
    network.run_for(seconds(3));
    network.hang_up("caller", first);
    network.hang_up("caller", second);
    network.run_for(ms(100));
    let boxes = ["caller", "mobile", "alpha", "beta", "samu-59", "samu-75"];
    let half = format!("{:032x}", 2);
    let ladder = network.ladder("second call", &boxes).of_attempt(&half).to_string();
    assert_snapshot!(ladder);
    assert_idle(&mut network);
}
