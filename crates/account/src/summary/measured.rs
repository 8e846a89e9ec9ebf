//! What each metric of the catalogue comes to in a run, and in a part of one.

use std::time::Duration;

use campaign::{Scope, ScopeKind};
use telemetry::metric::{AttemptCounts, Metric, MosQuantile, Quantile, share};
use telemetry::{Ledger, Quantiles};

use super::figures::{GroupMetrics, Metrics};
use super::media::MediaFigures;

/// Of all attempts, in the unit of the metric. `None` when there is nothing to measure.
pub(super) fn measured(
    metric: Metric,
    ledger: &Ledger,
    metrics: &Metrics,
    media: Option<&MediaFigures>,
) -> Option<f64> {
    match metric {
        // Shares by outcome are the ledger's, which hears all boxes and not the callers alone.
        Metric::AnsweredShare
        | Metric::RejectedShare
        | Metric::AbandonedShare
        | Metric::TimedOutShare
        | Metric::LostShare
        | Metric::FailedShare => metric.ratio(&by_outcome(ledger)),
        Metric::Pdd(quantile) | Metric::AnswerDelay(quantile) | Metric::Sdd(quantile) => {
            seconds(metrics.delays(metric)?, quantile)
        }
        Metric::HeardShare => media?.heard_share,
        Metric::Mos(quantile) => {
            let mos = media?.mos;
            match quantile {
                MosQuantile::P50 => mos.p50,
                MosQuantile::P5 => mos.p5,
                MosQuantile::P1 => mos.p1,
                MosQuantile::Min => mos.min,
            }
        }
        ratio => metrics.ratios.get(ratio),
    }
}

fn by_outcome(ledger: &Ledger) -> AttemptCounts {
    AttemptCounts {
        offered: ledger.offered,
        answered: ledger.answered,
        rejected: ledger.rejected,
        abandoned: ledger.abandoned,
        timed_out: ledger.timed_out,
        lost: ledger.lost,
        ..AttemptCounts::default()
    }
}

impl Metrics {
    /// The delays that a metric is a quantile of. `None` for what is no delay.
    #[must_use]
    pub const fn delays(&self, metric: Metric) -> Option<&Quantiles> {
        match metric {
            Metric::Pdd(_) => Some(&self.pdd),
            Metric::AnswerDelay(_) => Some(&self.setup),
            Metric::Sdd(_) => Some(&self.sdd),
            _ => None,
        }
    }

    /// The attempts of one part.
    pub(super) fn part(&self, scope: &Scope) -> Option<&GroupMetrics> {
        let parts = match scope.kind {
            ScopeKind::Site => &self.by_site,
            ScopeKind::TrunkGroup => &self.by_trunk_group,
            ScopeKind::Number => &self.by_number,
            ScopeKind::Department => &self.by_department,
            ScopeKind::Psap => &self.by_psap,
        };
        parts.get(&scope.name)
    }
}

impl GroupMetrics {
    /// In the unit of the metric. `None` when there is nothing to measure, and for what parts do not have.
    pub(super) fn measured(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::AnsweredShare => share(self.answered, self.offered),
            Metric::FailedShare => share(self.failed, self.offered),
            Metric::Pdd(quantile) => seconds(&self.pdd, quantile),
            Metric::AnswerDelay(quantile) => seconds(&self.setup, quantile),
            Metric::Sdd(quantile) => seconds(&self.sdd, quantile),
            ratio => self.ratios.get(ratio),
        }
    }
}

fn seconds(delays: &Quantiles, quantile: Quantile) -> Option<f64> {
    // As a bound of the same length becomes seconds, so that what keeps it to the microsecond keeps it here.
    delays.at(quantile).map(|micros| Duration::from_micros(micros).as_secs_f64())
}
