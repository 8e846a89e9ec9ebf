//! Runs boxes: a [`contract::Node`] is one box without sockets and clock, and an actor gives it both.
//!
//! ```text
//!   main ── serve ──► Boxes ──► thread ─ actor ─ Node "alpha" ─ UDP and TCP 127.0.0.11:5060
//!              │        │   └─► thread ─ actor ─ Node "beta"  ─ UDP and TCP 127.0.0.12:5060
//!   signals, parent  Directory (name → address, state, snapshot)
//! ```
//!
//! A program describes its boxes as [`NodeSpec`]s and calls [`serve()`] inside [`run`]; a test starts
//! [`Boxes`] itself. Only this crate knows actix, and inside it only `actor.rs` and `system.rs`.

mod actor;
mod alarm;
mod boxes;
pub mod clock;
mod console;
mod directory;
mod limits;
mod parent;
mod power;
mod serve;
mod signals;
mod socket;
mod spec;
mod system;
#[cfg(test)]
mod tests;

pub use boxes::{Boxes, CommandError, Notice, StartError};
pub use console::{Console, Errand};
pub use directory::{Directory, Entry, State};
pub use limits::{Usage, fd_limits, raise_fd_limit, usage};
pub use power::Power;
pub use serve::{DrainRequest, Ending, Options, serve};
pub use socket::{BindError, SocketCounts, SocketLimits, udp_buffers};
pub use spec::{Label, NodeSpec, WallStart};
pub use system::run;
