//! Options that several programs have.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use rand::TryRng as _;
use rand::rngs::SysRng;
use telemetry::LogFormat;
use topology::{Layers, parse_duration};
use trace::{Keep, USUAL_MEMORY};

use crate::metrics::MetricsArgs;

/// A file, and changes to it for this run only.
#[derive(Debug, Clone, Args)]
pub struct FileArgs {
    /// The network or campaign file
    pub file: PathBuf,
    /// Change one key of the file, for example sites.alpha.max_calls=10
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub set: Vec<(String, String)>,
}

/// How a program serves its boxes.
#[derive(Debug, Clone, Args)]
pub struct BoxArgs {
    /// Write call records to this file, one JSON object on each line
    #[arg(long, value_name = "FILE")]
    pub records: Option<PathBuf>,
    /// Seed of every random draw; the default is drawn from the system
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// How long calls in progress may take to end once the program is asked to stop; a BYE to a peer
    /// that is gone takes 32 s
    #[arg(long, value_name = "DURATION", default_value = "40s", value_parser = duration)]
    pub drain_timeout: Duration,
    /// Report on standard output and take orders on standard input, as a child of `tocsin run`
    #[arg(long, hide = true)]
    pub supervised: bool,
    /// How often to report, when supervised
    #[arg(long, hide = true, default_value = "1s", value_parser = interval)]
    pub snapshot_interval: Duration,
    /// Let time go so many times faster since a Unix time in microseconds, as FACTOR@SINCE
    #[arg(long, hide = true, value_parser = fast_clock)]
    pub clock: Option<(f64, u64)>,
    /// Bytes that the folder of the run may hold, whose records these are
    #[arg(long, hide = true, value_name = "BYTES")]
    pub disk_limit: Option<u64>,
    #[command(flatten)]
    pub trace: TraceArgs,
    #[command(flatten)]
    pub metrics: MetricsArgs,
    #[command(flatten)]
    pub log: LogArgs,
}

/// Which messages are kept, and where.
#[derive(Debug, Clone, Args)]
pub struct TraceArgs {
    /// Write the messages of calls to this file, to be shown by tocsin show
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Which calls: failed, all, off, or a share such as 0.01. The default is failed for --trace FILE, and all in the folder of a network that is
    /// served by hand
    #[arg(long, value_name = "WHICH")]
    pub trace_keep: Option<Keep>,
    /// MiB in which each box remembers messages until it is known how their call ended
    #[arg(long, value_name = "MIB", default_value_t = USUAL_MEMORY,
          value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub trace_memory: u32,
    /// Keep the RTP and RTCP of these calls too, in four times as much memory: of each the newest 30 s, for tocsin show --pcap
    #[arg(long)]
    pub trace_media: bool,
    /// Send a copy of each SIP message, and what was heard of each call, to this collector of HEP version 3, over UDP
    #[arg(long, value_name = "ADDRESS")]
    pub hep: Option<SocketAddr>,
}

/// What is logged, and how.
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// Log lines for people (human) or for programs (json)
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub log: LogFormat,
    /// Levels by module, for example info,switch=debug
    #[arg(long, value_name = "LEVELS", default_value = "info", env = "TOCSIN_LOG")]
    pub log_filter: String,
}

impl LogArgs {
    /// Starts logging to standard error.
    ///
    /// # Errors
    /// The filter cannot be read.
    pub fn init(&self) -> anyhow::Result<()> {
        Ok(telemetry::init(self.log, &self.log_filter)?)
    }
}

impl FileArgs {
    /// The layers over a network file that stands alone: environment, then every `--set`, so that
    /// an unknown key is refused.
    #[must_use]
    pub fn network_layers(&self) -> Layers {
        Layers::none()
            .with_process_environment(topology::ENVIRONMENT_PREFIX)
            .with_overrides(self.set.iter().cloned())
    }

    /// The layers over a campaign file and over the network that it names. A `--set` key goes to
    /// the network if it is in a section of networks; all others, `name` too, are the campaign's.
    #[must_use]
    pub fn campaign_and_network_layers(&self, campaign_prefix: &str) -> (Layers, Layers) {
        let (network, campaign): (Vec<_>, Vec<_>) =
            self.set.iter().cloned().partition(|(key, _)| topology::is_network_key(key));
        let layers =
            |prefix, set| Layers::none().with_process_environment(prefix).with_overrides(set);
        (layers(campaign_prefix, campaign), layers(topology::ENVIRONMENT_PREFIX, network))
    }
}

impl BoxArgs {
    /// Sets the clock of this process. To be called before any time is read.
    pub fn set_clock(&self) {
        if let Some((factor, since)) = self.clock {
            node::clock::set_clock(node::clock::Clock::new(factor, Duration::from_micros(since)));
        }
    }

    /// The seed, drawn from the system if none was given.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
            .unwrap_or_else(|| SysRng.try_next_u64().unwrap_or_else(|_| std::process::id().into()))
    }

    /// The seed of one box: boxes must not choose the same tags.
    #[must_use]
    pub fn seed_of(seed: u64, name: &str) -> u64 {
        // FNV-1a: the same in every build, unlike the standard library's hasher.
        name.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }
}

/// A change of one key, as `KEY=VALUE`.
///
/// # Errors
/// The text is no such thing.
pub fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("must be KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

fn fast_clock(text: &str) -> Result<(f64, u64), String> {
    let parse = || {
        let (factor, since) = text.split_once('@')?;
        Some((factor.parse().ok()?, since.parse().ok()?))
    };
    let (factor, since): (f64, u64) = parse().ok_or("must be FACTOR@MICROSECONDS")?;
    let sane = (1.0..=1_000.0).contains(&factor);
    if sane { Ok((factor, since)) } else { Err("FACTOR must be 1..=1000".to_owned()) }
}

fn interval(text: &str) -> Result<Duration, String> {
    let interval = duration(text)?;
    if interval.is_zero() { Err("must be above 0".to_owned()) } else { Ok(interval) }
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}
