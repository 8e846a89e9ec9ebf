//! What a console shows of a PSAP.

use std::collections::BTreeMap;

use media::PlaneCounts;
use serde::Serialize;

use crate::position::PositionCounts;
use crate::service_level::ServiceFigures;

/// A PSAP at one moment.
///
/// At every moment `offered = service.answered + service.abandoned + refused + unanswered`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Snapshot {
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
    /// Requests that the user agent refused by itself; none of them is among `offered`.
    pub refused_by_status: BTreeMap<u16, u64>,
    pub media: PlaneCounts,
}
