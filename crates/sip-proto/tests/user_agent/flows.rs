//! Peers with TCP only, and peers whose connection is lost: RFC 3261 §18, RFC 5626.

use std::net::SocketAddr;

use sip_proto::message::{Method, Payload, Request, Response};
use sip_proto::user_agent::{Event, LegId};
use sip_proto::{Packet, Transport};

use crate::network::Who::{Callee, Caller};
use crate::network::{Alone, SDP, request, response};

/// Where the caller's connection ends, and where it listens.
const CONNECTION: ([u8; 4], u16) = ([127, 0, 0, 1], 40_000);
const LISTENS: ([u8; 4], u16) = ([127, 0, 0, 1], 5080);

fn receive(alone: &mut Alone, from: SocketAddr, text: String) -> Vec<Packet> {
    let packet = Packet { transport: Transport::Tcp, peer: from, bytes: text.into() };
    alone.agent.handle_packet(alone.now, packet);
    alone.packets()
}

/// A call that came over TCP, with this Contact, and was answered and acknowledged: its leg, and what was sent so far.
fn answered(contact: &str) -> (Alone, LegId, Vec<Packet>) {
    let mut alone = Alone::new(Callee);
    let lines = format!("Contact: <{contact}>\r\nContent-Length: 0\r\n");
    let invite = request(Method::Invite, "a", None, &lines);
    let invite = invite.replace("Contact: <sip:a@127.0.0.1>\r\n", "");
    let invite = invite.replace("UDP 127.0.0.1:5060", "TCP 127.0.0.1:5080");
    let mut sent = receive(&mut alone, CONNECTION.into(), invite);
    let Some(Event::Offered { leg, .. }) = alone.agent.poll_event() else { panic!("no offer") };
    alone.agent.ring(alone.now, leg, 180, &Payload::empty());
    alone.agent.accept(alone.now, leg, &Payload::sdp(SDP));
    sent.extend(alone.packets());
    let answer = Response::parse(sent.last().expect("a 200").bytes.clone()).expect("a response");
    let tag = answer.to_tag().expect("our tag");
    let ack = request(Method::Ack, "b", Some(tag), "Content-Length: 0\r\n");
    receive(&mut alone, CONNECTION.into(), ack.replace("UDP 127.0.0.1:5060", "TCP 127.0.0.1:5080"));
    assert_eq!(alone.events(), ["Confirmed"]);
    (alone, leg, sent)
}

fn text(packet: &Packet) -> String {
    String::from_utf8(packet.bytes.to_vec()).expect("text")
}

// RFC 3261 §12.1.1, §19.1.1: a URI without a transport means UDP.
#[test]
fn responses_over_tcp_say_that_we_are_reached_by_tcp() {
    let (mut alone, _, sent) = answered("sip:a@127.0.0.1:5080;transport=tcp");
    let contact = "\r\nContact: <sip:127.0.0.2:5060;transport=tcp>\r\n";
    for packet in &sent {
        assert!(text(packet).contains(contact), "{}", text(packet));
    }
    let options = request(Method::Options, "o", None, "Content-Length: 0\r\n");
    let sent = receive(&mut alone, CONNECTION.into(), options.clone());
    assert!(text(&sent[0]).contains(contact), "{}", text(&sent[0]));
    let sent = alone.receive(options.replace("z9hG4bKo", "z9hG4bKp"));
    assert!(sent[0].contains("\r\nContact: <sip:127.0.0.2:5060>\r\n"), "{}", sent[0]);
}

// A Contact without a transport is that of a telephone that thinks it obvious.
#[test]
fn requests_to_a_peer_that_speaks_tcp_go_over_its_connection() {
    for contact in ["sip:a@127.0.0.1:5080;transport=tcp", "sip:a@127.0.0.1:5080", "sip:a@10.0.0.9"]
    {
        let (mut alone, leg, _) = answered(contact);
        assert!(alone.agent.modify(alone.now, leg, Method::Invite, Payload::sdp(SDP)));
        let invite = alone.packets().remove(0);
        assert_eq!(
            (invite.transport, invite.peer),
            (Transport::Tcp, CONNECTION.into()),
            "{contact}"
        );
        let said = text(&invite);
        assert!(said.contains("\r\nContact: <sip:127.0.0.2:5060;transport=tcp>\r\n"), "{said}");
        let invite = Request::parse(invite.bytes).expect("our re-INVITE");
        let lines = format!("Contact: <{contact}>\r\n");
        let ack = receive(&mut alone, CONNECTION.into(), response(&invite, 200, "", &lines));
        assert_eq!((ack[0].transport, ack[0].peer), (Transport::Tcp, CONNECTION.into()));
        alone.agent.request(alone.now, leg, Method::Options, &Payload::empty());
        alone.agent.hang_up(alone.now, leg, None);
        for packet in alone.packets() {
            assert_eq!((packet.transport, packet.peer), (Transport::Tcp, CONNECTION.into()));
        }
    }
}

