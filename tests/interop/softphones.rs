//! baresip, a softphone, as caller and as PSAP.

use crate::baresip::Baresip;
use crate::network::{CAMPAIGN_CALLS, Network, Settings};

#[test]
fn a_softphone_calls_and_hangs_up() {
    let network = Network::start();
    let mut phone = Baresip::start(false);
    phone.dial(&format!("sip:112@{}", network.at("mobile")));
    phone.until_established();
    phone.hang_up();
    phone.quit();
    let records = network.stop();
    records.expect_on_path("answered", 1).expect_each_on_path("ended_by", "caller");
}

#[test]
fn a_softphone_calls_and_the_psap_hangs_up() {
    let network = Network::with(Settings::default().with("psaps.first.talk", "500ms"));
    let mut phone = Baresip::start(false);
    phone.dial(&format!("sip:112@{}", network.at("mobile")));
    phone.until_established();
    phone.until_closed();
    phone.quit();
    let records = network.stop();
    records.expect_on_path("answered", 1).expect_each_on_path("ended_by", "callee");
}

/// Over TCP every request of a call finds its way by what the dialog says of the transport (RFC 5658): ACK, else the call ends after
/// 64·T1, and the BYE of either side.
#[test]
fn a_call_over_tcp_outlives_the_timers_and_ends_from_either_side() {
    let networks =
        [Network::start(), Network::with(Settings::default().with("psaps.first.talk", "33s"))];
    let mut phones = [Baresip::start(false), Baresip::start(false)];
    for (phone, network) in phones.iter_mut().zip(&networks) {
        phone.dial(&format!("sip:112@{};transport=tcp", network.at("mobile")));
        phone.until_established();
    }
    let [mut caller, mut called] = phones;
    called.until_closed();
    caller.hang_up();
    caller.quit();
    called.quit();
    for (network, ended_by) in networks.into_iter().zip(["caller", "callee"]) {
        let records = network.stop();
        records.expect_on_path("answered", 1).expect_each_on_path("ended_by", ended_by);
        let group = records.of("trunk_group").next().expect("the call of the softphone");
        assert_eq!(group["dialog"]["transport"], "tcp", "{group}");
        let talked = group["end_us"].as_u64().zip(group["answer_us"].as_u64());
        assert!(talked.is_some_and(|(end, answer)| end - answer > 32_000_000), "{group}");
    }
}

#[test]
fn a_softphone_gives_up_while_it_rings() {
    let network = Network::with(Settings::default().with("psaps.first.ring", "30s"));
    let mut phone = Baresip::start(false);
    phone.dial(&format!("sip:112@{}", network.at("mobile")));
    phone.until_ringing();
    phone.hang_up();
    phone.quit();
    let records = network.stop();
    records.expect_on_path("abandoned", 1);
}

/// It takes four calls at once, and is busy for the others: the next PSAP of the route has them.
#[test]
fn a_softphone_answers_as_psap() {
    let phone = Baresip::start(true);
    let network = Network::with(Settings::default().with_first_psap_at(phone.address()));
    network.carry_campaign();
    phone.quit();
    let records = network.stop();
    records.expect("generator", "answered", CAMPAIGN_CALLS);
    let answered = records.count("call_server", "psap", "first");
    assert!(answered > 0, "the softphone answered no call: {records:#?}");
    records.expect("psap", "answered", CAMPAIGN_CALLS - answered);
}
