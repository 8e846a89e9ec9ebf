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
mod attached;
mod boxes;
pub mod clock;
mod console;
mod deadline_timer;
mod directory;
mod effect_line;
mod hep;
mod impaired;
mod inject;
mod label;
mod lifecycle_notice;
mod limits;
mod observation;
mod observer;
mod parent;
mod record_watch;
mod remote;
mod reports;
mod serve;
mod show_calls;
mod signals;
mod socket;
mod spec;
mod start_error;
mod system;
#[cfg(test)]
mod tests;

pub use boxes::Boxes;
pub use console::{Console, PendingOrder};
pub use directory::Directory;
pub use hep::HepCollector;
pub use inject::inject;
pub use label::Label;
pub use lifecycle_notice::LifecycleNotice;
pub use limits::{fd_limits, raise_fd_limit, usage};
pub use observation::Observation;
pub use record_watch::RecordWatch;
pub use remote::OrderError;
pub use serve::{DrainRequest, ListeningNotice, Options, serve};
pub use socket::{BindError, Listener, SocketLimits, udp_buffers};
pub use spec::NodeSpec;
pub use start_error::StartError;
pub use system::run;
