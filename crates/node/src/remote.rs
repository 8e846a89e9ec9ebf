//! The shell's side of one box, whatever its node is.

use contract::{BoxOrder, Reply, Snapshot, SocketCounts};
use futures_util::future::LocalBoxFuture;

/// The way of a reply. `None` when the box has ended.
pub(crate) type Replying = LocalBoxFuture<'static, Option<Reply>>;

/// What a box looks like: the node's own snapshot, and its sockets.
pub(crate) type Seen = (Snapshot, SocketCounts);

/// The shell's side of one actor.
pub(crate) trait Remote {
    /// Sends an order; what the box says to it comes later.
    fn order(&self, name: &str, order: BoxOrder) -> Result<Replying, OrderError>;
    /// `None` when the box has ended.
    fn snapshot(&self) -> LocalBoxFuture<'static, Option<Seen>>;
    /// Starts the drain; the end of it comes as a [`LifecycleNotice`](crate::LifecycleNotice).
    fn drain(&self);
    /// Ends the box; the end of it comes as a [`LifecycleNotice`](crate::LifecycleNotice).
    fn stop(&self);
}

/// Why a box did not take an order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    #[error("there is no box \"{name}\"")]
    Unknown { name: String },
    #[error("\"{name}\" refuses: {reason}")]
    Refused { name: String, reason: String },
    #[error("\"{name}\" has ended")]
    Ended { name: String },
}
