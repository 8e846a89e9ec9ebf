//! People who call again, beside those whom the schedule sends.

use std::time::Instant;

use contract::GeneratorSnapshot;
use telemetry::{CallRecord, Unreached};

use super::Generator;
use crate::mix::Caller;
use crate::person::Way;

/// A person who will call again.
#[derive(Debug)]
pub(super) struct Redial {
    caller: Caller,
    way: Way,
}

/// A call that is to be placed now.
#[derive(Debug)]
pub(super) struct Due {
    /// When the schedule, or the person, wanted it to start.
    pub(super) intended: Instant,
    pub(super) caller: Caller,
    pub(super) way: Way,
}

impl Generator {
    /// Takes the call that is due first, if any is; `zero` is the start of the campaign.
    pub(super) fn take_due(&mut self, now: Instant, zero: Instant) -> Option<Due> {
        let scheduled = self.schedule.next_due().map(|at| zero + at);
        let first = |redial: Instant| scheduled.is_none_or(|at| redial < at);
        if let Some(intended) = self.next_redial().filter(|due| *due <= now && first(*due)) {
            let (_, Redial { mut caller, way }) = self.redials.pop_first()?;
            caller.turn_to(&way);
            return Some(Due { intended, caller, way });
        }
        let elapsed = now.saturating_duration_since(zero);
        while let Some(start) = self.schedule.take(elapsed) {
            if let Some(caller) = self.mix.caller(start.index, start.hint) {
                return Some(Due { intended: zero + start.at, caller, way: Way::AsBefore });
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
        let Some(fate) = Unreached::of(record).filter(|_| !self.draining) else { return };
        match self.mix.again(caller, fate, self.told, &self.config.ten_digits) {
            Some((caller, next)) => {
                let redial = Redial { caller, way: next.way };
                self.redials.insert((now + next.gap, redial.caller.index), redial);
            }
            None => self.counts.gave_up += 1,
        }
    }
}

/// Names the session description of a call: no two calls of a campaign share it (RFC 8866 §5.2).
pub(super) fn session(caller: &Caller) -> u64 {
    (u64::from(caller.nth - 1) << 40) + caller.index
}

/// Counts a person's call number `nth`, and how it differs from the one before.
pub(super) fn count_call(counts: &mut GeneratorSnapshot, nth: u32, way: &Way) {
    *if nth == 1 { &mut counts.callers } else { &mut counts.redials } += 1;
    match way {
        Way::AsBefore => {}
        Way::OtherNetwork(_) => counts.switched_network += 1,
        Way::OtherNumber(_) => counts.switched_number += 1,
        Way::TenDigits(_) => counts.ten_digit += 1,
    }
}
