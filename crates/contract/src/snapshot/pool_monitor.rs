//! What the pool monitor shows of itself.

use serde::{Deserialize, Serialize};

/// The state of each call server, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolMonitorSnapshot {
    pub members: Vec<(String, MemberState)>,
}

/// Whether a member of the pool gets new calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberState {
    /// Gets calls.
    Up,
    /// Gets calls only when no member is up.
    Suspect,
    /// Gets no calls.
    Down,
    /// Gets no new calls; those that it has go on.
    Draining,
}
