//! `tocsin run` in virtual time: the campaign on the simulated network, and its variants beside it.
//!
//! ```text
//!   campaign, and each variant ──► virtual_run.rs: VirtualNetwork + Conductor ──► VariantOutcome
//!                                       │                                 │
//!                             summary.json, report.txt      account::outcome: the table of all of them
//! ```

mod command;
mod forecast;
mod ledger_hash;
mod listener;
mod options;
mod progress_lines;
mod stage;
mod task;
mod virtual_run;

pub(crate) use command::{blast_radius, run};
pub(crate) use options::VirtualTimeOptions;
