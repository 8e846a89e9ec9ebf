//! What crosses before the call is answered — RFC 3261 §12.1.2, RFC 3311 §5.2.

use sip_proto::message::{Method, Payload, Request, Response};
use sip_proto::user_agent::{Event, LegId};

use crate::call::to_tag;
use crate::network::Who::{Callee, Caller};
use crate::network::{Alone, Network, SDP, request, response};

const CONTACT: &str = "Contact: <sip:127.0.0.2>\r\n";
const OFFER: &str = "Content-Type: application/sdp\r\nContent-Length: 9\r\n\r\nv=0\r\ns=-\r\n";

/// A request of the callee with this tag in the early dialog of `invite`.
fn inside(invite: &Request, method: Method, seq: u32, tag: &str, rest: &str) -> String {
    let header = |name: &str| invite.header_named(name).unwrap_or_default().to_owned();
    let rest = if rest.is_empty() { "Content-Length: 0\r\n\r\n" } else { rest };
    format!(
        "{method} sip:127.0.0.1:5060 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 127.0.0.2:5060;branch=z9hG4bK{method}{seq}{tag}\r\n\
         From: {};tag={tag}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {seq} {method}\r\n\
         Contact: <sip:127.0.0.2:5999>\r\n{rest}",
        header("To"),
        header("From"),
        header("Call-ID"),
    )
}

fn ringing() -> (Alone, LegId, Request) {
    let mut alone = Alone::new(Caller);
    let (leg, invite) = alone.connect(Payload::sdp(SDP));
    alone.receive(response(&invite, 180, "t", CONTACT));
    assert_eq!(alone.events(), ["Progress 180"]);
    (alone, leg, invite)
}

fn status(sent: &[String]) -> u16 {
    Response::parse(sent[0].clone().into()).unwrap().status()
}

// RFC 3261 §12.1.2: a provisional response with a tag makes a dialog, in which the callee may send requests.
#[test]
fn requests_of_the_callee_before_its_answer_belong_to_the_early_dialog() {
    let (mut alone, leg, invite) = ringing();
    for (seq, method) in [(1, Method::Info), (2, Method::Message)] {
        assert!(alone.receive(inside(&invite, method, seq, "t", "")).is_empty());
        let Some(Event::Request { leg: of, id, .. }) = alone.agent.poll_event() else { panic!() };
        assert_eq!(of, leg);
        alone.agent.respond(alone.now, id, 200, &Payload::empty());
        assert_eq!(status(&alone.sent()), 200);
    }
    assert_eq!(status(&alone.receive(inside(&invite, Method::Options, 3, "t", ""))), 200);
    // RFC 3261 §12.2.2: numbers go on, and a stranger's tag is that of no dialog.
    assert_eq!(
        status(&alone.receive(inside(&invite, Method::Info, 1, "t", "").replace("INFO1", "I"))),
        500
    );
    assert_eq!(status(&alone.receive(inside(&invite, Method::Info, 9, "x", ""))), 481);
    alone.receive(response(&invite, 200, "t", CONTACT));
    assert_eq!(alone.events(), ["Answered"]);
    assert_eq!(
        status(&alone.receive(inside(&invite, Method::Info, 2, "t", "").replace("INFO2", "J"))),
        500
    );
}

// RFC 3311 §5.2: the offer of the INVITE awaits its answer, so another one is refused with 491; without an offer the
// UPDATE only moves the Contact.
#[test]
fn an_early_update_of_the_callee() {
    let (mut alone, leg, invite) = ringing();
    assert_eq!(status(&alone.receive(inside(&invite, Method::Update, 1, "t", OFFER))), 491);
    alone.receive(inside(&invite, Method::Update, 2, "t", ""));
    let Some(Event::Request { id, .. }) = alone.agent.poll_event() else { panic!("no UPDATE") };
    // Before the response to the first one.
    let second = alone.receive(inside(&invite, Method::Update, 3, "t", ""));
    assert_eq!(status(&second), 500);
    assert!(second[0].contains("Retry-After: "));
    alone.agent.respond(alone.now, id, 200, &Payload::empty());
    let answer = alone.sent();
    assert!(answer[0].starts_with("SIP/2.0 200 ") && answer[0].contains("Contact: "), "{answer:?}");
    assert!(alone.agent.request(alone.now, leg, Method::Info, &Payload::empty()).is_some());
    assert_eq!(alone.packets()[0].peer, "127.0.0.2:5999".parse().unwrap());
    assert_eq!(status(&alone.receive(inside(&invite, Method::Invite, 4, "t", ""))), 491);
    assert_eq!(alone.events(), Vec::<String>::new());
}

