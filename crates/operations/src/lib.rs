//! What operators do to a network, what supervision sees of it, and how a crisis unfolds.
//!
//! ```text
//!   campaign.toml ─► OperationsSettings
//!     [[faults]]                  what happens to machines and to the ways between them, without anybody's command
//!     [operations.NAME] ─► Procedure ── orders ──► sites       lint: how much it touches at once
//!                             ▲ gate                 │
//!     [supervision] ────► Supervision ◄── attempts ──┘
//!                             │ alarms ─► alertmanager
//!     [crisis] ─────────► Crisis ── milestones ──► Procedure (`after = "diagnosed"`)
//! ```
//!
//! Everything here is pure: time is an argument, counted from the start of the campaign. Whoever
//! drives it calls it in real or in virtual time, and comes back at the earliest `next_due`.

mod action;
mod command_schedule;
pub mod crisis;
mod fault;
mod gate;
mod gate_measure;
mod impairment;
pub mod lint;
mod log;
mod milestone;
mod operation;
mod procedure;
mod settings;
pub mod supervision;
#[cfg(test)]
mod tests;

pub use self::action::{Action, ParseActionError, PowerSwitch, words as action_words};
pub use self::crisis::{
    Crisis, CrisisReport, CrisisSettings, Fates, Informed, MilestoneTime, Reached, Sign,
};
pub use self::fault::{Fault, FaultAction, FaultEntry, FaultKind};
pub use self::gate::GateWatch;
pub use self::gate_measure::{CallCounts, GateCounts, GateIndicator, Measured};
pub use self::impairment::{Direction, Fate, Impairment, ImpairmentOrder, Impairments, Share};
pub use self::log::{LogEntry, OperationNote, OrderAnswer, OrderResult};
pub use self::milestone::{Milestone, ParseMilestoneError};
pub use self::operation::{
    Canary, GateScope, Manner, Operation, OperationSites, OperationStart, Sequence,
};
pub use self::procedure::{DueOrder, Procedure};
pub use self::settings::OperationsSettings;
pub use self::supervision::{Alarm, AlarmState, ObservedAttempt, Supervision, SupervisionSettings};
