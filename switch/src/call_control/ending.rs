//! How calls end: by either side, by silence, by a timer, by a drain.

use std::collections::VecDeque;
use std::time::Instant;

use ::media::Plane;
use contract::CallServerCounts;

use sip_proto::Rejection;
use sip_proto::message::Payload;
use sip_proto::reason::Reason;
use sip_proto::user_agent::{End, LegId};
use telemetry::{CallRecord, Outcome, Party};

use super::CallControl;
use crate::call_server::Disk;

use super::call::{Awaited, Call, CallId, Deadline, Side};

/// What is left when the software ends.
pub(crate) struct Wreck {
    pub(crate) disk: Disk,
    pub(crate) plane: Plane,
    pub(crate) counts: CallServerCounts,
    pub(crate) records: VecDeque<CallRecord>,
}

impl CallControl {
    /// The caller gave up before the answer.
    pub(super) fn cancelled(&mut self, now: Instant, a: LegId, reason: Option<&Reason>) {
        let Some((id, _)) = self.find(a) else { return };
        let Some(call) = self.remove(now, id) else { return };
        if let Some(b) = call.b {
            self.user_agent.hang_up(now, b, reason);
        }
        self.counts.abandoned += 1;
        self.records.push_back(CallRecord {
            end_us: self.micros(now),
            outcome: Outcome::Abandoned,
            status: Some(487),
            cause: Some(reason.map_or(16, Reason::q850_cause)),
            ended_by: Some(Party::Caller),
            ..call.record
        });
    }

    /// A dialog of an answered call is over: the other leg follows.
    pub(super) fn ended(&mut self, now: Instant, leg: LegId, end: &End) {
        let Some((id, side)) = self.find(leg) else { return };
        if let End::PeerGone { status: 481 } = end
            && self.side_is_gone(now, id, side)
        {
            return;
        }
        let Some(call) = self.remove(now, id) else { return };
        let hung_up_by = match side {
            Side::A => Party::Caller,
            Side::B => Party::Callee,
        };
        let (outcome, ended_by, reason, trouble) = match end {
            End::Bye(bye) => (Outcome::Answered, hung_up_by, Reason::of(bye), None),
            End::HungUp { .. } => (Outcome::Answered, Party::Network, None, None),
            End::NoAck => {
                let trouble =
                    format!("the {hung_up} never acknowledged the answer", hung_up = word(side));
                (Outcome::Lost, Party::Network, None, Some(trouble))
            }
            End::PeerGone { status } => {
                let trouble = format!("the {} no longer knew the call ({status})", word(side));
                (Outcome::Lost, Party::Network, None, Some(trouble))
            }
        };
        if let Some(other) = call.leg(side.other()) {
            self.user_agent.hang_up(now, other, reason.as_ref());
        }
        self.counts.lost += u64::from(outcome == Outcome::Lost);
        let cause = reason
            .as_ref()
            .map_or_else(|| if trouble.is_some() { 41 } else { 16 }, Reason::q850_cause);
        self.records.push_back(CallRecord {
            end_us: self.micros(now),
            outcome,
            cause: Some(cause),
            ended_by: Some(ended_by),
            reason: with_history(call.record.reason, trouble),
            ..call.record
        });
    }

    pub(super) fn overdue(&mut self, now: Instant, id: CallId, awaited: Awaited) {
        let b = self.call_mut(id).and_then(|call| call.b);
        match awaited {
            Awaited::Response if b.is_some_and(|b| self.user_agent.has_heard(b)) => {
                let due = now + self.settings.ring_timeout
                    - self.settings.response_timeout.min(self.settings.ring_timeout);
                self.await_until(now, id, Some(Deadline { due, awaited: Awaited::Answer }));
            }
            Awaited::Response => {
                self.give_up_b_leg(now, id, &Reason::q850(102, "Recovery on timer expiry"));
            }
            Awaited::Answer => {
                self.give_up_b_leg(
                    now,
                    id,
                    &Reason::q850(19, "No answer from user (user alerted)"),
                );
            }
            Awaited::End => {
                self.cut(
                    now,
                    id,
                    &Reason::q850(41, "Temporary failure"),
                    "the call lasted longer than max_call_duration",
                );
            }
            Awaited::TakenOver => {
                self.give_up_takeover(now, id, "nobody answered within 64·T1");
            }
        }
    }

