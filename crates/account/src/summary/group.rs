//! The attempts of one site, trunk group, number, département or PSAP, or of all of them, by the names of the standards.

use std::time::Duration;

use telemetry::metric::{AttemptCounts, share};
use telemetry::{Entry, Outcome, Quantiles};

use super::delay_table::MEASURES;
use super::figures::{GroupMetrics, Ratios};

/// Counts of a group of attempts. Their delays are in the table of all delays.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) counts: AttemptCounts,
    /// Time on circuits while there was load, in microseconds.
    busy_us: u64,
}

/// The delays of an attempt, by its caller: until it rang, until it was answered, and, RFC 6076 §4.4, §4.5.1, from the BYE to its
/// response and from the 200 to the BYE, of calls that ended well.
pub(super) fn delays(record: &Entry<'_>) -> [Option<u64>; MEASURES] {
    let answer = record.answer_us.filter(|_| record.outcome == Outcome::Answered);
    let disconnect = record.bye_us.map(|bye| record.end_us.saturating_sub(bye));
    let end = record.bye_us.unwrap_or(record.end_us);
    [
        record.post_dial_delay_us(),
        record.setup_us(),
        disconnect.filter(|_| answer.is_some()),
        answer.map(|answer| end.saturating_sub(answer)),
    ]
}

impl Group {
    /// Takes the record of a caller, who was on circuits for `busy_us` while there was load.
    pub(super) fn add(&mut self, record: &Entry<'_>, busy_us: u64) {
        let (rang, was_answered) = (record.ring_us.is_some(), record.answer_us.is_some());
        self.counts.add(record.outcome, record.status, rang, was_answered);
        self.busy_us += busy_us;
    }

    /// Circuits occupied on average over the time of load.
    pub(super) fn erlang(&self, loaded: Duration) -> f64 {
        match loaded.as_secs_f64() {
            0.0 => 0.0,
            seconds => self.busy_us as f64 / 1e6 / seconds,
        }
    }

    pub(super) fn occupancy(&self, loaded: Duration, circuits: Option<u64>) -> Option<f64> {
        circuits
            .filter(|circuits| *circuits > 0)
            .map(|circuits| self.erlang(loaded) / circuits as f64)
    }

    pub(super) fn metrics(
        &self,
        [pdd, setup, sdd, sdt]: [Quantiles; MEASURES],
        offered_in_run: u64,
        loaded: Duration,
        circuits: Option<u64>,
    ) -> GroupMetrics {
        GroupMetrics {
            offered: self.counts.offered,
            answered: self.counts.answered,
            failed: self.counts.failed(),
            share: share(self.counts.offered, offered_in_run).unwrap_or_default(),
            ratios: Ratios::of(&self.counts),
            erlang: self.erlang(loaded),
            occupancy: self.occupancy(loaded, circuits),
            pdd,
            setup,
            sdd,
            sdt,
        }
    }
}
