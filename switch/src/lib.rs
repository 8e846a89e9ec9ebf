//! The switch: trunk groups, call servers, and the monitor of their pool.
//!
//! ```text
//!  callers ──SIP──► TrunkGroup ──SIP──► CallServer (one or more per site) ──SIP──► PSAPs
//!                       │ OPTIONS           ▲
//!                       └───────────────────┤
//!                    PoolMonitor ── OPTIONS ┘
//! ```
//!
//! | box | file to begin with |
//! |---|---|
//! | [`TrunkGroup`]: a stateful proxy with circuits towards each call server | `trunk_group/mod.rs` |
//! | [`CallServer`]: a machine with the software that routes calls to PSAPs | `call_server/mod.rs`, `call_control/mod.rs` |
//! | [`PoolMonitor`]: probes all call servers and says which are up | `pool/monitor.rs` |
//!
//! Each is a pure [`contract::Node`]. What a site's death does to a ringing call is decided in
//! `trunk_group/site_down.rs`.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "a test begins at any instant"))]

mod call_control;
pub mod call_server;
pub mod latent_defects;
mod machine;
pub mod pool;
mod priority;
mod record;
mod timers;
pub mod trunk_group;

pub use call_server::CallServer;
pub use pool::PoolMonitor;
pub use trunk_group::TrunkGroup;
