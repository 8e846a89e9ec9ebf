//! Calls from INVITE to BYE — RFC 3261 §13 and §15, RFC 7989.

use sip_proto::message::{Method, Payload, Request};
use sip_proto::reason::Reason;
use sip_proto::user_agent::Event;
use sip_proto::{Rejection, Transport};

use crate::network::Who::{Callee, Caller};
use crate::network::{Alone, Network, SDP, request, response};

// RFC 3261 §4, figure 1.
#[test]
fn a_basic_call_rings_is_answered_and_hung_up_by_the_caller() {
    let mut net = Network::new();
    let (caller, callee) = net.offer();
    net.on(Callee, |agent, now| agent.ring(now, callee, 180, &Payload::empty()));
    net.run(1_000);
    net.on(Callee, |agent, now| agent.accept(now, callee, &Payload::sdp(SDP)));
    net.run(1_000);
    assert_eq!(net.events(Caller), ["Progress 180", "Answered"]);
    assert_eq!(net.events(Callee), ["Confirmed"]);
    let reason = Reason::q850(16, "Normal call clearing");
    net.on(Caller, |agent, now| agent.hang_up(now, caller, Some(&reason)));
    net.run(100);
    assert_eq!(net.events(Caller), ["Ended HungUp true"]);
    let Some(Event::Ended { end: sip_proto::user_agent::End::Bye(bye), .. }) = net.event(Callee)
    else {
        panic!("no BYE");
    };
    assert_eq!(Reason::of(&bye), Some(reason));
    assert_eq!(net.sent(Caller), ["INVITE", "ACK", "BYE"]);
    assert_eq!(net.sent(Callee), ["180 INVITE", "200 INVITE", "200 BYE"]);
    net.assert_clean();
}

#[test]
fn the_callee_may_hang_up_too() {
    let mut net = Network::new();
    let (_, callee) = net.call();
    net.on(Callee, |agent, now| agent.hang_up(now, callee, None));
    net.run(100);
    assert_eq!(net.events(Caller), ["Ended Bye"]);
    assert_eq!(net.events(Callee), ["Ended HungUp true"]);
    net.assert_clean();
}

// RFC 3261 §15.1.2: both BYEs cross; each is answered 200.
#[test]
fn both_sides_may_hang_up_at_once() {
    let mut net = Network::new();
    let (caller, callee) = net.call();
    net.on(Caller, |agent, now| agent.hang_up(now, caller, None));
    net.on(Callee, |agent, now| agent.hang_up(now, callee, None));
    net.run(100);
    assert_eq!(net.events(Caller), ["Ended HungUp true"]);
    assert_eq!(net.events(Callee), ["Ended HungUp true"]);
    net.assert_clean();
}

// RFC 3261 §15: "the callee's UA MUST NOT send a BYE on a confirmed dialog until it has received an
// ACK".
#[test]
fn a_callee_that_hangs_up_at_once_waits_for_the_ack() {
    let mut net = Network::new();
    let (_, callee) = net.offer();
    net.on(Callee, |agent, now| {
        agent.accept(now, callee, &Payload::sdp(SDP));
        agent.hang_up(now, callee, Some(&Reason::q850(31, "Normal, unspecified")));
    });
    assert_eq!(net.sent(Callee), ["200 INVITE"]);
    net.run(100);
    assert_eq!(net.sent(Callee), ["200 INVITE", "BYE"]);
    assert!(net.last(Callee, "BYE").contains("Reason: Q.850;cause=31"));
    assert_eq!(net.events(Callee), ["Ended HungUp true"]);
    net.assert_clean();
}

// RFC 3261 §13.3.1.3 and §17.2.1: the refusal is acknowledged by the transaction.
#[test]
fn a_refused_call_leaves_nothing_behind() {
    let mut net = Network::new();
    let (_, callee) = net.offer();
    let rejection = Rejection::new(486).with_reason(Reason::q850(17, "User busy"));
    net.on(Callee, |agent, now| agent.reject(now, callee, &rejection, &Payload::empty()));
    net.run(100);
    assert_eq!(net.events(Caller), ["Failed 486"]);
    assert_eq!(net.sent(Caller), ["INVITE", "ACK"]);
    assert!(net.events(Callee).is_empty());
    net.assert_clean();
}

