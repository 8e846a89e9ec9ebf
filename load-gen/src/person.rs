//! What a person does after a call that failed: call again, when, and by which way.
//!
//! ```text
//!   record of the call ──► Unreached ──► RedialRules::next ──► gap and CallChange, or no more calls
//!                                            ▲
//!        what was announced so far ──────────┘
//! ```
//!
//! Pure: the [`Mix`](crate::Mix) lends the chance of this person and this call.

use std::time::Duration;

use rand::RngExt;
use telemetry::{CallerClass, Unreached};

use crate::caller::{CallChange, Caller, TenDigitCall};
use crate::ten_digits::TenDigits;
use campaign::Redial;

/// What has been announced to the public so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Announced {
    /// To redial until somebody answers.
    pub(crate) to_redial: bool,
    /// The ten-digit numbers of the PSAPs.
    pub(crate) ten_digits: bool,
}

/// The next call of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NextCall {
    /// From the end of the last call.
    pub(crate) gap: Duration,
    pub(crate) way: CallChange,
}

/// What decides whether and how a person calls again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RedialRules<'a> {
    pub(crate) redial: &'a Redial,
    /// How many trunk groups there are to choose from.
    pub(crate) trunk_groups: usize,
    pub(crate) ten_digits: &'a TenDigits,
    /// The place of the trunk group by which ten digits are dialled, if it is not the caller's own.
    pub(crate) ten_digit_trunk_group: Option<usize>,
    pub(crate) announced: Announced,
}

impl RedialRules<'_> {
    /// The next call of `caller`, whose last one failed by `fate`. `None`: they call no more.
    pub(crate) fn next(
        &self,
        caller: &Caller,
        fate: Unreached,
        rng: &mut impl rand::Rng,
    ) -> Option<NextCall> {
        let redial = self.redial;
        if caller.nth >= redial.most_attempts {
            return None;
        }
        // All calls of this person have failed: one that did not would have been the last.
        let searches = caller.nth >= redial.switch_after;
        let goes_on = match fate {
            _ if self.announced.to_redial => redial.advised,
            _ if searches => 1.0 - redial.stop,
            Unreached::Refused => redial.after_refusal,
            Unreached::Silence => redial.after_silence,
            Unreached::NoAnswer => redial.after_no_answer,
            Unreached::Cut => redial.after_cut,
        };
        if rng.random::<f64>() >= goes_on {
            return None;
        }
        let way = if searches { self.way(caller, rng) } else { CallChange::AsBefore };
        let gap = if fate == Unreached::Cut { redial.gap_after_cut } else { redial.gap };
        Some(NextCall { gap: gap.sample(rng), way })
    }

    /// The way of a first call: nobody who has heard of them need try the short number before.
    pub(crate) fn first_way(&self, caller: &Caller, rng: &mut impl rand::Rng) -> CallChange {
        let at_once = rng.random::<f64>() < self.redial.ten_digit_at_once;
        let way = at_once.then(|| self.ten_digits_of_psap(caller)).flatten();
        way.unwrap_or(CallChange::AsBefore)
    }

    /// One of the ways, by their shares among those who go on. A way that is not open to this
    /// person leaves them with the one before.
    fn way(&self, caller: &Caller, rng: &mut impl rand::Rng) -> CallChange {
        let redial = self.redial;
        let mut point = rng.random::<f64>() * (1.0 - redial.stop);
        let mut falls_on = |share: f64| {
            let hit = (0.0..share).contains(&point);
            point -= share;
            hit
        };
        let way = if falls_on(redial.other_network) {
            self.other_network(caller, rng)
        } else if falls_on(redial.other_number) {
            self.other_number(caller)
        } else if falls_on(redial.ten_digit) {
            self.ten_digits_of_psap(caller)
        } else {
            None
        };
        way.unwrap_or(CallChange::AsBefore)
    }

    fn other_network(&self, caller: &Caller, rng: &mut impl rand::Rng) -> Option<CallChange> {
        let others = self.trunk_groups.checked_sub(1).filter(|others| *others > 0)?;
        let step = rng.random_range(1..=others);
        Some(CallChange::OtherNetwork((caller.trunk_group + step) % self.trunk_groups))
    }

    fn other_number(&self, caller: &Caller) -> Option<CallChange> {
        let numbers = &self.redial.numbers;
        let last = numbers.iter().position(|number| number == caller.asks_for());
        let next = numbers.get(last.map_or(0, |last| (last + 1) % numbers.len()))?;
        let other = caller.class == CallerClass::Emergency && *next != caller.number;
        other.then(|| CallChange::OtherNumber(next.clone()))
    }

    fn ten_digits_of_psap(&self, caller: &Caller) -> Option<CallChange> {
        if !self.announced.ten_digits || caller.class != CallerClass::Emergency {
            return None;
        }
        let number = self.ten_digits.find(caller.asks_for(), caller.commune.as_deref())?;
        (number != caller.number).then(|| {
            let (digits, trunk_group) = (number.to_owned(), self.ten_digit_trunk_group);
            CallChange::TenDigits(TenDigitCall { digits, trunk_group })
        })
    }
}

#[cfg(test)]
mod tests;
