//! What a plane has done, as a console and a run's summary show it.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// What a plane has done since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlaneCounts {
    /// Streams that are open now.
    pub streams: usize,
    /// RTP packets taken from a peer.
    pub received: u64,
    /// Of those, sent on to the other side.
    pub forwarded: u64,
    /// RTP packets of terminals.
    pub sent: u64,
    /// Packets of terminals that went out more than 20 ms after their time.
    pub late: u64,
    /// Packets of terminals that were left out because the schedule was too far behind.
    pub skipped: u64,
    /// Datagrams to a port that no call holds.
    pub stray: u64,
    /// Datagrams that are neither RTP nor RTCP.
    pub malformed: u64,
    /// Datagrams from addresses that are not the peer's.
    pub strangers: u64,
    /// Calls that found no port.
    pub refused: u64,
    /// Of those, calls for whose port no file could be opened.
    pub without_file: u64,
    /// Times that media stopped without the call having ended.
    pub idle: u64,
}

impl AddAssign for PlaneCounts {
    fn add_assign(&mut self, other: Self) {
        self.streams += other.streams;
        self.received += other.received;
        self.forwarded += other.forwarded;
        self.sent += other.sent;
        self.late += other.late;
        self.skipped += other.skipped;
        self.stray += other.stray;
        self.malformed += other.malformed;
        self.strangers += other.strangers;
        self.refused += other.refused;
        self.without_file += other.without_file;
        self.idle += other.idle;
    }
}
