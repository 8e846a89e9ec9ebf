//! `tocsin run CAMPAIGN.toml`: the whole network as processes on loopback, the load, the verdict.
//!
//! ```text
//!   PSAPs ──ready──► sites ──ready──► trunk groups ──ready──► generator
//!                                                                 │ finished, or Ctrl-C
//!   PSAPs ◄─drain─── sites ◄──drain── trunk groups ◄───drain──────┘
//!     └──────────────── records ──► ledger ──► summary.json, report, exit code
//! ```
//!
//! Each tier learns the addresses of the one before it, so a port of 0 works everywhere.

mod args;
mod campaign_start;
mod child;
mod clock_watch;
mod collector;
mod command;
mod cpu;
mod display;
mod fleet;
mod hand_line;
mod interruptions;
mod kept_calls;
mod live;
mod loopback;
mod machine_watch;
mod manage;
mod news;
mod observation;
mod plan;
mod prepared;
mod revival;
mod run_feed;
mod stage;
mod target;
mod target_watch;
mod usage;
mod verdict;

pub(crate) use args::RunArgs;
pub(crate) use campaign_start::CampaignStart;
pub(crate) use command::run;
pub(crate) use fleet::Fleet;
pub(crate) use interruptions::{INTERRUPTED, Interruptions};
pub(crate) use loopback::missing_addresses;
pub(crate) use plan::{PlannedProcess, Tier, callers, network};
pub(crate) use prepared::{InheritedOptions, Prepared, unix_us};
pub(crate) use target::{DriveArgs, TargetNetwork};
