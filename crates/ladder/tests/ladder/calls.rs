//! Calls, written message by message.

use std::net::SocketAddr;

use bytes::Bytes;
use sip_proto::Transport;
use telemetry::BoxKind;
use trace::{Direction, Entry, KeptCall, Seen, TracedBox};

pub(crate) const ATTEMPT: u128 = 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef;
/// Unix microseconds of the first message of each call.
pub(crate) const START: u64 = 1_700_000_000_000_000;

pub(crate) const CALLER: (BoxKind, &str, &str) = (BoxKind::Generator, "load-1", "127.0.0.11:5060");
pub(crate) const TRUNK: (BoxKind, &str, &str) = (BoxKind::TrunkGroup, "mobile", "127.0.0.21:5060");
pub(crate) const ALPHA: (BoxKind, &str, &str) = (BoxKind::CallServer, "alpha", "127.0.0.31:5060");
pub(crate) const BETA: (BoxKind, &str, &str) = (BoxKind::CallServer, "beta", "127.0.0.32:5060");
pub(crate) const PSAP: (BoxKind, &str, &str) = (BoxKind::Psap, "samu-59", "[2001:db8::41]:5060");

pub(crate) type Named = (BoxKind, &'static str, &'static str);

pub(crate) fn at(named: Named) -> SocketAddr {
    named.2.parse().unwrap()
}

/// The parts of a call as they grow.
#[derive(Default)]
pub(crate) struct Parts(pub(crate) Vec<KeptCall>);

impl Parts {
    pub(crate) fn of(boxes: &[Named]) -> Self {
        let part = |named: &Named| KeptCall {
            attempt: ATTEMPT,
            seen_by: TracedBox { kind: named.0, name: named.1.to_owned(), address: at(*named) },
            is_cut: false,
            entries: Vec::new(),
        };
        Self(boxes.iter().map(part).collect())
    }

    /// A message that leaves `from` and is at `to` so many milliseconds later, or never. Only boxes of the call keep it.
    pub(crate) fn send(
        &mut self,
        ms: u64,
        from: Named,
        to: Named,
        transit_ms: Option<u64>,
        text: &str,
    ) {
        let bytes = Bytes::from(text.replace('\n', "\r\n"));
        let transport = if text.contains("/TCP") { Transport::Tcp } else { Transport::Udp };
        let mut put = |own: Named, peer: Named, direction, ms: u64| {
            if let Some(part) = self.0.iter_mut().find(|part| part.seen_by.name == own.1) {
                let seen =
                    Seen::Message { direction, transport, peer: at(peer), bytes: bytes.clone() };
                part.entries.push(Entry { at_us: START + ms * 1_000, seen });
            }
        };
        put(from, to, Direction::Sent, ms);
        if let Some(transit) = transit_ms {
            put(to, from, Direction::Received, ms + transit);
        }
    }

    pub(crate) fn note(&mut self, ms: u64, at: Named, text: &str) {
        let part = self.0.iter_mut().find(|part| part.seen_by.name == at.1).unwrap();
        part.entries.push(Entry { at_us: START + ms * 1_000, seen: Seen::Note(text.to_owned()) });
    }
}

/// A request of one leg; `via` distinguishes hops.
pub(crate) fn request(
    method: &str,
    leg: &str,
    cseq: u32,
    via: &str,
    to_tag: bool,
    more: &str,
) -> String {
    let tag = if to_tag { ";tag=callee" } else { "" };
    format!(
        "{method} sip:112@tocsin.example SIP/2.0\nVia: SIP/2.0/UDP {via}\nMax-Forwards: 70\n\
         From: <sip:+33320@tocsin.example>;tag=caller\nTo: <sip:112@tocsin.example>{tag}\nCall-ID: {leg}\n\
         CSeq: {cseq} {method}\nSession-ID: {ATTEMPT:032x};remote=00000000000000000000000000000000\n{}",
        with_body(more)
    )
}

