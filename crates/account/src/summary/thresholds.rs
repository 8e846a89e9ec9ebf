//! Thresholds that were measured.

use serde::{Deserialize, Serialize};

use campaign::Threshold;

/// How one threshold of the campaign came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ThresholdResult {
    /// The name of the metric.
    pub metric: String,
    /// Of which part of the attempts: `site alpha`; `null` for all of them.
    #[serde(default)]
    pub of: Option<String>,
    /// In the unit of the bounds; `null` when no call got that far.
    pub measured: Option<f64>,
    pub min: Option<f64>,
    pub max: Option<f64>,
    /// The unit of all three: `s`, or nothing.
    pub unit: String,
    /// Whether it keeps within its bounds; `null` when it is not judged, as of an interrupted run.
    pub holds: Option<bool>,
}

impl ThresholdResult {
    /// Of what was measured, NaN when nothing was. `is_judged` is false when that was not what the threshold is for.
    #[must_use]
    pub fn of(threshold: &Threshold, measured: f64, is_judged: bool) -> Self {
        Self {
            metric: threshold.metric.as_str().to_owned(),
            of: threshold.of.as_ref().map(ToString::to_string),
            measured: Some(measured).filter(|measured| measured.is_finite()),
            min: threshold.min,
            max: threshold.max,
            unit: if threshold.metric.is_delay() { "s" } else { "" }.to_owned(),
            holds: is_judged.then(|| threshold.holds(measured)),
        }
    }

    /// What it bounds, in words: `asr of site alpha`.
    #[must_use]
    pub fn subject(&self) -> String {
        match &self.of {
            Some(of) => format!("{} of {of}", self.metric),
            None => self.metric.clone(),
        }
    }

    /// The bounds in words: `at least 0.9 and at most 1`.
    #[must_use]
    pub fn bounds(&self) -> String {
        let unit = self.spaced_unit();
        let bounds = [("at least", self.min), ("at most", self.max)];
        let bounds = bounds.into_iter().filter_map(|(word, bound)| Some((word, bound?)));
        let bounds: Vec<String> =
            bounds.map(|(word, bound)| format!("{word} {bound}{unit}")).collect();
        bounds.join(" and ")
    }

    /// The sentence about it when it does not hold.
    #[must_use]
    pub fn breach(&self) -> Option<String> {
        if self.holds != Some(false) {
            return None;
        }
        let (name, unit) = (self.subject(), self.spaced_unit());
        let Some(measured) = self.measured else {
            return Some(format!("{name} could not be measured: no call got that far"));
        };
        Some(format!("{name} is {measured:.4}{unit}, must be {}", self.bounds()))
    }

    fn spaced_unit(&self) -> String {
        if self.unit.is_empty() { String::new() } else { format!(" {}", self.unit) }
    }
}
