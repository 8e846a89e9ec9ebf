//! Figures beside what was published, the runs of several seeds, and what each variant would have saved: as programs read them.

use serde::{Deserialize, Serialize};

use super::harm::HarmCounts;
use super::verdict::RunVerdict;

/// A number of one run, or of the runs of several seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Spread {
    /// Of an even number of runs, the middle of the two in the middle.
    pub median: f64,
    pub low: f64,
    pub high: f64,
    /// Runs in which there was something to measure.
    pub runs: u64,
}

/// A figure of the campaign's comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FigureResult {
    pub name: String,
    /// As the campaign calls it: `unrouted_share`.
    pub measure: String,
    /// Counted in this stretch of the day; `null`: the whole run.
    pub window: Option<String>,
    /// The stretch that was asked for, where the run has only a part of it.
    pub window_asked: Option<String>,
    /// Counts, shares from 0 to 1, seconds, or rates per second; `null` when there was nothing to measure.
    pub measured: Option<Spread>,
    /// In the words of public reports.
    pub published: Option<String>,
    pub published_value: Option<f64>,
    /// What can be believed of it: from, to.
    pub plausible: Option<[f64; 2]>,
    /// Whether the median is within that; `null` without a range or a figure.
    pub within: Option<bool>,
    pub source: Option<String>,
}

/// What one seed came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SeedResult {
    pub seed: u64,
    pub verdict: RunVerdict,
    /// The first sentence against it.
    pub reason: Option<String>,
    pub ledger_hash: Option<String>,
    pub harm: HarmCounts,
    /// In the order of `figures`; `null` when there was nothing to measure.
    pub figures: Vec<Option<f64>>,
}

/// What a variant saves of the harm that the campaign does, seed by seed; negative where it does more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VariantSaving {
    pub variant: String,
    pub title: String,
    /// People who were never reached.
    pub never_reached: Spread,
    /// People who were cut in conversation.
    pub cut_callers: Spread,
    /// Attempts that were not routed.
    pub not_routed: Spread,
}

impl Spread {
    /// `None` without a number.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_unstable_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = match values.len() % 2 {
            1 => values[middle],
            _ => f64::midpoint(*values.get(middle.checked_sub(1)?)?, values[middle]),
        };
        Some(Self { median, low: values[0], high: *values.last()?, runs: values.len() as u64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_has_the_middle_and_the_ends() {
        let of = |values: &[f64]| {
            Spread::of(values.iter().copied()).map(|it| (it.low, it.median, it.high, it.runs))
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[3.0]), Some((3.0, 3.0, 3.0, 1)));
        assert_eq!(of(&[9.0, 1.0, 2.0]), Some((1.0, 2.0, 9.0, 3)));
        assert_eq!(of(&[9.0, 1.0, 2.0, 3.0]), Some((1.0, 2.5, 9.0, 4)));
    }
}
