//! What a user agent server refuses, and in which order — RFC 3261 §8.2, §11.

use sip_proto::Rejection;
use sip_proto::message::{Method, Name, Payload, Response};
use sip_proto::user_agent::Event;

use crate::network::Alone;
use crate::network::Who::{Callee, Caller};
use crate::network::{Network, request};

/// The only response to a request, as text.
fn answer_text(text: String) -> String {
    let sent = Alone::new(Callee).receive(text);
    assert_eq!(sent.len(), 1, "{sent:?}");
    sent[0].clone()
}

fn answer(text: String) -> Response {
    Response::parse(answer_text(text).into()).unwrap()
}

/// Its status. The refusal of an unsound request repeats what is unsound, so only its first line is
/// read.
fn status(text: String) -> u16 {
    answer_text(text)[8..11].parse().unwrap()
}

fn invite(lines: &str) -> String {
    request(Method::Invite, "a", None, lines)
}

// RFC 3261 §8.2: method, then Request-URI, then Require, then the body. Each row adds a defect that
// is found before those of the rows above it.
#[test]
fn defects_are_found_in_the_order_of_the_rfc() {
    let worse =
        |lines: &str| format!("{lines}Content-Type: x/unknown\r\nContent-Length: 1\r\n\r\nx");
    let accept = "Accept: text/unknown\r\n";
    let cut = |text: String| text.strip_suffix("\r\n").unwrap().to_owned();
    let body = |text: String| cut(cut(text)) + &worse("\r\n")[2..];
    let all = body(invite(&format!("{accept}Require: x\r\n\r\n")));
    let rows = [
        (406, invite(accept)),
        (415, body(invite(&format!("{accept}\r\n")))),
        (420, all.clone()),
        (416, all.replace("INVITE sip:15@127.0.0.2 ", "INVITE sips:15@127.0.0.2 ")),
        (405, all.replace("INVITE", "REGISTER").replace("sip:15@127.0.0.2 SIP", "x:y SIP")),
        (501, all.replace("INVITE", "INVENT").replace("sip:15@127.0.0.2 SIP", "x:y SIP")),
        (400, all.replace("INVITE", "INVENT").replace("CSeq: 1", "CSeq: -1")),
        (505, all.replace("CSeq: 1", "CSeq: -1").replace("SIP/2.0\r\nVia", "SIP/3.0\r\nVia")),
    ];
    for (expected, text) in rows {
        assert_eq!(status(text.clone()), expected, "{text}");
    }
    let subscribe = request(Method::Subscribe, "a", None, "Event: conference\r\n");
    assert_eq!(status(subscribe), 405);
    assert_eq!(status(request(Method::Bye, "a", None, "")), 481);
    assert_eq!(status(request(Method::Invite, "a", Some("0.00"), "")), 481);
}

// RFC 3261 §8.2.2.2: "the same request has arrived more than once, following different paths": 482,
// for as long as the transaction lives, whatever became of the first copy.
#[test]
fn a_merged_request_is_refused_with_482() {
    let merged = |alone: &mut Alone, branch: &str| {
        let sent = alone.receive(request(Method::Invite, branch, None, ""));
        sent.iter().map(|text| text[8..11].to_owned()).collect::<Vec<_>>()
    };
    let mut alone = Alone::new(Callee);
    assert!(merged(&mut alone, "one").is_empty());
    assert_eq!(merged(&mut alone, "two"), ["482"]);
    let Some(Event::Offered { leg, .. }) = alone.agent.poll_event() else { panic!("no offer") };
    let busy = Rejection::new(486);
    alone.agent.reject(alone.now, leg, &busy, &Payload::empty());
    alone.sent();
    assert_eq!(merged(&mut alone, "three"), ["482"]);
    alone.run(40_000);
    assert_eq!(alone.agent.transactions(), 0);
    assert!(merged(&mut alone, "four").is_empty(), "a call of its own by now");
    assert_eq!(alone.events(), ["Offered"]);
}

// The same request to a changed target, or again with the next CSeq (§8.1.3.5), is no merged one.
#[test]
fn a_second_attempt_is_not_a_merged_request() {
    let mut alone = Alone::new(Callee);
    alone.receive(request(Method::Options, "one", None, ""));
    let next = request(Method::Options, "two", None, "").replace("CSeq: 1", "CSeq: 2");
    assert!(alone.receive(next)[0].starts_with("SIP/2.0 200"));
}

