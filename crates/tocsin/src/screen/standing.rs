//! Thresholds while the calls run.

use account::summary::{ThresholdResult, measured_so_far, words};
use campaign::Threshold;
use contract::GeneratorSnapshot;

use super::scene::ThresholdRow;

/// How each threshold stands by what the callers have counted. One of a part of the attempts, or of what only records tell,
/// is known at the end.
pub(crate) fn standing(thresholds: &[Threshold], callers: &GeneratorSnapshot) -> Vec<ThresholdRow> {
    let row = |threshold: &Threshold| {
        let is_live = threshold.of.is_none() && threshold.metric.definition().is_live;
        let measured = is_live.then(|| measured_so_far(callers, threshold.metric)).flatten();
        let unjudged = measured.is_none().then_some("it is not known yet");
        let result = ThresholdResult::of(threshold, measured.unwrap_or(f64::NAN), unjudged);
        ThresholdRow {
            subject: result.subject(),
            measured: words::measured(&result),
            bounds: words::bounds(&result),
            holds: result.holds,
            is_live,
        }
    };
    thresholds.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use campaign::{Scope, ScopeKind};
    use telemetry::metric::{Metric, Quantile};

    use super::*;

    #[test]
    fn thresholds_are_judged_by_what_is_known() {
        let on = |metric, min, max| Threshold { metric, of: None, min, max, abort_from: None };
        let of_site = Scope { kind: ScopeKind::Site, name: "alpha".to_owned() };
        let thresholds = [
            on(Metric::Asr, Some(0.9), None),
            on(Metric::Pdd(Quantile::P99), None, Some(0.03)),
            on(Metric::HeardShare, Some(1.0), None),
            Threshold { of: Some(of_site), ..on(Metric::Asr, Some(0.9), None) },
        ];
        let told = |callers: &GeneratorSnapshot| {
            let rows = standing(&thresholds, callers).into_iter();
            rows.map(|row| (row.measured, row.holds, row.is_live)).collect::<Vec<_>>()
        };
        let nothing =
            [(None, None, true), (None, None, true), (None, None, false), (None, None, false)];
        assert_eq!(told(&GeneratorSnapshot::default()), nothing);
        let mut callers = GeneratorSnapshot { answered: 3, rejected: 1, ..Default::default() };
        callers.pdd.record_us(20_000);
        let known = told(&callers);
        assert_eq!(known[0], (Some("75 %".to_owned()), Some(false), true));
        assert_eq!((known[1].1, known[1].2), (Some(true), true), "{known:?}");
        assert_eq!(known[2..], nothing[2..]);
        let rows = standing(&thresholds, &callers);
        assert_eq!(
            (&rows[1].bounds[..], &rows[3].subject[..]),
            ("at most 30 ms", "asr of site alpha")
        );
    }
}
