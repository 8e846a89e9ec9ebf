//! Technicians on their way to the machine.

use std::collections::VecDeque;
use std::time::Instant;

use operations::Action;

/// Commands for which a technician is on the way, in the order of arrival.
#[derive(Debug, Default)]
pub(crate) struct Visits(VecDeque<Visit>);

/// One of them.
#[derive(Debug)]
pub(crate) struct Visit {
    at: Instant,
    pub(crate) action: Action,
    pub(crate) ticket: u64,
}

impl Visits {
    /// Somebody sets off, and is there `at` that time.
    pub(crate) fn add(&mut self, at: Instant, action: Action, ticket: u64) {
        self.0.push_back(Visit { at, action, ticket });
    }

    /// The next one who has arrived by `now`.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Visit> {
        self.0.pop_front_if(|visit| visit.at <= now)
    }

    /// When the next one arrives.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.front().map(|visit| visit.at)
    }
}
