//! The pool of call servers, as those who use it see it.

mod monitor;
mod watch;

pub use monitor::{Change, PoolMonitor};
pub use watch::Watch;
