//! Where messages go — RFC 3261 §18, RFC 3581.

use std::net::SocketAddr;
use std::time::Duration;

use sip_proto::message::{Method, Name, Payload, Request, Response};
use sip_proto::user_agent::Event;
use sip_proto::{Packet, Transport};

use crate::network::Who::{Callee, Caller};
use crate::network::{Alone, SDP, request, response};

fn packet(alone: &mut Alone) -> Packet {
    let mut packets = alone.packets();
    assert_eq!(packets.len(), 1, "{packets:?}");
    packets.remove(0)
}

fn large() -> Payload {
    Payload::sdp(format!("{SDP}a=x:{}\r\n", "x".repeat(1_000)))
}

// RFC 3261 §18.1.1: "larger than 1300 bytes ... MUST be sent using an RFC 2914 congestion
// controlled transport protocol, such as TCP"; RFC 3261 §9.1: the CANCEL goes where its INVITE
// went, as does the ACK of a refusal (§17.1.1.3).
#[test]
fn a_large_invite_goes_by_tcp_and_takes_cancel_and_ack_along() {
    let mut alone = Alone::new(Caller);
    let leg = alone.agent.connect(alone.now, crate::network::invite(large()));
    let sent = packet(&mut alone);
    assert_eq!((sent.transport, sent.peer), (Transport::Tcp, Callee.address()));
    let invite = Request::parse(sent.bytes).unwrap();
    assert_eq!(invite.via().transport(), "TCP");
    assert!(alone.run(10_000).is_empty(), "nothing is repeated on TCP");
    let answer = |alone: &mut Alone, status| {
        let bytes = response(&invite, status, "t", "").into();
        let (transport, peer) = (Transport::Tcp, Callee.address());
        alone.agent.handle_packet(alone.now, Packet { transport, peer, bytes });
    };
    answer(&mut alone, 180);
    alone.agent.hang_up(alone.now, leg, None);
    let cancel = packet(&mut alone);
    assert!(cancel.bytes.starts_with(b"CANCEL "));
    answer(&mut alone, 487);
    let ack = packet(&mut alone);
    assert!(ack.bytes.starts_with(b"ACK "));
    assert_eq!([cancel.transport, ack.transport], [Transport::Tcp; 2]);
}

// RFC 3261 §18.1.1: "If an element sends a request over TCP because of these message size
// constraints, and that request would have otherwise been sent over UDP, if the attempt to
// establish the connection generates ... a reset, the element SHOULD retry the request, using UDP".
#[test]
fn a_large_invite_falls_back_to_udp() {
    let mut alone = Alone::new(Caller);
    let leg = alone.agent.connect(alone.now, crate::network::invite(large()));
    let tcp = packet(&mut alone);
    alone.agent.handle_unreachable(alone.now, Transport::Tcp, Callee.address());
    let udp = packet(&mut alone);
    assert_eq!(udp.transport, Transport::Udp);
    let text = |packet: &Packet| String::from_utf8(packet.bytes.to_vec()).unwrap();
    assert_eq!(text(&udp), text(&tcp).replacen("SIP/2.0/TCP", "SIP/2.0/UDP", 1));
    assert_eq!(alone.run(600).len(), 1, "Timer A runs on UDP");
    let invite = Request::parse(udp.bytes).unwrap();
    alone.receive(response(&invite, 180, "t", ""));
    alone.agent.hang_up(alone.now, leg, None);
    assert_eq!(packet(&mut alone).transport, Transport::Udp);
    assert_eq!(alone.events(), ["Progress 180"]);
}

// Once the peer has answered at all, it has the INVITE: a copy by UDP would be a second call.
#[test]
fn a_large_invite_that_was_heard_is_not_sent_again() {
    let mut alone = Alone::new(Caller);
    alone.agent.connect(alone.now, crate::network::invite(large()));
    let invite = Request::parse(packet(&mut alone).bytes).unwrap();
    alone.receive_by(Transport::Tcp, response(&invite, 100, "", ""));
    alone.agent.handle_unreachable(alone.now, Transport::Tcp, Callee.address());
    assert!(alone.run(10_000).is_empty());
    assert!(alone.events().is_empty());
}

