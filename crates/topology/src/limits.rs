//! What every box allows its peers, whatever the transport; and what a source may hold with calls that come to nothing.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use crate::address_range::AddressRange;
use crate::reader::{Table, kind};

/// Limits of each box, so that no flood makes it grow without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SipLimits {
    /// Most requests of peers that are answered or will be, with those that only absorb late copies. Half is kept for requests
    /// inside dialogs.
    pub transactions: u32,
    /// Most dialogs: a call has one at a PSAP and at a trunk group, and two at a call server.
    pub dialogs: u32,
}

impl Default for SipLimits {
    fn default() -> Self {
        Self { transactions: 1_000_000, dialogs: 200_000 }
    }
}

impl SipLimits {
    pub(crate) fn read(table: &Table<'_>) -> Self {
        let base = Self::default();
        Self {
            transactions: table.or("transactions", kind::count(10..=10_000_000), base.transactions),
            dialogs: table.or("dialogs", kind::count(1..=10_000_000), base.dialogs),
        }
    }
}

/// What one source, an IP address, may hold of a box with calls that come to nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceLimits {
    /// Its calls at once that are not answered, or answered and not acknowledged; beyond it 503. 0: any number.
    pub calls: u32,
    /// Answers that it does not acknowledge, unless it acknowledges more: beyond it the source gets 503 for a time. 0: any number.
    pub unacknowledged: u32,
    /// Sources without these limits: networks and load generators, whose calls are those of many people.
    pub peers: Vec<AddressRange>,
    /// Such sources in the network itself: its trunk groups and call servers, the same for all boxes.
    pub boxes: Arc<BTreeSet<IpAddr>>,
}

impl SourceLimits {
    /// Those of a box that has room for so many calls: a quarter of them, where nothing else is written here or in `above`.
    pub(crate) fn read(table: &Table<'_>, room: u32, above: Option<&Self>) -> Self {
        let quarter = (room / 4).max(10);
        let any = kind::count(0..=1_000_000);
        let (calls, unacknowledged) =
            above.map_or((quarter, 5), |above| (above.calls, above.unacknowledged));
        let peers = table.list("peers", kind::address_range);
        Self {
            calls: table.or("calls_per_source", &any, calls),
            unacknowledged: table.or("unacknowledged_per_source", &any, unacknowledged),
            peers: match above {
                Some(above) if peers.is_empty() => above.peers.clone(),
                _ => peers,
            },
            boxes: Arc::default(),
        }
    }

    /// Whether a source has none of these limits.
    #[must_use]
    pub fn is_peer(&self, ip: IpAddr) -> bool {
        self.boxes.contains(&ip) || self.peers.iter().any(|peer| peer.contains(ip))
    }
}
