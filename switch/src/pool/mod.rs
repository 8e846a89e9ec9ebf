//! The pool of call servers, as those who use it see it.

mod monitor;
mod watch;

pub use monitor::{Change, PoolMonitor, Snapshot};
pub use watch::{MemberState, Watch};
