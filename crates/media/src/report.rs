//! What is known of one stream when it is over: a part of the call record.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::quality::{Connection, Impairment, mos, r_factor};
use crate::receiver::{PLAYOUT, StreamCounts};
use crate::sound_check::SoundVerdict;

/// One stream as one box received it, and how much it sent in return. Times are microseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StreamReport {
    /// Whom it came from, where a box has several streams: `caller` or `psap`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What was heard; only an end of the call can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<SoundVerdict>,
    pub received: u64,
    /// Packets that the sequence numbers speak of.
    pub expected: u64,
    pub lost: u64,
    /// Too late for a playout buffer of 60 ms.
    pub discarded: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub duplicates: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reordered: u64,
    /// Packets from addresses that are not the peer's.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub strangers: u64,
    /// Packets sent to the peer; at a relay, forwarded to it.
    pub sent: u64,
    /// 1 when losses are random, more when they come in bursts (ITU-T G.107 §7.3).
    pub burst_ratio: f64,
    /// Most packets lost in a row.
    pub longest_loss: u64,
    /// Loss inside and outside bursts, 0 to 1 (RFC 3611 §4.7.2, Gmin 16).
    pub burst_density: f64,
    pub gap_density: f64,
    pub mean_jitter_us: u64,
    pub max_jitter_us: u64,
    pub longest_gap_us: u64,
    /// By the last RTCP report (RFC 3550 §6.4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip_us: Option<u64>,
    /// Transmission rating factor (ITU-T G.107); absent when nothing was received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r: Option<f64>,
    /// Mean opinion score for that rating, 1 to 4.5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mos: Option<f64>,
    /// Media was due and had stopped for this long when the stream was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_us: Option<u64>,
    /// DTMF digits received: as events of RTP (RFC 4733) or by INFO.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub digits: String,
}

impl StreamReport {
    pub(crate) fn new(
        counts: &StreamCounts,
        codec: Impairment,
        round_trip: Option<Duration>,
    ) -> Self {
        let rating = (counts.received > 0).then(|| rate(counts, codec, round_trip));
        Self {
            received: counts.received,
            expected: counts.expected,
            lost: counts.lost,
            discarded: counts.discarded,
            duplicates: counts.duplicates,
            reordered: counts.reordered,
            burst_ratio: rounded(counts.burst_ratio, 100.0),
            longest_loss: counts.longest_loss,
            burst_density: rounded(counts.burst_density, 1_000.0),
            gap_density: rounded(counts.gap_density, 1_000.0),
            mean_jitter_us: micros(counts.mean_jitter),
            max_jitter_us: micros(counts.max_jitter),
            longest_gap_us: micros(counts.longest_gap),
            round_trip_us: round_trip.map(micros),
            r: rating.map(|r| rounded(r, 10.0)),
            mos: rating.map(|r| rounded(mos(r), 100.0)),
            ..Self::default()
        }
    }
}

fn rate(counts: &StreamCounts, codec: Impairment, round_trip: Option<Duration>) -> f64 {
    // From mouth to ear: half the round trip, and the playout buffer that late packets are judged by.
    let network = round_trip.unwrap_or_default() / 2;
    let one_way_delay = network + PLAYOUT;
    r_factor(&Connection {
        one_way_delay,
        round_trip: 2 * one_way_delay,
        loss: counts.loss(),
        burst_ratio: counts.burst_ratio,
        codec,
    })
}

fn rounded(value: f64, per_unit: f64) -> f64 {
    (value * per_unit).round() / per_unit
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}
