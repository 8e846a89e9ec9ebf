//! What outlives the loss of power of a call server.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use topology::Defect;

/// What is on the disk of a call server: its configuration as operators left it, and its software. Replicas of other call
/// servers' calls are not kept over a loss of power.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoredDisk {
    /// New calls are refused.
    pub locked: bool,
    /// Trunk groups were told to send new calls elsewhere.
    pub diverted: bool,
    /// Ordinary calls are refused.
    pub shedding: bool,
    /// Calls for these numbers are refused.
    pub blocked: BTreeSet<String>,
    /// Trunk groups whose link is disconnected.
    pub disconnected: BTreeSet<String>,
    pub stale_circuits: bool,
    pub release: String,
    /// What sleeps in it, where that is other than the network file says of the release: somebody has armed or disarmed it.
    pub defects: Option<Vec<Defect>>,
    /// The release before it.
    pub previous: Option<String>,
    /// Identifiers given to trunk members so far.
    pub trunk_members: u32,
}