// It may have closed the connection, and listen where its Contact says.
#[test]
fn requests_for_a_lost_connection_go_where_the_contact_says() {
    for (contact, transport) in [
        ("sip:a@127.0.0.1:5080;transport=tcp", Transport::Tcp),
        ("sip:a@127.0.0.1:5080", Transport::Udp),
    ] {
        let (mut alone, leg, _) = answered(contact);
        assert!(alone.agent.modify(alone.now, leg, Method::Invite, Payload::sdp(SDP)));
        let first = alone.packets().remove(0);
        alone.agent.handle_unreachable(alone.now, Transport::Tcp, CONNECTION.into());
        let again = alone.packets().remove(0);
        assert_eq!((again.transport, again.peer), (transport, LISTENS.into()));
        let expected = match transport {
            Transport::Tcp => text(&first),
            _ => text(&first).replacen("2.0/TCP", "2.0/UDP", 1).replacen(";transport=tcp>", ">", 1),
        };
        assert_eq!(text(&again), expected);
        let invite = Request::parse(again.bytes).expect("our re-INVITE");
        alone.receive_by(
            transport,
            response(&invite, 200, "", &format!("Contact: <{contact}>\r\n")),
        );
        assert_eq!(alone.events(), ["Modified 200"]);
        // Nobody is there either: told once, and the leg is over.
        alone.agent.hang_up(alone.now, leg, None);
        alone.agent.handle_unreachable(alone.now, Transport::Tcp, CONNECTION.into());
        alone.agent.handle_unreachable(alone.now, transport, LISTENS.into());
        assert_eq!(alone.events(), ["Ended HungUp false"]);
        assert_eq!(alone.agent.legs(), 0);
    }
}

// Another connection than that of the INVITE: the old one is gone.
#[test]
fn a_peer_that_opens_another_connection_is_answered_there() {
    let (mut alone, leg, sent) = answered("sip:a@127.0.0.1:5080;transport=tcp");
    let answer = Response::parse(sent[1].bytes.clone()).expect("our 200");
    let info = request(Method::Info, "i", answer.to_tag(), "Content-Length: 0\r\n");
    let second: SocketAddr = ([127, 0, 0, 1], 40_001).into();
    let info =
        info.replace("UDP 127.0.0.1:5060", "TCP 127.0.0.1:5080").replace("CSeq: 1 ", "CSeq: 2 ");
    receive(&mut alone, second, info);
    alone.agent.hang_up(alone.now, leg, None);
    assert_eq!(alone.packets()[0].peer, second);
}

#[test]
fn a_call_over_tcp_names_tcp_and_goes_on_over_it() {
    let mut alone = Alone::new(Caller);
    let call = crate::network::invite(Payload::sdp(SDP));
    let leg = alone.agent.connect_over(alone.now, call, Some(Transport::Tcp));
    let invite = alone.packets().remove(0);
    assert_eq!(invite.transport, Transport::Tcp);
    assert!(text(&invite).contains("\r\nContact: <sip:127.0.0.1:5060;transport=tcp>\r\n"));
    let invite = Request::parse(invite.bytes).expect("our INVITE");
    let lines = "Contact: <sip:127.0.0.2:5060>\r\n";
    let ack = receive(&mut alone, Callee.address(), response(&invite, 200, "t", lines));
    assert_eq!((ack[0].transport, ack[0].peer), (Transport::Tcp, Callee.address()));
    alone.agent.hang_up(alone.now, leg, None);
    let bye = alone.packets().remove(0);
    assert_eq!((bye.transport, bye.peer), (Transport::Tcp, Callee.address()));
}
