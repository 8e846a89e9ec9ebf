//! What is due is served with whatever has woken the box.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use contract::{CallServerSnapshot, Node, Reply};
use sip_proto::{Packet, Transport};
use tokio::net::UdpSocket;

use super::echo::{any_port, label, within};
use crate::{Boxes, Directory, NodeSpec, SocketLimits};

/// Sends back what it gets, as something that is due at once and may wait for an hour.
#[derive(Default)]
struct Patient {
    due: Option<(Instant, Packet)>,
    out: Option<Packet>,
}

impl Node for Patient {
    const SLACK: Duration = Duration::from_secs(3_600);

    type Command = ();
    type Event = ();
    type Snapshot = CallServerSnapshot;

    fn handle_packet(&mut self, now: Instant, packet: Packet) {
        self.due = Some((now, packet));
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.out = self.due.take_if(|(due, _)| *due <= now).map(|(_, packet)| packet);
    }

    fn handle_unreachable(&mut self, _: Instant, _: Transport, _: SocketAddr) {}

    fn handle_command(&mut self, _: Instant, (): ()) -> Reply {
        Reply::Silent
    }

    fn handle_drain(&mut self, _: Instant) {}

    fn poll_transmit(&mut self) -> Option<Packet> {
        self.out.take()
    }

    fn poll_event(&mut self) -> Option<()> {
        None
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.due.as_ref().map(|(due, _)| *due)
    }

    fn snapshot(&self) -> CallServerSnapshot {
        CallServerSnapshot::default()
    }

    fn is_drained(&self) -> bool {
        true
    }
}

#[test]
fn what_is_due_is_served_with_the_datagram_that_woke_the_box() {
    crate::run(async {
        let build = |_, _| Patient::default();
        let accept = |_| Err("it takes none".to_owned());
        let spec = NodeSpec::new(label("patient", any_port()), build, accept, drop);
        let boxes = Boxes::start(vec![spec], SocketLimits::default(), Directory::default()).await;
        let boxes = boxes.expect("ports are free");
        let address = boxes.directory().find("patient").expect("it was started").address;
        let client = UdpSocket::bind(any_port()).await.expect("a free port");
        client.send_to(b"hello", address).await.expect("sent");
        let mut buffer = [0; 8];
        assert_eq!(within(client.recv(&mut buffer)).await.expect("received"), 5);
        boxes.close().await;
    });
}
