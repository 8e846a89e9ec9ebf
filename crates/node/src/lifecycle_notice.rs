//! What a box tells about its own life.

use contract::Effect;

/// What a box tells about its own life. Each names the box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LifecycleNotice {
    /// Nothing is in progress any more after [`Boxes::drain`](crate::Boxes::drain).
    Drained(String),
    /// Ended on demand.
    Stopped(String),
    /// Ended by a panic.
    Failed(String),
    /// A command that it had accepted is over.
    Effect(String, Effect),
}
