//! What is known of a run before its network starts.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use campaign::Campaign;
use topology::Topology;

use super::target::TargetNetwork;

/// What is known of a campaign before it runs.
pub(crate) struct Prepared {
    pub(crate) args: InheritedOptions,
    pub(crate) campaign: Campaign,
    pub(crate) topology: Topology,
    /// The network that the callers call, if it is not started for them.
    pub(crate) target: Option<TargetNetwork>,
    /// Unix microseconds from which the clock of a compressed run goes faster.
    pub(crate) since_us: u64,
}

/// The options that child processes inherit.
pub(crate) struct InheritedOptions {
    pub(crate) campaign_file: PathBuf,
    /// What the command line says.
    pub(crate) given: Vec<(String, String)>,
    /// The same, and the addresses that this system has in place of those of the file.
    pub(crate) set: Vec<(String, String)>,
    /// Generators that share the load.
    pub(crate) shards: u32,
    /// Only the caller with this number calls.
    pub(crate) only: Option<u32>,
    pub(crate) log: telemetry::LogFormat,
    /// A collector of HEP.
    pub(crate) hep: Option<SocketAddr>,
    /// Bytes that the run folder may hold.
    pub(crate) disk_limit: u64,
}

/// Unix time now, in microseconds.
pub(crate) fn unix_us() -> u64 {
    let unix = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    u64::try_from(unix.unwrap_or(Duration::ZERO).as_micros()).unwrap_or(u64::MAX)
}
