//! Calls of a call server that has fallen go on here: both legs are adopted, and both sides are told where the call is now
//! (a target refresh, RFC 3261 §12.2.1.2), with our addresses for its media.
//!
//! ```text
//!              re-INVITE to both             both answer 2xx
//!   replica ──────────────────► taking over ────────────────► a call like any other, replicated in its turn
//!                                    ├── one side refuses or is gone: the other is hung up, the call is lost
//!                                    └── both answer 481: it was over before, and nobody lost it
//! ```

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sip_proto::message::{Payload, Response};
use sip_proto::reason::Reason;
use sip_proto::user_agent::LegId;

use super::CallControl;
use super::call::{Awaited, Call};
use super::calls::CallId;
use super::descriptions::Descriptions;
use super::media_relay::MediaRelay;
use super::side::Side;
use super::takeover_replies::{TakeoverReplies, TakeoverReply};
use crate::machine::Replica;

impl CallControl {
    /// `owner` is down, or has started again: its calls go on here.
    pub(super) fn take_over_all(&mut self, now: Instant, owner: SocketAddr) {
        if self.draining {
            return;
        }
        for replica in self.disk.journal.take_all_of(owner) {
            self.take_over(now, owner, replica);
        }
    }

    fn take_over(&mut self, now: Instant, owner: SocketAddr, replica: Replica) {
        if self.time_left(now, replica.record.answer_us).is_zero() {
            return;
        }
        let adopted = self.user_agent.adopt(now, &replica.a).and_then(|a| {
            let b = self.user_agent.adopt(now, &replica.b);
            b.map(|b| (a, b)).inspect_err(|_| self.user_agent.disown(now, a))
        });
        let (a, b) = match adopted {
            Ok(legs) => legs,
            Err(unfit) => {
                tracing::warn!(call_server = self.settings.name, %unfit, "a call cannot be taken over");
                return;
            }
        };
        let takeovers = replica.takeovers.saturating_add(1);
        let from = self.neighbours.name_of(owner);
        let link = replica.trunk_group.and_then(|name| self.disk.links.named(&name));
        self.owner_watch.note_untold(owner, replica.id);
        self.records.counts.taken_over += 1;
        let has_room = self.calls.len() < self.settings.max_calls as usize && self.memory.take();
        let call = Call {
            b: Some(b),
            relay: replica.relay.map(|hosts| MediaRelay::taken_over(hosts, takeovers)),
            descriptions: Descriptions::agreed(replica.said),
            takeover: Some(TakeoverReplies::default()),
            ..Call::new(a, link, self.records.take_over(replica.record, &from))
        };
        if !has_room {
            self.hang_up_both(now, &call, &temporary_failure());
            return self.records.lost(now, call.record, "there was no room for it");
        }
        let id = self.insert(call);
        let due = now + self.user_agent.give_up_after();
        self.calls.await_until(id, Awaited::TakenOver, due);
        let Some(call) = self.calls.get_mut(id) else { return };
        match self.media.take_over(now, call) {
            Ok([to_a, to_b]) => {
                self.offer(now, a, to_a);
                self.offer(now, b, to_b);
            }
            Err(obstacle) => {
                let why = format!("its media cannot pass here: {obstacle:?}");
                self.give_up_takeover(now, id, &why);
            }
        }
    }

    /// How much longer a call may last that was answered at `answer_us`.
    fn time_left(&self, now: Instant, answer_us: Option<u64>) -> Duration {
        let lasted = self.records.micros(now).saturating_sub(answer_us.unwrap_or_default());
        self.settings.max_call_duration.saturating_sub(Duration::from_micros(lasted))
    }

    fn offer(&mut self, now: Instant, leg: LegId, description: Option<Vec<u8>>) {
        let payload = description.map_or_else(Payload::empty, Payload::sdp);
        self.user_agent.refresh(now, leg, payload);
    }

    /// A side has answered our re-INVITE or UPDATE.
    pub(super) fn side_answered(
        &mut self,
        now: Instant,
        id: CallId,
        side: Side,
        response: &Response,
    ) {
        if response.status() >= 300 {
            let why = format!("the {} refused it ({})", side.peer(), response.status());
            return self.give_up_takeover(now, id, &why);
        }
        let Some(call) = self.calls.get_mut(id) else { return };
        // Its description is taken, and not passed on: the other side has it already.
        self.media.translate_response(now, call, side, response);
        let Some(replies) = &mut call.takeover else { return };
        match replies.note(side, TakeoverReply::Accepted) {
            TakeoverReply::Awaited => {}
            TakeoverReply::Accepted => self.finish_takeover(now, id),
            TakeoverReply::Gone => {
                let why = format!("the {} no longer knew the call", side.other().peer());
                self.give_up_takeover(now, id, &why);
            }
        }
    }

    fn finish_takeover(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get_mut(id) else { return };
        call.takeover = None;
        let answered = call.record.answer_us;
        let due = now + self.time_left(now, answered);
        self.calls.await_until(id, Awaited::End, due);
        self.replicate(now, id);
    }

    /// A side of a call that is being taken over does not know the call. False if the call must be ended.
    pub(super) fn side_is_gone(&mut self, now: Instant, id: CallId, side: Side) -> bool {
        let replies = self.calls.get_mut(id).and_then(|call| call.takeover.as_mut());
        let Some(replies) = replies else { return false };
        match replies.note(side, TakeoverReply::Gone) {
            TakeoverReply::Awaited => true,
            TakeoverReply::Accepted => false,
            TakeoverReply::Gone => {
                // It was over; the message that said so was lost.
                self.remove(now, id);
                self.records.counts.taken_over -= 1;
                true
            }
        }
    }

    /// The call cannot go on here: both sides are told, as far as they can be.
    pub(super) fn give_up_takeover(&mut self, now: Instant, id: CallId, why: &str) {
        if let Some(call) = self.remove(now, id) {
            self.hang_up_both(now, &call, &temporary_failure());
            self.records.lost(now, call.record, why);
        }
    }
}

fn temporary_failure() -> Reason {
    Reason::q850(41, "Temporary failure")
}
