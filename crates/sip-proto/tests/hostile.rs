//! Hostile input: mutated torture messages, floods of strays, and header injection. Nothing panics
//! and nothing stays behind.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests")]

mod support;

use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use sip_proto::Transport;
use sip_proto::message::{
    Forward, Name, OverloadAlgorithm, OverloadFeedback, OverloadSeq, Payload, Request, Response,
    parse, with_overload_feedback,
};
use sip_proto::reason::Reason;
use sip_proto::stream_framer::StreamFramer;
use sip_proto::timer::Timers;
use sip_proto::transaction::{Target, Transactions};

use support::{Station, messages, peer, responses};

/// Pieces that change the meaning of what stands round them.
const PIECES: [&[u8]; 16] = [
    b"\r\n",
    b"\r",
    b"\n ",
    b"\0",
    b"\"",
    b"<",
    b">",
    b";",
    b",",
    b"%",
    b"@",
    b": ",
    b"\\",
    b"\xff",
    b"Content-Length: 99\r\n",
    b"Via: SIP/2.0/UDP [::1]:0;branch=z9hG4bK;rport\r\n",
];

/// One to `most` changes of bytes, or of a run of them.
fn mutate(rng: &mut StdRng, bytes: &Bytes, other: &Bytes, most: u32) -> Bytes {
    let mut out = bytes.to_vec();
    for _ in 0..rng.random_range(1..=most) {
        let at = rng.random_range(0..=out.len());
        let end = (at + rng.random_range(0..40)).min(out.len());
        match rng.random_range(0..6) {
            0 => drop(out.drain(at..end)),
            1 => out.truncate(at),
            2 => drop(out.splice(at..end, PIECES[rng.random_range(0..PIECES.len())].to_vec())),
            3 => drop(out.splice(at..at, out[at..end].to_vec())),
            4 if at < out.len() => out[at] = rng.random(),
            _ => {
                let from = rng.random_range(0..other.len());
                let to = (from + rng.random_range(0..80)).min(other.len());
                drop(out.splice(at..end, other[from..to].to_vec()));
            }
        }
    }
    out.into()
}

#[test]
fn two_hundred_thousand_mutations_neither_panic_nor_leak() {
    let (messages, mut rng) = (messages(), StdRng::seed_from_u64(4475));
    let mut station = Station::new(Some("secret"));
    for case in 0..200_000 {
        let (_, one) = &messages[case % messages.len()];
        let (_, other) = &messages[rng.random_range(0..messages.len())];
        let bytes = mutate(&mut rng, one, other, 4);
        let transport = if case % 5 == 0 { Transport::Tcp } else { Transport::Udp };
        for packet in station.receive(transport, bytes) {
            assert!(!packet.peer.ip().is_unspecified() && packet.peer.port() != 0);
        }
        if case % 2_000 == 0 {
            station.run_down();
        }
    }
    station.run_down();
    assert_eq!(station.agent.legs(), 0);
    assert!(station.agent.is_idle());
    assert_eq!(station.agent.transactions(), 0);
}

// Whatever is sound when it comes in is sound, and says the same, when it goes out.
#[test]
fn what_is_forwarded_or_relayed_is_as_sound_as_what_came() {
    let (mut messages, mut rng) = (messages(), StdRng::seed_from_u64(5118));
    messages.retain(|(_, bytes)| Request::parse(bytes.clone()).is_ok());
    let (mut proxy, now) = (Transactions::new(peer(), Timers::RFC3261, 1), Instant::now());
    let mut crossed = 0;
    for case in 0..50_000 {
        let (_, one) = &messages[case % messages.len()];
        let (_, other) = &messages[rng.random_range(0..messages.len())];
        let Ok(request) = Request::parse(mutate(&mut rng, one, other, 1)) else { continue };
        let record_route = Some("<sip:127.0.0.8;lr>");
        let changes = Forward {
            source: peer(),
            uri: None,
            record_route,
            pop_routes: case % 2,
            push_route: None,
            lines: b"",
            without: &[],
        };
        let id = proxy.forward(now, &request, &changes, Target::to(peer()), ());
        let sent = proxy.poll_transmit().expect("the request").bytes;
        proxy.forget(id);
        let read = Request::parse(sent).unwrap_or_else(|why| panic!("{why:?}: {request:?}"));
        assert_eq!(read.body(), request.body());
        assert_eq!(read.cseq(), request.cseq());
        assert_eq!(read.uri().as_str(), request.uri().as_str());
        let routes = |message: &Request| message.list(Name::Route).count();
        let popped = changes.pop_routes.min(routes(&request));
        assert_eq!(routes(&read) + popped, routes(&request), "{request:?}");

        let relayed = Payload::relay(&request);
        let text = [&options("")[..options("").len() - 2], relayed.headers(), b"\r\n"].concat();
        let read = Request::parse(text.into()).unwrap_or_else(|why| panic!("{why:?}: {request:?}"));
        assert_eq!(read.header(Name::Route), None);
        crossed += 1;
    }
    assert!(crossed > 5_000, "{crossed}");
}

