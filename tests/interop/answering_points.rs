//! SIPp answers behind our pool; the callers are ours.

use serde_json::json;

use crate::network::{CAMPAIGN_CALLS, Network, Settings};
use crate::records::Records;
use crate::sipp::Sipp;

/// Lets our callers call `psap` as the PSAP `first`, and checks that all of them are answered, by it or by the PSAP `second`.
fn call(psap: Sipp) -> Records {
    let psap = psap.calls(CAMPAIGN_CALLS);
    let network = Network::with(Settings::default().with_first_psap_at(psap.address()));
    let psap = psap.start();
    network.carry_campaign();
    assert_eq!(psap.succeed().successful, CAMPAIGN_CALLS as u64);
    let records = network.stop();
    for kind in ["generator", "trunk_group", "call_server"] {
        records.expect(kind, "answered", CAMPAIGN_CALLS);
    }
    records
}

fn expect_rerouted(records: &Records) {
    records.expect("psap", "answered", CAMPAIGN_CALLS);
    records.expect_each("call_server", "psap", "second");
    records.expect_each("call_server", "tried", json!(["first", "second"]));
}

/// What people try first: `sipp -sn uas`.
#[test]
fn a_psap_of_the_built_in_scenario_answers_all_calls() {
    let records = call(Sipp::built_in("uas"));
    records.expect("psap", "answered", 0).expect_each("call_server", "psap", "first");
}

#[test]
fn a_psap_that_loses_acks_gets_them_again() {
    let records = call(Sipp::own("psap_loses_acks"));
    records.expect("psap", "answered", 0).expect_each("call_server", "psap", "first");
}

#[test]
fn a_psap_can_hold_the_call_and_hang_up() {
    let records = call(Sipp::own("psap_holds"));
    records.expect_each("call_server", "ended_by", "callee");
}

/// RFC 3262, RFC 4028: the call server acknowledges the ringing itself, and takes the timer for its own leg.
#[test]
fn a_psap_may_ring_reliably_and_ask_for_a_session_timer() {
    let records = call(Sipp::own("psap_rings_reliably"));
    records.expect_each("call_server", "psap", "first");
}

#[test]
fn a_busy_psap_makes_the_next_one_answer() {
    let records = call(Sipp::own("psap_is_busy"));
    expect_rerouted(&records);
}

#[test]
fn an_unavailable_psap_makes_the_next_one_answer() {
    let records = call(Sipp::own("psap_is_unavailable"));
    expect_rerouted(&records);
}

/// RFC 3261 §8.1.3.4, for a Contact that is a PSAP of this network.
#[test]
fn a_psap_can_redirect_to_another_one() {
    let records = call(Sipp::own("psap_redirects").setting("overflow", "0353010016@127.0.0.1"));
    expect_rerouted(&records);
}

#[test]
fn a_psap_that_rings_for_ever_is_cancelled_and_the_next_one_answers() {
    let records = call(Sipp::own("psap_never_answers"));
    expect_rerouted(&records);
}

#[test]
fn a_silent_psap_makes_the_next_one_answer() {
    let records = call(Sipp::own("psap_is_silent"));
    expect_rerouted(&records);
}

/// RFC 3261 §18.1.1: a small request goes by UDP, and nothing tells a call server that an answering point has TCP only. Where it
/// stands beside another one, callers are answered all the same; a large INVITE, with a location in it, would reach it.
#[test]
fn a_psap_with_tcp_only_hears_no_small_invite_and_the_next_one_answers() {
    let psap = Sipp::built_in("uas").with(&["-t", "t1"]);
    let network = Network::with(Settings::default().with_first_psap_at(psap.address()));
    let _psap = psap.start();
    network.carry_campaign();
    let records = network.stop();
    for kind in ["generator", "trunk_group", "call_server"] {
        records.expect(kind, "answered", CAMPAIGN_CALLS);
    }
    expect_rerouted(&records);
}