// RFC 3261 §12.2.1.2: 481 to a request inside the dialog ends it; so does silence, after a BYE.
#[test]
fn a_peer_that_does_not_know_the_dialog_ends_it() {
    let mut net = Network::new();
    let (caller, callee) = net.call();
    net.loses = Box::new(|flight| flight.kind() == "200 BYE");
    net.on(Callee, |agent, now| agent.hang_up(now, callee, None));
    net.run(20);
    net.events(Caller);
    net.assert_clean();

    let mut net = Network::new();
    let (caller_2, _) = net.call();
    assert_eq!(caller, caller_2, "the same seed gives the same call");
    net.loses = Box::new(|_| true);
    net.on(Caller, |agent, now| agent.request(now, caller_2, Method::Info, &Payload::empty()));
    net.run(31_999);
    assert!(net.events(Caller).is_empty());
    net.run(1);
    assert_eq!(net.events(Caller), ["Ended PeerGone 408"]);
    assert_eq!(net.times(Caller, "BYE").len(), 1);
}

// RFC 3261 §12.2.1.2, the same with an answer.
#[test]
fn a_481_to_info_ends_the_dialog_without_a_bye() {
    let mut alone = Alone::new(Caller);
    let (leg, invite) = alone.connect(Payload::sdp(SDP));
    alone.receive(response(&invite, 200, "t", "Contact: <sip:127.0.0.2>\r\n"));
    alone.events();
    assert_eq!(alone.agent.request(alone.now, leg, Method::Info, &Payload::empty()), Some(2));
    let info = Request::parse(alone.packets()[0].bytes.clone()).unwrap();
    assert_eq!(info.to_tag(), Some("t"));
    assert!(alone.receive(response(&info, 481, "", "")).is_empty());
    assert_eq!(alone.events(), ["Ended PeerGone 481"]);
}

// RFC 3261 §12.2.2: "If the request has a tag in the To header field ... but the dialog identifier
// does not match any existing dialogs": 481. A wrong From tag is no better than a wrong To tag.
#[test]
fn requests_of_no_dialog_are_answered_481() {
    let mut net = Network::new();
    net.call();
    let ack = net.last(Caller, "ACK");
    let bye = ack.replace("ACK", "BYE").replace("CSeq: 1", "CSeq: 2");
    let from = bye.find("tag=").unwrap() + 4;
    let wrong_from = [&bye[..from], "x", &bye[from..]].concat();
    let to = bye.rfind("tag=").unwrap() + 4;
    let wrong_to = [&bye[..to], "f", &bye[to..]].concat();
    for (number, text) in [wrong_from, wrong_to].into_iter().enumerate() {
        let text = text.replace("z9hG4bK", &format!("z9hG4bK{number}"));
        net.on(Callee, |agent, now| {
            let (transport, peer) = (Transport::Udp, Caller.address());
            agent.handle_packet(now, sip_proto::Packet { transport, peer, bytes: text.into() });
        });
        assert!(net.last(Callee, "481 BYE").starts_with("SIP/2.0 481"));
    }
    assert_eq!(net.agent(Callee).legs(), 1);
}

// RFC 3261 §12.2.2: a lower CSeq is out of order: 500.
#[test]
fn a_lower_cseq_inside_the_dialog_is_refused() {
    let mut alone = Alone::new(Callee);
    let answers = alone.receive(request(Method::Invite, "a", None, ""));
    assert!(answers.is_empty());
    let Some(Event::Offered { leg, .. }) = alone.agent.poll_event() else { panic!("no offer") };
    alone.agent.accept(alone.now, leg, &Payload::empty());
    let tag = to_tag(&alone.sent()[0]);
    let info = |seq: &str, branch| {
        request(Method::Info, branch, Some(&tag), "").replace("CSeq: 1", &format!("CSeq: {seq}"))
    };
    assert!(alone.receive(info("9", "b")).is_empty());
    let refusal = &alone.receive(info("8", "c"))[0];
    assert!(refusal.starts_with("SIP/2.0 500 "), "{refusal}");
}

// RFC 3261 §13.2.2.4: the ACK repeats the CSeq number of its INVITE, whatever came in between.
#[test]
fn a_request_between_invite_and_ack_does_not_hide_the_ack() {
    let mut alone = Alone::new(Callee);
    alone.receive(request(Method::Invite, "a", None, ""));
    let Some(Event::Offered { leg, .. }) = alone.agent.poll_event() else { panic!("no offer") };
    alone.agent.ring(alone.now, leg, 180, &Payload::empty());
    let tag = to_tag(&alone.sent()[0]);
    alone.receive(request(Method::Info, "b", Some(&tag), "").replace("CSeq: 1", "CSeq: 2"));
    assert_eq!(alone.events(), ["Request INFO"]);
    alone.agent.accept(alone.now, leg, &Payload::empty());
    alone.sent();
    alone.receive(request(Method::Ack, "c", Some(&tag), ""));
    assert_eq!(alone.events(), ["Confirmed"]);
    assert!(!alone.run(40_000).iter().any(|sent| sent.starts_with("SIP/2.0 200")));
}

