//! What the callers counted from second to second: rates, and how they went.

use std::collections::VecDeque;
use std::time::Duration;

use account::summary::measured_so_far;
use contract::GeneratorSnapshot;
use telemetry::metric::{Metric, Quantile};
use telemetry::{LatencyHistogram, Quantiles};

/// Seconds that the curves remember: more than a terminal is wide.
const HISTORY: usize = 1_000;

/// One second of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Moment {
    /// Calls offered in it.
    pub(crate) offered: u64,
    /// Answered, of those whose fate became known in it; from 0 to 1.
    pub(crate) asr: Option<f64>,
    /// The 95th percentile of the post-dial delays that ended in it, in microseconds.
    pub(crate) delay: Option<u64>,
}

/// The figures of the callers. Rates are per second, over the last second or so.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct CallCounts {
    pub(crate) offered: u64,
    pub(crate) offered_rate: f64,
    pub(crate) answered: u64,
    pub(crate) answered_rate: f64,
    pub(crate) failed: u64,
    pub(crate) failed_rate: f64,
    pub(crate) abandoned: u64,
    pub(crate) in_progress: u64,
    pub(crate) talking: u64,
    /// Answered, of those whose fate is known; from 0 to 1.
    pub(crate) asr: Option<f64>,
    /// From intended start to the first ring or answer, and to the answer.
    pub(crate) pdd: Quantiles,
    pub(crate) setup: Quantiles,
    /// From intended to actual start, in microseconds.
    pub(crate) lag_p99: Option<u64>,
    pub(crate) late: u64,
    pub(crate) not_started: u64,
}

/// Remembers the counts before, for rates.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    last_at: Duration,
    last: Counted,
    rates: (f64, f64, f64),
    history: VecDeque<Moment>,
}

/// What was counted when it was looked at last.
#[derive(Debug, Default)]
struct Counted {
    offered: u64,
    answered: u64,
    failed: u64,
    /// Answered, failed or given up.
    known: u64,
    pdd: LatencyHistogram,
}

impl Counted {
    fn of(shown: &GeneratorSnapshot) -> Self {
        let answered = shown.answered + shown.talking;
        let known = answered + shown.failed() + shown.abandoned;
        let (offered, failed, pdd) = (shown.offered, shown.failed(), shown.pdd.clone());
        Self { offered, answered, failed, known, pdd }
    }
}

impl Rates {
    /// Takes in the counts of the callers at `at`, and tells what they come to.
    pub(crate) fn update(&mut self, at: Duration, now: &GeneratorSnapshot) -> CallCounts {
        let interval = at.saturating_sub(self.last_at).as_secs_f64();
        // Processes show themselves once a second.
        if interval >= 1.0 {
            self.look(now, interval);
            self.last_at = at;
        }
        CallCounts {
            offered: now.offered,
            offered_rate: self.rates.0,
            answered: now.answered + now.talking,
            answered_rate: self.rates.1,
            failed: now.failed(),
            failed_rate: self.rates.2,
            abandoned: now.abandoned,
            in_progress: now.in_progress,
            talking: now.talking,
            asr: measured_so_far(now, Metric::Asr),
            pdd: now.pdd.quantiles(),
            setup: now.setup.quantiles(),
            lag_p99: now.lag_quantiles().p99,
            late: now.late_starts,
            not_started: now.not_started,
        }
    }

    fn look(&mut self, now: &GeneratorSnapshot, interval: f64) {
        let (last, now) = (&self.last, Counted::of(now));
        let more = |now: u64, before: u64| now.saturating_sub(before);
        let rate = |now: u64, before: u64| more(now, before) as f64 / interval;
        self.rates = (
            rate(now.offered, last.offered),
            rate(now.answered, last.answered),
            rate(now.failed, last.failed),
        );
        let known = more(now.known, last.known);
        let asr =
            (known > 0).then(|| (more(now.answered, last.answered) as f64 / known as f64).min(1.0));
        let delay = now.pdd.since(&last.pdd).at(Quantile::P95);
        self.history.push_back(Moment { offered: self.rates.0.round() as u64, asr, delay });
        if self.history.len() > HISTORY {
            self.history.pop_front();
        }
        self.last = now;
    }

    pub(crate) fn history(&self) -> Vec<Moment> {
        self.history.iter().copied().collect()
    }
}
