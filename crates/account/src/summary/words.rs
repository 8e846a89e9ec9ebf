//! Thresholds in words: their figures in the units that people are told everywhere, percent and milliseconds.

use telemetry::metric::{Metric, NAMES, Unit};

use super::ThresholdResult;
use crate::text::grouped;

/// Decimals that are tried before two figures that differ are told alike.
const MOST_DECIMALS: usize = 8;

/// What was measured, exact enough to be told from a bound that it misses; `None` where nothing was.
#[must_use]
pub fn measured(result: &ThresholdResult) -> Option<String> {
    let measured = result.measured?;
    let shortest = amount(result, measured, 1);
    let missed = [result.min, result.max].into_iter().flatten().filter(|bound| *bound != measured);
    let bounds: Vec<f64> = missed.collect();
    let differs = |decimals: usize| {
        let told = amount(result, measured, decimals);
        bounds.iter().all(|bound| told != amount(result, *bound, decimals))
    };
    let enough = (1..=MOST_DECIMALS).find(|decimals| differs(*decimals));
    Some(enough.map_or(shortest, |decimals| amount(result, measured, decimals)))
}

/// The bounds in words: `at least 95 %`.
#[must_use]
pub fn bounds(result: &ThresholdResult) -> String {
    let bounds = [("at least", result.min), ("at most", result.max)];
    let bounds = bounds.into_iter().filter_map(|(word, bound)| Some((word, bound?)));
    let bounds: Vec<String> = bounds
        .map(|(word, bound)| format!("{word} {}", amount(result, bound, MOST_DECIMALS)))
        .collect();
    bounds.join(" and ")
}

/// The metric that it bounds; nothing for one that this version does not know.
pub fn metric(result: &ThresholdResult) -> Option<Metric> {
    NAMES.iter().find(|(name, _)| *name == result.metric).map(|(_, metric)| *metric)
}

/// The metric as people are told it: `post-dial delay, p99`.
#[must_use]
pub fn title(result: &ThresholdResult) -> String {
    let Some(metric) = metric(result) else { return String::new() };
    let short = metric.definition().short;
    match metric {
        Metric::Pdd(_) | Metric::AnswerDelay(_) | Metric::Sdd(_) | Metric::Mos(_) => {
            let point = result.metric.rsplit('_').next().unwrap_or_default();
            format!("{short}, {point}")
        }
        _ => short.to_owned(),
    }
}

fn amount(result: &ThresholdResult, value: f64, decimals: usize) -> String {
    let number = |value: f64, decimals: usize| {
        let text = grouped(&format!("{value:.decimals$}"));
        match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => text,
        }
    };
    match metric(result).map(|metric| metric.definition().unit) {
        Some(Unit::Share) => format!("{} %", number(value * 100.0, decimals)),
        Some(Unit::Seconds) => {
            let millis = value * 1_000.0;
            let least = if millis.abs() < 10.0 { 2 } else { 1 };
            format!("{} ms", number(millis, decimals.max(least)))
        }
        Some(Unit::MeanOpinionScore) => number(value, decimals + 1),
        None => number(value, decimals + 3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(metric: &str, measured: f64, min: Option<f64>, max: Option<f64>) -> ThresholdResult {
        let unit = if metric.starts_with("pdd") { "s" } else { "" }.to_owned();
        let (metric, measured, holds) = (metric.to_owned(), Some(measured), Some(false));
        ThresholdResult { metric, of: None, measured, min, max, unit, holds, reason: None }
    }

    #[test]
    fn shares_are_percent_and_delays_milliseconds() {
        let told =
            |result: ThresholdResult| (measured(&result).unwrap_or_default(), bounds(&result));
        let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
        let (some, none) = (Some, None);
        assert_eq!(told(result("asr", 0.75, some(0.9), none)), pair("75 %", "at least 90 %"));
        assert_eq!(
            told(result("pdd_p99", 0.0312, none, some(0.5))),
            pair("31.2 ms", "at most 500 ms")
        );
        assert_eq!(told(result("mos_p5", 4.37, some(4.0), none)), pair("4.37", "at least 4"));
        assert_eq!(
            told(result("answered_share", 0.9, some(0.5), some(0.999))),
            pair("90 %", "at least 50 % and at most 99.9 %")
        );
    }

    #[test]
    fn what_misses_its_bound_does_not_look_like_it() {
        assert_eq!(
            measured(&result("asr", 0.949_999, Some(0.95), None)).as_deref(),
            Some("94.9999 %")
        );
        assert_eq!(
            measured(&result("pdd_max", 0.030_000_4, None, Some(0.03))).as_deref(),
            Some("30.0004 ms")
        );
        assert_eq!(
            measured(&result("lost_share", 0.000_01, None, Some(0.0))).as_deref(),
            Some("0.001 %")
        );
        assert_eq!(measured(&result("asr", 0.95, Some(0.95), None)).as_deref(), Some("95 %"));
    }
}