// RFC 7989 §6: the caller does not know the callee's half at first; then each tells both.
#[test]
fn session_id_halves_are_learned_and_swapped() {
    let mut net = Network::new();
    let (caller, _) = net.call();
    net.on(Caller, |agent, now| agent.hang_up(now, caller, None));
    net.run(100);
    let halves = |text: &str| {
        let value = text.split("Session-ID: ").nth(1).unwrap().lines().next().unwrap();
        let (local, remote) = value.split_once(";remote=").unwrap();
        (local.to_owned(), remote.to_owned())
    };
    let (a, null) = halves(&net.last(Caller, "INVITE"));
    let (b, _) = halves(&net.last(Callee, "200 INVITE"));
    assert_eq!(null, "0".repeat(32));
    assert_ne!(a, b);
    for (who, kind, want) in [
        (Callee, "200 INVITE", (&b, &a)),
        (Caller, "ACK", (&a, &b)),
        (Caller, "BYE", (&a, &b)),
        (Callee, "200 BYE", (&b, &a)),
    ] {
        let have = halves(&net.last(who, kind));
        assert_eq!((&have.0, &have.1), want, "{kind}");
    }
}

// RFC 3261 §12.2.1.1: the BYE visits the routes that the 200 recorded, in reverse order; a strict
// router stands in the Request-URI.
#[test]
fn the_route_set_of_the_answer_is_obeyed() {
    let mut alone = Alone::new(Caller);
    let (leg, invite) = alone.connect(Payload::sdp(SDP));
    let lines = "Record-Route: <sip:127.0.0.8;lr>\r\nRecord-Route: <sip:127.0.0.7>\r\n\
        Contact: <sip:15@127.0.0.2:5999>\r\n";
    alone.receive(response(&invite, 200, "t", lines));
    alone.agent.hang_up(alone.now, leg, None);
    let packet = &alone.packets()[0];
    let bye = String::from_utf8(packet.bytes.to_vec()).unwrap();
    assert!(bye.starts_with("BYE sip:127.0.0.7 SIP/2.0\r\n"), "{bye}");
    assert!(bye.contains("Route: <sip:127.0.0.8;lr>\r\nRoute: <sip:15@127.0.0.2:5999>\r\n"));
    assert_eq!(packet.peer, "127.0.0.7:5060".parse().unwrap());
}

// RFC 3261 §13.2.2.4: without an offer in the INVITE, the ACK carries the answer, so it waits for
// the TU.
#[test]
fn the_ack_of_a_delayed_offer_waits_for_the_answer() {
    let mut net = Network::new();
    let leg =
        net.on(Caller, |agent, now| agent.connect(now, crate::network::invite(Payload::empty())));
    net.run(30);
    let callee = net.offered();
    net.on(Callee, |agent, now| agent.accept(now, callee, &Payload::sdp(SDP)));
    net.run(1_000);
    assert_eq!(net.sent(Caller), ["INVITE"]);
    net.on(Caller, |agent, now| agent.acknowledge(now, leg, &Payload::sdp(SDP)));
    net.run(100);
    let Some(Event::Confirmed { ack, .. }) = net.event(Callee) else { panic!("no ACK") };
    assert_eq!(&ack.body()[..], SDP.as_bytes());
    assert_eq!(net.times(Callee, "200 INVITE"), [0.03, 0.53]);
}

// RFC 3261 §17.1.1.2: "Proceeding" has no timer. Timer C (§16.6 item 11) is a proxy's; how long a
// call may ring is for the TU to say.
#[test]
fn a_call_may_ring_for_an_hour() {
    let mut net = Network::new();
    let (caller, callee) = net.offer();
    net.on(Callee, |agent, now| agent.ring(now, callee, 180, &Payload::empty()));
    net.run(3_600_000);
    assert_eq!(net.events(Caller), ["Progress 180"]);
    assert_eq!(net.sent(Caller), ["INVITE"]);
    net.on(Caller, |agent, now| agent.hang_up(now, caller, None));
    net.assert_clean();
}

pub(crate) fn to_tag(text: &str) -> String {
    let to = text.lines().find(|line| line.starts_with("To: ")).unwrap();
    to.split(";tag=").nth(1).unwrap().to_owned()
}
