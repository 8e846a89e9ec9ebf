//! The callers: people who dial an emergency number.
//!
//! ```text
//!  campaign.toml ──► Schedule: when       ┐
//!                ──► Mix: who, what, how  ├──► Generator ──SIP──► trunk groups
//!                                         ┘        │ one CallRecord per attempt
//!                                                  ▼
//!                                            records of the run
//! ```
//!
//! Load is open loop: a call starts when it is due, whatever happens to the others. The generator
//! measures its own lateness and accuses itself first: a run in which it could not keep up is
//! invalid, not failed.
//!
//! [`Generator`] is a [`contract::Node`]: pure state, driven by packets and by `now`.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "a test begins at any instant"))]

mod attempt;
mod caller;
mod fate_counts;
#[cfg(test)]
mod fixture;
mod generator;
mod invite;
mod media;
mod mix;
mod pacer;
mod person;
mod progress;
mod request_uri;
mod ten_digits;

pub use caller::Caller;
pub use generator::{Command, Config, Generator};
pub use mix::{Mix, MixError};
pub use pacer::{
    Arrival, ClusterProcess, Constant, DiurnalPoisson, Hint, MarkovPoisson, Pacer, Poisson, Ramp,
    Replayed, Schedule, ScheduledCall, Shard, Steps, SurgePoisson,
};
pub use progress::Progress;
pub use request_uri::RequestUri;
pub use ten_digits::TenDigits;
