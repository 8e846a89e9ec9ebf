//! The place of a generator in a campaign and in a network.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use media::Clips;
use sip_proto::timer::Timers;
use sip_proto::wall_clock::WallClock;

use crate::pacer::Shard;
use crate::request_uri::RequestUri;
use crate::ten_digits::TenDigits;

/// The place of one generator in a campaign.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its name in records.
    pub name: String,
    /// Its own address: the host of the callers, and where responses come back.
    pub address: SocketAddr,
    pub shard: Shard,
    pub timers: Timers,
    pub clock: WallClock,
    /// Sets the identifiers of this run (Call-ID, tags, branches, attempts) apart from those of
    /// any other run of the same campaign. Who calls whom, and when, does not depend on it.
    pub nonce: u64,
    /// Ports for media, on the address of the generator.
    pub media_ports: RangeInclusive<u16>,
    /// Media that should come and has not come for this long has stopped.
    pub idle_after: Duration,
    /// See `audit` of the network's timers.
    pub audit: Duration,
    /// The recordings that the network names.
    pub clips: Clips,
    /// Name and address of each trunk group of the network. At least one.
    pub trunk_groups: Vec<(String, SocketAddr)>,
    /// The numbers that people may learn by [`Command::PublishTenDigits`](crate::Command).
    pub ten_digits: TenDigits,
    /// How callers write what they dial; `None`: the number at the trunk group.
    pub request_uri: Option<RequestUri>,
}
