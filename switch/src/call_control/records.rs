//! The call records that a call server writes, and what it counts.

use std::collections::VecDeque;
use std::time::Instant;

use contract::CallServerCounts;
use sip_proto::Rejection;
use sip_proto::message::Request;
use sip_proto::reason::Reason;
use sip_proto::wall_clock::WallClock;
use telemetry::{BoxKind, CallRecord, Outcome, Party, TAKEN_OVER};

use super::towards::Towards;
use crate::record;

/// Records that wait to be taken, and the counts since the start.
#[derive(Debug)]
pub(super) struct Records {
    node: String,
    site: String,
    wall: WallClock,
    written: VecDeque<CallRecord>,
    pub(super) counts: CallServerCounts,
    pub(super) towards: Towards,
}

/// How a call that was answered, or should have been, has ended.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) outcome: Outcome,
    pub(super) cause: u16,
    pub(super) ended_by: Party,
    /// What was wrong.
    pub(super) why: Option<String>,
}

impl Records {
    pub(super) fn new(settings: &topology::CallServer, wall: WallClock) -> Self {
        Self {
            node: settings.name.clone(),
            site: settings.site.clone(),
            wall,
            written: VecDeque::new(),
            counts: CallServerCounts::default(),
            towards: Towards::default(),
        }
    }

    /// The Unix time in microseconds.
    pub(super) fn micros(&self, now: Instant) -> u64 {
        self.wall.micros(now)
    }

    /// The record of a call that has just arrived.
    pub(super) fn open(&self, now: Instant, attempt: String, invite: &Request) -> CallRecord {
        let at = self.micros(now);
        let record = record::open(BoxKind::CallServer, &self.node, attempt, invite, at);
        CallRecord { site: Some(self.site.clone()), ..record }
    }

    /// The record of a call that goes on here, and began at the call server `from`.
    pub(super) fn take_over(&self, record: CallRecord, from: &str) -> CallRecord {
        CallRecord {
            node: self.node.clone(),
            site: Some(self.site.clone()),
            reason: with_history(record.reason, Some(format!("{TAKEN_OVER} {from}"))),
            outcome: Outcome::Answered,
            media: Vec::new(),
            ..record
        }
    }

    pub(super) fn rejected(&mut self, now: Instant, record: CallRecord, rejection: &Rejection) {
        self.counts.rejected += 1;
        self.written.push_back(record::refused(record, rejection, self.micros(now)));
    }

    /// The caller gave up before the answer.
    pub(super) fn abandoned(&mut self, now: Instant, record: CallRecord, reason: Option<&Reason>) {
        self.counts.abandoned += 1;
        self.written.push_back(CallRecord {
            end_us: self.micros(now),
            outcome: Outcome::Abandoned,
            status: Some(487),
            cause: Some(reason.map_or(16, Reason::q850_cause)),
            ended_by: Some(Party::Caller),
            ..record
        });
    }

    pub(super) fn ended(&mut self, now: Instant, record: CallRecord, ending: Ending) {
        self.counts.lost += u64::from(ending.outcome == Outcome::Lost);
        self.written.push_back(CallRecord {
            end_us: self.micros(now),
            outcome: ending.outcome,
            cause: Some(ending.cause),
            ended_by: Some(ending.ended_by),
            reason: with_history(record.reason, ending.why),
            ..record
        });
    }

    /// The call was lost: Q.850, destination out of order.
    pub(super) fn lost(&mut self, now: Instant, record: CallRecord, why: &str) {
        let (outcome, ended_by) = (Outcome::Lost, Party::Network);
        self.ended(now, record, Ending { outcome, cause: 27, ended_by, why: Some(why.to_owned()) });
    }

    /// The next record that is finished.
    pub(super) fn poll(&mut self) -> Option<CallRecord> {
        self.written.pop_front()
    }

    /// All that are finished.
    pub(super) fn into_written(self) -> VecDeque<CallRecord> {
        self.written
    }
}

/// What has happened to a call on its way, and how it ended.
fn with_history(history: Option<String>, end: Option<String>) -> Option<String> {
    match (history, end) {
        (Some(history), Some(end)) => Some(format!("{history}; {end}")),
        (history, end) => history.or(end),
    }
}
