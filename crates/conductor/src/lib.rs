//! Who conducts a campaign: what operators do, which faults happen, what is watched, and when the campaign ends.
//!
//! ```text
//!                  ┌──────────────────────────── Conductor ────────────────────────────┐
//!   observation ──►│ SupervisionState ── alarms ──► Crisis ── milestones ──► Operators │──► orders, faults,
//!   answers ──────►│ Conditions: steady state, early end                 FaultSchedule │    announcements
//!   by hand ──────►│ CommandLog: what became of every command                          │
//!                  └───────────────────────────────────────────────────────────────────┘         │
//!        ▲                                                                                       ▼
//!        └───────────────────────────── Stage: where it is played ◄──────────────────────────────┘
//! ```
//!
//! The conductor has no clock, no socket and no task of its own; only alarms for a webhook are posted by a thread
//! (webhook.rs). A [`Stage`] is the network that it works on: processes on real sockets, or boxes in virtual time. Whoever
//! drives both waits and calls, in this order:
//!
//! 1. [`Conductor::work`], at the latest at [`Conductor::next_due`], and after each
//!    [`Conductor::answered`], until the callers are done.
//! 2. [`Conductor::end`]: what puts the network back begins.
//! 3. `work` again in the same way, until [`Conductor::is_settled`].
//!
//! Time is counted from the start of the campaign.

mod command_log;
mod conditions;
mod conductor;
mod crisis_watch;
mod faults;
mod hand_load;
mod operators;
mod order;
mod stage;
mod supervision_state;
#[cfg(test)]
mod tests;
mod webhook;

pub use command_log::HandCommand;
pub use conductor::Conductor;
pub use faults::ActingFault;
pub use order::{OrderId, SiteOrder, joint_answer, joint_effect};
pub use stage::{Announcement, ImpairedWay, Observation, SiteCounts, Stage};
