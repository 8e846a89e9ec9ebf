//! The call records that a call server writes, and what it counts.

use std::collections::VecDeque;
use std::time::Instant;

use contract::CallServerCounts;
use sip_proto::Rejection;
use sip_proto::message::Request;
use sip_proto::reason::Reason;
use sip_proto::wall_clock::WallClock;
use telemetry::{BoxKind, CallRecord, Outcome, Party, TAKEN_OVER};

use super::calls::CallId;
use super::open_legs::{LegEnd, OpenLegs};
use crate::record;

/// Records that wait to be taken, and the counts since the start.
#[derive(Debug)]
pub(super) struct Records {
    node: String,
    site: String,
    wall: WallClock,
    written: VecDeque<CallRecord>,
    pub(super) open_legs: OpenLegs,
    pub(super) counts: CallServerCounts,
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

impl Ending {
    fn lost(why: &str) -> Self {
        let (outcome, ended_by) = (Outcome::Lost, Party::Network);
        Self { outcome, cause: 27, ended_by, why: Some(why.to_owned()) }
    }
}

impl Records {
    pub(super) fn new(settings: &topology::CallServer, wall: WallClock) -> Self {
        Self {
            node: settings.name.clone(),
            site: settings.site.clone(),
            wall,
            written: VecDeque::new(),
            open_legs: OpenLegs::default(),
            counts: CallServerCounts::default(),
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

    /// A call was refused that had not become one.
    pub(super) fn rejected_at_once(
        &mut self,
        now: Instant,
        record: CallRecord,
        rejection: &Rejection,
    ) {
        self.counts.rejected += 1;
        self.written.push_back(record::refused(record, rejection, self.micros(now)));
    }

    pub(super) fn rejected(
        &mut self,
        now: Instant,
        id: CallId,
        record: CallRecord,
        rejection: &Rejection,
    ) {
        self.counts.rejected += 1;
        self.close(id, record::refused(record, rejection, self.micros(now)));
    }

    /// The caller gave up before the answer.
    pub(super) fn abandoned(
        &mut self,
        now: Instant,
        id: CallId,
        record: CallRecord,
        reason: Option<&Reason>,
    ) {
        self.counts.abandoned += 1;
        let record = CallRecord {
            end_us: self.micros(now),
            outcome: Outcome::Abandoned,
            status: Some(487),
            cause: Some(reason.map_or(16, Reason::q850_cause)),
            ended_by: Some(Party::Caller),
            ..record
        };
        self.close(id, record);
    }

    pub(super) fn ended(&mut self, now: Instant, id: CallId, record: CallRecord, ending: Ending) {
        let record = self.after(now, record, ending);
        self.close(id, record);
    }

    /// The call was lost: Q.850, destination out of order.
    pub(super) fn lost(&mut self, now: Instant, id: CallId, record: CallRecord, why: &str) {
        self.ended(now, id, record, Ending::lost(why));
    }

    /// A call was lost that had not become one of this call server.
    pub(super) fn lost_at_once(&mut self, now: Instant, record: CallRecord, why: &str) {
        let record = self.after(now, record, Ending::lost(why));
        self.written.push_back(record);
    }

    fn after(&mut self, now: Instant, record: CallRecord, ending: Ending) -> CallRecord {
        self.counts.lost += u64::from(ending.outcome == Outcome::Lost);
        CallRecord {
            end_us: self.micros(now),
            outcome: ending.outcome,
            cause: Some(ending.cause),
            ended_by: Some(ending.ended_by),
            reason: with_history(record.reason, ending.why),
            ..record
        }
    }

    /// The call is over here; its record is finished when its legs are over too.
    fn close(&mut self, id: CallId, record: CallRecord) {
        self.written.extend(self.open_legs.close(id, record));
    }

    /// A leg of a call that is over here has ended too.
    pub(super) fn leg_ended(&mut self, id: CallId, place: usize, end: LegEnd) {
        self.written.extend(self.open_legs.ended(id, place, end));
    }

    /// The software ends: no record waits for the end of its legs any more.
    pub(super) fn close_all(&mut self) {
        self.written.extend(self.open_legs.take_all());
    }

    /// The next record that is finished.
    pub(super) fn poll(&mut self) -> Option<CallRecord> {
        self.written.pop_front()
    }

    /// All that are finished.
    pub(super) fn into_written(mut self) -> VecDeque<CallRecord> {
        self.close_all();
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
