//! What is kept of a call at one box.

use std::net::SocketAddr;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sip_proto::Transport;
use telemetry::BoxKind;

/// The box that saw it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TracedBox {
    pub kind: BoxKind,
    /// As the network file calls it; `load-1` and so on for generators.
    pub name: String,
    /// Its SIP address.
    pub address: SocketAddr,
}

/// All that one box saw of one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptCall {
    /// The attempt: the caller's half of Session-ID as a number, see [`telemetry::CallRecord::attempt`].
    pub attempt: u128,
    pub seen_by: TracedBox,
    /// Older messages of this call are gone: the recorder's memory was too small for all that went on since.
    pub is_cut: bool,
    /// In the order in which the box saw them.
    pub entries: Vec<Entry>,
}

/// One thing that a box saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Unix microseconds by the clock of the box.
    pub at_us: u64,
    pub seen: Seen,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Seen {
    /// A SIP message, as on the wire.
    Message { direction: Direction, transport: Transport, peer: SocketAddr, bytes: Bytes },
    /// What happened to the call inside the box, as a phrase without its subject: `seizes a circuit towards alpha`.
    Note(String),
    /// RTCP, as on the wire; `local` is the port of the box.
    Report { direction: Direction, local: SocketAddr, peer: SocketAddr, bytes: Bytes },
}

/// From the box's point of view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Direction {
    Received,
    Sent,
}
