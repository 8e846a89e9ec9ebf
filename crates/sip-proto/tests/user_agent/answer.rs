//! The 2xx and its ACK, repeated when they get lost — RFC 3261 §13.3.1.4 and §13.2.2.4, RFC 6026.

use sip_proto::Transport;
use sip_proto::message::{Method, Payload};
use sip_proto::user_agent::Event;

use crate::network::Who::{Callee, Caller};
use crate::network::{Alone, Network, SDP, request};

/// When the 2xx is sent without an ACK, in seconds after the first copy.
const COPIES: [f64; 11] = [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5];

// RFC 3261 §13.3.1.4: "an interval that starts at T1 seconds and doubles for each retransmission
// until it reaches T2"; after 64*T1 "it SHOULD send a BYE".
#[test]
fn an_unacknowledged_answer_is_repeated_and_then_ended_by_bye() {
    let mut net = Network::new();
    let (_, callee) = net.offer();
    net.loses = Box::new(|flight| flight.kind() == "ACK");
    let start = (net.now - net.start).as_secs_f64();
    net.on(Callee, |agent, now| agent.accept(now, callee, &Payload::sdp(SDP)));
    // T2 without an ACK: whoever guards against such peers is told, once.
    net.run(3_990);
    assert_eq!(net.events(Callee), [""; 0]);
    net.run(20);
    assert_eq!(net.events(Callee), ["Unacknowledged"]);
    net.run(27_989);
    let times = net.times(Callee, "200 INVITE");
    let since: Vec<_> = times.iter().map(|at| ((at - start) * 1e3).round() / 1e3).collect();
    assert_eq!(since, COPIES);
    // RFC 3261 §13.2.2.4: each copy is acknowledged again, and reported once.
    assert_eq!(net.times(Caller, "ACK").len(), COPIES.len());
    assert_eq!(net.events(Caller), ["Answered"]);
    assert!(net.times(Callee, "BYE").is_empty());
    net.run(100);
    assert_eq!(net.times(Callee, "BYE").len(), 1);
    assert_eq!(net.events(Callee), ["Ended NoAck"]);
    assert_eq!(net.events(Caller), ["Ended Bye"]);
    net.assert_clean();
}

// RFC 3261 §13.3.1.4: "the 2xx response is passed to the transport ... even if the transport is
// reliable".
#[test]
fn an_answer_is_repeated_on_tcp_as_well() {
    let mut alone = Alone::new(Callee);
    let invite = request(Method::Invite, "a", None, "").replace("SIP/2.0/UDP", "SIP/2.0/TCP");
    alone.receive_by(Transport::Tcp, invite);
    let Some(Event::Offered { leg, .. }) = alone.agent.poll_event() else { panic!("no offer") };
    alone.agent.accept(alone.now, leg, &Payload::sdp(SDP));
    let mut packets = alone.packets();
    for _ in 0..320 {
        alone.now += std::time::Duration::from_millis(100);
        alone.agent.handle_timeout(alone.now);
        packets.extend(alone.packets());
    }
    let answers = packets.iter().filter(|packet| packet.bytes.starts_with(b"SIP/2.0 200"));
    let transports: Vec<_> = answers.map(|packet| packet.transport).collect();
    assert_eq!(transports, [Transport::Tcp; COPIES.len()]);
    assert!(packets.last().unwrap().bytes.starts_with(b"BYE "));
}

// RFC 3261 §13.2.2.4: the ACK of a copy is the same ACK.
#[test]
fn a_lost_ack_is_sent_again() {
    let mut net = Network::new();
    let (_, callee) = net.offer();
    let mut acks = 0;
    net.loses = Box::new(move |flight| {
        acks += u32::from(flight.kind() == "ACK");
        flight.kind() == "ACK" && acks < 3
    });
    net.on(Callee, |agent, now| agent.accept(now, callee, &Payload::sdp(SDP)));
    net.run(5_000);
    assert_eq!(net.events(Callee), ["Confirmed"]);
    let acks: Vec<_> = net.log.iter().filter(|one| one.kind() == "ACK").collect();
    assert_eq!(acks.len(), 3);
    assert!(acks.iter().all(|ack| ack.packet.bytes == acks[0].packet.bytes));
    assert_eq!(net.times(Callee, "200 INVITE").len(), 3);
}

