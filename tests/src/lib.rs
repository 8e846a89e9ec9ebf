//! What tests stand on: a network in virtual time with telephones, and real processes ([`process`], [`program`]).
//!
//! ```text
//!   Network: the boxes of one topology file ──► world::Simnet: time, latency, loss, partitions, kills
//!   Phone:   a scripted caller or callee    ──┘    │
//!                                                  └──► Trace ──► Ladder: one call as a picture
//! ```

mod account;
pub mod browser;
pub mod built;
pub mod counted;
pub mod goodput;
pub mod ladder;
pub mod line;
pub mod machine;
pub mod network;
pub mod phone;
pub mod process;
pub mod program;
pub mod rogue;
pub mod sipp_statistics;
pub mod spread;
