//! The pool of call servers, as those who use it see it.

mod monitor;
mod takeover_time;
mod watch;

pub use monitor::{Change, PoolMonitor};
pub(crate) use takeover_time::takeover_time;
pub use watch::Watch;