/// A response on one leg.
pub(crate) fn response(
    status: &str,
    method: &str,
    leg: &str,
    cseq: u32,
    via: &str,
    more: &str,
) -> String {
    format!(
        "SIP/2.0 {status}\nv: SIP/2.0/UDP {via}\nFrom: <sip:+33320@tocsin.example>;tag=caller\n\
         t: <sip:112@tocsin.example>;tag=callee\ni: {leg}\nCSeq: {cseq} {method}\n{}",
        with_body(more)
    )
}

fn with_body(more: &str) -> String {
    match more.split_once("\n\n") {
        Some((fields, body)) => {
            let length = body.replace('\n', "\r\n").len();
            format!("{fields}Content-Type: application/sdp\nContent-Length: {length}\n\n{body}")
        }
        None => format!("{more}Content-Length: 0\n\n"),
    }
}

pub(crate) const OFFER: &str = "\n\nv=0\no=- 1 1 IN IP4 192.0.2.7\ns=-\nc=IN IP4 192.0.2.7\nt=0 0\nm=audio 40000 RTP/AVP 8 0\n";
pub(crate) const RELAYED: &str = "\n\nv=0\no=- 1 1 IN IP4 192.0.2.7\ns=-\nc=IN IP4 127.0.0.31\nt=0 0\nm=audio 20000 RTP/AVP 8 0\n";

/// The caller is refused by alpha, reached through beta, answered, and its ACK is lost twice; nobody asked the PSAP what it saw.
pub(crate) fn failover() -> Parts {
    let mut parts = Parts::of(&[CALLER, TRUNK, ALPHA, BETA]);
    let (c, t, a, b) = (
        "127.0.0.11;branch=z9hG4bKc",
        "127.0.0.21;branch=z9hG4bKa",
        "127.0.0.21;branch=z9hG4bKb",
        "127.0.0.32;branch=z9hG4bKp",
    );
    let invite = request("INVITE", "leg-1", 1, c, false, OFFER);
    parts.send(0, CALLER, TRUNK, None, &invite);
    parts.send(500, CALLER, TRUNK, Some(1), &invite);
    parts.note(501, TRUNK, "seizes a circuit towards alpha");
    parts.send(501, TRUNK, ALPHA, Some(2), &request("INVITE", "leg-1", 1, t, false, OFFER));
    parts.send(
        503,
        ALPHA,
        TRUNK,
        Some(2),
        &response("503 Service Unavailable", "INVITE", "leg-1", 1, t, "Retry-After: 10\n"),
    );
    parts.send(505, TRUNK, ALPHA, Some(2), &request("ACK", "leg-1", 1, t, true, ""));
    parts.note(505, TRUNK, "tries the next site");
    parts.send(505, TRUNK, BETA, Some(2), &request("INVITE", "leg-1", 1, a, false, OFFER));
    parts.send(508, BETA, PSAP, None, &request("INVITE", "leg-2", 1, b, false, RELAYED));
    parts.send(600, PSAP, BETA, Some(0), &response("180 Ringing", "INVITE", "leg-2", 1, b, ""));
    parts.send(601, BETA, TRUNK, Some(1), &response("180 Ringing", "INVITE", "leg-1", 1, a, ""));
    parts.send(602, TRUNK, CALLER, Some(1), &response("180 Ringing", "INVITE", "leg-1", 1, c, ""));
    parts.send(2_000, PSAP, BETA, Some(0), &response("200 OK", "INVITE", "leg-2", 1, b, RELAYED));
    let ok = response("200 OK", "INVITE", "leg-1", 1, a, OFFER);
    parts.send(2_001, BETA, TRUNK, Some(1), &ok);
    parts.send(2_002, TRUNK, CALLER, Some(1), &response("200 OK", "INVITE", "leg-1", 1, c, OFFER));
    let ack = request("ACK", "leg-1", 1, "127.0.0.11;branch=z9hG4bKd", true, "");
    parts.send(2_004, CALLER, TRUNK, None, &ack);
    parts.send(2_501, BETA, TRUNK, Some(1), &ok);
    parts.send(2_502, TRUNK, CALLER, Some(1), &response("200 OK", "INVITE", "leg-1", 1, c, OFFER));
    parts.send(2_504, CALLER, TRUNK, None, &ack);
    parts
}