// RFC 3261 §18.1.1: the limit is for the whole message.
#[test]
fn the_largest_datagram_has_1300_bytes() {
    let mut seen = [0, 0];
    for length in 300..1_100 {
        let mut alone = Alone::new(Caller);
        let payload = Payload::sdp("x".repeat(length));
        alone.agent.connect(alone.now, crate::network::invite(payload));
        let sent = packet(&mut alone);
        let large = sent.bytes.len() > 1_300;
        assert_eq!(sent.transport == Transport::Tcp, large, "{} bytes", sent.bytes.len());
        seen[usize::from(large)] += 1;
    }
    assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
}

// A request that was small has no other transport to try.
#[test]
fn an_unreachable_peer_fails_the_call_at_once() {
    let mut alone = Alone::new(Caller);
    alone.connect(Payload::sdp(SDP));
    alone.agent.handle_unreachable(alone.now, Transport::Tcp, Callee.address());
    alone.agent.handle_unreachable(alone.now, Transport::Udp, Caller.address());
    assert!(alone.events().is_empty(), "somebody else was unreachable");
    alone.agent.handle_unreachable(alone.now, Transport::Udp, Callee.address());
    assert_eq!(alone.events(), ["Failed Unreachable"]);
    assert!(alone.agent.is_idle());
}

// A switch with calls towards one dead peer and many live ones asks only for those towards the dead
// one.
#[test]
fn only_the_requests_to_the_dead_peer_fail() {
    let mut alone = Alone::new(Caller);
    let dead: SocketAddr = ([127, 0, 0, 66], 5060).into();
    for number in 0..100 {
        let mut call = crate::network::invite(Payload::sdp(SDP));
        if number % 10 == 0 {
            call.next_hop = dead;
        }
        alone.agent.connect(alone.now, call);
    }
    alone.agent.handle_unreachable(alone.now, Transport::Udp, dead);
    assert_eq!(alone.events(), vec!["Failed Unreachable"; 10]);
    assert_eq!(alone.agent.legs(), 90);
}

// RFC 3581 §4: with rport, the response goes to the source port and says both; RFC 3261 §18.2.1:
// without it, `received` is added when the address differs, and the port is that of Via.
#[test]
fn responses_go_where_via_and_source_say() {
    let source: SocketAddr = ([127, 0, 0, 5], 40_000).into();
    for (via, to, added) in [
        ("127.0.0.1:5080;rport", source, ";received=127.0.0.5;rport=40000"),
        ("127.0.0.5:5080;rport", source, ";received=127.0.0.5;rport=40000"),
        ("127.0.0.1:5080", ([127, 0, 0, 5], 5080).into(), ";received=127.0.0.5"),
        ("host.example", ([127, 0, 0, 5], 5060).into(), ";received=127.0.0.5"),
        ("127.0.0.5", ([127, 0, 0, 5], 5060).into(), ""),
        ("127.0.0.5;maddr=127.0.0.99", ([127, 0, 0, 5], 5060).into(), ""),
        // What a peer says of itself in `received` is replaced.
        ("127.0.0.1;received=127.0.0.99", ([127, 0, 0, 5], 5060).into(), ";received=127.0.0.5"),
    ] {
        let mut alone = Alone::new(Callee);
        let text = request(Method::Options, "a", None, "").replace("127.0.0.1:5060", via);
        let packet_in = Packet { transport: Transport::Udp, peer: source, bytes: text.into() };
        alone.agent.handle_packet(alone.now, packet_in);
        let sent = packet(&mut alone);
        assert_eq!(sent.peer, to, "{via}");
        let text = String::from_utf8(sent.bytes.to_vec()).unwrap();
        let line = text.lines().find(|line| line.starts_with("Via: ")).unwrap();
        assert!(line.ends_with(&format!("branch=z9hG4bKa{added}")), "{via}: {line}");
        assert!(!line.contains("127.0.0.99") || via.contains("maddr"), "{line}");
    }
}

