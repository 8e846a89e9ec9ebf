//! What a trunk group shows of itself, and of the call servers that it sends calls to.

use serde::{Deserialize, Serialize};
use sip_proto::message::OverloadAlgorithm;

use super::pool_monitor::MemberState;

/// A trunk group at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrunkGroupSnapshot {
    pub calls: usize,
    pub draining: bool,
    #[serde(flatten)]
    pub counts: TrunkGroupCounts,
    pub members: Vec<MemberSnapshot>,
    pub malformed: u64,
    pub resent: u64,
    pub stray: u64,
    /// Requests refused because too many transactions were alive.
    pub overflow: u64,
    /// SIP transactions that are alive, with those that only absorb late copies.
    #[serde(default)]
    pub transactions: usize,
}

/// What a trunk group has done since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrunkGroupCounts {
    pub offered: u64,
    pub answered: u64,
    pub rejected: u64,
    /// Rejected because their source had too many calls that nobody answered or acknowledged; part of `rejected`.
    pub limited: u64,
    /// Rejected because there were as many dialogs as there may be; part of `rejected`.
    #[serde(default)]
    pub over_dialogs: u64,
    pub abandoned: u64,
    pub lost: u64,
    /// Attempts on a further site after the first one of a call.
    pub rerouted: u64,
    /// Requests inside dialogs that this trunk group does not know.
    pub unknown_dialog: u64,
}

/// A call server as one trunk group sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberSnapshot {
    pub call_server: String,
    pub site: String,
    pub state: MemberState,
    pub circuits: u32,
    pub seized: u32,
    /// How often it was found down, and how long it had been silent by then the last time.
    pub falls: u32,
    pub found_after_us: Option<u64>,
    #[serde(flatten)]
    pub counts: MemberCounts,
    /// What it asks by overload control.
    pub asked: Option<AskedSnapshot>,
    /// Calls that would have gone to it and were held back at its wish.
    pub kept_away: u64,
}

/// Calls sent to a member.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberCounts {
    pub offered: u64,
    pub answered: u64,
    /// Ended there without an answer, whatever the reason.
    pub failed: u64,
}

/// What a member asks of a trunk group by overload control (RFC 7339).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedSnapshot {
    pub algorithm: OverloadAlgorithm,
    /// Per cent that are held back, or calls in a second.
    pub oc: u32,
}
