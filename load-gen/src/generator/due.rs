//! Calls that people are about to place.

use std::time::Instant;

use contract::GeneratorSnapshot;

use crate::caller::{CallChange, Caller};

/// A person who will call again.
#[derive(Debug)]
pub(super) struct DueRedial {
    pub(super) caller: Caller,
    pub(super) way: CallChange,
}

/// A call that is to be placed now.
#[derive(Debug)]
pub(super) struct DueCall {
    /// When the schedule, or the person, wanted it to start.
    pub(super) intended: Instant,
    pub(super) caller: Caller,
    pub(super) way: CallChange,
}

impl DueCall {
    /// Counts it, and how it differs from the call before.
    pub(super) fn count(&self, counts: &mut GeneratorSnapshot) {
        *if self.caller.nth == 1 { &mut counts.callers } else { &mut counts.redials } += 1;
        match self.way {
            CallChange::AsBefore => {}
            CallChange::OtherNetwork(_) => counts.switched_network += 1,
            CallChange::OtherNumber(_) => counts.switched_number += 1,
            CallChange::TenDigits(_) => counts.ten_digit += 1,
        }
    }
}