// RFC 3261 §18.2.2: on a stream the response goes back on the connection.
#[test]
fn responses_stay_on_their_connection() {
    let mut alone = Alone::new(Callee);
    let text = request(Method::Options, "a", None, "").replace("127.0.0.1:5060", "127.0.0.1:9");
    let peer: SocketAddr = ([127, 0, 0, 5], 40_000).into();
    let bytes = text.into();
    alone.agent.handle_packet(alone.now, Packet { transport: Transport::Tcp, peer, bytes });
    let sent = packet(&mut alone);
    assert_eq!((sent.transport, sent.peer), (Transport::Tcp, peer));
}

// RFC 3261 §18.2.2: "If that connection is no longer open, the server SHOULD open a connection to
// the IP address in the received parameter, if present, using the port in the sent-by value".
#[test]
fn responses_find_a_way_round_a_lost_connection() {
    let peer: SocketAddr = ([127, 0, 0, 5], 40_000).into();
    let listens: SocketAddr = ([127, 0, 0, 5], 5080).into();
    for answered_before in [false, true] {
        let mut alone = Alone::new(Callee);
        let text = request(Method::Invite, "a", None, "Content-Length: 0\r\n");
        let bytes = text.replace("UDP 127.0.0.1:5060", "TCP 127.0.0.1:5080").into();
        alone.agent.handle_packet(alone.now, Packet { transport: Transport::Tcp, peer, bytes });
        let Some(Event::Offered { leg, .. }) = alone.agent.poll_event() else { panic!("no offer") };
        if answered_before {
            alone.agent.accept(alone.now, leg, &Payload::sdp(SDP));
            assert_eq!(packet(&mut alone).peer, peer);
        }
        alone.agent.handle_unreachable(alone.now, Transport::Tcp, peer);
        if answered_before {
            alone.now += Duration::from_millis(500);
            alone.agent.handle_timeout(alone.now);
        } else {
            alone.agent.accept(alone.now, leg, &Payload::sdp(SDP));
        }
        let sent = packet(&mut alone);
        assert!(sent.bytes.starts_with(b"SIP/2.0 200 "));
        assert_eq!((sent.transport, sent.peer), (Transport::Tcp, listens));
    }
}

// RFC 3261 §20.35 and §20.41: User-Agent names the client, Server the server.
#[test]
fn each_side_names_itself_in_its_own_header() {
    let mut alone = Alone::new(Caller);
    alone.agent.connect(alone.now, crate::network::invite(large()));
    let invite = Request::parse(packet(&mut alone).bytes).unwrap();
    let product = |name| invite.header(name).map(str::to_owned);
    assert_eq!(product(Name::UserAgent).as_deref(), Some("Tocsin"));
    assert_eq!(product(Name::Server), None);
    let mut alone = Alone::new(Callee);
    let sent = alone.receive(request(Method::Options, "a", None, ""));
    let answer = Response::parse(sent[0].clone().into()).unwrap();
    assert_eq!(answer.header(Name::Server), Some("Tocsin"));
    assert_eq!(answer.header(Name::UserAgent), None);
}

// What a TU relays may be long: 250 lines of the peer and ours. ACK and CANCEL are made all the
// same.
#[test]
fn an_invite_of_many_lines_can_still_be_cancelled_and_acknowledged() {
    let mut alone = Alone::new(Caller);
    let payload = (0..300).fold(Payload::empty(), |payload, _| payload.with_header("X", "y"));
    let leg = alone.agent.connect(alone.now, crate::network::invite(payload));
    let sent = String::from_utf8(packet(&mut alone).bytes.to_vec()).unwrap();
    let invite = Request::parse(sent.replace("X: y\r\n", "").into()).unwrap();
    alone.receive(response(&invite, 100, "", ""));
    alone.agent.hang_up(alone.now, leg, None);
    assert!(packet(&mut alone).bytes.starts_with(b"CANCEL "));
    let sent = alone.receive(response(&invite, 487, "t", ""));
    assert!(sent[0].starts_with("ACK "));
}
