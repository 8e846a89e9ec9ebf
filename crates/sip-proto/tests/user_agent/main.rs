//! User agents against each other and against scripted peers, in virtual time.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests")]

mod answer;
mod call;
mod cancel;
mod early;
mod flows;
mod fork;
mod modify;
mod network;
mod over;
mod random;
mod refusals;
mod reliable;
mod session_timers;
mod transport;
mod validation;
