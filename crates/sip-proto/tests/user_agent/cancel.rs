//! CANCEL in its races — RFC 3261 §9, RFC 5407 §3.1.

use sip_proto::message::Payload;
use sip_proto::reason::Reason;
use sip_proto::user_agent::Event;

use crate::network::Who::{Callee, Caller};
use crate::network::{Alone, Network, SDP, invite, response};

// RFC 3261 §9.2: 200 to the CANCEL, 487 to the INVITE, which is acknowledged.
#[test]
fn a_ringing_call_is_cancelled_with_487() {
    let mut net = Network::new();
    let (caller, callee) = net.offer();
    net.on(Callee, |agent, now| agent.ring(now, callee, 180, &Payload::empty()));
    net.run(100);
    let reason = Reason::q850(16, "Caller gave up");
    net.on(Caller, |agent, now| agent.hang_up(now, caller, Some(&reason)));
    net.run(100);
    assert_eq!(net.sent(Caller), ["INVITE", "CANCEL", "ACK"]);
    assert_eq!(net.sent(Callee), ["180 INVITE", "200 CANCEL", "487 INVITE"]);
    assert_eq!(net.events(Caller), ["Progress 180", "Failed 487"]);
    let Some(Event::Cancelled { reason: heard, .. }) = net.event(Callee) else {
        panic!("not cancelled");
    };
    assert_eq!(heard, Some(reason));
    net.assert_clean();
}

// RFC 3261 §9.1: the CANCEL has the Request-URI, Call-ID, To, From, CSeq number and topmost Via of
// its INVITE, and its Route.
#[test]
fn a_cancel_looks_like_its_invite() {
    let mut alone = Alone::new(Caller);
    let mut call = invite(Payload::sdp(SDP));
    call.route = vec!["<sip:127.0.0.3;lr>".to_owned(), "<sip:127.0.0.2;lr>".to_owned()];
    let leg = alone.agent.connect(alone.now, call);
    let sent = alone.sent();
    let invite = sip_proto::message::Request::parse(sent[0].clone().into()).unwrap();
    alone.receive(response(&invite, 100, "", ""));
    alone.agent.hang_up(alone.now, leg, None);
    let text = alone.sent().remove(0);
    let cancel = sip_proto::message::Request::parse(text.into()).unwrap();
    for header in ["Via", "From", "To", "Call-ID", "Session-ID"] {
        assert_eq!(cancel.header_named(header), invite.header_named(header), "{header}");
    }
    let routes = |message: &sip_proto::message::Request| -> Vec<String> {
        message.list(sip_proto::message::Name::Route).map(str::to_owned).collect()
    };
    assert_eq!(routes(&cancel), routes(&invite));
    assert_eq!(cancel.uri().as_str(), invite.uri().as_str());
    assert_eq!(cancel.cseq().0, invite.cseq().0);
}

// RFC 3261 §9.1: "If no provisional response has been received, the CANCEL request MUST NOT be
// sent".
#[test]
fn a_cancel_is_held_back_until_a_provisional_response() {
    let mut alone = Alone::new(Caller);
    let (leg, invite) = alone.connect(Payload::sdp(SDP));
    alone.agent.hang_up(alone.now, leg, None);
    let before: Vec<_> = alone.run(5_000);
    assert!(before.iter().all(|sent| sent.starts_with("INVITE ")), "{before:?}");
    let sent = alone.receive(response(&invite, 100, "", ""));
    assert!(sent[0].starts_with("CANCEL "), "{sent:?}");
    // RFC 3261 §9.1: "if there is no final response in 64*T1 seconds ... consider it cancelled".
    let copies = alone.run(31_999);
    assert!(copies.iter().all(|sent| sent.starts_with("CANCEL ")));
    assert!(alone.events().is_empty());
    alone.run(1);
    assert_eq!(alone.events(), ["Failed Timeout"]);
    assert!(alone.agent.is_idle());
}

#[test]
fn a_held_back_cancel_dies_with_its_unanswered_invite() {
    let mut alone = Alone::new(Caller);
    let (leg, _) = alone.connect(Payload::sdp(SDP));
    alone.agent.hang_up(alone.now, leg, None);
    let sent = alone.run(40_000);
    assert_eq!(sent.len(), 6, "copies of the INVITE after the first");
    assert_eq!(alone.events(), ["Failed Timeout"]);
    assert_eq!(alone.agent.poll_timeout(), None);
}

// RFC 3261 §9.1, RFC 5407 §3.1.2: the 200 was faster: ACK it and end the dialog by BYE.
#[test]
fn a_cancel_that_crosses_the_answer_becomes_a_bye() {
    let mut net = Network::new();
    let (caller, callee) = net.offer();
    net.on(Callee, |agent, now| agent.ring(now, callee, 180, &Payload::empty()));
    net.run(100);
    net.on(Callee, |agent, now| agent.accept(now, callee, &Payload::sdp(SDP)));
    let reason = Reason::q850(16, "Caller gave up");
    net.on(Caller, |agent, now| agent.hang_up(now, caller, Some(&reason)));
    net.run(200);
    assert_eq!(net.sent(Caller), ["INVITE", "CANCEL", "ACK", "BYE"]);
    assert!(net.last(Caller, "BYE").contains("Reason: Q.850;cause=16"), "the reason goes along");
    // RFC 3261 §9.2: the CANCEL found its transaction, though it had no effect.
    assert!(net.sent(Callee).contains(&"200 CANCEL".to_owned()));
    assert_eq!(net.events(Caller), ["Progress 180", "Ended HungUp true"]);
    assert_eq!(net.events(Callee), ["Confirmed", "Ended Bye"]);
    net.assert_clean();
}

// RFC 3261 §9.2: "If the UAS has already sent a final response ... the CANCEL has no effect".
#[test]
fn a_cancel_after_the_answer_changes_nothing() {
    let mut net = Network::new();
    net.call();
    let text = net.last(Caller, "INVITE");
    let head = text.split("Content-Type").next().unwrap();
    let cancel = format!("{head}\r\n").replace("INVITE", "CANCEL");
    net.on(Callee, |agent, now| {
        let (transport, peer) = (sip_proto::Transport::Udp, Caller.address());
        agent.handle_packet(now, sip_proto::Packet { transport, peer, bytes: cancel.into() });
    });
    assert!(net.last(Callee, "200 CANCEL").starts_with("SIP/2.0 200"));
    assert!(net.events(Callee).is_empty());
    assert_eq!(net.agent(Callee).legs(), 1);
}

// RFC 3261 §15.1.2: the caller may also end an early dialog by BYE; its INVITE is answered 487.
#[test]
fn a_bye_before_the_answer_cancels_too() {
    let mut alone = Alone::new(Callee);
    alone.receive(crate::network::request(sip_proto::message::Method::Invite, "a", None, ""));
    let Some(Event::Offered { leg, .. }) = alone.agent.poll_event() else { panic!("no offer") };
    alone.agent.ring(alone.now, leg, 180, &Payload::empty());
    let tag = crate::call::to_tag(&alone.sent()[0]);
    let bye = crate::network::request(sip_proto::message::Method::Bye, "b", Some(&tag), "");
    let sent = alone.receive(bye.replace("CSeq: 1", "CSeq: 2"));
    let statuses: Vec<_> = sent.iter().map(|text| &text[8..11]).collect();
    assert_eq!(statuses, ["200", "487"]);
    assert_eq!(alone.events(), ["Cancelled"]);
}
