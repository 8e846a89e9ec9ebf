//! What became of a command that a box accepted, and that took its time.

use serde::{Deserialize, Serialize};

/// The end of a command that was answered [`Accepted`](crate::Reply::Accepted).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// The one of the acceptance.
    pub ticket: u64,
    pub end: EffectEnd,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectEnd {
    /// What was commanded is there; in words.
    Done(String),
    /// It was cut short; by whom or what, in words.
    Aborted(String),
}
