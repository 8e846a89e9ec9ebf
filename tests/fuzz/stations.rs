//! Messages at whoever answers them: a user agent, and every box of a network.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip_proto::message::{Payload, parse};
use sip_proto::user_agent::{Config, Event, LegId, UserAgent};
use sip_proto::{Packet, Transport};
use system_tests::network::Network;
use world::Link;

const NETWORK: &str = r#"
[sites.alpha]
address = "127.0.0.11:5060"
[trunk_groups.mobile]
address = "127.0.0.21:5060"
circuits = 4
[psaps.samu-59]
address = "127.0.0.31:5060"
number = "0199000015"
positions = 2
ring = "100ms"
talk = "1s"
[[routes]]
numbers = ["15", "18", "112", "urn:service:sos"]
psaps = ["samu-59"]
"#;

const BOXES: [&str; 3] = ["mobile", "alpha", "samu-59"];

fn stranger() -> SocketAddr {
    ([127, 0, 0, 1], 5999).into()
}

/// A user agent that answers calls at once gets the messages of a stream, one by one, and has nothing left after five minutes.
pub(crate) fn user_agent(input: &[u8]) {
    let now = Instant::now();
    let mut agent = UserAgent::new(Config::new(([127, 0, 0, 9], 5060).into(), 7));
    let mut legs = Vec::new();
    for (number, message) in messages(input).into_iter().enumerate() {
        let transport = if number % 2 == 0 { Transport::Udp } else { Transport::Tcp };
        agent.handle_packet(now, Packet { transport, peer: stranger(), bytes: message });
        serve(&mut agent, now, &mut legs);
        drain(&mut agent);
    }
    for leg in legs {
        agent.hang_up(now, leg, None);
    }
    let (mut at, limit) = (now, now + Duration::from_secs(300));
    while let Some(due) = agent.poll_timeout() {
        assert!(due < limit, "something goes on for ever");
        at = due.max(at);
        agent.handle_timeout(at);
        serve(&mut agent, at, &mut Vec::new());
        drain(&mut agent);
    }
    assert_eq!((agent.legs(), agent.transactions(), agent.is_idle()), (0, 0, true));
}

fn serve(agent: &mut UserAgent, now: Instant, legs: &mut Vec<LegId>) {
    while let Some(event) = agent.poll_event() {
        match event {
            Event::Offered { leg, .. } => {
                legs.push(leg);
                agent.accept(now, leg, &Payload::empty());
            }
            Event::Modify { id, .. }
            | Event::Request { id, .. }
            | Event::OutOfDialog { id, .. } => {
                agent.respond(now, id, 200, &Payload::empty());
            }
            _ => {}
        }
    }
}

/// What is sent goes to somebody. All of it can be read, but for the refusal of an unsound request, which repeats what is unsound.
fn drain(agent: &mut UserAgent) {
    while let Some(packet) = agent.poll_transmit() {
        assert!(!packet.peer.ip().is_unspecified() && packet.peer.port() != 0);
        let is_refusal =
            packet.bytes.starts_with(b"SIP/2.0 4") || packet.bytes.starts_with(b"SIP/2.0 505");
        let read = parse(packet.bytes.clone());
        assert!(read.is_ok() || is_refusal, "{read:?}: {:?}", packet.bytes);
    }
}

/// The messages of `input` are separated as in the corpus: by a line of three hash signs.
fn messages(input: &[u8]) -> Vec<Bytes> {
    const BORDER: &[u8] = b"###\n";
    let mut rest = input;
    let mut all = Vec::new();
    while let Some(at) = rest.windows(BORDER.len()).position(|window| window == BORDER) {
        all.push(Bytes::copy_from_slice(&rest[..at]));
        rest = &rest[at + BORDER.len()..];
    }
    all.push(Bytes::copy_from_slice(rest));
    all.truncate(8);
    all
}

/// Every box of a network gets the messages, and the network is idle again in the end, with books that balance.
pub(crate) fn boxes(input: &[u8]) {
    let mut network = Network::new(NETWORK, Link::CLEAN, 1);
    for message in messages(input) {
        for name in BOXES {
            let to = network.at(name);
            let packet = Packet { transport: Transport::Udp, peer: to, bytes: message.clone() };
            network.net.inject(stranger(), packet);
            network.run_for(Duration::from_millis(5));
        }
    }
    assert!(network.run_until_idle(Duration::from_secs(8_000)), "{:?}", network.held());
    assert_eq!(network.unbalanced(), Vec::<String>::new());
}
