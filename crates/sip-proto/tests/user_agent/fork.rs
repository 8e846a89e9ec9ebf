//! Several answers to one INVITE — RFC 3261 §13.2.2.4.

use sip_proto::message::{Payload, Request};

use crate::network::Who::{Callee, Caller};
use crate::network::{Alone, SDP, response};

fn answer(invite: &Request, tag: &str) -> String {
    response(invite, 200, tag, &format!("Contact: <sip:{tag}@127.0.0.2>\r\n"))
}

fn kinds(sent: &[String]) -> Vec<String> {
    let first = |text: &String| text.split(" SIP/2.0").next().unwrap_or_default().to_owned();
    sent.iter().map(first).collect()
}

// "the UAC core MUST ... generate an ACK" for each; "If ... the UAC does not want to continue ...
// BYE".
#[test]
fn the_first_answer_wins_and_the_second_is_ended_once() {
    let mut alone = Alone::new(Caller);
    let (leg, invite) = alone.connect(Payload::sdp(SDP));
    assert_eq!(kinds(&alone.receive(answer(&invite, "one"))), ["ACK sip:one@127.0.0.2"]);
    let lost = alone.receive(answer(&invite, "two"));
    assert_eq!(kinds(&lost), ["ACK sip:two@127.0.0.2", "BYE sip:two@127.0.0.2"]);
    assert!(lost[1].contains(";tag=two"));
    // The loser did not get our ACK, and sends its 200 again.
    assert_eq!(kinds(&alone.receive(answer(&invite, "two"))), ["ACK sip:two@127.0.0.2"]);
    assert_eq!(kinds(&alone.receive(answer(&invite, "one"))), ["ACK sip:one@127.0.0.2"]);
    assert_eq!(alone.events(), ["Answered"]);
    assert_eq!((alone.agent.legs(), alone.agent.stats().losers), (1, 1));
    let bye = Request::parse(lost[1].clone().into()).unwrap();
    alone.receive(response(&bye, 200, "two", ""));
    alone.agent.hang_up(alone.now, leg, None);
    assert_eq!(kinds(&alone.sent()), ["BYE sip:one@127.0.0.2"]);
}

// Provisional responses of several branches are all reported.
#[test]
fn every_branch_may_ring() {
    let mut alone = Alone::new(Caller);
    let (_, invite) = alone.connect(Payload::sdp(SDP));
    for tag in ["one", "two"] {
        alone.receive(response(&invite, 180, tag, ""));
    }
    assert_eq!(alone.events(), ["Progress 180", "Progress 180"]);
}

// One peer must not make us send a BYE for each packet of its own.
#[test]
fn a_flood_of_answers_makes_a_bounded_number_of_byes() {
    let mut alone = Alone::new(Caller);
    let (_, invite) = alone.connect(Payload::sdp(SDP));
    let mut sent = Vec::new();
    for number in 0..1_000 {
        sent.extend(alone.receive(answer(&invite, &format!("t{number}"))));
    }
    let byes = sent.iter().filter(|text| text.starts_with("BYE ")).count();
    assert_eq!(byes, 16);
    assert_eq!(sent.len(), 1_000 + byes, "each answer is acknowledged");
}

// The call is over, and a branch answers late: it gets one ACK and one BYE, whatever it sends.
#[test]
fn a_late_answer_after_the_call_is_ended_once() {
    let mut alone = Alone::new(Caller);
    let (leg, invite) = alone.connect(Payload::sdp(SDP));
    alone.receive(answer(&invite, "one"));
    alone.agent.hang_up(alone.now, leg, None);
    let bye = Request::parse(alone.sent().remove(0).into()).unwrap();
    alone.receive(response(&bye, 200, "one", ""));
    assert_eq!(alone.events(), ["Answered", "Ended HungUp true"]);
    // The Contact is a name, so the answer to it goes back to where the INVITE went.
    let late = response(&invite, 200, "late", "Contact: <sip:host.example>\r\n");
    alone.agent.handle_packet(
        alone.now,
        sip_proto::Packet {
            transport: sip_proto::Transport::Udp,
            peer: Callee.address(),
            bytes: late.clone().into(),
        },
    );
    let packets = alone.packets();
    assert_eq!(packets.len(), 2);
    assert!(packets.iter().all(|packet| packet.peer == Callee.address()), "{packets:?}");
    assert!(alone.receive(late).is_empty());
    assert!(alone.events().is_empty());
}