    /// Ends what is in progress and refuses what is new.
    pub(crate) fn drain(&mut self, now: Instant) {
        self.draining = true;
        self.show_state();
        self.leave_wards();
        let busy = Rejection::new(503).with_retry_after(self.settings.retry_after);
        for id in self.ids() {
            let answered = self.call_mut(id).is_some_and(|call| call.is_answered());
            let reason = Reason::q850(38, "Network out of order");
            if answered {
                self.cut(now, id, &reason, "the call server was drained");
            } else if let Some(call) = self.remove(now, id) {
                if let Some(b) = call.b {
                    self.user_agent.hang_up(now, b, Some(&reason));
                }
                self.user_agent.reject(now, call.a, &busy, &Payload::empty());
                self.record_rejection(now, call.record, &busy);
            }
        }
    }

    /// Hangs up both legs of an answered call.
    fn cut(&mut self, now: Instant, id: CallId, reason: &Reason, why: &str) {
        let Some(call) = self.remove(now, id) else { return };
        for leg in [Some(call.a), call.b].into_iter().flatten() {
            self.user_agent.hang_up(now, leg, Some(reason));
        }
        self.records.push_back(CallRecord {
            end_us: self.micros(now),
            outcome: Outcome::Answered,
            cause: Some(reason.q850_cause()),
            ended_by: Some(Party::Network),
            reason: with_history(call.record.reason, Some(why.to_owned())),
            ..call.record
        });
    }

    /// Forgets a call, its legs and its media; what the legs still say is nobody's concern then.
    pub(super) fn remove(&mut self, now: Instant, id: CallId) -> Option<Call> {
        self.call_mut(id)?;
        let mut call = self.calls.remove(id.slot);
        if let Some(relay) = call.relay.take() {
            call.record.media = relay.close(&mut self.plane, now);
        }
        self.legs.remove(&call.a);
        if let Some(b) = call.b {
            self.legs.remove(&b);
        }
        if let Some(link) = call.link {
            self.disk.links.call_ended(link);
        }
        if let Some(replica) = call.replica.take() {
            self.strike_replica(now, replica);
        }
        if !self.keeps_contexts() {
            self.memory.give_back();
        }
        Some(call)
    }

    /// The link that these calls came by is gone. Returns how many they were.
    pub(crate) fn cut_link(&mut self, now: Instant, link: usize) -> usize {
        let on_link = |call: &Call| call.link == Some(link);
        let ids: Vec<_> = self
            .calls
            .iter()
            .filter(|(_, call)| on_link(call))
            .map(|(slot, call)| CallId { slot, nonce: call.nonce })
            .collect();
        let reason = Reason::q850(27, "Destination out of order");
        for id in &ids {
            let Some(call) = self.remove(now, *id) else { continue };
            for leg in [Some(call.a), call.b].into_iter().flatten() {
                self.user_agent.hang_up(now, leg, Some(&reason));
            }
            self.lose(now, call, "its link was disconnected");
        }
        ids.len()
    }

    /// Writes into the record of each call in progress what has happened to the machine meanwhile.
    pub(crate) fn note(&mut self, what: &str) {
        for (_, call) in &mut self.calls {
            call.record.reason.get_or_insert_with(|| what.to_owned());
        }
    }

    /// The end of the software: what the machine keeps, and the records of the calls that are lost.
    pub(crate) fn end(mut self, now: Instant, why: &str) -> Wreck {
        for id in self.ids() {
            // The partner must not hear that they are over.
            self.withhold_word(id);
            if let Some(call) = self.remove(now, id) {
                self.lose(now, call, why);
            }
        }
        let Self { disk, plane, counts, records, .. } = self;
        Wreck { disk, plane, counts, records }
    }

    /// The names of all calls.
    pub(super) fn ids(&self) -> Vec<CallId> {
        self.calls.iter().map(|(slot, call)| CallId { slot, nonce: call.nonce }).collect()
    }

    pub(super) fn lose(&mut self, now: Instant, call: Call, why: &str) {
        self.counts.lost += 1;
        self.records.push_back(CallRecord {
            end_us: self.micros(now),
            outcome: Outcome::Lost,
            cause: Some(27),
            ended_by: Some(Party::Network),
            reason: with_history(call.record.reason, Some(why.to_owned())),
            ..call.record
        });
    }
}

/// What befell a call on its way, and how it ended.
fn with_history(history: Option<String>, end: Option<String>) -> Option<String> {
    match (history, end) {
        (Some(history), Some(end)) => Some(format!("{history}; {end}")),
        (history, end) => history.or(end),
    }
}

const fn word(side: Side) -> &'static str {
    match side {
        Side::A => "caller's side",
        Side::B => "answering point",
    }
}
