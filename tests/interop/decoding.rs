//! tshark reads every message that our boxes send.

use crate::capture::Capture;
use crate::network::{Network, Settings};
use crate::sipp::Sipp;

const CALLS: usize = 5;

/// Over UDP and TCP: answered calls, calls that the caller gives up, long INVITEs with a location.
#[test]
fn tshark_finds_no_mistake_in_what_we_send() {
    let network = Network::with(Settings::default().with("psaps.first.ring", "200ms"));
    let boxes = ["mobile", "alpha", "first", "second"].map(|name| network.at(name)).to_vec();
    let capture = Capture::start(boxes);
    let place = |scenario, transport| {
        let caller = Sipp::caller(scenario, network.at("mobile"));
        let caller = caller.calls(CALLS).with(&["-t", transport, "-r", "50", "-d", "50"]);
        assert_eq!(caller.run().successful, CALLS as u64);
    };
    place("caller_hangs_up", "u1");
    place("caller_hangs_up", "t1");
    place("caller_cancels", "u1");
    place("caller_sends_location", "u1");
    let records = network.stop();
    assert_eq!(records.count("trunk_group", "outcome", "answered"), 3 * CALLS);
    assert_eq!(records.count("trunk_group", "outcome", "abandoned"), CALLS);
    let packets = capture.stop();

    let none: [&str; 0] = [];
    assert_eq!(packets.matching("_ws.malformed"), none);
    assert_eq!(packets.matching("sip && _ws.expert.severity >= \"Note\""), none);
    // Every call has three INVITEs: to the trunk group, to the call server, to the PSAP.
    let count = |filter: &str| packets.matching(filter).len();
    for (message, expected) in [
        ("sip.Method == \"INVITE\"", 12 * CALLS),
        ("sip.Method == \"CANCEL\"", 3 * CALLS),
        ("sip.Status-Code == 487", 3 * CALLS),
        ("sip.Status-Code == 200 && sip.CSeq.method == \"INVITE\"", 9 * CALLS),
        ("sip.Status-Code == 200 && sip.CSeq.method == \"BYE\"", 9 * CALLS),
    ] {
        assert_eq!(count(&format!("{message} && sip.resend == 0")), expected, "{message}");
    }
    assert!(count("tcp && sip.Method == \"INVITE\" && xml") >= CALLS, "no location went by TCP");
}
