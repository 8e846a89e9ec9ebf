//! What an answering point shows of itself.

use std::collections::BTreeMap;

use media::PlaneCounts;
use serde::{Deserialize, Serialize};
use telemetry::Quantiles;

/// A PSAP at one moment.
///
/// At every moment `offered = service.answered + service.abandoned + refused + unanswered`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PsapSnapshot {
    pub name: String,
    pub number: String,
    pub positions: PositionCounts,
    /// Calls in the queue.
    pub waiting: usize,
    /// When the first call in the queue arrived, in Unix microseconds.
    pub oldest_waiting_us: Option<u64>,
    /// INVITEs so far.
    pub offered: u64,
    /// INVITEs that got a final response of 300 or above from us.
    pub refused: u64,
    /// Calls that still wait for an answer: in the queue, ringing, or ignored.
    pub unanswered: usize,
    /// Calls from the INVITE to the end of the dialog, answered or not.
    pub in_progress: usize,
    pub service: ServiceFigures,
    /// Messages that could not be understood.
    pub malformed: u64,
    /// Responses that match no request.
    pub stray: u64,
    /// Requests refused because too many transactions were alive.
    pub overflow: u64,
    /// SIP transactions that are alive, with those that only absorb late copies.
    #[serde(default)]
    pub transactions: usize,
    /// Dialogs that are alive.
    #[serde(default)]
    pub dialogs: usize,
    /// Refused because their source had too many calls that nobody answered or acknowledged; part of `refused`.
    #[serde(default)]
    pub limited: u64,
    /// Refused because there were as many dialogs as there may be; part of `refused`.
    #[serde(default)]
    pub over_dialogs: u64,
    /// Requests that the user agent refused by itself; none of them is among `offered`.
    pub refused_by_status: BTreeMap<u16, u64>,
    pub media: PlaneCounts,
}

/// How many positions are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionCounts {
    pub idle: usize,
    pub ringing: usize,
    pub talking: usize,
    pub wrap_up: usize,
}

/// How well calls are answered so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ServiceFigures {
    pub answered: u64,
    /// Answered within the threshold.
    pub answered_in_time: u64,
    /// Given up by the caller before the answer.
    pub abandoned: u64,
    /// The service level: `answered_in_time` over all calls that were answered or abandoned.
    /// Refused calls never waited and do not count. `None` before the first call.
    pub share_in_time: Option<f64>,
    /// Waits of the answered calls, in microseconds.
    pub waits: Quantiles,
    /// Longest wait that is over, whether answered or abandoned, in microseconds.
    pub longest_wait_us: u64,
}
