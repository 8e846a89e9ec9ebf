//! The attempts of one site, trunk group, number, département or PSAP, or of all of them, by the names of the standards.

use std::time::Duration;

use telemetry::metric::{AttemptCounts, share};
use telemetry::{Delays, Entry, Outcome};

use super::figures::{GroupMetrics, Ratios};

/// Counts of a group of attempts.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) counts: AttemptCounts,
    /// Time on circuits while there was load, in microseconds.
    busy_us: u64,
    pub(super) pdd: Delays,
    pub(super) setup: Delays,
    pub(super) sdd: Delays,
    pub(super) sdt: Delays,
}

impl Group {
    /// Takes the record of a caller, who was on circuits for `busy_us` while there was load.
    pub(super) fn add(&mut self, record: &Entry<'_>, busy_us: u64) {
        let (rang, was_answered) = (record.ring_us.is_some(), record.answer_us.is_some());
        self.counts.add(record.outcome, record.status, rang, was_answered);
        if let Some(pdd) = record.post_dial_delay_us() {
            self.pdd.record_us(pdd);
        }
        if let Some(setup) = record.setup_us() {
            self.setup.record_us(setup);
        }
        self.add_end(record);
        self.busy_us += busy_us;
    }

    /// RFC 6076 §4.4, §4.5.1: from the BYE to its response, and from the 200 to the BYE, of calls that ended well.
    fn add_end(&mut self, record: &Entry<'_>) {
        let Some(answer) = record.answer_us.filter(|_| record.outcome == Outcome::Answered) else {
            return;
        };
        if let Some(bye) = record.bye_us {
            self.sdd.record_us(record.end_us.saturating_sub(bye));
        }
        let end = record.bye_us.unwrap_or(record.end_us);
        self.sdt.record_us(end.saturating_sub(answer));
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
        &mut self,
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
            pdd: self.pdd.quantiles(),
            setup: self.setup.quantiles(),
            sdd: self.sdd.quantiles(),
            sdt: self.sdt.quantiles(),
        }
    }
}
