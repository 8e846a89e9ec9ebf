//! Messages that came to nothing: each box and each socket counts its own, and a run adds them up.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the boxes of a process could not use, could not send or did not take.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageFigures {
    /// Messages that could not be understood.
    pub malformed: u64,
    /// Responses that match no request.
    pub stray: u64,
    /// Requests refused because too many transactions were alive.
    pub overflow: u64,
    /// Requests refused before any call saw them, by status.
    pub refused: BTreeMap<u16, u64>,
    /// Datagrams that the kernel dropped because the box did not read fast enough.
    pub kernel_drops: u64,
    /// Datagrams dropped because too many waited to be sent.
    pub unsent: u64,
    /// Messages that the kernel refused to send, or whose connection ended first.
    pub send_errors: u64,
    /// Connections closed because their bytes were not SIP messages (RFC 3261 §18.3).
    pub framing_errors: u64,
    /// Connections refused because the box had its limit of them.
    pub over_limit: u64,
}

impl MessageFigures {
    /// The figures of one box as its process reports it: its `snapshot`, and its `sockets`. A
    /// count that a box does not keep is zero.
    #[must_use]
    pub fn of_box(entry: &Value) -> Self {
        let (snapshot, sockets) = (&entry["snapshot"], &entry["sockets"]);
        let node = |name: &str| snapshot[name].as_u64().unwrap_or_default();
        let socket =
            |names: &[&str]| names.iter().filter_map(|name| sockets[*name].as_u64()).sum::<u64>();
        let refused = snapshot["refused_by_status"].as_object().into_iter().flatten();
        Self {
            malformed: node("malformed"),
            stray: node("stray"),
            overflow: node("overflow"),
            refused: refused
                .filter_map(|(status, count)| Some((status.parse().ok()?, count.as_u64()?)))
                .collect(),
            kernel_drops: socket(&["udp_kernel_drops", "media_kernel_drops"]),
            unsent: socket(&["udp_dropped", "media_unsent"]),
            send_errors: socket(&["udp_send_errors", "udp_oversize", "tcp_unsent"]),
            framing_errors: socket(&["tcp_framing_errors"]),
            over_limit: socket(&["tcp_over_limit"]),
        }
    }

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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_counts_of_boxes_add_up_and_zeros_are_not_told() {
        let entry = json!({
            "snapshot": { "malformed": 2, "refused_by_status": { "481": 1, "405": 3 } },
            "sockets": { "udp_kernel_drops": 4, "udp_send_errors": 1, "tcp_unsent": 2 },
        });
        let mut sum = MessageFigures::of_box(&entry);
        sum += &MessageFigures::of_box(&entry);
        assert_eq!(
            sum.to_string(),
            "4 malformed, 8 dropped by the kernel, 6 failed to send, 6 refused with 405, \
             2 refused with 481"
        );
        assert!(!sum.is_zero());
        // A box that has not shown itself yet.
        assert!(MessageFigures::of_box(&json!({ "snapshot": null })).is_zero());
    }
}
