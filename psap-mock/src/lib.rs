//! Answering points: the call centres at the end of the emergency network.
//!
//! ```text
//!                 full? 486, 503, 600, or 302 to another PSAP
//!                 ┌──────────────────────────────────────────►
//!   INVITE ──► admission ──► queue ──► position ──► wrap-up ──► idle
//!                 180        FIFO     rings, then 200,
//!                                     talks, then BYE
//! ```
//!
//! [`Psap`] is a [`contract::Node`]: packets, commands and `now` go in; packets, call records and one
//! deadline come out. Below it only `admission`, `attempt` and what they use read SIP; the call
//! centre itself (queue and positions) is pure book-keeping. Faults such as a mute or a silent PSAP
//! are data: rows of `behaviour`.
//!
//! To see a call, read `psap.rs` from `receive` to `finish`.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "a test begins at any instant"))]

mod admission;
mod attempt;
mod behaviour;
mod centre;
mod destination;
mod melodies;
mod negotiation;
mod position;
mod psap;
mod queue;
mod refusal;
mod service_level;
mod sounds;

pub use psap::{Command, Output, Psap};
pub use sounds::Recorded;
