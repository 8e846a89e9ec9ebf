//! The boxes of a network in virtual time: one thread, no socket, no clock.
//!
//! ```text
//!   VirtualNetwork: the boxes of one topology ──► Simnet: time, latency, loss, partitions, kills
//!                                          │ what boxes tell the management plane
//!                                          └──► NoticeListener
//! ```
//!
//! The boxes are those that the actors run; only the sockets and the clock are simulated. The same seed gives the same
//! packets at the same times, so an outage of several hours runs in seconds and a failing schedule can be replayed.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "a test begins at any instant"))]

mod any_node;
mod flight;
mod hosts;
pub mod link;
pub mod simnet;
pub mod trace;
mod virtual_network;

pub use any_node::BoxNotice;
pub use link::Link;
pub use simnet::alone::{self, Alone};
pub use simnet::{NoticeListener, Simnet};
pub use virtual_network::{GENERATOR, MONITOR, START, VirtualNetwork};
