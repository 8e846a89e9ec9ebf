//! What single torture messages ask for beyond a status (RFC 4475), and that every sound one
//! crosses a proxy and a back-to-back user agent byte for byte.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests")]

mod support;

use std::time::Instant;

use bytes::Bytes;
use sip_proto::message::{Forward, Incoming, Message, Name, Payload, Request, Response, parse};
use sip_proto::timer::Timers;
use sip_proto::transaction::{Target, Transactions};
use sip_proto::{Packet, Transport};

use support::{Station, message, peer, responses};

/// The only response to a torture message of RFC 4475, from a registrar that lets everybody in.
fn answer(name: &str) -> Response {
    let mut station = Station::new(None);
    let sent = station.receive(Transport::Udp, message("rfc4475", name));
    let [one] = responses(&sent).try_into().expect("one response");
    one
}

fn request(name: &str) -> Request {
    Request::parse(message("rfc4475", name)).unwrap()
}

// §3.1.1.4: "the two Contact header field values are different" though both begin with NUL.
#[test]
fn escnull_binds_two_contacts() {
    let response = answer("escnull");
    assert_eq!(response.status(), 200);
    let contacts: Vec<_> = response.list(Name::Contact).collect();
    assert_eq!(contacts, ["<sip:%00@host5.example.com>", "<sip:%00%00@host5.example.com>"]);
}

// §3.3.12 and §3.3.13: without brackets the parameter belongs to Contact, inside them to the URI.
#[test]
fn cparam01_and_cparam02_bind_different_uris() {
    let uri = |name| answer(name).contact().unwrap().uri().as_str().to_owned();
    assert_eq!(uri("cparam01"), "sip:+19725552222@gw1.example.net");
    assert_eq!(uri("cparam02"), "sip:+19725552222@gw1.example.net;unknownparam");
}

// §3.3.14: the escaped header stays in the binding.
#[test]
fn regescrt_keeps_its_escaped_header_in_the_uri() {
    let response = answer("regescrt");
    let uri = response.contact().unwrap().uri();
    assert!(uri.headers().unwrap().starts_with("Route="), "{}", uri.as_str());
    assert_eq!(response.header(Name::Route), None);
}

// §3.1.1.5: C%6Fntact is not Contact.
#[test]
fn esc02_has_a_name_that_only_looks_like_contact() {
    let request = request("esc02");
    assert_eq!(request.method_text(), "RE%47IST%45R");
    let contacts: Vec<_> = request.list(Name::Contact).collect();
    assert_eq!(contacts, ["<sip:alias1@host1.example.com>", "<sip:alias3@host3.example.com>"]);
    assert_eq!(request.to().display(), "\"%Z%45\"");
}

// §3.1.1.3 and §3.1.1.9: whatever stands in the user part stays there.
#[test]
fn user_parts_may_look_like_something_else() {
    let esc01 = request("esc01");
    assert_eq!((esc01.uri().scheme(), esc01.uri().host()), ("sip", "example.net"));
    assert_eq!(esc01.uri().user(), Some("sips%3Auser%40example.com"));
    let semiuri = request("semiuri");
    assert_eq!(semiuri.uri().user(), Some("user;par=u%40example.net"));
    assert_eq!(semiuri.uri().host(), "example.com");
}

// §3.1.1.11: the body is 553 bytes, with zeros among them.
#[test]
fn mpart01_has_its_whole_body() {
    let (request, bytes) = (request("mpart01"), message("rfc4475", "mpart01"));
    assert_eq!(request.body().len(), 553);
    assert_eq!(request.body(), bytes.slice(bytes.len() - 553..));
    assert!(request.body().contains(&0));
}

// §3.1.1.8: "the octets after the Content-Length are noise".
#[test]
fn dblreq_is_cut_after_its_body() {
    let request = request("dblreq");
    assert!(request.to_bytes().ends_with(b"Content-Length: 0\r\n\r\n"));
}

// §3.1.1.12 and §3.1.1.13.
#[test]
fn reason_phrases_may_be_utf_8_or_empty() {
    let phrase = |name| {
        let response = Response::parse(message("rfc4475", name)).unwrap();
        response.reason_phrase().to_owned()
    };
    assert!(phrase("unreason").starts_with("= 2**3 * 5**2 но сто"));
    assert_eq!(phrase("noreason"), "");
}

// RFC 3261 §8.2.2.3, §8.2.3, §21.4.7: each refusal says what would do.
#[test]
fn refusals_tell_what_would_be_accepted() {
    let tags: Vec<_> = answer("bext01").list(Name::Unsupported).map(str::to_owned).collect();
    assert_eq!(tags, ["nothingSupportsThis", "nothingSupportsThisEither"]);
    assert!(answer("invut").list(Name::Accept).any(|kind| kind == "application/sdp"));
    assert!(answer("sdp01").header(Name::Warning).unwrap().starts_with("399 "));
    assert!(answer("intmeth").list(Name::Allow).any(|method| method == "INVITE"));
}

// RFC 8760 §2.4: SHA-256 first, one line for each algorithm.
#[test]
fn regaut01_gets_a_fresh_challenge() {
    let mut station = Station::new(Some("secret"));
    let sent = station.receive(Transport::Udp, message("rfc4475", "regaut01"));
    let response = &responses(&sent)[0];
    let algorithms: Vec<_> = response
        .headers(Name::WwwAuthenticate)
        .map(|line| line.contains("algorithm=SHA-256"))
        .collect();
    assert_eq!((response.status(), &algorithms[..]), (401, &[true, false][..]));
}