// RFC 6026 §7.1: "Any retransmissions of the INVITE ... are absorbed" while Accepted; no second
// call.
#[test]
fn a_late_copy_of_the_invite_is_absorbed_after_the_answer() {
    let mut net = Network::new();
    let (_, callee) = net.offer();
    net.on(Callee, |agent, now| agent.accept(now, callee, &Payload::sdp(SDP)));
    net.run(20_000);
    net.events(Callee);
    let invite = net.log[0].packet.bytes.clone();
    net.on(Callee, |agent, now| {
        let (transport, peer) = (Transport::Udp, Caller.address());
        agent.handle_packet(now, sip_proto::Packet { transport, peer, bytes: invite });
    });
    assert!(net.events(Callee).is_empty());
    assert_eq!(net.times(Callee, "200 INVITE").len(), 1);
}

// RFC 3261 §17.2.1: 100 after 200 ms without an answer of the TU.
#[test]
fn a_slow_tu_sends_100_after_200_ms() {
    let mut alone = Alone::new(Callee);
    let invite = request(Method::Invite, "a", None, "Timestamp: 54\r\n");
    assert!(alone.receive(invite.clone()).is_empty());
    assert!(alone.run(199).is_empty());
    let trying = alone.run(1).remove(0);
    assert!(trying.starts_with("SIP/2.0 100 Trying\r\n"), "{trying}");
    // RFC 3261 §8.2.6.1 and §8.2.6.2: it has the Timestamp, and no To tag.
    assert!(trying.contains("Timestamp: 54\r\n") && trying.contains("To: <sip:15@127.0.0.2>\r\n"));
    assert_eq!(alone.receive(invite), [trying]);
}

// A peer of RFC 2543 has no branch, no tag and no Max-Forwards (RFC 3261 §17.2.3); the ACK of our
// refusal finds its transaction all the same.
#[test]
fn a_peer_of_rfc_2543_is_served() {
    let text = |method: &str, to: &str| {
        format!(
            "{method} sip:15@127.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1\r\nFrom: <sip:a@b>\r\n\
             To: <sip:15@127.0.0.2>{to}\r\nCall-ID: old\r\nCSeq: 1 {method}\r\n\r\n"
        )
    };
    let mut alone = Alone::new(Callee);
    alone.receive(text("INVITE", ""));
    let Some(Event::Offered { leg, .. }) = alone.agent.poll_event() else { panic!("no offer") };
    let busy = sip_proto::Rejection::new(486);
    alone.agent.reject(alone.now, leg, &busy, &Payload::empty());
    let refusal = alone.sent().remove(0);
    assert_eq!(
        alone.receive(text("INVITE", "")),
        [refusal.as_str()],
        "a copy gets the same answer"
    );
    let to = format!(";tag={}", crate::call::to_tag(&refusal));
    assert!(alone.receive(text("ACK", &to)).is_empty());
    assert!(alone.run(60_000).is_empty(), "the ACK stops Timer G");
    assert_eq!(alone.agent.transactions(), 0);

    alone.receive(text("INVITE", "").replace("old", "new"));
    let Some(Event::Offered { leg, .. }) = alone.agent.poll_event() else { panic!("no offer") };
    alone.agent.accept(alone.now, leg, &Payload::empty());
    let to = format!(";tag={}", crate::call::to_tag(&alone.sent()[0]));
    alone.receive(text("ACK", &to).replace("old", "new"));
    assert_eq!(alone.events(), ["Confirmed"]);
}

// RFC 3261 §17.2.1 and §17.2.2: server transactions are gone after 64*T1.
#[test]
fn server_transactions_vanish_after_64_t1() {
    let mut alone = Alone::new(Callee);
    alone.receive(request(Method::Options, "a", None, ""));
    alone.receive(request(Method::Invite, "b", None, "").replace("c1", "c2"));
    let Some(Event::Offered { leg, .. }) = alone.agent.poll_event() else { panic!("no offer") };
    let gone = sip_proto::Rejection::new(480);
    alone.agent.reject(alone.now, leg, &gone, &Payload::empty());
    assert_eq!(alone.agent.transactions(), 2);
    alone.run(31_999);
    assert_eq!(alone.agent.transactions(), 2);
    alone.run(1);
    assert_eq!((alone.agent.transactions(), alone.agent.poll_timeout()), (0, None));
}
