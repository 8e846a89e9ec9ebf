//! What is known of one box: where it is, how it fares, and what it showed last.

use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use telemetry::MessageFigures;

use crate::kind::NodeKind;
use crate::snapshot::Snapshot;
use crate::sockets::SocketCounts;

/// An entry of the directory of boxes, under the name of its box.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DirectoryEntry {
    pub kind: NodeKind,
    pub address: SocketAddr,
    pub state: BoxState,
    /// As the box last showed itself; none before the first second.
    pub snapshot: Option<Snapshot>,
    pub sockets: SocketCounts,
}

/// The life of a box.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BoxState {
    /// Nothing has been heard of it.
    #[default]
    Unknown,
    Running,
    Draining,
    /// Nothing is in progress any more.
    Drained,
    Stopped,
    /// Ended by a panic.
    Failed,
    /// Gone with its process, which nobody told to end.
    Lost,
}

impl DirectoryEntry {
    /// A box that listens at `address` and has not shown itself yet.
    #[must_use]
    pub fn listening(kind: NodeKind, address: SocketAddr) -> Self {
        let (state, sockets) = (BoxState::Running, SocketCounts::default());
        Self { kind, address, state, snapshot: None, sockets }
    }

    /// Messages that came to nothing at this box and its sockets. A count that a box does not keep is zero.
    #[must_use]
    pub fn messages(&self) -> MessageFigures {
        let sockets = &self.sockets;
        let of_sockets = MessageFigures {
            kernel_drops: sockets.udp_kernel_drops + sockets.media_kernel_drops,
            unsent: sockets.udp_dropped + sockets.media_unsent,
            send_errors: sockets.udp_send_errors + sockets.udp_oversize + sockets.tcp_unsent,
            framing_errors: sockets.tcp_framing_errors + sockets.tcp_unfinished,
            over_limit: sockets.tcp_over_limit + sockets.tcp_evicted,
            ..MessageFigures::default()
        };
        macro_rules! with {
            ($it:ident $(, $field:ident)* $(; $($counts:ident).+)?) => {
                MessageFigures {
                    malformed: $it.malformed,
                    stray: $it.stray,
                    overflow: $it.overflow,
                    $($field: $it.refused_by_status.clone(),)*
                    $(limited: $($counts).+.limited, over_dialogs: $($counts).+.over_dialogs,)?
                    ..of_sockets
                }
            };
        }
        match &self.snapshot {
            Some(Snapshot::CallServer(it)) => with!(it, refused; it.counts),
            Some(Snapshot::TrunkGroup(it)) => with!(it; it.counts),
            Some(Snapshot::AccessNode(it)) => with!(it),
            Some(Snapshot::Psap(it)) => with!(it, refused; it),
            Some(Snapshot::Generator(it)) => with!(it, refused),
            Some(Snapshot::PoolMonitor(_)) | None => of_sockets,
        }
    }
}

impl BoxState {
    /// True while the box takes packets.
    #[must_use]
    pub const fn is_up(self) -> bool {
        matches!(self, Self::Running | Self::Draining)
    }
}

impl fmt::Display for BoxState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::CallServerSnapshot;

    #[test]
    fn the_counts_of_boxes_add_up_and_zeros_are_not_told() {
        let mut entry =
            DirectoryEntry::listening(NodeKind::CallServer, ([127, 0, 0, 1], 5060).into());
        // A box that has not shown itself yet.
        assert!(entry.messages().is_zero());
        entry.snapshot = Some(Snapshot::CallServer(CallServerSnapshot {
            malformed: 2,
            refused_by_status: [(481, 1), (405, 3)].into(),
            ..CallServerSnapshot::default()
        }));
        entry.sockets = SocketCounts {
            udp_kernel_drops: 4,
            udp_send_errors: 1,
            tcp_unsent: 2,
            ..SocketCounts::default()
        };
        let mut sum = entry.messages();
        sum += &entry.messages();
        assert_eq!(
            sum.to_string(),
            "4 malformed, 8 dropped by the kernel, 6 failed to send, 6 refused with 405, \
             2 refused with 481"
        );
        assert!(!sum.is_zero());
    }
}
