//! Thresholds that were measured.

use serde::{Deserialize, Serialize};
use telemetry::metric::Metric;

use campaign::Threshold;

/// Decimals of what is told of a figure: as many as it takes to see on which side of its bound it is, within these.
const DECIMALS: std::ops::RangeInclusive<usize> = 4..=9;

/// How one threshold of the campaign came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ThresholdResult {
    /// The name of the metric.
    pub metric: String,
    /// Of which part of the attempts: `site alpha`; `null` for all of them.
    #[serde(default)]
    pub of: Option<String>,
    /// In the unit of the bounds; `null` when there was nothing to measure.
    pub measured: Option<f64>,
    pub min: Option<f64>,
    pub max: Option<f64>,
    /// The unit of all three: `s`, or nothing.
    pub unit: String,
    /// Whether it keeps within its bounds; `null` when it is not judged, as of an interrupted run.
    pub holds: Option<bool>,
    /// Why it is not judged, or why there was nothing to measure; `null` when it was judged by a figure.
    #[serde(default)]
    pub reason: Option<String>,
}

impl ThresholdResult {
    /// Of what was measured, NaN when nothing was. `unjudged` says why it is not judged, when that was not what the threshold
    /// is for.
    #[must_use]
    pub fn of(threshold: &Threshold, measured: f64, unjudged: Option<&str>) -> Self {
        let Threshold { metric, of, min, max, .. } = threshold;
        let of = of.as_ref().map(ToString::to_string);
        let measured = Some(measured).filter(|measured| measured.is_finite());
        let absence = || measured.is_none().then(|| absence(*metric, of.as_deref()));
        Self {
            reason: unjudged.map(str::to_owned).or_else(absence),
            metric: metric.as_str().to_owned(),
            of,
            measured,
            min: *min,
            max: *max,
            unit: if metric.is_delay() { "s" } else { "" }.to_owned(),
            holds: match unjudged {
                None => Some(measured.is_some_and(|measured| threshold.holds(measured))),
                Some(_) => None,
            },
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

    /// What was measured, with its unit; `-` when there was nothing to measure. A figure that is beyond a bound never reads as
    /// the bound itself.
    #[must_use]
    pub fn figure(&self) -> String {
        let Some(measured) = self.measured else { return "-".to_owned() };
        let side = |measured: f64| {
            [self.min, self.max].map(|bound| bound.and_then(|bound| measured.partial_cmp(&bound)))
        };
        let told = |decimals: usize| format!("{measured:.decimals$}");
        let tells = |text: &String| text.parse().is_ok_and(|told| side(told) == side(measured));
        let told = DECIMALS.map(told).find(tells).unwrap_or_else(|| measured.to_string());
        format!("{told}{}", self.spaced_unit())
    }

    /// The sentence about it when it does not hold.
    #[must_use]
    pub fn breach(&self) -> Option<String> {
        if self.holds != Some(false) {
            return None;
        }
        let name = self.subject();
        if self.measured.is_none() {
            let why = self.reason.as_deref().unwrap_or("no call got that far");
            return Some(format!("{name} could not be measured: {why}"));
        }
        Some(format!("{name} is {}, must be {}", self.figure(), self.bounds()))
    }

    fn spaced_unit(&self) -> String {
        if self.unit.is_empty() { String::new() } else { format!(" {}", self.unit) }
    }
}

/// Why there is nothing to measure.
fn absence(metric: Metric, of: Option<&str>) -> String {
    let of = of.map_or_else(String::new, |of| format!(" of {of}"));
    let what = match metric {
        Metric::Pdd(_) => "rang or was answered",
        Metric::AnswerDelay(_) => "was answered",
        Metric::Sdd(_) => "that was answered ended with a BYE and its response",
        Metric::HeardShare => "had media that could be judged",
        Metric::Mos(_) => "had a stream that could be rated",
        _ => "that it is a share of was offered",
    };
    format!("no call{of} {what}")
}

#[cfg(test)]
mod tests {
    use telemetry::metric::Quantile;

    use super::*;

    fn threshold(metric: Metric, min: Option<f64>, max: Option<f64>) -> Threshold {
        Threshold { metric, of: None, min, max, abort_from: None }
    }

    #[test]
    fn a_figure_beyond_its_bound_does_not_read_as_the_bound() {
        let most = threshold(Metric::Pdd(Quantile::P99), None, Some(0.03));
        let breach = |measured| ThresholdResult::of(&most, measured, None).breach();
        assert_eq!(breach(0.03), None);
        let told = breach(0.030_001).expect("a breach");
        assert_eq!(told, "pdd_p99 is 0.030001 s, must be at most 0.03 s");
        assert_eq!(breach(1.5).expect("a breach"), "pdd_p99 is 1.5000 s, must be at most 0.03 s");
        let least = threshold(Metric::Asr, Some(0.9), None);
        let told = ThresholdResult::of(&least, 0.899_999, None).breach().expect("a breach");
        assert_eq!(told, "asr is 0.899999, must be at least 0.9");
    }

    #[test]
    fn what_was_not_measured_has_a_reason_of_its_own() {
        for (metric, why) in [
            (Metric::Pdd(Quantile::Max), "no call rang or was answered"),
            (Metric::AnswerDelay(Quantile::P50), "no call was answered"),
            (Metric::HeardShare, "no call had media that could be judged"),
        ] {
            let result = ThresholdResult::of(&threshold(metric, None, Some(1.0)), f64::NAN, None);
            assert_eq!((result.measured, result.holds), (None, Some(false)));
            assert_eq!((result.reason.as_deref(), &result.figure()[..]), (Some(why), "-"));
            let sentence = format!("{} could not be measured: {why}", metric.as_str());
            assert_eq!(result.breach(), Some(sentence));
            let result =
                ThresholdResult::of(&threshold(metric, None, Some(1.0)), 0.5, Some("it was not"));
            assert_eq!((result.holds, result.reason.as_deref()), (None, Some("it was not")));
            assert_eq!(result.breach(), None);
        }
    }
}
