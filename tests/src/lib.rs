//! What tests stand on: the network of boxes without a socket and without a clock, and real processes
//! ([`process`], [`program`]).
//!
//! ```text
//!   Network: the boxes of one topology file ──► Simnet: time, latency, loss, partitions, kills
//!   Phone:   a scripted caller or callee    ──┘    │
//!                                                  └──► Trace ──► Ladder: one call as a picture
//! ```
//!
//! The same seed gives the same packets at the same times, so a failing schedule can be replayed.
//! The boxes are those that the actors run; only the sockets and the clock are simulated.

mod account;
mod any_node;
mod flight;
pub mod ladder;
pub mod link;
pub mod network;
pub mod phone;
pub mod process;
pub mod program;
pub mod simnet;
pub mod trace;

pub use any_node::Notice;
