//! Thresholds: what a run must measure to pass.

use std::fmt;
use std::time::Duration;

use telemetry::metric::{Metric, NAMES, Unit};
use topology::parse_duration;
use topology::reader::{Raw, Table, kind};

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
        if abort && (!threshold.metric.definition().is_live || threshold.of.is_some()) {
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
        if !condition.metric.definition().is_live {
            let message =
                "is not known while the calls run; use a share, asr, pdd_… or answer_delay_…";
            table.report("metric", message);
        }
        condition
    }

    /// A metric of all attempts, and its bounds.
    fn read_bounds(table: &Table<'_>) -> Self {
        let metric = table.required("metric", kind::choice(&NAMES), Metric::AnsweredShare);
        let bound = |raw: Raw<'_>| bound(metric, raw);
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
            if !metric.definition().is_of_a_part {
                let message = format!("{} is only measured of all attempts", metric.as_str());
                table.report(kind.key(), message);
            }
            found = Some(Self { kind, name });
        }
        found
    }
}

/// Reads a bound on `metric`: a share, a score, or a duration.
fn bound(metric: Metric, raw: Raw<'_>) -> Result<f64, String> {
    match metric.definition().unit {
        Unit::MeanOpinionScore => kind::number(1.0..=4.5)(raw),
        Unit::Share => kind::share(raw),
        Unit::Seconds => {
            let duration = parse_duration(&kind::text(raw)?).map_err(|error| error.to_string())?;
            Ok(duration.as_secs_f64())
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
