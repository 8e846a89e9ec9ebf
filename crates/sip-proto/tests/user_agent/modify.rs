//! Changes to an established session — RFC 3261 §14, RFC 3311, RFC 3264 §8.4.

use sip_proto::message::{Method, Name, Payload, Request, Response};
use sip_proto::transaction::ServerId;
use sip_proto::user_agent::{Event, LegId};

use crate::call::to_tag;
use crate::network::Who::{Callee, Caller};
use crate::network::{Alone, Network, SDP, Who, request, response};

fn sdp() -> Payload {
    Payload::sdp(SDP)
}

/// The next event, which is a change by the peer.
fn change(net: &mut Network, who: Who) -> (ServerId, Request) {
    match net.event(who) {
        Some(Event::Modify { id, request, .. }) => (id, request),
        other => panic!("no change but {other:?}"),
    }
}

/// A change by one side, answered by the other.
fn changed(net: &mut Network, from: (Who, LegId), to: Who, method: Method, answer: u16) {
    assert!(net.on(from.0, |agent, now| agent.modify(now, from.1, method, sdp())));
    net.run(30);
    let (id, _) = change(net, to);
    net.on(to, |agent, now| agent.respond(now, id, answer, &sdp()));
    net.run(100);
}

// RFC 3261 §14.1: either side may change the session; the 2xx is acknowledged by the user agent.
#[test]
fn both_sides_may_send_re_invites_and_updates() {
    let mut net = Network::new();
    let (caller, callee) = net.call();
    changed(&mut net, (Caller, caller), Callee, Method::Invite, 200);
    assert_eq!(net.events(Caller), ["Modified 200"]);
    assert_eq!(net.events(Callee), ["ModifyConfirmed"]);
    changed(&mut net, (Callee, callee), Caller, Method::Update, 200);
    assert_eq!(net.events(Callee), ["Modified 200"]);
    assert!(net.events(Caller).is_empty());
    assert_eq!(net.times(Caller, "ACK").len(), 2, "UPDATE has no ACK");
    net.on(Caller, |agent, now| agent.hang_up(now, caller, None));
    net.assert_clean();
}

// RFC 3264 §8.4: hold is an offer like others; the bodies cross unread.
#[test]
fn hold_is_an_offer_and_an_answer() {
    let mut net = Network::new();
    let (caller, _) = net.call();
    let (hold, held) = (format!("{SDP}a=sendonly\r\n"), format!("{SDP}a=recvonly\r\n"));
    net.on(Caller, |agent, now| {
        agent.modify(now, caller, Method::Invite, Payload::sdp(hold.clone()))
    });
    net.run(30);
    let (id, request) = change(&mut net, Callee);
    assert_eq!(&request.body()[..], hold.as_bytes());
    net.on(Callee, |agent, now| agent.respond(now, id, 200, &Payload::sdp(held.clone())));
    net.run(100);
    let Some(Event::Modified { response, .. }) = net.event(Caller) else { panic!("not changed") };
    assert_eq!(&response.body()[..], held.as_bytes());
}

// RFC 3261 §14.1: "the session parameters MUST remain unchanged, as if no re-INVITE had been
// issued".
#[test]
fn a_refused_re_invite_keeps_the_call() {
    let mut net = Network::new();
    let (caller, callee) = net.call();
    changed(&mut net, (Caller, caller), Callee, Method::Invite, 488);
    assert_eq!(net.events(Caller), ["Modified 488"]);
    assert_eq!((net.agent(Caller).legs(), net.agent(Callee).legs()), (1, 1));
    changed(&mut net, (Callee, callee), Caller, Method::Invite, 200);
    assert_eq!(net.events(Callee), ["Modified 200"]);
}

// RFC 3261 §14.1: 481 and 408 to a re-INVITE end the dialog.
#[test]
fn a_re_invite_to_a_dead_dialog_ends_it() {
    for (status, byes) in [(481, 0), (408, 1)] {
        let mut alone = Alone::new(Caller);
        let (leg, invite) = alone.connect(sdp());
        alone.receive(response(&invite, 200, "t", "Contact: <sip:127.0.0.2>\r\n"));
        alone.events();
        assert!(alone.agent.modify(alone.now, leg, Method::Invite, sdp()));
        let again = Request::parse(alone.sent().remove(0).into()).unwrap();
        let sent = alone.receive(response(&again, status, "", ""));
        assert_eq!(alone.events(), [format!("Ended PeerGone {status}")]);
        assert_eq!(sent.iter().filter(|text| text.starts_with("BYE ")).count(), byes);
        assert_eq!(alone.agent.legs(), 0);
    }
}

