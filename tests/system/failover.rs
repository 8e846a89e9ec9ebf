//! Sites and answering points that fall silent in the middle of a call.

use insta::assert_snapshot;
use system_tests::phone::{CallEnd, Phone};

use crate::support::{assert_idle, ms, seconds, two_sites, two_sites_with};

const POOL: [&str; 5] = ["caller", "mobile", "alpha", "beta", "samu-59"];

#[test]
fn dead_site_is_passed_over_before_the_caller_notices() {
    let mut network = two_sites();
    network.kill("alpha");
    let leg = network.dial("15");
    network.run_for(seconds(5));
    network.hang_up("caller", leg);
    network.run_for(seconds(1));
    assert_eq!(network.call(leg).heard, [180, 200]);
    assert_snapshot!(network.ladder("dead_site_is_passed_over_before_the_caller_notices", &POOL));
    assert_idle(&mut network);
}

// The caller's CANCEL finds a dead site; the trunk group answers in its place.
#[test]
fn site_dies_while_it_rings() {
    let mut network = two_sites_with(&[("ring = \"2s\"", "ring = \"30s\"")]);
    let leg = network.dial("15");
    network.run_for(seconds(1));
    network.kill("alpha");
    network.run_for(seconds(9));
    network.hang_up("caller", leg);
    network.run_for(seconds(240));
    assert_eq!(network.call(leg).ends.len(), 1, "{:?}", network.call(leg));
    let boxes = ["caller", "mobile", "alpha", "samu-59"];
    let ladder = network.ladder("site_dies_while_it_rings", &boxes).with_repeats_folded();
    assert_snapshot!(ladder);
    assert_idle(&mut network);
}

// Probes every two seconds find the site down after its third silence, and the call moves on.
#[test]
fn ringing_call_moves_when_its_site_is_found_down() {
    let changes = [("ring = \"2s\"", "ring = \"15s\""), ("\"1h\"", "\"2s\"")];
    let mut network = two_sites_with(&changes);
    let leg = network.dial("15");
    network.run_for(seconds(1));
    network.kill("alpha");
    network.run_for(seconds(24));
    network.hang_up("caller", leg);
    network.run_for(ms(100));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(true)]);
    let title = "ringing_call_moves_when_its_site_is_found_down";
    assert_snapshot!(network.ladder(title, &POOL).with_repeats_folded());
    assert_idle(&mut network);
}

// RFC 3261 §16.8: without probes, Timer C (three minutes) decides for a caller who never gives up.
#[test]
fn patient_caller_is_rung_elsewhere_after_timer_c() {
    let mut network = two_sites_with(&[("ring = \"2s\"", "ring = \"15s\"")]);
    let leg = network.dial("15");
    network.run_for(seconds(1));
    network.kill("alpha");
    network.run_for(seconds(236));
    network.hang_up("caller", leg);
    network.run_for(ms(100));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(true)]);
    let title = "patient_caller_is_rung_elsewhere_after_timer_c";
    assert_snapshot!(network.ladder(title, &POOL).with_repeats_folded());
    assert_idle(&mut network);
}

#[test]
fn site_dies_during_the_talk() {
    let mut network = two_sites();
    let leg = network.dial("15");
    network.run_for(seconds(4));
    network.kill("alpha");
    network.hang_up("caller", leg);
    network.run_for(seconds(60));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(false)]);
    let circuits: u32 = network.trunk_group("mobile").members.iter().map(|one| one.seized).sum();
    assert_eq!(circuits, 0, "the circuit must not die with the site");
    assert_idle(&mut network);
}

#[test]
fn silent_psap_is_passed_over() {
    let mut network = two_sites();
    network.kill("samu-59");
    let leg = network.dial("15");
    network.run_for(seconds(8));
    network.hang_up("caller", leg);
    network.run_for(ms(100));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(true)]);
    let boxes = ["caller", "mobile", "alpha", "samu-59", "samu-75"];
    assert_snapshot!(network.ladder("silent_psap_is_passed_over", &boxes));
    assert_idle(&mut network);
}

#[test]
fn psap_that_rings_too_long_is_left_for_the_next() {
    let mut network = two_sites_with(&[("ring = \"2s\"", "ring = \"60s\"")]);
    let leg = network.dial("15");
    network.run_for(seconds(24));
    network.hang_up("caller", leg);
    network.run_for(ms(100));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(true)]);
    let boxes = ["caller", "mobile", "alpha", "samu-59", "samu-75"];
    assert_snapshot!(network.ladder("psap_that_rings_too_long_is_left_for_the_next", &boxes));
    assert_idle(&mut network);
}

// RFC 3261 §18.1.1: where TCP is refused, UDP is tried; a dead site answers neither.
#[test]
fn large_invite_is_tried_by_udp_and_then_on_the_next_site() {
    let mut network = two_sites();
    network.kill("alpha");
    let mut invite = network.invite("15", "mobile");
    invite.payload = crate::transparency::location_payload(network.at("caller"));
    let caller = network.at("caller");
    let leg = network.net.act(caller, |phone: &mut Phone, now| phone.dial(now, invite));
    network.run_for(seconds(5));
    network.hang_up("caller", leg);
    network.run_for(ms(100));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(true)]);
    let title = "large_invite_is_tried_by_udp_and_then_on_the_next_site";
    assert_snapshot!(network.ladder(title, &POOL).with_repeats_folded());
    assert_idle(&mut network);
}

// A machine that hangs is not dead: it answers late, and finds that others have done its work.
#[test]
fn frozen_site_finds_its_call_carried_by_another() {
    let mut network = two_sites();
    network.freeze("alpha");
    let leg = network.dial("15");
    network.run_for(seconds(8));
    assert_eq!(network.call(leg).heard, [180, 200], "the other site rang");
    network.thaw("alpha");
    network.run_for(seconds(5));
    network.hang_up("caller", leg);
    network.run_for(seconds(40));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(true)]);
    let title = "frozen_site_finds_its_call_carried_by_another";
    assert_snapshot!(network.ladder(title, &POOL).with_repeats_folded());
    assert_idle(&mut network);
}
