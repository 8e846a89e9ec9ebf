//! SIPp calls our pool: trunk group, call server and PSAP are ours.

use crate::network::{Network, Settings};
use crate::sipp::Sipp;

#[test]
fn two_hundred_calls_at_fifty_per_second_are_answered() {
    let network = Network::start();
    let caller = Sipp::caller("caller_hangs_up", network.at("mobile"));
    let counts = caller.calls(200).with(&["-r", "50", "-d", "500"]).run();
    assert_eq!((counts.successful, counts.failed), (200, 0));
    let records = network.stop();
    records.expect_on_path("answered", 200);
    records.expect_each_on_path("ended_by", "caller").expect_each_on_path("number", "112");
}

/// What people try first: `sipp -sn uac`, which knows nothing of route sets.
#[test]
fn callers_of_the_built_in_scenario_are_answered() {
    let network = Network::start();
    let caller = Sipp::built_in_caller("uac", network.at("mobile"));
    assert_eq!(caller.calls(20).with(&["-r", "20", "-d", "200"]).run().successful, 20);
    let records = network.stop();
    records.expect_on_path("answered", 20);
}

#[test]
fn a_call_server_takes_calls_without_a_trunk_group() {
    let network = Network::start();
    let caller = Sipp::caller("caller_hangs_up", network.at("alpha"));
    assert_eq!(caller.calls(20).with(&["-r", "20", "-d", "200"]).run().successful, 20);
    let records = network.stop();
    records.expect("trunk_group", "answered", 0);
    records.expect("call_server", "answered", 20).expect("psap", "answered", 20);
}

#[test]
fn a_psap_takes_calls_directly() {
    let network = Network::start();
    let number = format!("sip:0353010015@{}", network.at("first"));
    let caller = Sipp::caller("caller_hangs_up", network.at("first"));
    let caller = caller.dialling(&number);
    assert_eq!(caller.calls(10).with(&["-r", "20", "-d", "200"]).run().successful, 10);
    network.stop().expect("psap", "answered", 10).expect("call_server", "answered", 0);
}

#[test]
fn a_caller_that_gives_up_while_it_rings_gets_487() {
    let network = Network::with(Settings::default().with("psaps.first.ring", "30s"));
    let caller = Sipp::caller("caller_cancels", network.at("mobile"));
    assert_eq!(caller.calls(20).with(&["-r", "20"]).run().successful, 20);
    let records = network.stop();
    records.expect_on_path("abandoned", 20).expect_each_on_path("status", 487);
}

/// RFC 3262, RFC 4028: both are agreed between the caller and the call server; the refresh of the caller crosses to the PSAP.
#[test]
fn a_caller_may_demand_reliable_ringing_and_a_session_timer() {
    for at in ["mobile", "alpha"] {
        let network = Network::with(Settings::default().with("psaps.first.ring", "100ms"));
        let caller = Sipp::caller("caller_acknowledges_ringing", network.at(at));
        let counts = caller.calls(10).with(&["-r", "20", "-d", "200"]).run();
        assert_eq!((counts.successful, counts.failed), (10, 0), "{at}");
        network.stop().expect("call_server", "answered", 10).expect("psap", "answered", 10);
    }
}

/// RFC 5031: a service URN as Request-URI.
#[test]
fn a_service_urn_is_routed() {
    let network = Network::start();
    let caller = Sipp::caller("caller_hangs_up", network.at("mobile"));
    let caller = caller.dialling("urn:service:sos.fire");
    assert_eq!(caller.calls(10).with(&["-r", "20", "-d", "200"]).run().successful, 10);
    let records = network.stop();
    records.expect_on_path("answered", 10);
    records.expect_each_on_path("number", "urn:service:sos.fire");
}

#[test]
fn callers_over_tcp_are_answered() {
    let network = Network::start();
    let caller = Sipp::caller("caller_hangs_up", network.at("mobile"));
    let counts = caller.calls(20).with(&["-t", "t1", "-r", "20", "-d", "200"]).run();
    assert_eq!(counts.successful, 20);
    let records = network.stop();
    records.expect_on_path("answered", 20);
}

#[test]
fn a_psap_that_hangs_up_ends_the_call_of_the_caller() {
    for transport in ["u1", "t1"] {
        let network = Network::with(Settings::default().with("psaps.first.talk", "200ms"));
        let caller = Sipp::caller("callee_hangs_up", network.at("mobile"));
        let counts = caller.calls(20).with(&["-t", transport, "-r", "20"]).run();
        assert_eq!(counts.successful, 20);
        let records = network.stop();
        records.expect_on_path("answered", 20).expect_each_on_path("ended_by", "callee");
    }
}

/// RFC 3261 §18.1.1: a request of more than 1,300 bytes goes by TCP. SIPp does not keep to that as a caller, and is
/// answered all the same; as PSAP it listens on TCP only, and finds location and identity as they were sent.
#[test]
fn a_long_invite_with_a_location_comes_by_udp_and_goes_on_by_tcp() {
    let psap = Sipp::own("psap_wants_location").calls(10).with(&["-t", "t1"]);
    let network = Network::with(Settings::default().with_first_psap_at(psap.address()));
    let psap = psap.start();
    let caller = Sipp::caller("caller_sends_location", network.at("mobile"));
    assert_eq!(caller.calls(10).with(&["-r", "20", "-d", "200"]).run().successful, 10);
    assert_eq!(psap.succeed().successful, 10);
    let records = network.stop();
    records.expect("trunk_group", "answered", 10).expect("psap", "answered", 0);
    records.expect("call_server", "answered", 10).expect_each("call_server", "psap", "first");
}
