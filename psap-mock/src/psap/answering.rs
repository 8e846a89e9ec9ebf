//! From the queue to the call taker: a position rings, and picks up.

use std::time::{Duration, Instant};

use sip_proto::user_agent::LegId;

use super::{LONGEST_RINGING, Psap, RING_AGAIN, Timer};
use crate::behaviour::Reception;

impl Psap {
    /// A position rings: its call taker picks up after some time, or never.
    pub(super) fn ring_position(&mut self, now: Instant, leg: LegId) {
        self.note_inside(leg, "lets a position ring");
        let ring = self.config.ring.sample(&mut self.rng);
        let plan = self.calls.get(&leg).map(|call| call.plan);
        if let Some(plan) = plan.filter(|plan| plan.answers) {
            let ring = Duration::try_from_secs_f64(ring.as_secs_f64() * plan.slowness);
            let ring = ring.map_or(LONGEST_RINGING, |ring| ring.min(LONGEST_RINGING));
            self.deadlines.set(Timer::PickUp(leg), now + ring);
        }
    }

    /// Notes what happens to a call inside.
    pub(super) fn note_inside(&mut self, leg: LegId, text: &'static str) {
        if let Some(call) = self.calls.get(&leg) {
            self.notes.note(&call.attempt.call_id, || text);
        }
    }

    pub(super) fn pick_up(&mut self, now: Instant, leg: LegId) {
        self.note_inside(leg, "picks up");
        let Some(call) = self.calls.get_mut(&leg) else {
            return;
        };
        call.attempt.answered = Some(now);
        if let Some(dialog) = call.attempt.dialog() {
            dialog.note_session(&call.media.ours());
        }
        self.level.count_answered(now - call.attempt.arrived);
        self.agent.accept(now, leg, &call.media.payload());
        self.begin_talk(now, leg);
        self.unanswered -= 1;
        self.centre.answer(leg);
        self.deadlines.clear(Timer::RingAgain(leg));
    }

    pub(super) fn ring_again(&mut self, now: Instant, leg: LegId) {
        let Some(call) = self.calls.get(&leg) else {
            return;
        };
        if now - call.attempt.arrived >= LONGEST_RINGING {
            self.reject_waiting(now, leg, "the caller neither cancelled nor was answered");
            return;
        }
        if call.plan.reception == Reception::Ring {
            self.progress(now, leg);
        }
        self.deadlines.set(Timer::RingAgain(leg), now + RING_AGAIN);
    }
}
