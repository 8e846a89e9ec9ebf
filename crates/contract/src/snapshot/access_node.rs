//! What an access node shows of itself.

use serde::{Deserialize, Serialize};

/// An access node at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessNodeSnapshot {
    /// Users of its file.
    pub accounts: usize,
    /// Users with a telephone that is registered.
    pub registered: usize,
    /// Registered contacts of all users.
    pub contacts: usize,
    /// INVITEs without a final response.
    pub setups: usize,
    pub draining: bool,
    pub counts: AccessCounts,
    pub malformed: u64,
    pub resent: u64,
    pub stray: u64,
    pub overflow: u64,
    /// Live SIP transactions.
    pub transactions: usize,
}

/// What an access node has counted since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessCounts {
    pub registers: u64,
    /// Of these, those that were refused for another reason than missing credentials.
    pub registers_refused: u64,
    /// Requests of others that were asked for credentials.
    pub challenged: u64,
    pub wrong_passwords: u64,
    /// Right credentials for a nonce that was too old, or used before.
    pub stale_nonces: u64,
    /// Credentials that were not looked at, after too many wrong ones.
    pub paused: u64,
    /// Contacts whose time was over.
    pub expired: u64,
    /// Registered connections that were lost.
    pub flows_lost: u64,
    /// Requests with `sips:` that could not go on by a secured way (RFC 5630 §5.3).
    #[serde(default)]
    pub sips_refused: u64,
    /// STUN keep-alives that were answered.
    pub keep_alives: u64,
    /// Emergency calls and messages of registered users.
    pub emergencies: u64,
    /// The same of whoever was not known.
    pub emergencies_anonymous: u64,
}
