//! Kamailio stands between callers and pool, and stays in the dialog (Record-Route).

use crate::kamailio::Kamailio;
use crate::network::{Network, Settings};
use crate::sipp::Sipp;

/// The caller's ACK and BYE follow a route set of two proxies: Kamailio and our trunk group. Kamailio refuses requests that
/// do not.
#[test]
fn calls_through_a_proxy_follow_the_route_set() {
    let network = Network::start();
    let kamailio = Kamailio::in_front_of(network.at("mobile"));
    let caller = Sipp::caller("caller_hangs_up", kamailio.address());
    assert_eq!(caller.calls(50).with(&["-r", "25", "-d", "200"]).run().successful, 50);
    let records = network.stop();
    records.expect_on_path("answered", 50).expect_each_on_path("ended_by", "caller");
}

/// The BYE of the PSAP follows it in the opposite direction.
#[test]
fn a_psap_hangs_up_through_a_proxy() {
    let network = Network::with(Settings::default().with("psaps.first.talk", "200ms"));
    let kamailio = Kamailio::in_front_of(network.at("mobile"));
    let caller = Sipp::caller("callee_hangs_up", kamailio.address());
    assert_eq!(caller.calls(20).with(&["-r", "20"]).run().successful, 20);
    let records = network.stop();
    records.expect_on_path("answered", 20).expect_each_on_path("ended_by", "callee");
}

#[test]
fn a_caller_gives_up_through_a_proxy() {
    let network = Network::with(Settings::default().with("psaps.first.ring", "30s"));
    let kamailio = Kamailio::in_front_of(network.at("mobile"));
    let caller = Sipp::caller("caller_cancels", kamailio.address());
    assert_eq!(caller.calls(20).with(&["-r", "20"]).run().successful, 20);
    let records = network.stop();
    records.expect_on_path("abandoned", 20);
}
