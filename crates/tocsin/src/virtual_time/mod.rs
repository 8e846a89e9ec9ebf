//! `tocsin run` in virtual time: the campaign on the simulated network, and its variants beside it.
//!
//! ```text
//!   campaign, and each variant ──► virtual_run.rs: VirtualNetwork + Conductor ──► VariantOutcome
//!                                       │                                 │
//!                             summary.json, report.txt      account::outcome: the table of all of them
//!
//!   --seeds: each again with further seeds      ──► SeedResult ┐ of each run its figures only
//!   --sensitivity: each with one assumed key changed ──► SeedResult ┘
//! ```

mod command;
mod forecast;
mod kept_messages;
mod ledger_hash;
mod listener;
mod options;
mod pool;
mod progress_lines;
mod sensitivity;
mod stage;
mod task;
mod virtual_run;

pub(crate) use command::{blast_radius, run};
pub(crate) use options::VirtualTimeOptions;