// RFC 3261 §11.2: the response to OPTIONS is "the same that would be chosen had the request been an
// INVITE", and it lists what we can do.
#[test]
fn options_tell_what_we_can_do_and_whether_we_can() {
    let mut net = Network::new();
    let probe = |net: &mut Network| {
        let within = std::time::Duration::from_secs(2);
        net.on(Caller, |agent, now| agent.probe(now, Callee.address(), within));
        net.run(2_000);
        net.events(Caller)
    };
    assert_eq!(probe(&mut net), ["Alive 200"]);
    let text = net.last(Callee, "200 OPTIONS");
    for line in
        ["Allow: INVITE, ACK, CANCEL, BYE", "Accept: application/sdp", "Contact: <sip:127.0.0.2"]
    {
        assert!(text.contains(line), "{text}");
    }
    let busy = Rejection::new(503).with_retry_after(std::time::Duration::from_secs(7));
    net.on(Callee, |agent, _| agent.set_unavailable(Some(busy)));
    assert_eq!(probe(&mut net), ["Alive 503"]);
    assert!(net.last(Callee, "503 OPTIONS").contains("Retry-After: 7\r\n"));
    net.loses = Box::new(|flight| flight.from == Caller);
    assert_eq!(probe(&mut net), ["Silent"]);
    net.assert_clean();
}

// RFC 3261 §8.2.2.3: "Unsupported" names each tag; §8.2.1 and §8.2.3 say what would do.
#[test]
fn refusals_carry_the_header_that_helps() {
    let refusal = answer(invite("Require: one, two\r\nRequire: three\r\n"));
    let tags: Vec<_> = refusal.list(Name::Unsupported).collect();
    assert_eq!((refusal.status(), &tags[..]), (420, &["one", "two", "three"][..]));
    let refusal = answer(request(Method::Register, "a", None, ""));
    assert!(refusal.list(Name::Allow).any(|method| method == "INVITE"));
    // RFC 6665 §8.3.2: Allow-Events is never empty, so there is no 489 where there is no event package.
    let refusal = answer(request(Method::Notify, "a", None, "Event: presence\r\n"));
    assert_eq!((refusal.status(), refusal.header(Name::AllowEvents)), (405, None));
    assert!(refusal.list(Name::Allow).any(|method| method == "INVITE"));
}

// RFC 3261 §8.2.6.2: every response but 100 has a To tag, also that of a refusal.
#[test]
fn refusals_have_a_to_tag() {
    for text in [invite("Require: x\r\n"), invite("").replace("CSeq: 1", "CSeq: x")] {
        assert!(crate::call::to_tag(&answer_text(text)).len() >= 8);
    }
}

// RFC 3261 §8.1.1.6: an end point answers with whatever Max-Forwards is left, and starts with what
// the TU says; RFC 3261 §20.22: above 255 is malformed.
#[test]
fn max_forwards_does_not_stop_an_end_point() {
    for (value, status) in [("0", 200), ("255", 200), ("256", 400), ("x", 400)] {
        let text = request(Method::Options, "a", None, &format!("Max-Forwards: {value}\r\n"));
        let sent = Alone::new(Callee).receive(text);
        assert!(sent[0].starts_with(&format!("SIP/2.0 {status} ")), "{value}: {sent:?}");
    }
    let mut alone = Alone::new(Caller);
    let mut call = crate::network::invite(Payload::empty());
    call.max_forwards = 11;
    alone.agent.connect(alone.now, call);
    assert!(alone.sent()[0].contains("Max-Forwards: 11\r\n"));
}

// RFC 5031: `urn:service:sos` and `tel:` are what emergency calls are made to.
#[test]
fn emergency_numbers_are_accepted_in_any_form() {
    for uri in
        ["urn:service:sos", "urn:service:sos.fire", "tel:112", "sip:112@127.0.0.2;user=phone"]
    {
        let mut alone = Alone::new(Callee);
        alone.receive(invite("").replace("INVITE sip:15@127.0.0.2 ", &format!("INVITE {uri} ")));
        assert_eq!(alone.events(), ["Offered"], "{uri}");
    }
}
