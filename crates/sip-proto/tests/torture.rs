//! RFC 4475 and RFC 5118: every torture message against the real user agent, as a datagram and on a
//! stream. One line for each message; `tests/data/README.md` tells where the bytes come from.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests")]

mod support;

use bytes::Bytes;
use sip_proto::Transport;
use sip_proto::stream_framer::{Frame, FramingError, StreamFramer};

use support::{Station, message, peer, status_of};

/// What must come back for a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Udp {
    /// One response with this status, and nothing else.
    Answer(u16),
    Silence,
}

/// What must become of the same bytes on a stream (RFC 3261 §18.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tcp {
    /// One frame, and the same result.
    Same,
    /// The bytes are not enough for a message.
    Waits,
    /// The connection has to be closed.
    Closes(FramingError),
    /// Two requests, with these answers, and bytes that are no third one.
    Two(u16, u16),
}

use FramingError::{BadLength, MissingLength, TwoLengths};
use Tcp::{Closes, Same, Two, Waits};
use Udp::{Answer, Silence};

/// RFC 4475: name, results, and the rule.
#[rustfmt::skip]
const RFC4475: [(&str, Udp, Tcp, &str); 49] = [
    ("wsinv", Answer(481), Same, "§3.1.1.1: odd folding and quoting are legal; no such dialog"),
    ("intmeth", Answer(501), Same, "§3.1.1.2: a legal method that nobody knows"),
    ("esc01", Answer(200), Same, "§3.1.1.3: the user part looks like a sips URI"),
    ("escnull", Answer(401), Same, "§3.1.1.4: %00 in a user part is a character like others"),
    ("esc02", Answer(501), Same, "§3.1.1.5: RE%47IST%45R is not REGISTER"),
    ("lwsdisp", Answer(200), Same, "§3.1.1.6: no space between display name and <"),
    ("longreq", Answer(200), Same, "§3.1.1.7: very long values"),
    ("dblreq", Answer(401), Two(401, 400), "§3.1.1.8: two requests, the second without Contact, or one and noise"),
    ("semiuri", Answer(200), Same, "§3.1.1.9: semicolons in the user part"),
    ("transports", Answer(200), Same, "§3.1.1.10: Vias of transports that we do not have"),
    ("mpart01", Answer(200), Same, "§3.1.1.11: a binary body, framed by its length"),
    ("unreason", Silence, Same, "§3.1.1.12: a reason phrase in UTF-8; a stray"),
    ("noreason", Silence, Same, "§3.1.1.13: an empty reason phrase; a stray"),
    ("badinv01", Silence, Same, "§3.1.2.1: the Via itself is broken, so nobody can be answered"),
    ("clerr", Answer(400), Waits, "§3.1.2.2: Content-Length above what arrived"),
    ("ncl", Answer(400), Closes(BadLength), "§3.1.2.3: a negative Content-Length"),
    ("scalar02", Answer(400), Same, "§3.1.2.4: numbers beyond their range"),
    ("scalarlg", Silence, Same, "§3.1.2.5: the same in a response: discard it"),
    ("quotbal", Answer(400), Same, "§3.1.2.6: a quote without its end"),
    ("ltgtruri", Answer(400), Same, "§3.1.2.7: < > round the Request-URI"),
    ("lwsruri", Answer(400), Same, "§3.1.2.8: spaces in the Request-URI"),
    ("lwsstart", Answer(400), Same, "§3.1.2.9: two spaces in the request line"),
    ("trws", Answer(400), Same, "§3.1.2.10: spaces at the end of the request line"),
    ("escruri", Answer(400), Same, "§3.1.2.11: headers in the Request-URI"),
    ("baddate", Answer(200), Same, "§3.1.2.12: a Date that nobody needs"),
    ("regbadct", Answer(400), Same, "§3.1.2.13: a Contact with ? and without < >"),
    ("badaspec", Answer(400), Same, "§3.1.2.14: spaces inside < >"),
    ("baddn", Answer(400), Waits, "§3.1.2.15: a display name with a comma and without quotes"),
    ("badvers", Answer(505), Same, "§3.1.2.16: SIP/7.0"),
    ("mismatch01", Answer(400), Same, "§3.1.2.17: CSeq of another method"),
    ("mismatch02", Answer(400), Same, "§3.1.2.18: the same with an unknown method: 501 or 400"),
    ("bigcode", Silence, Same, "§3.1.2.19: a status code that would wrap to 5"),
    ("badbranch", Answer(200), Same, "§3.2.1: a bare cookie: matched as in RFC 2543"),
    ("insuf", Answer(400), Same, "§3.3.1: no Call-ID, From or To"),
    ("unkscm", Answer(416), Same, "§3.3.2: a Request-URI of an unknown scheme"),
    ("novelsc", Answer(416), Same, "§3.3.3: a Request-URI of a known scheme that we do not serve"),
    ("unksm2", Answer(401), Same, "§3.3.4: an unknown scheme in To"),
    ("bext01", Answer(420), Same, "§3.3.5: extensions that nobody supports"),
    ("invut", Answer(415), Same, "§3.3.6: a body of an unknown type"),
    ("regaut01", Answer(401), Same, "§3.3.7: credentials of an unknown scheme: a fresh challenge"),
    ("multi01", Answer(400), Same, "§3.3.8: headers twice that may stand once"),
    ("mcl01", Answer(400), Closes(TwoLengths), "§3.3.9: two different Content-Length"),
    ("bcast", Silence, Same, "§3.3.10: a response that asks to be sent to a broadcast address"),
    ("zeromf", Answer(200), Same, "§3.3.11: Max-Forwards 0: the end point answers it"),
    ("cparam01", Answer(401), Same, "§3.3.12: a parameter of Contact"),
    ("cparam02", Answer(401), Same, "§3.3.13: a parameter of the URI in Contact"),
    ("regescrt", Answer(401), Same, "§3.3.14: an escaped header in a Contact"),
    ("sdp01", Answer(406), Same, "§3.3.15: an Accept without application/sdp"),
    ("inv2543", Answer(200), Closes(MissingLength), "§3.4.1: an INVITE of RFC 2543"),
];

