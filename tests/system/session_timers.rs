//! Session timers (RFC 4028) of a telephone, across trunk group and call server.

use std::net::SocketAddr;

use sip_proto::user_agent::LegId;
use system_tests::network::Network;
use system_tests::phone::{CallEnd, Phone};
use telemetry::BoxKind;

use crate::support::{assert_idle, seconds, two_sites_with};

/// A call taker that never hangs up has answered a telephone that asks for this.
fn talking(wish: &str) -> (Network, LegId) {
    talking_from(wish, Phone::new)
}

/// The same with this telephone, of an address and a seed.
fn talking_from(wish: &str, phone: fn(SocketAddr, u64) -> Phone) -> (Network, LegId) {
    let mut network = two_sites_with(&[("talk = \"10s\"", "talk = \"never\"")]);
    let caller = network.at("caller");
    network.net.attach(caller, phone(caller, 7));
    let mut invite = network.invite("15", "mobile");
    invite.payload =
        invite.payload.with_header("Session-Expires", wish).with_header("Supported", "timer");
    let leg = network.net.act(caller, |phone: &mut Phone, now| phone.dial(now, invite));
    network.run_for(seconds(4));
    assert_eq!(network.trunk_group("mobile").counts.answered, 1);
    (network, leg)
}

#[test]
fn a_telephone_that_was_to_refresh_and_does_not_is_hung_up() {
    let (mut network, leg) = talking("90;refresher=uac");
    network.run_for(seconds(50));
    assert!(network.call(leg).ends.is_empty());
    network.run_for(seconds(10));
    assert_eq!(network.call(leg).ends, [CallEnd::Bye]);
    let records = network.records();
    let of_site = records.iter().find(|record| record.kind == BoxKind::CallServer);
    let why = of_site.and_then(|record| record.reason.as_deref());
    assert_eq!(why, Some("the caller's side did not refresh the session (RFC 4028)"));
    assert_idle(&mut network);
}

#[test]
fn a_call_that_the_call_server_refreshes_goes_on_until_somebody_hangs_up() {
    let (mut network, leg) = talking_from("90;refresher=uas", Phone::knowing_timers);
    network.run_for(seconds(900));
    let refreshes = network.net.trace().sent_to(network.at("caller"), "UPDATE").count();
    assert!((19..=20).contains(&refreshes), "{refreshes}");
    // The answering point has no part in it.
    assert_eq!(network.net.trace().sent_to(network.at("samu-59"), "UPDATE").count(), 0);
    assert!(network.call(leg).ends.is_empty());
    network.hang_up("caller", leg);
    network.run_for(seconds(1));
    assert_eq!(network.call(leg).ends, [CallEnd::HungUp(true)]);
    assert_idle(&mut network);
}