// RFC 7339: whatever stands in a Via, the feedback written there is what is read, and the rest of the message stays.
#[test]
fn feedback_in_a_mutated_response_is_read_as_it_was_written() {
    let response = Bytes::from_static(
        b"SIP/2.0 180 Ringing\r\n\
          Via: SIP/2.0/UDP 127.0.0.2:5060;rport=5060;oc;branch=z9hG4bKa;oc-algo=\"loss,rate\", SIP/2.0/UDP h\r\n\
          Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKb;oc=20;oc-algo=\"loss\";oc-validity=500;oc-seq=1282321615.782\r\n\
          From: <sip:a@h>;tag=a\r\nTo: <sip:15@h>;tag=b\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
    );
    let feedback = OverloadFeedback {
        algorithm: OverloadAlgorithm::Loss,
        oc: 20,
        validity: Duration::from_millis(500),
        seq: OverloadSeq::at(1_282_321_615_782_000),
    };
    let (mut rng, mut written) = (StdRng::seed_from_u64(7339), 0);
    for _ in 0..100_000 {
        let mutated = mutate(&mut rng, &response, &response, 2);
        let _ = Response::parse(mutated.clone()).map(|one| one.via().overload_feedback());
        let Some(bytes) = with_overload_feedback(&mutated, |_| Some(feedback)) else { continue };
        let Ok(before) = Response::parse(mutated) else { continue };
        let after = Response::parse(bytes).unwrap_or_else(|why| panic!("{why:?}: {before:?}"));
        assert_eq!(after.via().overload_feedback(), Some(feedback), "{before:?}");
        assert_eq!(after.via().branch(), before.via().branch());
        let vias = |message: &Response| message.list(Name::Via).count();
        assert_eq!(vias(&after), vias(&before));
        assert_eq!(after.without_topmost_via(), before.without_topmost_via());
        written += 1;
    }
    assert!(written > 10_000, "{written}");
}

#[test]
fn mutated_streams_never_panic_the_framer() {
    let (messages, mut rng) = (messages(), StdRng::seed_from_u64(3261));
    for case in 0..20_000 {
        let (_, one) = &messages[case % messages.len()];
        let mut framer = StreamFramer::new(8_192);
        for piece in mutate(&mut rng, one, one, 4).chunks(97) {
            framer.push(piece);
            while let Ok(Some(_)) = framer.next_frame() {}
        }
    }
}

fn options(extra: &str) -> Bytes {
    let text = format!(
        "OPTIONS sip:a@127.0.0.9 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx\r\n\
         From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n{extra}\r\n"
    );
    text.into()
}

// A message of many lines is refused, not dropped: the caller must not wait for a time-out.
#[test]
fn more_header_lines_than_anybody_needs_are_refused() {
    for (count, status) in [(200, 200), (300, 400), (5_000, 400)] {
        let sent = Station::new(None).receive(Transport::Udp, options(&"X: y\r\n".repeat(count)));
        assert_eq!(responses(&sent)[0].status(), status, "{count} lines");
    }
}

// 60 KB of one header must neither cost quadratic time nor stay in a table: it is refused.
#[test]
fn headers_that_fill_a_datagram_are_refused() {
    let contact = |repeated: &str| format!("Contact: <sip:a@b>{}\r\n", repeated.repeat(20_000));
    let routes = |count| format!("Route: <sip:a@b>{}\r\n", ",<sip:a@b>".repeat(count));
    let vias = |count| format!("Via: SIP/2.0/UDP h{}\r\n", ",SIP/2.0/UDP h".repeat(count));
    for (extra, status) in [
        (contact(";a"), 400),
        (contact(",<>"), 400),
        (contact(",a:b"), 400),
        (routes(5_000), 400),
        (routes(128), 400),
        (routes(127), 200),
        (vias(4_000), 400),
        (vias(126), 200),
    ] {
        let sent = Station::new(None).receive(Transport::Udp, options(&extra));
        assert_eq!(responses(&sent)[0].status(), status, "{extra:.60}");
    }
}

