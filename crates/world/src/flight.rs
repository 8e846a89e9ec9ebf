//! What is on its way, ordered by its arrival.

use std::net::SocketAddr;
use std::time::Instant;

use sip_proto::Packet;

/// A packet, or the news that it cannot be delivered, on its way to `to`.
#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) due: Instant,
    pub(crate) sequence: u64,
    pub(crate) to: SocketAddr,
    /// Its place in the trace.
    pub(crate) at: Option<usize>,
    pub(crate) content: FlightContent,
    /// Impairments of the box that it has reached have decided about it.
    pub(crate) is_let_in: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum FlightContent {
    Packet(Packet),
    Unreachable(SocketAddr),
    /// An RTP or RTCP datagram; `to` is the port of a plane then.
    Media {
        from: SocketAddr,
        bytes: Vec<u8>,
    },
}

/// A packet that a test wants to get lost.
#[derive(Debug)]
pub(crate) struct PacketToLose {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) label: String,
    pub(crate) times: u32,
}

impl PartialEq for Flight {
    fn eq(&self, other: &Self) -> bool {
        self.sequence == other.sequence
    }
}

impl Eq for Flight {}

impl PartialOrd for Flight {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Flight {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.sequence).cmp(&(other.due, other.sequence))
    }
}