// §3.2.1: "it is not appropriate to treat" two requests with the bare cookie as the same.
#[test]
fn badbranch_of_two_calls_are_two_transactions() {
    let mut station = Station::new(None);
    let first = message("rfc4475", "badbranch");
    let text = String::from_utf8(first.to_vec()).unwrap();
    let second = text.replace("badbranch.", "another.");
    assert_eq!(station.receive(Transport::Udp, first).len(), 1);
    let sent = station.receive(Transport::Udp, second.into());
    assert!(responses(&sent)[0].call_id().starts_with("another."));
}

// §3.3.10: nothing is ever sent to a broadcast address, whoever asks for it.
#[test]
fn nothing_is_sent_to_everybody() {
    let text = "OPTIONS sip:a@127.0.0.9 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx\r\n\
        From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n";
    let mut station = Station::new(None);
    for source in ["255.255.255.255:5060", "224.0.1.75:5060", "0.0.0.0:5060", "[ff02::1]:5060"] {
        let bytes = Bytes::from(text.replace("Call-ID: c", &format!("Call-ID: {source}")));
        let packet = Packet { transport: Transport::Udp, peer: source.parse().unwrap(), bytes };
        station.agent.handle_packet(station.now, packet);
        assert_eq!(station.agent.poll_transmit(), None, "{source}");
    }
}

/// The header lines of a message, unfolded, but for those whose names are given.
fn lines(bytes: &Bytes, without: &[&str]) -> Vec<Vec<u8>> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = &bytes[..end + 2];
    let lines = head.split_inclusive(|byte| *byte == b'\n').skip(1);
    let kept = lines.filter(|line| {
        let name = line.split(|byte| *byte == b':').next().unwrap().trim_ascii();
        !without.iter().any(|one| one.as_bytes().eq_ignore_ascii_case(name))
    });
    kept.map(<[u8]>::to_vec).collect()
}

fn sound_messages() -> impl Iterator<Item = (String, Incoming)> {
    let all = support::messages().into_iter();
    all.filter_map(|(name, bytes)| Some((name, parse(bytes).ok()?)))
}

// RFC 3261 §16.6: "The proxy MUST NOT add to, modify, or remove the message body" and leaves alone
// all headers but a few.
#[test]
fn a_proxy_changes_only_via_and_max_forwards() {
    let mut forwarded = 0;
    for (name, incoming) in sound_messages() {
        let Incoming::Request(request) = incoming else { continue };
        let mut proxy = Transactions::new(([127, 0, 0, 8], 5060).into(), Timers::RFC3261, 1);
        let changes = Forward {
            source: peer(),
            uri: None,
            record_route: None,
            pop_routes: 0,
            push_route: None,
            lines: b"",
            without: &[],
        };
        proxy.forward(Instant::now(), &request, &changes, Target::to(peer()), ());
        let bytes = proxy.poll_transmit().expect("the request").bytes;
        let mut changed = vec!["Via", "v", "Max-Forwards"];
        // RFC 3261 §18.3: the copy may leave over a stream, where the length must stand.
        if request.header(Name::ContentLength).is_none() {
            changed.push("Content-Length");
        }
        assert_eq!(lines(&bytes, &changed), lines(&request.to_bytes(), &changed), "{name}");
        let read = Request::parse(bytes).unwrap();
        assert_eq!(read.body(), request.body(), "{name}");
        assert_eq!(read.uri().as_str(), request.uri().as_str(), "{name}");
        assert_eq!(read.list(Name::Via).count(), request.list(Name::Via).count() + 1, "{name}");
        forwarded += 1;
    }
    assert!(forwarded > 30, "{forwarded}");
}

// RFC 7092 §3.1: what a back-to-back user agent does not speak for itself crosses it unchanged.
#[test]
fn a_relay_carries_end_to_end_lines_and_the_body() {
    for (name, incoming) in sound_messages() {
        let message: &Message = match &incoming {
            Incoming::Request(request) => request,
            Incoming::Response(response) => response,
        };
        let payload = Payload::relay(message);
        let all = lines(&message.to_bytes(), &[]);
        let crossed: Vec<_> = payload.headers().split_inclusive(|byte| *byte == b'\n').collect();
        assert!(crossed.iter().all(|line| all.iter().any(|one| one == line)), "{name}");
        for end_to_end in ["Subject", "Content-Type", "Identity", "Date", "Geolocation", "Accept"] {
            let count = |lines: &[Vec<u8>]| {
                let starts =
                    |line: &&Vec<u8>| line.starts_with(format!("{end_to_end}:").as_bytes());
                lines.iter().filter(starts).count()
            };
            let crossed: Vec<_> = crossed.iter().map(|line| line.to_vec()).collect();
            assert_eq!(count(&crossed), count(&all), "{name}: {end_to_end}");
        }
        for hop in ["Via", "Route", "Contact", "Content-Length", "Authorization", "Require"] {
            let starts = |line: &&[u8]| line.starts_with(format!("{hop}:").as_bytes());
            assert!(!crossed.iter().any(starts), "{name}: {hop}");
        }
        assert_eq!(*payload.body(), message.body(), "{name}");
    }
}

// RFC 3261 §16.7 item 3: a response goes back without our Via, and otherwise as it came.
#[test]
fn a_response_loses_only_its_topmost_via() {
    for name in ["unreason", "noreason", "bcast"] {
        let response = Response::parse(message("rfc4475", name)).unwrap();
        let Some(bytes) = response.without_topmost_via() else {
            assert_eq!(response.list(Name::Via).count(), 1, "{name}");
            continue;
        };
        let read = Response::parse(bytes.clone()).unwrap();
        assert_eq!(lines(&bytes, &["Via"]), lines(&response.to_bytes(), &["Via"]), "{name}");
        assert_eq!(read.list(Name::Via).count(), response.list(Name::Via).count() - 1);
        assert_eq!(read.reason_phrase(), response.reason_phrase());
    }
}
