//! How calls end: by either side, by silence, by a timer, by a drain.

use std::collections::VecDeque;
use std::time::Instant;

use contract::CallServerCounts;
use media::Plane;
use sip_proto::Rejection;
use sip_proto::message::Payload;
use sip_proto::reason::Reason;
use sip_proto::sdp::SdpError;
use sip_proto::user_agent::{End, LegId};
use telemetry::{CallRecord, Outcome, Party};

use super::CallControl;
use super::call::{Awaited, Call};
use super::calls::CallId;
use super::leg_end::LegEnd;
use super::records::Ending;
use super::side::Side;
use super::towards::Towards;
use crate::latent_defects;
use crate::machine::Disk;

/// What the software leaves behind when it ends.
pub(crate) struct LeftBehind {
    pub(crate) disk: Disk,
    pub(crate) plane: Plane,
    pub(crate) counts: CallServerCounts,
    pub(crate) towards: Towards,
    pub(crate) records: VecDeque<CallRecord>,
}

impl CallControl {
    /// The caller gave up before the answer.
    pub(super) fn cancelled(&mut self, now: Instant, a: LegId, reason: Option<&Reason>) {
        let Some((id, _)) = self.calls.find(a) else { return };
        let Some(call) = self.remove(now, id) else { return };
        if let Some(b) = call.b {
            self.user_agent.hang_up(now, b, reason);
        }
        self.records.abandoned(now, call.record, reason);
    }

    /// The caller did not acknowledge that it rings, and has been refused for it.
    pub(super) fn given_up(&mut self, now: Instant, a: LegId, rejection: &Rejection) {
        let Some((id, _)) = self.calls.find(a) else { return };
        let Some(call) = self.remove(now, id) else { return };
        if let Some(b) = call.b {
            self.user_agent.hang_up(now, b, rejection.reason.as_ref());
        }
        self.records.rejected(now, call.record, rejection);
    }

    /// A dialog of an answered call is over: the other leg follows.
    pub(super) fn ended(&mut self, now: Instant, leg: LegId, end: &End) {
        let leg_end = LegEnd::of_dialog(end, self.records.micros(now));
        let Some((id, side)) = self.calls.find(leg) else { return self.leg_over(leg, leg_end) };
        if side == Side::B {
            self.note_leg_end(id, leg_end);
        }
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
        let peer = side.peer();
        let (outcome, ended_by, reason, why) = match end {
            End::Bye(bye) => (Outcome::Answered, hung_up_by, Reason::of(bye), None),
            End::HungUp { .. } => (Outcome::Answered, Party::Network, None, None),
            End::NoAck => {
                let why = format!("the {peer} never acknowledged the answer");
                (Outcome::Lost, Party::Network, None, Some(why))
            }
            End::Unrefreshed => {
                let why = format!("the {peer} did not refresh the session (RFC 4028)");
                (Outcome::Lost, Party::Network, None, Some(why))
            }
            End::PeerGone { status } => {
                let why = format!("the {peer} no longer knew the call ({status})");
                (Outcome::Lost, Party::Network, None, Some(why))
            }
        };
        if let Some(other) = call.leg(side.other()) {
            self.user_agent.hang_up(now, other, reason.as_ref());
        }
        let usual = if why.is_some() { 41 } else { 16 };
        let cause = reason.as_ref().map_or(usual, Reason::q850_cause);
        self.records.ended(now, call.record, Ending { outcome, cause, ended_by, why });
    }

