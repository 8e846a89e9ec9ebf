//! Calls that people are about to place.

use std::time::Instant;

use contract::GeneratorSnapshot;

use crate::caller::{Caller, Way};

/// A person who will call again.
#[derive(Debug)]
pub(super) struct Redial {
    pub(super) caller: Caller,
    pub(super) way: Way,
}

/// A call that is to be placed now.
#[derive(Debug)]
pub(super) struct Due {
    /// When the schedule, or the person, wanted it to start.
    pub(super) intended: Instant,
    pub(super) caller: Caller,
    pub(super) way: Way,
}

impl Due {
    /// Counts it, and how it differs from the call before.
    pub(super) fn count(&self, counts: &mut GeneratorSnapshot) {
        *if self.caller.nth == 1 { &mut counts.callers } else { &mut counts.redials } += 1;
        match self.way {
            Way::AsBefore => {}
            Way::OtherNetwork(_) => counts.switched_network += 1,
            Way::OtherNumber(_) => counts.switched_number += 1,
            Way::TenDigits(_) => counts.ten_digit += 1,
        }
    }
}
