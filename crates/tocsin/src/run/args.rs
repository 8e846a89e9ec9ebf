//! What the command line of `tocsin run` says.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use cli::metrics::MetricsArgs;
use cli::{FileArgs, TlsArgs};
use trace::Keep;

use super::target::{DriveArgs, WatchArgs};
use crate::changed_campaign::LoadArgs;

/// What a run folder may hold unless it is said: some ten million calls.
const DISK_LIMIT: &str = "20GiB";

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
    /// Place the calls of this one caller only, the number that calls.sqlite has in `caller`; all else is as in the campaign
    #[arg(long, value_name = "NUMBER", conflicts_with = "shards")]
    pub(super) only: Option<u32>,
    /// What the run folder may hold, such as 500MiB or 20GiB: call records beyond it are dropped, and the run is degraded. On real
    /// sockets
    #[arg(long, value_name = "SIZE", default_value = DISK_LIMIT, value_parser = bytes)]
    pub(super) disk_limit: u64,
    /// Which calls are kept with their messages, in place of the file's trace.keep: failed, all, off, or a share such as 0.01
    #[arg(long, value_name = "WHICH")]
    pub(super) trace: Option<Keep>,
    /// Keep the RTP and RTCP of these calls too, for tocsin show --pcap, whatever the file's trace.media says
    #[arg(long)]
    pub(super) trace_media: bool,
    /// Send a copy of each SIP message of all boxes, and what was heard of each call, to this collector of HEP version 3, over UDP
    #[arg(long, value_name = "ADDRESS")]
    pub(super) hep: Option<SocketAddr>,
    #[command(flatten)]
    pub(super) metrics: MetricsArgs,
    /// Show the run on a page for a browser, and be its operator there; the terminal
    /// shows the link, and progress in lines
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, require_equals = true, default_missing_value = "127.0.0.1:0")]
    pub(super) console: Option<SocketAddr>,
    #[command(flatten)]
    pub(super) tls: TlsArgs,
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

impl RunArgs {
    /// The campaign's file with all that the command line says of its keys.
    pub(super) fn file(&self) -> FileArgs {
        let mut file = self.campaign.clone();
        file.set.extend(self.trace.map(|keep| ("trace.keep".to_owned(), keep.to_string())));
        let media = self.trace_media.then(|| ("trace.media".to_owned(), "true".to_owned()));
        file.set.extend(media);
        file
    }
}

fn bytes(text: &str) -> Result<u64, String> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40)];
    let read = units.iter().find_map(|(unit, shift)| {
        let number: u64 = text.strip_suffix(unit)?.trim().parse().ok()?;
        number.checked_mul(1 << shift)
    });
    let sane = read.filter(|bytes| *bytes > 0);
    sane.ok_or_else(|| {
        "must be a whole number with KiB, MiB, GiB or TiB, such as 500MiB".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_unit_and_are_above_zero() {
        assert_eq!(bytes("500MiB"), Ok(500 << 20));
        assert_eq!(bytes(DISK_LIMIT), Ok(20 << 30));
        for wrong in ["", "20", "20GB", "-1GiB", "0KiB", "1.5GiB", "99999999999TiB"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }
}
