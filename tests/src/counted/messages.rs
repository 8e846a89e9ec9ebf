//! Messages that are read.

use bytes::Bytes;
use sip_proto::message::parse;

/// How often each is read.
pub const TIMES: u64 = 100;

const INVITE: &str = "\
INVITE sip:15@127.0.0.11:5060 SIP/2.0
Via: SIP/2.0/UDP 127.0.0.21:5060;branch=z9hG4bK5f1c0a6e2b9d4738
Via: SIP/2.0/UDP 127.0.0.100:5060;branch=z9hG4bK91d0c3f7a2e84b56;rport=5060
Record-Route: <sip:127.0.0.21:5060;lr>
Max-Forwards: 69
From: <sip:+33320000001@127.0.0.100>;tag=a73kszlfl
To: <sip:15@127.0.0.11>
Call-ID: 6f1e0d2c4b5a69788796a5b4c3d2e1f0@127.0.0.100
CSeq: 1 INVITE
Contact: <sip:127.0.0.100:5060>
P-Asserted-Identity: <tel:+33320000001>
P-Access-Network-Info: 3GPP-E-UTRAN-FDD;local-time-zone=\"UTC+1\";np
Session-ID: ab30317f1a784dc48ff824d0d3715d86;remote=00000000000000000000000000000000
Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO
Supported: timer
Content-Type: application/sdp
Content-Length: BODY
";

const OK: &str = "\
SIP/2.0 200 OK
Via: SIP/2.0/UDP 127.0.0.21:5060;branch=z9hG4bK5f1c0a6e2b9d4738
Via: SIP/2.0/UDP 127.0.0.100:5060;branch=z9hG4bK91d0c3f7a2e84b56;rport=5060
Record-Route: <sip:127.0.0.21:5060;lr>
From: <sip:+33320000001@127.0.0.100>;tag=a73kszlfl
To: <sip:15@127.0.0.11>;tag=1410948204
Call-ID: 6f1e0d2c4b5a69788796a5b4c3d2e1f0@127.0.0.100
CSeq: 1 INVITE
Contact: <sip:127.0.0.11:5060>
Session-ID: 47755a9de7794ba387653f2099600ef2;remote=ab30317f1a784dc48ff824d0d3715d86
Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO
Content-Type: application/sdp
Content-Length: BODY
";

const BYE: &str = "\
BYE sip:127.0.0.11:5060 SIP/2.0
Via: SIP/2.0/UDP 127.0.0.21:5060;branch=z9hG4bK2d4f6a8c0e1b3957
Via: SIP/2.0/UDP 127.0.0.100:5060;branch=z9hG4bK8e7d6c5b4a392817;rport=5060
Max-Forwards: 69
From: <sip:+33320000001@127.0.0.100>;tag=a73kszlfl
To: <sip:15@127.0.0.11>;tag=1410948204
Call-ID: 6f1e0d2c4b5a69788796a5b4c3d2e1f0@127.0.0.100
CSeq: 2 BYE
Reason: Q.850;cause=16;text=\"Normal call clearing\"
Session-ID: ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2
Content-Length: 0
";

const SDP: &str = "\
v=0
o=- 4711 1 IN IP4 127.0.0.100
s=-
c=IN IP4 127.0.0.100
t=0 0
m=audio 10000 RTP/AVP 8 0 101
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ptime:20
a=sendrecv
";

/// An INVITE through a proxy, with an offer.
#[must_use]
pub fn invite() -> Bytes {
    message(INVITE, SDP)
}

/// A 200 to it, with an answer.
#[must_use]
pub fn ok() -> Bytes {
    message(OK, SDP)
}

/// The BYE of that call.
#[must_use]
pub fn bye() -> Bytes {
    message(BYE, "")
}

/// Reads a message [`TIMES`] times.
///
/// # Panics
/// When it cannot be read.
pub fn read(bytes: &Bytes) {
    for _ in 0..TIMES {
        std::hint::black_box(parse(bytes.clone()).expect("a sound message"));
    }
}

fn message(head: &str, body: &str) -> Bytes {
    let body = body.replace('\n', "\r\n");
    let head = head.replace("BODY", &body.len().to_string()).replace('\n', "\r\n");
    format!("{head}\r\n{body}").into()
}
