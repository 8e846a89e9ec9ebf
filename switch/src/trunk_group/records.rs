//! The call records that a trunk group writes, and what it counts.

use std::collections::VecDeque;
use std::time::Instant;

use contract::TrunkGroupCounts;
use sip_proto::Rejection;
use sip_proto::message::Request;
use sip_proto::reason::{Reason, cause_of_status};
use sip_proto::wall_clock::WallClock;
use telemetry::{BoxKind, CallRecord, Outcome, Party};

use crate::record;

/// Records that wait to be taken, and the counts since the start.
#[derive(Debug)]
pub(super) struct Records {
    trunk_group: String,
    wall: WallClock,
    written: VecDeque<CallRecord>,
    pub(super) counts: TrunkGroupCounts,
}

impl Records {
    pub(super) fn new(trunk_group: String, wall: WallClock) -> Self {
        let counts = TrunkGroupCounts::default();
        Self { trunk_group, wall, written: VecDeque::new(), counts }
    }

    /// The Unix time in microseconds.
    pub(super) fn micros(&self, now: Instant) -> u64 {
        self.wall.micros(now)
    }

    /// The record of a call that has just arrived.
    pub(super) fn open(&self, now: Instant, attempt: String, invite: &Request) -> CallRecord {
        let (name, at) = (&self.trunk_group, self.micros(now));
        let record = record::open(BoxKind::TrunkGroup, name, attempt, invite, at);
        CallRecord { trunk_group: Some(name.clone()), ..record }
    }

    /// This trunk group has refused the call.
    pub(super) fn rejected(&mut self, now: Instant, record: CallRecord, rejection: &Rejection) {
        self.counts.rejected += 1;
        self.written.push_back(record::refused(record, rejection, self.micros(now)));
    }

    /// A site has refused the call.
    pub(super) fn refused(
        &mut self,
        now: Instant,
        record: CallRecord,
        status: u16,
        reason: Option<&Reason>,
    ) {
        self.counts.rejected += 1;
        self.unanswered(
            now,
            CallRecord { outcome: Outcome::Rejected, ended_by: None, ..record },
            status,
            reason,
        );
    }

    /// The caller gave up before the answer.
    pub(super) fn abandoned(
        &mut self,
        now: Instant,
        record: CallRecord,
        status: u16,
        reason: Option<&Reason>,
    ) {
        self.counts.abandoned += 1;
        let (outcome, ended_by) = (Outcome::Abandoned, Some(Party::Caller));
        self.unanswered(now, CallRecord { outcome, ended_by, ..record }, status, reason);
    }

    fn unanswered(
        &mut self,
        now: Instant,
        record: CallRecord,
        status: u16,
        reason: Option<&Reason>,
    ) {
        let cause = reason.map_or_else(|| cause_of_status(status), Reason::q850_cause);
        self.written.push_back(CallRecord {
            end_us: self.micros(now),
            status: Some(status),
            cause: Some(cause),
            ..record
        });
    }

    /// An answered call was ended by one of its sides.
    pub(super) fn ended(&mut self, now: Instant, record: CallRecord) {
        let (end_us, outcome) = (self.micros(now), Outcome::Answered);
        self.written.push_back(CallRecord { end_us, outcome, ..record });
    }

    /// An answered call was lost.
    pub(super) fn lost(&mut self, now: Instant, record: CallRecord, why: String) {
        self.counts.lost += 1;
        self.written.push_back(CallRecord {
            end_us: self.micros(now),
            outcome: Outcome::Lost,
            ended_by: Some(Party::Network),
            reason: Some(why),
            ..record
        });
    }

    /// The next record that is finished.
    pub(super) fn poll(&mut self) -> Option<CallRecord> {
        self.written.pop_front()
    }
}
