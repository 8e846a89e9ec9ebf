//! A caller who demands reliable ringing and never acknowledges it (RFC 3262 §3).

use std::net::SocketAddr;

use sip_proto::{Packet, Transport};
use system_tests::phone::sdp;
use system_tests::rogue::{Rogue, Whim};
use telemetry::{BoxKind, Outcome};

use crate::support::{assert_idle, seconds, two_sites_with};

#[test]
fn a_caller_who_acknowledges_no_ringing_is_refused_and_told_as_that() {
    // Nobody answers, at neither site, before the caller's time is over.
    let patient = ("ring_timeout = \"20s\"", "ring_timeout = \"100s\"");
    let ringing = ("ring = \"2s\"", "ring = \"300s\"");
    let mut network = two_sites_with(&[patient, patient, ringing]);
    let at: SocketAddr = "127.9.0.1:5060".parse().unwrap();
    network.name("rogue", at);
    network.net.attach(at, Rogue::new(at, vec![Whim::Ignore]));
    let mobile = network.at("mobile");
    let body = sdp(at, "sendrecv");
    let text = format!(
        "INVITE sip:15@{mobile} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bKr1\r\nMax-Forwards: 70\r\n\
         From: <sip:rogue@{at}>;tag=r\r\nTo: <sip:15@{mobile}>\r\nCall-ID: r1\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:rogue@{at}>\r\nRequire: 100rel\r\nContent-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let packet = Packet { transport: Transport::Udp, peer: mobile, bytes: text.into() };
    network.net.inject(at, packet);
    // The trunk group tries the other site, too.
    network.run_for(seconds(80));
    let ended = |kind: BoxKind| -> Vec<(Outcome, Option<u16>)> {
        let of_kind = network.records().iter().filter(|record| record.kind == kind);
        of_kind.map(|record| (record.outcome, record.status)).collect()
    };
    let refused = (Outcome::Rejected, Some(504));
    assert_eq!(ended(BoxKind::CallServer), [refused; 2]);
    // As ever when no site is left.
    assert_eq!(ended(BoxKind::TrunkGroup), [(Outcome::Rejected, Some(503))]);
    assert_eq!(ended(BoxKind::Psap), [(Outcome::Abandoned, Some(487)); 2]);
    assert_idle(&mut network);
}