// RFC 3261 §14.2: "a 491 (Request Pending) response" both ways. §14.1: the owner of the Call-ID
// retries after 2.1 to 4 s, the other side after 0 to 2 s, in units of 10 ms.
#[test]
fn glare_is_answered_491_and_tried_again_in_the_right_window() {
    for (side, from, to) in [(Caller, 2.1, 4.0), (Callee, 0.0, 2.0)] {
        // Only one of them tries again, so that the windows show.
        let mut net = Network::with(|who, config| config.retry_glare = who == side);
        let (caller, callee) = net.call();
        net.on(Caller, |agent, now| agent.modify(now, caller, Method::Invite, sdp()));
        net.on(Callee, |agent, now| agent.modify(now, callee, Method::Invite, sdp()));
        net.run(10);
        assert_eq!(net.times(Caller, "491 INVITE").len(), 1);
        assert_eq!(net.times(Callee, "491 INVITE").len(), 1);
        net.run(10);
        let refused_at = (net.now - net.start).as_secs_f64();
        let before = net.times(side, "INVITE").len();
        net.run(4_500);
        let after = net.times(side, "INVITE")[before] - refused_at;
        assert!((from - 0.001..to + 0.001).contains(&after), "{side:?}: {after}");
        let other = if side == Caller { Callee } else { Caller };
        assert_eq!(net.events(other), ["Modified 491", "Modify INVITE"]);
    }
}

// A back-to-back user agent passes 491 on instead.
#[test]
fn glare_may_be_left_to_the_tu() {
    let mut net = Network::with(|_, config| config.retry_glare = false);
    let (caller, callee) = net.call();
    net.on(Caller, |agent, now| agent.modify(now, caller, Method::Update, sdp()));
    net.on(Callee, |agent, now| agent.modify(now, callee, Method::Update, sdp()));
    net.run(100);
    assert_eq!(net.events(Caller), ["Modified 491"]);
    assert_eq!(net.events(Callee), ["Modified 491"]);
    assert!(net.on(Caller, |agent, now| agent.modify(now, caller, Method::Update, sdp())));
}

// RFC 3261 §14.1: "a UAC MUST NOT initiate a new INVITE transaction within a dialog while another
// INVITE transaction is in progress in either direction".
#[test]
fn one_change_at_a_time() {
    let mut net = Network::new();
    let (caller, callee) = net.call();
    net.on(Caller, |agent, now| agent.modify(now, caller, Method::Invite, sdp()));
    assert!(!net.on(Caller, |agent, now| agent.modify(now, caller, Method::Update, sdp())));
    net.run(30);
    assert!(!net.on(Callee, |agent, now| agent.modify(now, callee, Method::Invite, sdp())));
}

/// A callee in a call, with its tag.
fn called() -> (Alone, LegId, String) {
    let mut alone = Alone::new(Callee);
    alone.receive(request(Method::Invite, "a", None, ""));
    let Some(Event::Offered { leg, .. }) = alone.agent.poll_event() else { panic!("no offer") };
    alone.agent.accept(alone.now, leg, &sdp());
    let tag = to_tag(&alone.sent()[0]);
    alone.receive(request(Method::Ack, "b", Some(&tag), ""));
    assert_eq!(alone.events(), ["Confirmed"]);
    (alone, leg, tag)
}

fn inside(method: Method, seq: u32, tag: &str) -> String {
    let text = request(method, &format!("{method}{seq}"), Some(tag), "");
    text.replace("CSeq: 1", &format!("CSeq: {seq}"))
}

fn pending(alone: &mut Alone) -> ServerId {
    match alone.agent.poll_event() {
        Some(Event::Modify { id, .. }) => id,
        other => panic!("no change but {other:?}"),
    }
}

// RFC 3261 §14.2: "a 500 (Server Internal Error) response ... MUST include a Retry-After header
// field with a randomly chosen value of between 0 and 10 seconds".
#[test]
fn an_overlapping_re_invite_is_refused_with_500() {
    let (mut alone, _, tag) = called();
    alone.receive(inside(Method::Invite, 2, &tag));
    let mut waits = Vec::new();
    for seq in 3..40 {
        let sent = alone.receive(inside(Method::Invite, seq, &tag));
        let refusal = Response::parse(sent[0].clone().into()).unwrap();
        assert_eq!(refusal.status(), 500);
        waits.push(refusal.header(Name::RetryAfter).unwrap().parse::<u64>().unwrap());
    }
    assert!(waits.iter().all(|wait| *wait <= 10), "{waits:?}");
    assert!(waits.iter().any(|wait| *wait != waits[0]), "{waits:?}");
}

