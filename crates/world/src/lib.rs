//! The boxes of a network in virtual time: one thread, no socket, no clock.
//!
//! ```text
//!   World: the boxes of one topology ──► Simnet: time, latency, loss, partitions, kills
//!                                          │ what boxes tell the management plane
//!                                          └──► Listener
//! ```
//!
//! The boxes are those that the actors run; only the sockets and the clock are simulated. The same seed gives the same
//! packets at the same times, so an outage of an evening runs in seconds and a failing schedule can be replayed.

mod any_node;
mod boxes;
mod flight;
pub mod link;
pub mod simnet;
pub mod trace;

pub use any_node::Notice;
pub use boxes::{GENERATOR, MONITOR, START, World};
pub use link::Link;
pub use simnet::{Listener, Simnet};
