//! What a metric comes to while a campaign runs.

use contract::GeneratorSnapshot;
use telemetry::LatencyHistogram;
use telemetry::metric::{Metric, Quantile};

/// What a threshold would measure if the campaign ended now: of the attempts whose fate is known.
/// `None` when there are none yet, or when only the records of the whole run can tell.
#[must_use]
pub fn measured_so_far(callers: &GeneratorSnapshot, metric: Metric) -> Option<f64> {
    // A call that is talking has been answered, whatever becomes of it.
    let known = callers.offered - callers.in_progress + callers.talking;
    let share = |part: u64| (known > 0).then(|| part as f64 / known as f64);
    let delay = |delays: &LatencyHistogram, quantile: Quantile| {
        let micros = delays.at(quantile.value())?;
        Some(micros as f64 / 1e6)
    };
    match metric {
        Metric::AnsweredShare | Metric::Asr => share(callers.answered + callers.talking),
        Metric::RejectedShare => share(callers.rejected),
        Metric::AbandonedShare => share(callers.abandoned),
        Metric::TimedOutShare => share(callers.timed_out),
        Metric::LostShare => share(callers.lost),
        Metric::FailedShare => share(callers.failed()),
        Metric::Pdd(quantile) => delay(&callers.pdd, quantile),
        Metric::AnswerDelay(quantile) => delay(&callers.setup, quantile),
        _ => None,
    }
}