// RFC 3261 §13.3.1.4: the ACK is the one of the re-INVITE, though an INFO came in between.
#[test]
fn an_info_during_a_re_invite_does_not_hide_its_ack() {
    let (mut alone, _, tag) = called();
    alone.receive(inside(Method::Invite, 2, &tag));
    let id = pending(&mut alone);
    alone.receive(inside(Method::Info, 3, &tag));
    alone.agent.respond(alone.now, id, 200, &sdp());
    alone.receive(inside(Method::Ack, 2, &tag));
    assert_eq!(alone.events(), ["Request INFO", "ModifyConfirmed"]);
    assert!(!alone.run(40_000).iter().any(|text| text.starts_with("BYE ")));
}

// RFC 3261 §9.2: a re-INVITE may be cancelled. The late answer of the TU then touches no later one.
#[test]
fn a_cancelled_re_invite_does_not_disturb_the_next_one() {
    let (mut alone, _, tag) = called();
    let first = inside(Method::Invite, 2, &tag);
    alone.receive(first.clone());
    let old = pending(&mut alone);
    let sent =
        alone.receive(first.replace(" INVITE", " CANCEL").replace("INVITE sip", "CANCEL sip"));
    let statuses: Vec<_> = sent.iter().map(|text| text[8..11].to_owned()).collect();
    assert_eq!(statuses, ["200", "487"]);
    assert_eq!(alone.events(), ["ModifyCancelled"]);
    alone.receive(inside(Method::Invite, 3, &tag));
    let new = pending(&mut alone);
    alone.agent.respond(alone.now, old, 200, &sdp());
    assert!(alone.sent().is_empty());
    alone.agent.respond(alone.now, new, 200, &sdp());
    assert_eq!(alone.sent().len(), 1);
    alone.receive(inside(Method::Ack, 3, &tag));
    assert_eq!(alone.events(), ["ModifyConfirmed"]);
}

// RFC 3261 §9.1: the other side need not answer a re-INVITE that was taken back; the call goes on.
#[test]
fn a_re_invite_may_be_cancelled() {
    let mut net = Network::new();
    let (caller, callee) = net.call();
    net.on(Caller, |agent, now| agent.modify(now, caller, Method::Invite, sdp()));
    net.run(300);
    net.on(Caller, |agent, now| agent.cancel_modify(now, caller));
    net.run(100);
    assert_eq!(net.events(Callee), ["Modify INVITE", "ModifyCancelled"]);
    assert_eq!(net.events(Caller), ["Modified 487"]);
    changed(&mut net, (Callee, callee), Caller, Method::Invite, 200);
    assert_eq!(net.events(Callee), ["Modified 200"]);
}

// RFC 3261 §9.1: "a CANCEL request has no effect on a request to which a UAS has already given a
// final response". Its ACK goes out all the same, even if nobody has an answer to put into it.
#[test]
fn an_answer_that_crosses_the_cancel_is_acknowledged() {
    for payload in [sdp(), Payload::empty()] {
        let mut alone = Alone::new(Caller);
        let contact = "Contact: <sip:127.0.0.2>\r\n";
        let (leg, invite) = alone.connect(sdp());
        alone.receive(response(&invite, 200, "t", contact));
        alone.events();
        alone.agent.modify(alone.now, leg, Method::Invite, payload);
        let again = Request::parse(alone.sent().remove(0).into()).unwrap();
        alone.receive(response(&again, 100, "", ""));
        alone.agent.cancel_modify(alone.now, leg);
        assert!(alone.sent()[0].starts_with("CANCEL "));
        let sent = alone.receive(response(&again, 200, "", contact));
        assert_eq!(sent.len(), 1, "{sent:?}");
        assert!(sent[0].starts_with("ACK ") && sent[0].contains("Content-Length: 0\r\n"));
        assert_eq!(alone.events(), ["Modified 200"]);
        assert_eq!(alone.agent.legs(), 1);
    }
}

