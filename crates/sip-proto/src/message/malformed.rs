//! Why a message is refused.

/// What a peer got wrong, in a few words for logs, warnings and counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);
