//! People who call again, beside those whom the schedule sends.

use std::time::{Duration, Instant};

use telemetry::{CallRecord, Entry, Unreached};
use trace::CallKey;

use super::Generator;
use super::due::{DueCall, DueRedial};
use crate::caller::Caller;
use crate::pacer::{Hint, ScheduledCall};

impl Generator {
    /// Takes the call that is due first, if any is; `campaign_start` is the start of the campaign.
    pub(super) fn take_due(&mut self, now: Instant, campaign_start: Instant) -> Option<DueCall> {
        let next = self.schedule.next_due().into_iter().chain(self.surges.next_due()).min();
        let scheduled = next.map(|at| campaign_start + at);
        let is_first = |redial: Instant| scheduled.is_none_or(|at| redial < at);
        if self.redials.next().is_some_and(is_first)
            && let Some(redial) = self.redials.pop_due(now)
        {
            return Some(redial);
        }
        let elapsed = now.saturating_duration_since(campaign_start);
        while let Some(start) = self.next_scheduled(elapsed) {
            if let Some(mut caller) = self.mix.caller(start.index, start.hint) {
                let ten_digits = &self.config.ten_digits;
                match start.hint {
                    Some(Hint::Surge(_)) => self.counts.surged += 1,
                    _ => self.surges.note(start, &caller),
                }
                let way = self.mix.first_way(&caller, self.announced, ten_digits);
                caller.turn_to(&way);
                return Some(DueCall { intended: campaign_start + start.at, caller, way });
            }
            self.counts.feed_exhausted += 1;
        }
        None
    }

    /// The next call of the campaign, or beside one of it, that is to be placed.
    fn next_scheduled(&mut self, elapsed: Duration) -> Option<ScheduledCall> {
        if let Some(further) = self.pace.further() {
            return Some(further);
        }
        while let Some(call) = self.surges.take(elapsed) {
            if !self.pace.is_paused() {
                return Some(call);
            }
            self.counts.held_back += 1;
        }
        while let Some(start) = self.schedule.take(elapsed) {
            if self.pace.admits(start) {
                return Some(start);
            }
            self.counts.held_back += 1;
        }
        None
    }

    /// What `caller` does after the call of `record`. Those whom the end of the campaign hung up do
    /// nothing: they did not choose to.
    pub(super) fn think_again(
        &mut self,
        now: Instant,
        call: CallKey,
        caller: Caller,
        record: &CallRecord,
    ) {
        let Some(fate) = Unreached::of(&Entry::from(record)).filter(|_| !self.draining) else {
            return;
        };
        match self.mix.again(caller, fate, self.announced, &self.config.ten_digits) {
            Some((caller, next)) => {
                self.note_next(call, Some((next.gap, &next.way)));
                let redial = DueRedial { caller, way: next.way };
                self.redials.add(now + next.gap, redial);
            }
            None => {
                self.note_next(call, None);
                self.counts.gave_up += 1;
            }
        }
    }
}
