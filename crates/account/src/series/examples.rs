//! Calls that are named: the slowest to ring, and some of each way to fail.

use std::time::Duration;

use telemetry::{Entry, Outcome};

use super::failed::is_failure;

/// Slow calls that are named.
const SLOWEST: usize = 10;
/// Ways to fail that are told apart, and calls that each of them names.
const MOST_WAYS: usize = 24;
const NAMED: usize = 3;

/// The calls of a run that a tester wants to look at.
#[derive(Debug, Default)]
pub struct Examples {
    /// The slowest first.
    slowest: Vec<SlowCall>,
    failures: Vec<FailureGroup>,
    other_failures: u64,
}

/// A call that took long to ring.
#[derive(Debug, Clone, PartialEq)]
pub struct SlowCall {
    pub attempt: String,
    /// When it was due, since the start of the campaign.
    pub at: Duration,
    pub number: String,
    pub site: Option<String>,
    pub outcome: Outcome,
    pub pdd_us: u64,
}

/// All calls that failed in one way.
#[derive(Debug, Clone, PartialEq)]
pub struct FailureGroup {
    pub outcome: Outcome,
    /// The final status of the INVITE.
    pub status: Option<u16>,
    pub count: u64,
    /// The first cause, as the database and `tocsin show` tell it.
    pub reason: Option<String>,
    /// When the first and the last one were due.
    pub first: Duration,
    pub last: Duration,
    /// Some of their ids.
    pub attempts: Vec<String>,
}

impl Examples {
    /// `why` tells the first cause of a failure.
    pub(super) fn add(
        &mut self,
        record: &Entry<'_>,
        at: Duration,
        site: Option<&str>,
        why: impl FnOnce() -> Option<String>,
    ) {
        if is_failure(record.outcome) {
            self.add_failure(record, at, why());
        }
        let Some(pdd_us) = record.post_dial_delay_us() else { return };
        let place = self.slowest.partition_point(|slow| slow.pdd_us >= pdd_us);
        if place >= SLOWEST {
            return;
        }
        self.slowest.truncate(SLOWEST - 1);
        let slow = SlowCall {
            attempt: record.attempt.to_string(),
            at,
            number: record.number.to_string(),
            site: site.map(str::to_owned),
            outcome: record.outcome,
            pdd_us,
        };
        self.slowest.insert(place, slow);
    }

    fn add_failure(&mut self, record: &Entry<'_>, at: Duration, reason: Option<String>) {
        let is_same = |one: &&mut FailureGroup| {
            (one.outcome, one.status, &one.reason) == (record.outcome, record.status, &reason)
        };
        if let Some(way) = self.failures.iter_mut().find(is_same) {
            way.count += 1;
            (way.first, way.last) = (way.first.min(at), way.last.max(at));
            if way.attempts.len() < NAMED {
                way.attempts.push(record.attempt.to_string());
            }
        } else if self.failures.len() < MOST_WAYS {
            self.failures.push(FailureGroup {
                outcome: record.outcome,
                status: record.status,
                count: 1,
                reason,
                first: at,
                last: at,
                attempts: vec![record.attempt.to_string()],
            });
        } else {
            self.other_failures += 1;
        }
    }

    /// The calls that took longest to ring, the slowest first.
    pub fn slowest(&self) -> &[SlowCall] {
        &self.slowest
    }

    /// The ways in which calls failed, the most frequent first.
    pub fn failures(&self) -> Vec<&FailureGroup> {
        let mut failures: Vec<&FailureGroup> = self.failures.iter().collect();
        failures.sort_by_key(|failure| std::cmp::Reverse(failure.count));
        failures
    }

    /// Calls that failed in still other ways.
    pub const fn other_failures(&self) -> u64 {
        self.other_failures
    }
}
