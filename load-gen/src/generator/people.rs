//! People who call again, beside those whom the schedule sends.

use std::time::Instant;

use telemetry::{CallRecord, Entry, Unreached};

use super::Generator;
use super::due::{DueCall, DueRedial};
use crate::caller::{CallChange, Caller};

impl Generator {
    /// Takes the call that is due first, if any is; `campaign_start` is the start of the campaign.
    pub(super) fn take_due(&mut self, now: Instant, campaign_start: Instant) -> Option<DueCall> {
        let scheduled = self.schedule.next_due().map(|at| campaign_start + at);
        let first = |redial: Instant| scheduled.is_none_or(|at| redial < at);
        if let Some(intended) = self.next_redial().filter(|due| *due <= now && first(*due)) {
            let (_, DueRedial { mut caller, way }) = self.redials.pop_first()?;
            caller.turn_to(&way);
            return Some(DueCall { intended, caller, way });
        }
        let elapsed = now.saturating_duration_since(campaign_start);
        while let Some(start) = self.schedule.take(elapsed) {
            if let Some(caller) = self.mix.caller(start.index, start.hint) {
                return Some(DueCall {
                    intended: campaign_start + start.at,
                    caller,
                    way: CallChange::AsBefore,
                });
            }
            self.counts.feed_exhausted += 1;
        }
        None
    }

    /// When somebody calls again.
    pub(super) fn next_redial(&self) -> Option<Instant> {
        self.redials.first_key_value().map(|((due, _), _)| *due)
    }

    /// What `caller` does after the call of `record`. Those whom the end of the campaign hung up do
    /// nothing: they did not choose to.
    pub(super) fn think_again(&mut self, now: Instant, caller: Caller, record: &CallRecord) {
        let Some(fate) = Unreached::of(&Entry::from(record)).filter(|_| !self.draining) else {
            return;
        };
        match self.mix.again(caller, fate, self.announced, &self.config.ten_digits) {
            Some((caller, next)) => {
                let redial = DueRedial { caller, way: next.way };
                self.redials.insert((now + next.gap, redial.caller.index), redial);
            }
            None => self.counts.gave_up += 1,
        }
    }
}
