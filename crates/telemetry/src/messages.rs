//! Messages that came to nothing: each box and each socket counts its own, and a run adds them up.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// What the boxes of a process could not use, could not send or did not take.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MessageFigures {
    /// Messages that could not be understood.
    pub malformed: u64,
    /// Responses that match no request.
    pub stray: u64,
    /// Requests refused because too many transactions were alive.
    pub overflow: u64,
    /// Calls refused because too many dialogs were alive.
    #[serde(default)]
    pub over_dialogs: u64,
    /// Calls refused because their source had too many that nobody answered or acknowledged.
    #[serde(default)]
    pub limited: u64,
    /// Requests refused before any call saw them, by status.
    pub refused: BTreeMap<u16, u64>,
    /// Datagrams that the kernel dropped because the box did not read fast enough.
    pub kernel_drops: u64,
    /// Datagrams dropped because too many waited to be sent.
    pub unsent: u64,
    /// Messages that the kernel refused to send, or whose connection ended first.
    pub send_errors: u64,
    /// Connections closed because their bytes were not SIP messages (RFC 3261 §18.3), or not whole ones in time.
    pub framing_errors: u64,
    /// Connections refused, or closed while idle, because the box had its limit of them.
    pub over_limit: u64,
}

impl MessageFigures {
    /// True when nothing came to nothing.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

impl AddAssign<&Self> for MessageFigures {
    fn add_assign(&mut self, other: &Self) {
        self.malformed += other.malformed;
        self.stray += other.stray;
        self.overflow += other.overflow;
        self.over_dialogs += other.over_dialogs;
        self.limited += other.limited;
        for (status, count) in &other.refused {
            *self.refused.entry(*status).or_default() += count;
        }
        self.kernel_drops += other.kernel_drops;
        self.unsent += other.unsent;
        self.send_errors += other.send_errors;
        self.framing_errors += other.framing_errors;
        self.over_limit += other.over_limit;
    }
}

/// The counts that are not zero, in one line.
impl fmt::Display for MessageFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.malformed, "malformed"),
            (self.stray, "stray"),
            (self.overflow, "over the limit of transactions"),
            (self.over_dialogs, "over the limit of dialogs"),
            (self.limited, "over the limit of their source"),
            (self.kernel_drops, "dropped by the kernel"),
            (self.unsent, "not sent"),
            (self.send_errors, "failed to send"),
            (self.framing_errors, "connections without SIP"),
            (self.over_limit, "connections over the limit"),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts = counts.map(|(count, what)| format!("{count} {what}"));
        let refused = self.refused.iter().filter(|(_, count)| **count > 0);
        let refused = refused.map(|(status, count)| format!("{count} refused with {status}"));
        f.write_str(&counts.chain(refused).collect::<Vec<_>>().join(", "))
    }
}
