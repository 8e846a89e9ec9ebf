//! tshark measures the same streams as our boxes, and finds no mistake in them.

use std::net::IpAddr;

use serde_json::Value;

use crate::capture::{Capture, Packets};
use crate::lossy;
use crate::network::{CAMPAIGN_CALLS, Network, Settings};
use crate::records::{Records, media};
use crate::sipp::Sipp;
use crate::streams::{Stream, Streams};

/// After its last look at a stream, a box may get this many packets more: until the BYE has arrived.
const IN_FLIGHT: u64 = 3;

/// Starts a capture of all that these boxes say and hear.
fn watch(network: &Network) -> Capture {
    Capture::start(["mobile", "alpha", "first"].map(|name| network.at(name)).to_vec())
}

/// A stream as one of our boxes reports it, and as tshark measured it.
#[derive(Debug)]
struct Pair {
    kind: String,
    ours: Value,
    theirs: Stream,
}

impl Pair {
    fn ours(&self, field: &str) -> u64 {
        self.ours[field].as_u64().unwrap_or_else(|| panic!("no {field}: {self:#?}"))
    }

    /// Both count the same packets. Both ends of a call also know when the kernel received each, as tshark does; a
    /// call server only knows when it read it, so its jitter is not compared.
    fn check(&self) {
        assert_eq!(self.ours("received"), self.theirs.packets, "packets: {self:#?}");
        assert_eq!(self.ours("lost"), self.theirs.lost, "lost: {self:#?}");
        for (field, theirs) in
            [("mean_jitter_us", self.theirs.mean_jitter), ("max_jitter_us", self.theirs.max_jitter)]
        {
            let ours = self.ours(field) as f64 / 1_000.0;
            let is_near = (ours - theirs).abs() <= 0.25 + 0.1 * theirs;
            assert!(is_near || self.kind == "call_server", "{field}: {self:#?}");
        }
    }
}

/// Pairs of the same packets: without those that came after the last look of a box, which may have been late ones.
fn pairs(
    records: &Records,
    boxes: &[(&str, IpAddr)],
    streams: Streams,
    packets: &Packets,
) -> Vec<Pair> {
    let whole = pair_up(records, boxes, &streams);
    for pair in &whole {
        let count = pair.ours("received");
        assert!((count..=count + IN_FLIGHT).contains(&pair.theirs.packets), "packets: {pair:#?}");
    }
    let late =
        |pair: &Pair| (pair.theirs.to, (pair.theirs.packets - pair.ours("received")) as usize);
    let late: Vec<_> = whole.iter().map(late).collect();
    pair_up(records, boxes, &streams.without_last(packets, &late))
}

/// Finds what tshark measured for each report of our boxes, which are of these kinds and at these addresses.
fn pair_up(records: &Records, boxes: &[(&str, IpAddr)], streams: &Streams) -> Vec<Pair> {
    let text = |record: &Value, field: &str| record[field].as_str().unwrap_or_default().to_owned();
    let leg_to_psap = |attempt: &Value| {
        let mut psaps = records.of("psap").filter(|record| record["attempt"] == *attempt);
        text(psaps.next().expect("the PSAP's record of each call"), "call_id")
    };
    let mut pairs = Vec::new();
    for (kind, ip) in boxes {
        for record in records.of(kind) {
            for ours in media(record) {
                let call_id = match ours["from"].as_str() {
                    Some("psap") => leg_to_psap(&record["attempt"]),
                    _ => text(record, "call_id"),
                };
                let theirs = streams.to(*ip, &call_id);
                pairs.push(Pair { kind: (*kind).to_owned(), ours: ours.clone(), theirs });
            }
        }
    }
    pairs
}

fn expect_no_mistake(packets: &Packets) {
    let none: [&str; 0] = [];
    assert_eq!(packets.matching("_ws.malformed"), none);
    for protocol in ["sip", "rtp", "rtcp"] {
        let filter = format!("{protocol} && _ws.expert.severity >= \"Note\"");
        assert_eq!(packets.matching(&filter), none);
    }
}

/// Each call has four streams: two of our caller and PSAP, both received first by the call server.
#[test]
fn tshark_measures_the_streams_of_our_calls_as_we_do() {
    let settings = Settings::default().with_campaign("callers.talk", "2s");
    // Without digits: tshark takes the time stamps of events for those of packets (RFC 4733 §2.5.1.2).
    let network = Network::with(settings);
    let [alpha, first] = ["alpha", "first"].map(|name| network.at(name).ip());
    let capture = watch(&network);
    let callers = network.carry_campaign();
    let records = network.stop();
    let packets = capture.stop();
    for kind in ["generator", "psap"] {
        records.expect(kind, "answered", CAMPAIGN_CALLS).expect_heard(kind, CAMPAIGN_CALLS);
    }
    expect_no_mistake(&packets);
    // Each end says goodbye (RFC 3550 §6.6); the call server may have closed the way by then.
    for end in [callers, first] {
        let byes = packets.matching(&format!("rtcp.pt == 203 && ip.src == {end}"));
        assert_eq!(byes.len(), CAMPAIGN_CALLS, "RTCP BYE of {end}");
    }

    let streams = Streams::of(&packets);
    let boxes = [("generator", callers), ("call_server", alpha), ("psap", first)];
    assert_eq!(streams.len(), 4 * CAMPAIGN_CALLS);
    let pairs = pairs(&records, &boxes, streams, &packets);
    assert_eq!(pairs.len(), 4 * CAMPAIGN_CALLS);
    pairs.iter().for_each(Pair::check);
}

/// Packets get lost, are late and overtake each other, and both numbers of RTP begin anew: SIPp plays a capture file.
#[test]
fn tshark_measures_a_bad_line_as_we_do() {
    let network = Network::start();
    let [alpha, first] = ["alpha", "first"].map(|name| network.at(name).ip());
    let capture = watch(&network);
    let caller = Sipp::caller("caller_replays", network.at("mobile")).calls(1);
    let caller = caller.with_file("lossy.pcap", &lossy::capture()).with(&["-d", "3500"]);
    assert_eq!(caller.run().successful, 1);
    let records = network.stop();
    let packets = capture.stop();
    records.expect_on_path("answered", 1);

    let streams = Streams::of(&packets);
    assert_eq!(streams.len(), 4, "the fourth one goes to SIPp");
    let pairs = pairs(&records, &[("call_server", alpha), ("psap", first)], streams, &packets);
    assert_eq!(pairs.len(), 3);
    pairs.iter().for_each(Pair::check);
    let bad: Vec<_> = pairs.iter().filter(|pair| pair.theirs.lost > 0).collect();
    assert_eq!(bad.len(), 2, "call server and PSAP: {pairs:#?}");
    for pair in bad {
        assert_eq!([pair.ours("received"), pair.ours("lost")], [lossy::LEFT, lossy::MISSING]);
        assert!(pair.theirs.max_jitter > 2.0, "the line was better than it should: {pair:#?}");
    }
}