// RFC 3311 §5.2, RFC 3261 §14.2: the callee owes the answer to the offer of the INVITE: 500 with Retry-After.
#[test]
fn an_early_update_of_the_caller() {
    let mut alone = Alone::new(Callee);
    let lines = "Content-Type: application/sdp\r\nContent-Length: 9\r\n\r\nv=0\r\ns=-";
    alone.receive(request(Method::Invite, "a", None, lines));
    let Some(Event::Offered { leg, .. }) = alone.agent.poll_event() else { panic!("no offer") };
    assert!(alone.agent.request(alone.now, leg, Method::Info, &Payload::empty()).is_none());
    alone.agent.ring(alone.now, leg, 180, &Payload::empty());
    let tag = to_tag(&alone.sent()[0]);
    let inside = |method: Method, seq: u32, lines: &str| {
        let text = request(method, &format!("{method}{seq}"), Some(&tag), lines);
        text.replace("CSeq: 1", &format!("CSeq: {seq}"))
    };
    for (seq, method) in [(2, Method::Update), (3, Method::Invite)] {
        let sent = alone.receive(inside(method, seq, lines));
        assert_eq!(status(&sent), 500);
        assert!(sent[0].contains("Retry-After: "), "{sent:?}");
    }
    alone.receive(inside(Method::Update, 4, ""));
    let Some(Event::Request { id, .. }) = alone.agent.poll_event() else { panic!("no UPDATE") };
    alone.agent.respond(alone.now, id, 200, &Payload::empty());
    assert_eq!(status(&alone.sent()), 200);
    // The callee may send requests in it as well, and before the ACK.
    assert!(alone.agent.request(alone.now, leg, Method::Info, &Payload::empty()).is_some());
    alone.agent.accept(alone.now, leg, &Payload::sdp(SDP));
    assert!(alone.agent.request(alone.now, leg, Method::Message, &Payload::empty()).is_some());
    assert_eq!(alone.events(), Vec::<String>::new());
}

// RFC 3261 §13.2.2.4: the CSeq numbers of the early dialog go on in the confirmed one.
#[test]
fn the_confirmed_dialog_is_the_early_one() {
    let mut net = Network::new();
    let (caller, callee) = net.offer();
    net.on(Callee, |agent, now| agent.ring(now, callee, 180, &Payload::empty()));
    net.run(30);
    for (who, leg) in [(Caller, caller), (Callee, callee)] {
        assert!(
            net.on(who, |agent, now| agent.request(now, leg, Method::Info, &Payload::empty()))
                .is_some()
        );
    }
    net.run(30);
    assert_eq!(net.events(Caller), ["Progress 180", "Request INFO"]);
    assert_eq!(net.events(Callee), ["Request INFO"]);
    net.on(Callee, |agent, now| agent.accept(now, callee, &Payload::sdp(SDP)));
    net.run(30);
    net.on(Caller, |agent, now| agent.hang_up(now, caller, None));
    net.run(30);
    assert!(net.last(Caller, "BYE").contains("CSeq: 3 BYE"));
    assert!(net.last(Caller, "ACK").contains("CSeq: 1 ACK"));
    assert_eq!(net.events(Callee), ["Confirmed", "Ended Bye"]);
}

// A request in an early dialog that gets no answer, or 481, says nothing of the call.
#[test]
fn a_call_survives_what_becomes_of_an_early_request() {
    let (mut alone, leg, invite) = ringing();
    alone.agent.request(alone.now, leg, Method::Info, &Payload::empty());
    let info = Request::parse(alone.sent().remove(0).into()).unwrap();
    alone.agent.request(alone.now, leg, Method::Info, &Payload::empty());
    alone.receive(response(&info, 481, "", ""));
    assert_eq!(alone.events(), ["Response 481"]);
    alone.run(33_000);
    assert_eq!(alone.events(), Vec::<String>::new());
    alone.receive(response(&invite, 200, "t", CONTACT));
    assert_eq!(alone.events(), ["Answered"]);
}

// Each branch of a fork has an early dialog; the answer of one ends the others.
#[test]
fn each_branch_has_an_early_dialog() {
    let (mut alone, _, invite) = ringing();
    alone.receive(response(&invite, 183, "u", CONTACT));
    for tag in ["t", "u"] {
        assert!(alone.receive(inside(&invite, Method::Info, 1, tag, "")).is_empty());
    }
    assert_eq!(alone.events(), ["Progress 183", "Request INFO", "Request INFO"]);
    alone.receive(response(&invite, 200, "u", CONTACT));
    assert_eq!(status(&alone.receive(inside(&invite, Method::Info, 2, "t", ""))), 481);
    for number in 0..100 {
        alone.receive(response(&invite, 183, &format!("x{number}"), CONTACT));
    }
    assert_eq!(alone.events(), ["Answered"]);
}

// RFC 3261 §15: a callee sends no BYE before the ACK. One that does is told 200, and its call does not ring for ever.
#[test]
fn a_bye_before_the_answer_ends_the_invite() {
    let (mut alone, _, invite) = ringing();
    let sent = alone.receive(inside(&invite, Method::Bye, 1, "t", ""));
    assert!(sent[0].starts_with("SIP/2.0 200 ") && sent[1].starts_with("CANCEL "), "{sent:?}");
    assert_eq!(alone.events(), ["Failed Timeout"]);
    alone.run(70_000);
    assert_eq!((alone.agent.legs(), alone.agent.transactions()), (0, 0));
}
