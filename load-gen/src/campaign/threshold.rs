//! Thresholds: what a run must measure to pass.

use std::fmt;
use std::time::Duration;

use topology::parse_duration;
use topology::reader::{Raw, Table, kind};

use crate::summary::ThresholdResult;

/// A bound on one metric. At least one of `min` and `max` is set.
///
/// Bounds are shares from 0 to 1, scores from 1 to 4.5, or seconds where the metric is a delay.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    pub metric: Metric,
    /// Of these attempts alone; of all, if `None`.
    pub of: Option<Scope>,
    pub min: Option<f64>,
    pub max: Option<f64>,
    /// The campaign ends once the bound does not hold, but not before this time of it.
    pub abort_from: Option<Duration>,
}

/// A part of the attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    pub kind: ScopeKind,
    /// Of the site, the trunk group …
    pub name: String,
}

/// What attempts may be told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeKind {
    Site,
    TrunkGroup,
    Number,
    Department,
    Psap,
}

impl ScopeKind {
    pub const ALL: [Self; 5] =
        [Self::Site, Self::TrunkGroup, Self::Number, Self::Department, Self::Psap];

    /// The key of a threshold that names one.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::TrunkGroup => "trunk_group",
            Self::Number => "number",
            Self::Department => "department",
            Self::Psap => "psap",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            ScopeKind::TrunkGroup => "trunk group",
            ScopeKind::Department => "département",
            ScopeKind::Psap => "PSAP",
            ScopeKind::Site | ScopeKind::Number => self.kind.key(),
        };
        write!(f, "{kind} {}", self.name)
    }
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
    /// Answer-seizure ratio (ITU-T E.425).
    Asr,
    /// Network effectiveness ratio (ITU-T E.425).
    Ner,
    /// Session establishment ratio (RFC 6076 §4.6).
    Ser,
    /// Session establishment effectiveness ratio (RFC 6076 §4.7).
    Seer,
    /// Ineffective session attempts (RFC 6076 §4.8).
    Isa,
    /// Session completion ratio (RFC 6076 §4.9).
    Scr,
    /// Post-dial delay: intended start to the first of 180, 183 and 200.
    Pdd(Quantile),
    /// Intended start to 200.
    AnswerDelay(Quantile),
    /// Session disconnect delay (RFC 6076 §4.4): BYE of the caller to its response.
    Sdd(Quantile),
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

const METRICS: [(&str, Metric); 32] = [
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
    ("asr", Metric::Asr),
    ("ner", Metric::Ner),
    ("ser", Metric::Ser),
    ("seer", Metric::Seer),
    ("isa", Metric::Isa),
    ("scr", Metric::Scr),
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
    ("sdd_p50", Metric::Sdd(Quantile::P50)),
    ("sdd_p90", Metric::Sdd(Quantile::P90)),
    ("sdd_p95", Metric::Sdd(Quantile::P95)),
    ("sdd_p99", Metric::Sdd(Quantile::P99)),
    ("sdd_max", Metric::Sdd(Quantile::Max)),
];

impl Threshold {
    pub(super) fn read(table: &Table<'_>) -> Self {
        let delay = table.or("delay", kind::duration(Duration::ZERO), Duration::ZERO);
        let abort = table.or("abort", kind::flag, false);
        let bounds = Self::read_bounds(table);
        let of = Scope::read(table, bounds.metric);
        let threshold = Self { of, abort_from: abort.then_some(delay), ..bounds };
        if table.has("delay") && !abort {
            table.report("delay", "needs abort = true: only that is judged while the calls run");
        }
        if abort && (!threshold.metric.is_live() || threshold.of.is_some()) {
            table.report(
                "abort",
                "only the shares, asr, pdd_… and answer_delay_… of all attempts are known while the calls run",
            );
        }
        threshold
    }

    /// A condition of the steady state: judged while the calls run, of all attempts so far.
    pub(super) fn read_condition(table: &Table<'_>) -> Self {
        let condition = Self::read_bounds(table);
        if !condition.metric.is_live() {
            let message =
                "is not known while the calls run; use a share, asr, pdd_… or answer_delay_…";
            table.report("metric", message);
        }
        condition
    }

    /// A metric of all attempts, and its bounds.
    fn read_bounds(table: &Table<'_>) -> Self {
        let metric = table.required("metric", kind::choice(&METRICS), Metric::AnsweredShare);
        let bound = |raw: Raw<'_>| metric.bound(raw);
        let threshold = Self {
            metric,
            of: None,
            min: table.optional("min", bound),
            max: table.optional("max", bound),
            abort_from: None,
        };
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

impl Scope {
    fn read(table: &Table<'_>, metric: Metric) -> Option<Self> {
        let mut found = None;
        for kind in ScopeKind::ALL {
            let Some(name) = table.optional(kind.key(), kind::text) else { continue };
            if found.is_some() {
                table.report(
                    kind.key(),
                    "a threshold is of one site, trunk group, number, department or psap",
                );
            }
            if !metric.is_of_a_part() {
                let message = format!("{} is only measured of all attempts", metric.as_str());
                table.report(kind.key(), message);
            }
            found = Some(Self { kind, name });
        }
        found
    }
}

impl Threshold {
    /// The sentence about `measured`, in the unit of the bounds, if that does not hold.
    #[must_use]
    pub fn breach(&self, measured: f64) -> Option<String> {
        ThresholdResult::of(self, measured, true).breach()
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
        matches!(self, Self::Pdd(_) | Self::AnswerDelay(_) | Self::Sdd(_))
    }

    /// Whether it is known while the calls run.
    #[must_use]
    pub fn is_live(self) -> bool {
        !matches!(
            self,
            Self::Ner
                | Self::Ser
                | Self::Seer
                | Self::Isa
                | Self::Scr
                | Self::Sdd(_)
                | Self::HeardShare
                | Self::Mos(_)
        )
    }

    /// Whether a part of the attempts has it.
    #[must_use]
    pub fn is_of_a_part(self) -> bool {
        !matches!(
            self,
            Self::RejectedShare
                | Self::AbandonedShare
                | Self::TimedOutShare
                | Self::LostShare
                | Self::HeardShare
                | Self::Mos(_)
        )
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
        let threshold = Threshold {
            metric: Metric::AnsweredShare,
            of: None,
            min: Some(0.5),
            max: Some(0.9),
            abort_from: None,
        };
        assert!(threshold.holds(0.5) && threshold.holds(0.9));
        assert!(!threshold.holds(0.49) && !threshold.holds(0.91) && !threshold.holds(f64::NAN));
    }
}
