//! The pool of call servers, as trunk groups, partners and the monitor see it.

mod monitor;
mod takeover_time;
mod watch;

pub use monitor::{Change, PoolMonitor};
pub(crate) use takeover_time::takeover_time;
pub use watch::Watch;
