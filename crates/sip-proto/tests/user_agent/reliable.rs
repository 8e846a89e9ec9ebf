//! Provisional responses that are acknowledged — RFC 3262.

use sip_proto::message::{Method, Name, Payload};
use sip_proto::user_agent::{Capabilities, Event, LegId};

use crate::network::Who::{Callee, Caller};
use crate::network::{Alone, Network, SDP, invite, request, response};

fn network() -> Network {
    Network::with(|_, config| {
        config.capabilities = Capabilities::of_telephony();
        // So that the INVITE does not come again.
        config.trying_at_once = true;
    })
}

/// An INVITE of the caller that demands it, and the leg of the callee.
fn demand(net: &mut Network) -> LegId {
    let payload = Payload::sdp(SDP).with_header("Require", "100rel");
    net.on(Caller, |agent, now| agent.connect(now, invite(payload)));
    net.run(30);
    net.offered()
}

fn value(text: &str, name: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).to_owned()
}

// RFC 3262 §3, §4: RSeq counts up by one, RAck repeats it with the CSeq of the INVITE, and the PRACK is answered.
#[test]
fn whoever_demands_it_gets_it_one_after_the_other() {
    let mut net = network();
    let callee = demand(&mut net);
    net.on(Callee, |agent, now| {
        agent.ring(now, callee, 183, &Payload::sdp(SDP));
        // The PRACK of the first must come before the second goes out.
        agent.ring(now, callee, 180, &Payload::empty());
    });
    assert_eq!(net.sent(Callee).iter().filter(|kind| kind.starts_with("18")).count(), 1);
    net.run(100);
    let (first, second) = (net.last(Callee, "183 INVITE"), net.last(Callee, "180 INVITE"));
    assert!(first.contains("Require: 100rel\r\n") && second.contains("Require: 100rel\r\n"));
    let number = |text: &str| value(text, "RSeq").parse::<u32>().unwrap();
    assert_eq!(number(&first) + 1, number(&second));
    assert_eq!(net.times(Caller, "PRACK").len(), 2);
    assert_eq!(value(&net.last(Caller, "PRACK"), "RAck"), format!("{} 1 INVITE", number(&second)));
    assert_eq!(net.times(Callee, "200 PRACK").len(), 2);
    assert_eq!(net.events(Caller), ["Progress 183", "Progress 180"]);
    assert!(net.events(Callee).is_empty(), "the transaction user sees nothing of PRACK");
    net.on(Callee, |agent, now| agent.accept(now, callee, &Payload::sdp(SDP)));
    net.run(50);
    assert_eq!(net.events(Caller), ["Answered"]);
    net.on(Callee, |agent, now| agent.hang_up(now, callee, None));
    net.assert_clean();
}

// RFC 3262 §3: again after T1, doubling; a copy is answered by no second PRACK and is no second progress.
#[test]
fn a_lost_response_comes_again_and_a_copy_is_nothing_new() {
    let mut net = network();
    let callee = demand(&mut net);
    let mut left = 2;
    net.loses = Box::new(move |flight| {
        let is_lost = flight.kind() == "180 INVITE" && left > 0;
        left -= i32::from(is_lost);
        is_lost
    });
    net.on(Callee, |agent, now| agent.ring(now, callee, 180, &Payload::empty()));
    net.run(1_600);
    let times = net.times(Callee, "180 INVITE");
    let gaps: Vec<_> = times.windows(2).map(|two| ((two[1] - two[0]) * 10.0).round()).collect();
    assert_eq!(gaps, [5.0, 10.0], "{times:?}");
    // Now PRACKs are lost: what comes again has been heard already.
    net.loses = Box::new(|flight| flight.kind() == "PRACK");
    net.on(Callee, |agent, now| agent.ring(now, callee, 182, &Payload::empty()));
    net.run(800);
    assert_eq!(net.times(Callee, "182 INVITE").len(), 2);
    assert_eq!(net.events(Caller), ["Progress 180", "Progress 182"]);
    net.loses = Box::new(|_| false);
    net.run(1_000);
    let before = net.times(Callee, "182 INVITE").len();
    net.run(5_000);
    assert_eq!(net.times(Callee, "182 INVITE").len(), before, "the PRACK came again");
}

// RFC 3262 §3: after 64·T1 without PRACK the INVITE is refused with 5xx.
#[test]
fn without_a_prack_the_call_is_refused_and_nothing_is_left() {
    let mut net = network();
    let callee = demand(&mut net);
    net.loses = Box::new(|flight| flight.kind() == "PRACK");
    net.on(Callee, |agent, now| agent.ring(now, callee, 180, &Payload::empty()));
    net.run(31_900);
    assert!(net.events(Callee).is_empty());
    net.run(200);
    assert_eq!(net.events(Callee), ["GivenUp 504"]);
    let refusal = net.last(Callee, "504 INVITE");
    assert!(refusal.contains("no PRACK has come"), "{refusal}");
    assert_eq!(net.events(Caller), ["Progress 180", "Failed 504"]);
    net.assert_clean();
}

