//! What a metric comes to while a campaign runs.

use std::time::Duration;

use contract::GeneratorSnapshot;
use telemetry::LatencyHistogram;
use telemetry::metric::{AttemptCounts, Metric, Quantile};

/// What a threshold would measure if the campaign ended now: of the attempts whose fate is known.
/// `None` when there are none yet, or when only the records of the whole run can tell.
#[must_use]
pub fn measured_so_far(callers: &GeneratorSnapshot, metric: Metric) -> Option<f64> {
    let delay = |delays: &LatencyHistogram, quantile: Quantile| {
        let micros = delays.at(quantile)?;
        Some(Duration::from_micros(micros).as_secs_f64())
    };
    match metric {
        Metric::Pdd(quantile) => delay(&callers.pdd, quantile),
        Metric::AnswerDelay(quantile) => delay(&callers.setup, quantile),
        ratio if ratio.definition().is_live => ratio.ratio(&known(callers)),
        _ => None,
    }
}

/// A call that is talking has been answered, whatever becomes of it; one that rings is not counted yet.
fn known(callers: &GeneratorSnapshot) -> AttemptCounts {
    let answered = callers.answered + callers.talking;
    AttemptCounts {
        offered: answered + callers.abandoned + callers.failed(),
        answered,
        established: answered,
        rejected: callers.rejected,
        abandoned: callers.abandoned,
        timed_out: callers.timed_out,
        lost: callers.lost,
        ..AttemptCounts::default()
    }
}
