//! A run at one moment, for whoever watches it: how it stands, what it counted, and what speaks against it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a run stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunView {
    /// The name of its folder.
    pub run: String,
    pub campaign: String,
    pub seed: u64,
    /// The phase of the campaign.
    pub phase: String,
    /// Since its first call was due, by the clock of the campaign.
    pub elapsed_s: f64,
    pub length_s: f64,
    /// `starting`, `running`, `draining`, `stopping` or `ended`.
    pub status: String,
    pub counts: RunCounts,
    /// The last second, as charts have it.
    pub moment: Option<Moment>,
    /// Sentences that speak against the run: those against the generator first, then losses.
    pub against: Vec<String>,
    /// Alarms that are raised and not over.
    pub alarms: Vec<String>,
    pub thresholds: Vec<ThresholdView>,
    /// What is done to the load by hand now, in words; nothing where it is as the campaign says.
    pub load: Vec<String>,
    /// Faults that act now.
    pub impaired: Vec<ImpairedView>,
    /// How it ended, once that is known.
    pub verdict: Option<String>,
}

/// What the callers counted so far. Rates are per second, over the last second.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunCounts {
    pub offered: u64,
    pub answered: u64,
    pub rejected: u64,
    pub timed_out: u64,
    pub lost: u64,
    pub abandoned: u64,
    pub in_progress: u64,
    pub talking: u64,
    pub not_started: u64,
    /// Calls that were due and that an operator held back.
    pub held_back: u64,
    /// Calls that a surge by hand added.
    pub surged: u64,
    /// Answered, of those whose fate is known.
    pub asr: Option<f64>,
    pub pdd_p50_us: Option<u64>,
    pub pdd_p99_us: Option<u64>,
}

/// One second of a run, for charts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Moment {
    /// By the clock of the campaign.
    pub at_s: f64,
    /// Calls per second.
    pub offered: f64,
    pub answered: f64,
    /// Calls per second that failed, by cause: `rejected`, `timed_out`, `lost`, `abandoned`.
    pub failed: BTreeMap<String, f64>,
    /// Percentiles of the post-dial delays of this second.
    pub pdd_p50_us: Option<u64>,
    pub pdd_p95_us: Option<u64>,
    pub pdd_p99_us: Option<u64>,
    /// Packets of sound that callers received for each that they sent, at most 1; null where nobody spoke.
    pub heard: Option<f64>,
    /// How late the generator started calls: the 99th percentile of this second.
    pub lag_p99_us: Option<u64>,
    pub in_progress: u64,
}

/// The last minutes: the answer to `GET /v1/history`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HistoryView {
    pub moments: Vec<Moment>,
}

/// How a threshold stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ThresholdView {
    pub subject: String,
    pub measured: Option<String>,
    pub bounds: String,
    /// Null while nothing is known.
    pub holds: Option<bool>,
}

/// A way, or a machine, that suffers from a fault now.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ImpairedView {
    /// `DELETE /v1/faults/{number}` ends it.
    pub number: u64,
    /// `killed`, `frozen` or `impaired`.
    pub kind: String,
    /// Who injected it by hand; null if the campaign says so.
    pub by: Option<String>,
    /// When it ends by itself, by the clock of the campaign; null where nobody has said when.
    pub until_s: Option<f64>,
    pub of: String,
    /// Only the ways to this one; null for all.
    pub other: Option<String>,
    pub what: String,
}
