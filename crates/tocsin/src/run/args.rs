//! What the command line of `tocsin run` says.

use std::path::PathBuf;

use clap::Args;
use cli::FileArgs;
use cli::metrics::MetricsArgs;

use super::target::{DriveArgs, WatchArgs};
use crate::changed_campaign::LoadArgs;

/// Runs a campaign: starts its network, places its calls, and judges what happened
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(super) campaign: FileArgs,
    #[command(flatten)]
    pub(super) load: LoadArgs,
    #[command(flatten)]
    pub(super) drive: DriveArgs,
    #[command(flatten)]
    pub(super) watch: WatchArgs,
    /// Folder in which run folders are made
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    pub(super) runs: PathBuf,
    /// Run on the simulated network, in virtual time, whatever the file says
    #[arg(long, conflicts_with = "real_time")]
    pub(super) virtual_time: bool,
    /// Run on real sockets, in real time, whatever the file says
    #[arg(long)]
    pub(super) real_time: bool,
    /// In virtual time: run only this variant of the campaign; `base` is the campaign itself
    #[arg(long, value_name = "NAME")]
    pub(super) variant: Option<String>,
    /// In virtual time: keep the records of all boxes too
    #[arg(long)]
    pub(super) records: bool,
    /// In virtual time: run with so many seeds, from the campaign's own on; figures are told as median and range
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(super) seeds: u32,
    /// In virtual time: vary each key that the campaign marks as assumed, and tell how much hangs on it
    #[arg(long)]
    pub(super) sensitivity: bool,
    /// Generators that share the load, each on a thread of its own
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(super) shards: u32,
    #[command(flatten)]
    pub(super) metrics: MetricsArgs,
    /// Progress in lines, also where a terminal could show a screen
    #[arg(long)]
    pub(super) no_screen: bool,
    /// No live progress at all
    #[arg(long)]
    pub(super) quiet: bool,
    /// Log lines of the network's programs for people (human) or for programs (json)
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(super) log: telemetry::LogFormat,
}