/// RFC 5118, in the same form.
#[rustfmt::skip]
const RFC5118: [(&str, Udp, Tcp, &str); 12] = [
    ("ipv6-good", Answer(401), Same, "§4.1: a valid IPv6 reference"),
    ("ipv6-bad", Answer(400), Same, "§4.2: an IPv6 address without its brackets"),
    ("port-ambiguous", Answer(401), Same, "§4.3: 5070 is part of the address"),
    ("port-unambiguous", Answer(401), Same, "§4.4: 5070 is the port"),
    ("via-received-param-with-delim", Answer(481), Same, "§4.5: received in brackets"),
    ("via-received-param-no-delim", Answer(200), Same, "§4.5: received without brackets"),
    ("ipv6-in-sdp", Answer(200), Same, "§4.6: IPv6 in a session description"),
    ("mult-ip-in-header", Answer(481), Same, "§4.7: IPv4 and IPv6 in the Vias of one message"),
    ("mult-ip-in-sdp", Answer(200), Same, "§4.8: IPv4 and IPv6 in one session description"),
    ("ipv4-mapped-ipv6", Answer(200), Same, "§4.9: addresses of IPv4 as IPv6"),
    ("ipv6-bug-abnf-3-colons", Answer(400), Same, "§4.10: three colons"),
    ("ipv6-correct-abnf-2-colons", Answer(200), Same, "§4.10: two colons"),
];

fn answer_to(transport: Transport, bytes: Bytes) -> Udp {
    let mut station = Station::new(Some("secret"));
    let sent = station.receive(transport, bytes);
    assert!(sent.iter().all(|packet| packet.peer.ip() == peer().ip()), "{sent:?}");
    station.run_down();
    assert!(station.agent.is_idle());
    match sent.as_slice() {
        [] => Silence,
        [one] => Answer(status_of(one)),
        more => panic!("{} responses to one request", more.len()),
    }
}

fn check_udp(folder: &str, rows: &[(&str, Udp, Tcp, &str)]) {
    for (name, expected, _, rule) in rows {
        let have = answer_to(Transport::Udp, message(folder, name));
        assert_eq!(have, *expected, "{name}: {rule}");
    }
}

fn check_tcp(folder: &str, rows: &[(&str, Udp, Tcp, &str)]) {
    for (name, udp, expected, rule) in rows {
        let mut framer = StreamFramer::new(65_536);
        framer.push(&message(folder, name));
        let mut frames = Vec::new();
        let end = loop {
            match framer.next_frame() {
                Ok(Some(Frame::Message(bytes))) => frames.push(bytes),
                Ok(Some(Frame::Ping)) => {}
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        let answers: Vec<_> =
            frames.iter().map(|bytes| answer_to(Transport::Tcp, bytes.clone())).collect();
        let (want, want_end) = match *expected {
            Same => (vec![*udp], None),
            Waits => (Vec::new(), None),
            Closes(error) => (Vec::new(), Some(error)),
            Two(first, second) => (vec![Answer(first), Answer(second)], Some(MissingLength)),
        };
        assert_eq!((answers, end), (want, want_end), "{name}: {rule}");
        assert_eq!(framer.is_inside_message(), *expected == Waits, "{name}");
    }
}

#[test]
fn rfc_4475_datagrams_get_the_answers_they_deserve() {
    check_udp("rfc4475", &RFC4475);
}

#[test]
fn rfc_4475_streams_get_the_answers_they_deserve() {
    check_tcp("rfc4475", &RFC4475);
}

#[test]
fn rfc_5118_datagrams_get_the_answers_they_deserve() {
    check_udp("rfc5118", &RFC5118);
}

#[test]
fn rfc_5118_streams_get_the_answers_they_deserve() {
    check_tcp("rfc5118", &RFC5118);
}

#[test]
fn no_message_is_left_out() {
    let mut rows: Vec<_> = RFC4475.iter().chain(&RFC5118).map(|row| row.0.to_owned()).collect();
    rows.sort();
    let files: Vec<_> = support::messages().into_iter().map(|(name, _)| name).collect();
    assert_eq!(rows, files);
}