    pub(super) fn overdue(&mut self, now: Instant, id: CallId, awaited: Awaited) {
        let b = self.calls.get(id).and_then(|call| call.b);
        match awaited {
            Awaited::Response if b.is_some_and(|b| self.user_agent.has_heard(b)) => {
                let due = now + self.settings.ring_timeout
                    - self.settings.response_timeout.min(self.settings.ring_timeout);
                self.calls.await_until(id, Awaited::Answer, due);
            }
            Awaited::Response => {
                let reason = Reason::q850(102, "Recovery on timer expiry");
                self.give_up_b_leg(now, id, Rejection::new(480).with_reason(reason));
            }
            Awaited::Answer => {
                let reason = Reason::q850(19, "No answer from user (user alerted)");
                self.give_up_b_leg(now, id, Rejection::new(480).with_reason(reason));
            }
            Awaited::End => {
                let reason = Reason::q850(41, "Temporary failure");
                self.end_answered(
                    now,
                    id,
                    &reason,
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
        self.owner_watch.stop();
        let busy = self.busy();
        let reason = Reason::q850(38, "Network out of order");
        for id in self.calls.ids() {
            if self.calls.get(id).is_some_and(Call::is_answered) {
                self.end_answered(now, id, &reason, "the call server was drained");
            } else if let Some(call) = self.remove(now, id) {
                if let Some(b) = call.b {
                    self.user_agent.hang_up(now, b, Some(&reason));
                }
                self.user_agent.reject(now, call.a, &busy, &Payload::empty());
                self.records.rejected(now, call.record, &busy);
            }
        }
    }

    /// An answer inside the call does not fit its offer: the sides could not hear each other as they believe.
    pub(super) fn end_for_media(&mut self, now: Instant, id: CallId, error: &SdpError) {
        self.end_answered(now, id, &incompatible(), &media_failure(error));
    }

    /// Hangs up both legs of an answered call.
    pub(super) fn end_answered(&mut self, now: Instant, id: CallId, reason: &Reason, why: &str) {
        let Some(call) = self.remove(now, id) else { return };
        self.hang_up_both(now, &call, reason);
        let (outcome, ended_by) = (Outcome::Answered, Party::Network);
        let (cause, why) = (reason.q850_cause(), Some(why.to_owned()));
        self.records.ended(now, call.record, Ending { outcome, cause, ended_by, why });
    }

    /// Forgets a call, its legs and its media. What comes on its legs after that is ignored.
    pub(super) fn remove(&mut self, now: Instant, id: CallId) -> Option<Call> {
        let mut call = self.calls.remove(id)?;
        if let Some(reports) = self.media.close(now, &mut call) {
            call.record.media = reports;
        }
        if let Some(link) = call.link {
            self.disk.links.call_ended(link);
        }
        if let Some(ip) = call.counts_at.take() {
            self.sources.ended(ip);
        }
        if let Some(replica) = call.replica.take() {
            self.end_replica(now, replica);
        }
        if !latent_defects::keeps_contexts(&self.disk) {
            self.memory.give_back();
        }
        Some(call)
    }

    /// A leg has ended that its call has left. The record tells it if it is not written yet.
    pub(super) fn leg_over(&mut self, leg: LegId, end: LegEnd) {
        if let Some((call, place)) = self.calls.take_awaited(leg) {
            end.note(&mut call.record, place);
        }
    }

    /// The leg towards the answering point has ended.
    pub(super) fn note_leg_end(&mut self, id: CallId, end: LegEnd) {
        if let Some(call) = self.calls.get_mut(id)
            && let Some(last) = call.record.legs.len().checked_sub(1)
        {
            end.note(&mut call.record, last);
        }
    }

    /// The link that these calls came by is gone. Returns how many they were.
    pub(crate) fn cut_link(&mut self, now: Instant, link: usize) -> usize {
        let ids = self.calls.ids_of(|call| call.link == Some(link));
        let reason = Reason::q850(27, "Destination out of order");
        for id in &ids {
            let Some(call) = self.remove(now, *id) else { continue };
            self.hang_up_both(now, &call, &reason);
            self.records.lost(now, call.record, "its link was disconnected");
        }
        ids.len()
    }

    /// Writes into the record of each call in progress what has happened to the machine meanwhile.
    pub(crate) fn note(&mut self, what: &str) {
        for call in self.calls.iter_mut() {
            call.record.reason.get_or_insert_with(|| what.to_owned());
        }
    }

    /// Ends the software. Returns what the machine keeps, and the records of the calls that are lost.
    pub(crate) fn end(mut self, now: Instant, why: &str) -> LeftBehind {
        for id in self.calls.ids() {
            // The partner must keep their replicas.
            self.forget_replica(id);
            if let Some(call) = self.remove(now, id) {
                self.records.lost(now, call.record, why);
            }
        }
        let Self { disk, media, records, .. } = self;
        let (plane, counts) = (media.into_plane(), records.counts);
        let towards = records.towards.clone();
        LeftBehind { disk, plane, counts, towards, records: records.into_written() }
    }
}

/// Q.850: the sides cannot hear each other.
pub(super) fn incompatible() -> Reason {
    Reason::q850(88, "Incompatible destination")
}

/// What is told of an answer that does not fit its offer.
pub(super) fn media_failure(error: &SdpError) -> String {
    format!("media failure: {error}")
}
