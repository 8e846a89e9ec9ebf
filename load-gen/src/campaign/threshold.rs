//! Thresholds: what a run must measure to pass.

use topology::parse_duration;
use topology::reader::{Raw, Table, kind};

/// A bound on one metric. At least one of `min` and `max` is set.
///
/// Bounds are shares from 0 to 1, scores from 1 to 4.5, or seconds where the metric is a delay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    pub metric: Metric,
    pub min: Option<f64>,
    pub max: Option<f64>,
}

/// What a threshold may bound. Shares are of all attempts offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    AnsweredShare,
    RejectedShare,
    AbandonedShare,
    TimedOutShare,
    LostShare,
    /// Rejected, timed out or lost: neither answered nor given up by the caller.
    FailedShare,
    /// Post-dial delay: intended start to the first of 180, 183 and 200.
    Pdd(Quantile),
    /// Intended start to 200.
    AnswerDelay(Quantile),
    /// Calls heard both ways, of those with media that could be judged.
    HeardShare,
    /// Mean opinion score of the streams (ITU-T G.107).
    Mos(MosQuantile),
}

/// A point of the distribution of scores, from the bad end: 95 % of the streams are at least as good as `P5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MosQuantile {
    P50,
    P5,
    P1,
    Min,
}

/// A point of a distribution of delays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantile {
    P50,
    P90,
    P95,
    P99,
    Max,
}

const METRICS: [(&str, Metric); 21] = [
    ("heard_share", Metric::HeardShare),
    ("mos_p50", Metric::Mos(MosQuantile::P50)),
    ("mos_p5", Metric::Mos(MosQuantile::P5)),
    ("mos_p1", Metric::Mos(MosQuantile::P1)),
    ("mos_min", Metric::Mos(MosQuantile::Min)),
    ("answered_share", Metric::AnsweredShare),
    ("rejected_share", Metric::RejectedShare),
    ("abandoned_share", Metric::AbandonedShare),
    ("timed_out_share", Metric::TimedOutShare),
    ("lost_share", Metric::LostShare),
    ("failed_share", Metric::FailedShare),
    ("pdd_p50", Metric::Pdd(Quantile::P50)),
    ("pdd_p90", Metric::Pdd(Quantile::P90)),
    ("pdd_p95", Metric::Pdd(Quantile::P95)),
    ("pdd_p99", Metric::Pdd(Quantile::P99)),
    ("pdd_max", Metric::Pdd(Quantile::Max)),
    ("answer_delay_p50", Metric::AnswerDelay(Quantile::P50)),
    ("answer_delay_p90", Metric::AnswerDelay(Quantile::P90)),
    ("answer_delay_p95", Metric::AnswerDelay(Quantile::P95)),
    ("answer_delay_p99", Metric::AnswerDelay(Quantile::P99)),
    ("answer_delay_max", Metric::AnswerDelay(Quantile::Max)),
];

impl Threshold {
    pub(super) fn read(table: &Table<'_>) -> Self {
        let metric = table.required("metric", kind::choice(&METRICS), Metric::AnsweredShare);
        let bound = |raw: Raw<'_>| metric.bound(raw);
        let threshold =
            Self { metric, min: table.optional("min", bound), max: table.optional("max", bound) };
        match (threshold.min, threshold.max) {
            (None, None) if !table.has("min") && !table.has("max") => {
                table.report_here("needs min or max");
            }
            (Some(min), Some(max)) if min > max => table.report("min", "must not exceed max"),
            _ => {}
        }
        threshold
    }

    /// Whether `measured`, in the unit of the bounds, keeps within them.
    #[must_use]
    pub fn holds(&self, measured: f64) -> bool {
        !measured.is_nan()
            && self.min.is_none_or(|min| measured >= min)
            && self.max.is_none_or(|max| measured <= max)
    }
}

impl Metric {
    /// The name of this metric in files and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        let named = METRICS.iter().find(|(_, metric)| *metric == self);
        named.map(|(name, _)| *name).expect("the table names every metric")
    }

    /// Whether this is a delay in seconds, rather than a share.
    #[must_use]
    pub fn is_delay(self) -> bool {
        matches!(self, Self::Pdd(_) | Self::AnswerDelay(_))
    }

    fn bound(self, raw: Raw<'_>) -> Result<f64, String> {
        if matches!(self, Self::Mos(_)) {
            return kind::number(1.0..=4.5)(raw);
        }
        if !self.is_delay() {
            return kind::share(raw);
        }
        let duration = parse_duration(&kind::text(raw)?).map_err(|error| error.to_string())?;
        Ok(duration.as_secs_f64())
    }
}

impl Quantile {
    /// From 0 to 1.
    #[must_use]
    pub fn value(self) -> f64 {
        match self {
            Self::P50 => 0.50,
            Self::P90 => 0.90,
            Self::P95 => 0.95,
            Self::P99 => 0.99,
            Self::Max => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_holds_within_its_bounds_and_never_without_a_measure() {
        let threshold = Threshold { metric: Metric::AnsweredShare, min: Some(0.5), max: Some(0.9) };
        assert!(threshold.holds(0.5) && threshold.holds(0.9));
        assert!(!threshold.holds(0.49) && !threshold.holds(0.91) && !threshold.holds(f64::NAN));
    }
}
