//! What operators do, what supervision sees, how a crisis unfolds.

mod action;

pub use action::{Action, ParseActionError};