// A transaction keeps what identifies it, so that has a limit, and must be unambiguous.
#[test]
fn long_or_ambiguous_identifiers_are_refused() {
    let text = String::from_utf8(options("").to_vec()).unwrap();
    let long = |length| "x".repeat(length);
    for (from, to, status) in [
        ("Call-ID: c", format!("Call-ID: {}", long(256)), 200),
        ("Call-ID: c", format!("Call-ID: {}", long(257)), 400),
        ("tag=1", format!("tag={}", long(256)), 200),
        ("tag=1", format!("tag={}", long(257)), 400),
        ("branch=z9hG4bKx", format!("branch=z9hG4bK{}", long(249)), 200),
        ("branch=z9hG4bKx", format!("branch=z9hG4bK{}", long(250)), 400),
        ("UDP 127.0.0.1", format!("UDP {}", long(257)), 400),
        ("tag=1", "tag=1;Tag=2".to_owned(), 400),
        ("branch=z9hG4bKx", "branch=z9hG4bKx;BRANCH=z9hG4bKy".to_owned(), 400),
    ] {
        let request = text.replace(from, &to);
        let sent = Station::new(None).receive(Transport::Udp, request.into());
        // The refusal repeats what it refuses, so it can be read as text only.
        let answer = String::from_utf8_lossy(&sent[0].bytes);
        assert!(answer.starts_with(&format!("SIP/2.0 {status} ")), "{to:.40}: {answer:.40}");
    }
}

// RFC 3261 §8.2.6.2: the refusal of a request inside a dialog keeps its To tag, sound or not.
#[test]
fn a_refusal_never_adds_a_second_to_tag() {
    let text = String::from_utf8(options("").to_vec()).unwrap();
    let bad = text.replace("To: <sip:a@b>", "To: <sip:a@b>;tag=mine").replace("CSeq: 1", "CSeq: x");
    let sent = Station::new(None).receive(Transport::Udp, bad.into());
    let answer = String::from_utf8(sent[0].bytes.to_vec()).unwrap();
    assert!(answer.contains("\r\nTo: <sip:a@b>;tag=mine\r\n"), "{answer}");
}

// A CR alone ends a line for some parsers; it may not hide in a phrase or a value.
#[test]
fn a_lone_cr_is_malformed_everywhere() {
    for text in [
        "SIP/2.0 200 O\rK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n\
         To: <sip:a@b>;tag=2\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n",
        "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n\
         To: \"\\\rInjected: yes\" <sip:a@b>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n",
    ] {
        assert!(parse(Bytes::from_static(text.as_bytes())).is_err(), "{text:?}");
    }
}

// `now` plus what a peer asks for must stay a moment that the clock has.
#[test]
fn no_peer_puts_us_off_for_more_than_an_hour() {
    for (value, seconds) in [("5 (busy)", 5), ("3601", 3_600), ("18446744073709551615", 3_600)] {
        let request = Request::parse(options(&format!("Retry-After: {value}\r\n"))).unwrap();
        assert_eq!(request.retry_after().map(|after| after.as_secs()), Some(seconds));
    }
}

#[test]
fn no_text_of_ours_becomes_a_header_of_its_own() {
    let evil = "x\r\nInjected: yes\r\n\u{85}\"\\";
    let payload = Payload::empty().with_header("Subject", evil).with_header("A: b\r\nC", "d");
    assert_eq!(payload.headers(), b"");
    assert_eq!(Payload::empty().with_header("", "d").headers(), b"");
    let reason = Reason::q850(16, evil).to_string();
    assert!(!reason.contains(['\r', '\n']), "{reason:?}");
    let request = Request::parse(options(&format!("Reason: {reason}\r\n"))).unwrap();
    assert_eq!(request.header_named("Injected"), None);
    assert_eq!(Reason::of(&request).map(|reason| reason.cause), Some(16));
    assert_eq!(request.headers(Name::Reason).count(), 1);
}

// Neither CANCELs of nothing, nor ACKs of nothing, nor responses to nothing leave a trace.
#[test]
fn floods_of_strays_fill_no_table() {
    let mut station = Station::new(None);
    let options = String::from_utf8(options("").to_vec()).unwrap();
    for number in 0..20_000 {
        let method = ["CANCEL", "ACK"][number % 2];
        let stray =
            options.replace("OPTIONS", method).replace("z9hG4bKx", &format!("z9hG4bK{number}"));
        let sent = station.receive(Transport::Udp, stray.into());
        let statuses: Vec<_> = responses(&sent).iter().map(|one| one.status()).collect();
        // RFC 3261 §9.2: 481 to a CANCEL of nothing. Nobody answers an ACK.
        assert_eq!(statuses, if method == "CANCEL" { vec![481] } else { vec![] });
    }
    assert_eq!(station.agent.transactions(), 0);
    assert_eq!(station.agent.poll_timeout(), None);
}
