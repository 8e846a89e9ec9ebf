//! Refusals have the header without which they say too little — RFC 3261 §21, and who adds it.

use sip_proto::Rejection;
use sip_proto::message::{Method, Name, Payload, Response};
use sip_proto::user_agent::Event;

use crate::network::Who::{Callee, Caller};
use crate::network::{Alone, request, response};

fn only(sent: &[String]) -> Response {
    assert_eq!(sent.len(), 1, "{sent:?}");
    Response::parse(sent[0].clone().into()).unwrap()
}

fn invite(lines: &str) -> String {
    request(Method::Invite, "a", None, lines)
}

/// What is answered to a request when the TU, if it is asked, answers `status` without a word.
fn answered(text: String, status: u16) -> Response {
    let mut alone = Alone::new(Callee);
    let mut sent = alone.receive(text);
    match alone.agent.poll_event() {
        Some(Event::Offered { leg, .. }) => {
            alone.agent.reject(alone.now, leg, &Rejection::new(status), &Payload::empty());
        }
        Some(Event::OutOfDialog { id, .. }) => {
            alone.agent.respond(alone.now, id, status, &Payload::empty());
        }
        _ => {}
    }
    sent.extend(alone.sent());
    only(&sent)
}

// RFC 3261 §21.4.6: whatever the method, and whoever says it.
#[test]
fn a_405_says_what_is_allowed() {
    let allows = |response: &Response| response.list(Name::Allow).any(|method| method == "INVITE");
    for method in [
        Method::Register,
        Method::Refer,
        Method::Prack,
        Method::Subscribe,
        Method::Notify,
        Method::Publish,
    ] {
        // RFC 6665 §8.3.2: 489 would have to name an event package, and there is none.
        for lines in ["", "Event: presence\r\n", "o: dialog\r\n"] {
            let refusal = answered(request(method, "a", None, lines), 405);
            assert!(refusal.status() == 405 && allows(&refusal), "{method}: {refusal:?}");
            assert_eq!(refusal.header(Name::AllowEvents), None);
        }
    }
    let refusal = answered(request(Method::Message, "a", None, ""), 405);
    assert!(refusal.status() == 405 && allows(&refusal), "{refusal:?}");
    assert_eq!(answered(invite(""), 489).status(), 405);
    assert_eq!(answered(invite(""), 420).status(), 400);
    assert_eq!(answered(invite(""), 302).status(), 480);
    assert!(answered(invite(""), 488).header(Name::Warning).is_some());
    assert!(answered(invite(""), 415).header(Name::Accept).is_some());
}

// RFC 3261 §8.1.1.8.
#[test]
fn an_invite_without_a_usable_contact_is_refused() {
    let with = |contact: &str| invite("").replace("Contact: <sip:a@127.0.0.1>\r\n", contact);
    for contact in
        ["", "Contact: *\r\n", "m: <mailto:a@h>\r\n", "Contact: <tel:112>\r\n", "Contact: \r\n"]
    {
        let refusal = answered(with(contact), 486);
        assert_eq!(refusal.status(), 400, "{contact:?}");
        assert!(refusal.header(Name::Warning).is_some());
    }
    for contact in ["Contact: <sip:127.0.0.1>\r\n", "m: \"A\" <SIP:a@x.invalid;transport=ws>\r\n"] {
        assert_eq!(answered(with(contact), 486).status(), 486, "{contact:?}");
    }
    // RFC 4475 §3.4.1: a peer of RFC 2543 need not have one.
    let old = with("").replace(";branch=z9hG4bKa", "");
    assert_eq!(answered(old, 486).status(), 486);
}

/// A multipart with a part of this type.
fn with_part(kind: &str, disposition: &str) -> String {
    let inner = format!(
        "--i\r\nContent-Type: {kind}\r\nContent-Disposition: {disposition}\r\n\r\nx\r\n--i--\r\n"
    );
    let body =
        format!("--o\r\nContent-Type: multipart/mixed;boundary=i\r\n\r\n{inner}\r\n--o--\r\n");
    let length = body.len();
    let lines = format!(
        "Content-Type: multipart/mixed;boundary=o\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let text = invite(&lines);
    text.strip_suffix("\r\n").unwrap().to_owned()
}

// RFC 5621 §8: a part that must be understood, however deep it is.
#[test]
fn an_unknown_part_that_is_required_is_refused_with_415() {
    for (kind, disposition, status) in [
        ("application/ISUP;version=x", "signal;handling=required", 415),
        ("application/ISUP", "signal; handling = \"Required\"", 415),
        ("application/ISUP", "signal;handling=optional", 486),
        ("application/ISUP", "signal", 486),
        ("application/pidf+xml", "render;handling=required", 486),
    ] {
        let refusal = answered(with_part(kind, disposition), 486);
        assert_eq!(refusal.status(), status, "{kind} {disposition}");
        assert_eq!(refusal.header(Name::Accept).is_some(), status == 415);
    }
}

// RFC 3261 §8.2.3: a compressed body is refused with what would be read.
#[test]
fn a_compressed_body_is_refused_with_accept_encoding() {
    for line in ["Content-Encoding: gzip", "e: identity, deflate"] {
        let body = "Content-Type: application/sdp\r\nContent-Length: 1\r\n\r\nx";
        let refusal = answered(invite(&format!("{line}\r\n{body}")), 486);
        assert_eq!(
            (refusal.status(), refusal.header(Name::AcceptEncoding)),
            (415, Some("identity"))
        );
    }
}

// RFC 6086 §4.2.2: no package is understood here, but INFO without one is (§9.1).
#[test]
fn an_info_of_an_unknown_package_is_refused_with_469() {
    let mut alone = Alone::new(Caller);
    let (leg, asked) = alone.connect(Payload::empty());
    alone.receive(response(&asked, 200, "t", "Contact: <sip:127.0.0.2>\r\n"));
    alone.events();
    let header = |name: &str| asked.header_named(name).unwrap_or_default().to_owned();
    let mut info = |seq: u32, lines: &str| {
        let text = format!(
            "INFO sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.2;branch=z9hG4bK{seq}\r\n\
             From: {};tag=t\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {seq} INFO\r\n{lines}\r\n",
            header("To"),
            header("From"),
            header("Call-ID")
        );
        alone.receive(text)
    };
    let refusal = only(&info(1, "Info-Package: EmergencyCallData.eCall.MSD\r\n"));
    assert_eq!((refusal.status(), refusal.header_named("Recv-Info")), (469, Some("")));
    assert!(info(2, "").is_empty());
    assert_eq!(alone.events(), ["Request INFO"]);
    assert!(alone.agent.dialog(leg).is_some());
}
