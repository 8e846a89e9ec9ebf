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
    /// RTP, or RTCP that a relay sent on, as on the wire; `local` is the port of the box.
    Media { direction: Direction, local: SocketAddr, peer: SocketAddr, bytes: Bytes },
}

impl Seen {
    /// The size of what was seen.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Message { bytes, .. }
            | Self::Report { bytes, .. }
            | Self::Media { bytes, .. } => bytes.len(),
            Self::Note(text) => text.len(),
        }
    }
}

impl KeptCall {
    /// The size of all that was seen.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.entries.iter().map(|entry| entry.seen.bytes()).sum()
    }

    /// Leaves packets of media out, where they find no room, and says so in a note. Returns how many there were.
    pub fn leave_out_media(&mut self) -> u64 {
        let is_media = |entry: &Entry| matches!(entry.seen, Seen::Media { .. });
        let Some(first) = self.entries.iter().position(is_media) else { return 0 };
        let at_us = self.entries.get(first).map_or(0, |entry| entry.at_us);
        let before = self.entries.len();
        self.entries.retain(|entry| !is_media(entry));
        let gone = before - self.entries.len();
        let text =
            format!("keeps none of its {gone} packets of media: the disk was too slow for them");
        self.entries.insert(first, Entry { at_us, seen: Seen::Note(text) });
        gone as u64
    }
}

/// From the box's point of view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Direction {
    Received,
    Sent,
}
