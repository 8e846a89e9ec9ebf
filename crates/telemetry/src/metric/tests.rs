use std::collections::BTreeSet;

use super::*;
use crate::Outcome;

#[test]
fn each_metric_has_one_name_that_begins_with_its_key() {
    let names: BTreeSet<&str> = NAMES.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), NAMES.len());
    for (name, metric) in NAMES {
        let row = metric.definition();
        assert_eq!(metric.as_str(), name);
        let quantile = name.strip_prefix(row.key).expect(name);
        assert_eq!(
            quantile.starts_with('_'),
            matches!(metric, Metric::Mos(_)) || metric.is_delay()
        );
        assert!(![row.field, row.short, row.title, row.formula].contains(&""), "{name}");
    }
}

/// ITU-T E.425 and RFC 6076 §4.6 to §4.9, on one of each kind of attempt.
#[test]
fn ratios_are_those_of_the_standards() {
    let mut counts = AttemptCounts::default();
    counts.add(Outcome::Answered, Some(200), true, true);
    counts.add(Outcome::Lost, Some(200), true, true);
    counts.add(Outcome::Rejected, Some(486), false, false);
    counts.add(Outcome::Rejected, Some(503), false, false);
    counts.add(Outcome::Rejected, Some(302), false, false);
    counts.add(Outcome::Abandoned, Some(487), true, false);
    counts.add(Outcome::Abandoned, Some(487), false, false);
    counts.add(Outcome::TimedOut, None, false, false);
    let ratios = [
        (Metric::AnsweredShare, 1.0 / 8.0),
        (Metric::FailedShare, 5.0 / 8.0),
        (Metric::AbandonedShare, 2.0 / 8.0),
        (Metric::Asr, 2.0 / 8.0),
        (Metric::Ner, 4.0 / 8.0),
        (Metric::Ser, 2.0 / 7.0),
        (Metric::Seer, 3.0 / 7.0),
        (Metric::Isa, 2.0 / 8.0),
        (Metric::Scr, 1.0 / 7.0),
    ];
    for (metric, ratio) in ratios {
        assert_eq!(metric.ratio(&counts), Some(ratio), "{}", metric.as_str());
        assert_eq!(metric.ratio(&AttemptCounts::default()), None);
    }
    assert_eq!(Metric::Pdd(Quantile::P50).ratio(&counts), None);
}
