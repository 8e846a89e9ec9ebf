//! Calls that people are about to place.

use std::time::Instant;

use contract::GeneratorSnapshot;
use hashbrown::HashMap;
use sip_proto::deadlines::{ByKey, Deadlines};

use crate::caller::{CallChange, Caller};

/// A person who will call again.
#[derive(Debug)]
pub(super) struct DueRedial {
    pub(super) caller: Caller,
    pub(super) way: CallChange,
}

/// All who will call again; the number of their first call names each. Of those due at the same instant, the least number
/// comes first.
#[derive(Debug, Default)]
pub(super) struct Redials {
    deadlines: Deadlines<u64, ByKey>,
    people: HashMap<u64, DueRedial>,
}

impl Redials {
    pub(super) fn add(&mut self, due: Instant, redial: DueRedial) {
        self.deadlines.set(redial.caller.index, due);
        self.people.insert(redial.caller.index, redial);
    }

    /// When somebody calls again.
    pub(super) fn next(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// Takes whoever calls first, if they are due.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<DueCall> {
        let (intended, person) = self.deadlines.pop_due(now)?;
        let DueRedial { mut caller, way } = self.people.remove(&person)?;
        caller.turn_to(&way);
        Some(DueCall { intended, caller, way })
    }

    pub(super) fn len(&self) -> usize {
        self.people.len()
    }
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
