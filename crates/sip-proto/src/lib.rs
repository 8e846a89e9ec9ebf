//! SIP without I/O.
//!
//! ```text
//!   bytes ─► message ─► transaction ─► user_agent ─► your box
//!   bytes ◄─ message ◄─ transaction ◄─ user_agent ◄─ your box   (a proxy sits on transaction)
//! ```
//!
//! Nothing here reads a clock, opens a socket or starts a task: packets, `now` and operations go
//! in; packets, events and one deadline come out. After each `handle_*` or operation, drain
//! `poll_transmit` and `poll_event`, then read `poll_timeout`.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "a test begins at any instant"))]

pub mod arena;
pub mod deadlines;
pub mod dialog;
pub mod digest;
pub mod flow;
pub mod id;
pub mod message;
mod multipart;
mod packet;
pub mod reason;
pub mod registration;
mod rejection;
pub mod sdp;
pub mod sources;
pub mod stream_framer;
pub mod stun;
pub mod timer;
pub mod transaction;
pub mod user_agent;
pub mod wall_clock;

pub use packet::{Packet, Transport};
pub use rejection::Rejection;