// RFC 3262 §3: "MUST NOT send a 2xx … until" a description in a provisional response is acknowledged; without one it may.
#[test]
fn the_answer_waits_for_the_prack_of_a_description() {
    for (early, waits) in [(Payload::sdp(SDP), true), (Payload::empty(), false)] {
        let mut net = network();
        let callee = demand(&mut net);
        net.on(Callee, |agent, now| {
            agent.ring(now, callee, 183, &early);
            agent.accept(now, callee, &Payload::sdp(SDP));
        });
        assert_eq!(net.times(Callee, "200 INVITE").is_empty(), waits);
        net.run(200);
        assert_eq!(net.times(Callee, "200 INVITE").len(), 1);
        // Its PRACK is answered also when the call is.
        assert_eq!(net.times(Callee, "200 PRACK").len(), 1);
        assert_eq!(net.events(Callee), ["Confirmed"]);
        net.on(Callee, |agent, now| agent.hang_up(now, callee, None));
        net.assert_clean();
    }
}

// RFC 3262 §3: a PRACK that matches nothing is answered 481. It is no method outside a dialog.
#[test]
fn a_prack_for_what_was_not_sent_is_refused() {
    let set_up = |config: &mut sip_proto::user_agent::Config| {
        config.capabilities = Capabilities::of_telephony();
    };
    for (demands, refused) in [("Require: 100rel\r\n", 4), ("Supported: 100rel\r\n", 5)] {
        let mut alone = Alone::with(Callee, set_up);
        let offer =
            format!("{demands}Content-Type: application/sdp\r\nContent-Length: {}\r\n", SDP.len());
        alone.receive(request(Method::Invite, "1", None, &offer) + SDP);
        let Some(Event::Offered { leg, .. }) = alone.agent.poll_event() else {
            panic!("not offered")
        };
        alone.agent.ring(alone.now, leg, 180, &Payload::empty());
        let rung = alone.sent().into_iter().find(|text| text.starts_with("SIP/2.0 180")).unwrap();
        assert_eq!(rung.contains("RSeq: "), refused == 4, "{rung}");
        let number: u32 = if refused == 4 { value(&rung, "RSeq").parse().unwrap() } else { 7 };
        let to = value(&rung, "To");
        let tag = to.split_once("tag=").unwrap().1.to_owned();
        let racks = [
            format!("{} 1 INVITE", number + 1),
            format!("{number} 2 INVITE"),
            format!("{number} 1 BYE"),
            "soon".to_owned(),
            format!("{number} 1 INVITE"),
        ];
        let mut statuses = Vec::new();
        for (at, rack) in racks.iter().enumerate() {
            let branch = format!("p{at}");
            let prack = request(Method::Prack, &branch, Some(&tag), &format!("RAck: {rack}\r\n"));
            let prack = prack.replace("CSeq: 1 ", &format!("CSeq: {} ", at + 2));
            statuses.extend(alone.receive(prack).into_iter().map(|text| text[8..11].to_owned()));
        }
        let refusals = statuses.iter().take_while(|status| *status == "481").count();
        assert_eq!((statuses.len(), refusals), (5, refused), "{statuses:?}");
        let sent = alone
            .receive(request(Method::Prack, "o", None, "RAck: 1 1 INVITE\r\n").replace("c1", "c9"));
        assert!(sent[0].starts_with("SIP/2.0 481 "), "{sent:?}");
    }
}

// RFC 3262 §5: the first reliable response to an INVITE without an offer would have to carry one.
#[test]
fn an_invite_without_an_offer_gets_no_reliable_response() {
    let mut alone =
        Alone::with(Callee, |config| config.capabilities = Capabilities::of_telephony());
    alone.receive(request(Method::Invite, "1", None, "Require: 100rel\r\n"));
    let Some(Event::Offered { leg, .. }) = alone.agent.poll_event() else { panic!("not offered") };
    alone.agent.ring(alone.now, leg, 180, &Payload::empty());
    assert!(alone.sent().iter().all(|text| !text.starts_with("SIP/2.0 180")));
    alone.agent.accept(alone.now, leg, &Payload::sdp(SDP));
    assert!(alone.sent()[0].starts_with("SIP/2.0 200 "));
}

// RFC 3262 §4: what is out of order is not acknowledged; each branch of a fork counts for itself.
#[test]
fn responses_are_acknowledged_in_their_order() {
    let mut alone =
        Alone::with(Caller, |config| config.capabilities = Capabilities::of_telephony());
    let (_, invite) = alone.connect(Payload::sdp(SDP));
    let offered = invite.list(Name::Supported).any(|tag| tag == "100rel");
    assert!(offered);
    let lines =
        |seq: u32| format!("Contact: <sip:127.0.0.2>\r\nRequire: 100rel\r\nRSeq: {seq}\r\n");
    let pracks = |sent: Vec<String>| sent.iter().filter(|text| text.starts_with("PRACK ")).count();
    let steps =
        [("t", 5, 1), ("t", 5, 0), ("t", 7, 0), ("t", 6, 1), ("u", 1, 1), ("u", u32::MAX, 0)];
    for (tag, seq, wanted) in steps {
        let sent = alone.receive(response(&invite, 183, tag, &lines(seq)));
        assert_eq!(pracks(sent), wanted, "{tag} {seq}");
    }
    assert_eq!(alone.events(), ["Progress 183"; 3]);
    // One that does not ask for it is as ever.
    assert_eq!(
        pracks(alone.receive(response(&invite, 180, "t", "Contact: <sip:127.0.0.2>\r\n"))),
        0
    );
    assert_eq!(alone.events(), ["Progress 180"]);

    // Without an offer the answerer would have to make one, which a PRACK would have to answer.
    let mut alone =
        Alone::with(Caller, |config| config.capabilities = Capabilities::of_telephony());
    let (_, invite) = alone.connect(Payload::empty());
    assert!(!invite.list(Name::Supported).any(|tag| tag == "100rel"));
}
