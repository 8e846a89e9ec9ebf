//! Legs that were hung up, until the answering point has said that they are over.
//!
//! ```text
//!   call ended here ── CANCEL or BYE ──► answering point        the record waits: did they hear it?
//!        record ◄── told ── 487, 200, 481 ◄──┘   or never told: 64·T1 have passed
//! ```
//!
//! So each record says of each of its legs when it was over at the other end. Whoever compares the records afterwards needs no
//! guess at how long a BYE may have been on its way.

use hashbrown::HashMap;
use sip_proto::user_agent::{End, Failure, LegId};
use telemetry::CallRecord;

use super::calls::CallId;

/// Legs that are awaited, and the records that wait for them.
#[derive(Debug, Default)]
pub(super) struct OpenLegs {
    /// The call that each was placed for, and its place among the legs in the record.
    legs: HashMap<LegId, (CallId, usize)>,
    /// How many of them each call has.
    counts: HashMap<CallId, usize>,
    waiting: HashMap<CallId, CallRecord>,
    /// No record waits any more.
    is_closed: bool,
}

impl OpenLegs {
    /// `leg` was hung up, and its peer has not said yet that it is over.
    pub(super) fn await_end(&mut self, leg: LegId, call: CallId, place: usize) {
        if self.is_closed {
            return;
        }
        self.legs.insert(leg, (call, place));
        *self.counts.entry(call).or_default() += 1;
    }

    /// `leg` is over, or nothing more will be heard of it. Returns what it was a leg of.
    pub(super) fn take(&mut self, leg: LegId) -> Option<(CallId, usize)> {
        let (call, place) = self.legs.remove(&leg)?;
        if let Some(count) = self.counts.get_mut(&call) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&call);
            }
        }
        Some((call, place))
    }

    /// The record of a call that is over, if none of its legs is awaited. Otherwise it waits here.
    pub(super) fn close(&mut self, call: CallId, record: CallRecord) -> Option<CallRecord> {
        if self.counts.contains_key(&call) {
            self.waiting.insert(call, record);
            return None;
        }
        Some(record)
    }

    /// A leg of a call that is over has ended too. Returns the record, if this was the last one.
    pub(super) fn ended(&mut self, call: CallId, place: usize, end: LegEnd) -> Option<CallRecord> {
        note(self.waiting.get_mut(&call)?, place, end);
        let record = self.waiting.remove(&call)?;
        self.close(call, record)
    }

    /// All records that wait. None waits after that.
    pub(super) fn take_all(&mut self) -> Vec<CallRecord> {
        self.is_closed = true;
        self.legs.clear();
        self.counts.clear();
        let mut records: Vec<CallRecord> = self.waiting.drain().map(|(_, record)| record).collect();
        // A map has no order, and equal runs must write equal files.
        records.sort_by(|a, b| (a.end_us, &a.attempt).cmp(&(b.end_us, &b.attempt)));
        records
    }
}

/// How a leg has ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct LegEnd {
    /// When its peer had said that it is over, in Unix microseconds, if it did.
    at: Option<u64>,
    /// The refusal of its INVITE.
    status: Option<u16>,
}

impl LegEnd {
    /// The dialog of the leg is over, at `now`.
    pub(super) fn of_dialog(end: &End, now: u64) -> Self {
        let is_told = match end {
            End::Bye(_) | End::NoAck => true,
            End::HungUp { confirmed } => *confirmed,
            End::PeerGone { status } => *status == 481,
        };
        Self { at: is_told.then_some(now), status: None }
    }

    /// Its INVITE was not answered.
    pub(super) fn of_failure(failure: &Failure, now: u64) -> Self {
        match failure {
            Failure::Response(response) => Self { at: Some(now), status: Some(response.status()) },
            Failure::Timeout | Failure::Unreachable => Self { at: None, status: None },
        }
    }
}

/// Writes into a record how a leg has ended.
pub(super) fn note(record: &mut CallRecord, place: usize, end: LegEnd) {
    if let Some(leg) = record.legs.get_mut(place) {
        leg.end_us = leg.end_us.or(end.at);
        leg.status = leg.status.or(end.status);
    }
}