// A re-INVITE that waits to be sent again after glare is not sent any more.
#[test]
fn a_re_invite_in_glare_may_be_cancelled() {
    let mut net = Network::with(|who, config| config.retry_glare = who == Caller);
    let (caller, callee) = net.call();
    net.on(Caller, |agent, now| agent.modify(now, caller, Method::Invite, sdp()));
    net.on(Callee, |agent, now| agent.modify(now, callee, Method::Invite, sdp()));
    net.run(100);
    let before = net.times(Caller, "INVITE").len();
    net.on(Caller, |agent, now| agent.cancel_modify(now, caller));
    net.run(5_000);
    assert_eq!(net.times(Caller, "INVITE").len(), before);
    assert!(net.on(Caller, |agent, now| agent.modify(now, caller, Method::Invite, sdp())));
}

// RFC 3261 §15.1.2: "the UAS MUST still respond to any pending requests received for that dialog":
// 487.
#[test]
fn a_pending_re_invite_is_answered_487_when_the_call_ends() {
    let (mut alone, leg, tag) = called();
    alone.receive(inside(Method::Invite, 2, &tag));
    alone.agent.hang_up(alone.now, leg, None);
    let sent = alone.sent();
    assert!(sent[0].starts_with("BYE ") && sent[1].starts_with("SIP/2.0 487"), "{sent:?}");

    let (mut alone, _, tag) = called();
    alone.receive(inside(Method::Invite, 2, &tag));
    let sent = alone.receive(inside(Method::Bye, 3, &tag));
    let statuses: Vec<_> = sent.iter().map(|text| text[8..11].to_owned()).collect();
    assert_eq!(statuses, ["200", "487"]);
    alone.run(70_000);
    assert_eq!(alone.agent.transactions(), 0);
}

// RFC 3261 §12.2.2: a re-INVITE and an UPDATE move the Contact, and the next request goes there.
#[test]
fn a_target_refresh_moves_the_peer() {
    let (mut alone, leg, tag) = called();
    let moved = inside(Method::Update, 2, &tag)
        .replace("<sip:a@127.0.0.1>\r\n\r\n", "<sip:a@127.0.0.6>\r\n\r\n");
    alone.receive(moved);
    let id = pending(&mut alone);
    alone.agent.respond(alone.now, id, 200, &sdp());
    alone.sent();
    alone.agent.hang_up(alone.now, leg, None);
    let bye = &alone.packets()[0];
    assert_eq!(bye.peer, "127.0.0.6:5060".parse().unwrap());
}

// RFC 3261 §13.2.2.4: a copy of the 200 to an earlier re-INVITE is not the answer to a later one.
#[test]
fn a_late_copy_of_an_earlier_answer_is_only_acknowledged() {
    let mut alone = Alone::new(Caller);
    let (leg, invite) = alone.connect(sdp());
    let contact = "Contact: <sip:127.0.0.2>\r\n";
    alone.receive(response(&invite, 200, "t", contact));
    alone.agent.modify(alone.now, leg, Method::Invite, sdp());
    let first = Request::parse(alone.sent().remove(0).into()).unwrap();
    alone.receive(response(&first, 200, "", contact));
    alone.agent.modify(alone.now, leg, Method::Invite, sdp());
    let second = Request::parse(alone.sent().remove(0).into()).unwrap();
    let copy = alone.receive(response(&first, 200, "", contact));
    assert!(copy[0].starts_with("ACK ") && copy[0].contains("CSeq: 2 ACK"), "{copy:?}");
    assert_eq!(alone.events(), ["Answered", "Modified 200"]);
    alone.receive(response(&second, 200, "", contact));
    assert_eq!(alone.events(), ["Modified 200"]);
}

// A re-INVITE in Proceeding has no timer (RFC 3261 §17.1.1.2), so its end is that of its dialog.
#[test]
fn a_re_invite_to_a_peer_that_fell_silent_ends_with_the_call() {
    let mut net = Network::new();
    let (caller, _) = net.call();
    net.on(Caller, |agent, now| agent.modify(now, caller, Method::Invite, sdp()));
    net.run(300);
    assert_eq!(net.times(Callee, "100 INVITE").len(), 1);
    net.loses = Box::new(|_| true);
    net.on(Caller, |agent, now| agent.hang_up(now, caller, None));
    net.run(70_000);
    assert_eq!(net.events(Caller), ["Ended HungUp false"]);
    assert_eq!(net.agent(Caller).transactions(), 0);
    assert!(net.agent(Caller).is_idle());
}
