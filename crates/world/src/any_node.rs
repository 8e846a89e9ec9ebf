//! Boxes of any type behind one trait, so that one network can hold them all.

use std::any::Any;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Instant;

use contract::Node;
use media::Plane;
use sip_proto::{Packet, Transport};
use switch::pool::Change;
use switch::{call_server, trunk_group};
use telemetry::CallRecord;
use trace::Notes;

/// What a box tells the management plane.
#[derive(Debug)]
pub enum BoxNotice {
    Record(Box<CallRecord>),
    Change(Change),
    /// The software of a call server has failed; it loses its calls, and restarts later.
    Hanging {
        why: String,
    },
    /// A call server starts again, and loses its calls if it did not before.
    Restarting {
        why: String,
    },
    /// A call server that was starting takes calls again.
    InService,
    Recording(Box<psap_mock::Recorded>),
}

impl From<CallRecord> for BoxNotice {
    fn from(record: CallRecord) -> Self {
        Self::Record(Box::new(record))
    }
}

impl From<psap_mock::Output> for BoxNotice {
    fn from(output: psap_mock::Output) -> Self {
        match output {
            psap_mock::Output::Record(record) => Self::Record(Box::new(record)),
            psap_mock::Output::Recording(recorded) => Self::Recording(recorded),
        }
    }
}

impl From<call_server::CallServerNotice> for BoxNotice {
    fn from(notice: call_server::CallServerNotice) -> Self {
        match notice {
            call_server::CallServerNotice::Record(record) => Self::Record(record),
            call_server::CallServerNotice::Hanging { why } => Self::Hanging { why },
            call_server::CallServerNotice::Restarting { why } => Self::Restarting { why },
            call_server::CallServerNotice::InService => Self::InService,
        }
    }
}

impl From<trunk_group::TrunkGroupNotice> for BoxNotice {
    fn from(notice: trunk_group::TrunkGroupNotice) -> Self {
        match notice {
            trunk_group::TrunkGroupNotice::Record(record) => Self::Record(record),
            trunk_group::TrunkGroupNotice::Change(change) => Self::Change(change),
        }
    }
}

impl From<Change> for BoxNotice {
    fn from(change: Change) -> Self {
        Self::Change(change)
    }
}

impl From<Infallible> for BoxNotice {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// A [`Node`] of any type.
pub(crate) trait AnyNode: Any {
    fn handle_packet(&mut self, now: Instant, packet: Packet);
    fn handle_timeout(&mut self, now: Instant);
    fn handle_unreachable(&mut self, now: Instant, transport: Transport, peer: SocketAddr);
    fn handle_drain(&mut self, now: Instant);
    /// Puts all packets that the box sends into `packets`.
    fn take_packets(&mut self, packets: &mut Vec<Packet>);
    fn poll_notice(&mut self) -> Option<BoxNotice>;
    fn notes(&mut self) -> Option<&mut Notes>;
    /// When the box or its plane wants to be woken.
    fn next_wake(&mut self) -> Option<Instant>;
    fn is_drained(&self) -> bool;
    fn plane(&mut self) -> Option<&mut Plane>;
    fn handle_media(&mut self, now: Instant);
}

impl<N: Node + Any> AnyNode for N
where
    N::Event: Into<BoxNotice>,
{
    fn handle_packet(&mut self, now: Instant, packet: Packet) {
        Node::handle_packet(self, now, packet);
    }

    fn handle_timeout(&mut self, now: Instant) {
        Node::handle_timeout(self, now);
    }

    fn handle_unreachable(&mut self, now: Instant, transport: Transport, peer: SocketAddr) {
        Node::handle_unreachable(self, now, transport, peer);
    }

    fn handle_drain(&mut self, now: Instant) {
        Node::handle_drain(self, now);
    }

    fn take_packets(&mut self, packets: &mut Vec<Packet>) {
        packets.extend(std::iter::from_fn(|| self.poll_transmit()));
    }

    fn notes(&mut self) -> Option<&mut Notes> {
        Node::notes(self)
    }

    fn poll_notice(&mut self) -> Option<BoxNotice> {
        self.poll_event().map(Into::into)
    }

    fn next_wake(&mut self) -> Option<Instant> {
        let media = Node::plane(self).and_then(|plane| plane.poll_timeout());
        [self.poll_timeout(), media].into_iter().flatten().min()
    }

    fn is_drained(&self) -> bool {
        Node::is_drained(self)
    }

    fn plane(&mut self) -> Option<&mut Plane> {
        Node::plane(self)
    }

    fn handle_media(&mut self, now: Instant) {
        Node::handle_media(self, now);
    }
}
