//! Series of small runs, by hand, and of runs that are too long or dated by broken clocks.

use telemetry::{CallRecord, Outcome};

use super::*;
use crate::fixture::{START, call};

const SECOND: u64 = 1_000_000;

fn count(series: &mut Series, record: &Entry<'_>, site: Option<&str>) {
    series.count(record, site, || record.reason.as_deref().map(str::to_owned));
}

#[test]
fn calls_count_where_they_were_due() {
    let mut series = Series::new(START, Duration::from_secs(60));
    assert_eq!(series.width(), Duration::from_millis(500));
    count(&mut series, &Entry::from(&call(1, 100, 0, Outcome::Answered)), Some("beta"));
    count(&mut series, &Entry::from(&call(2, 400, 300, Outcome::Rejected)), Some("alpha"));
    count(&mut series, &Entry::from(&call(3, 900, 0, Outcome::Lost)), Some("beta"));
    count(&mut series, &Entry::from(&call(4, 1_100, 0, Outcome::Abandoned)), None);
    let bins: Vec<(f64, &Bin)> = series.bins().collect();
    let counts = |at: usize| {
        let (middle, bin) = bins[at];
        (middle, bin.offered, bin.answered, bin.failed, bin.established, bin.abandoned)
    };
    assert_eq!(counts(0), (0.25, 2, 1, 1, 1, 0));
    assert_eq!(counts(1), (0.75, 1, 0, 1, 1, 0));
    assert_eq!(counts(2), (1.25, 1, 0, 0, 0, 1));
    assert_eq!(series.sites(), [("alpha", 1), ("beta", 0)]);
    let at = |bin: usize, site| {
        let SiteCalls { offered, failed } = bins[bin].1.at_site(site);
        (offered, failed)
    };
    assert_eq!((at(0, 0), at(0, 1), at(1, 0), at(2, 9)), ((1, 0), (1, 1), (1, 1), (0, 0)));
    let lag = bins[0].1.lag.millis_at(1.0).expect("a lag");
    assert!((298.0..303.0).contains(&lag), "{lag}");
    assert_eq!(bins[2].1.pdd.millis_at(0.5).map(|ms| (ms / 10.0).round()), Some(100.0));
    assert_eq!(bins[5].1.pdd.millis_at(0.5), None);
}

// Little's law: what all calls spend is what the bins hold.
#[test]
fn calls_in_progress_add_up_however_wide_the_bins_become() {
    let mut series = Series::new(START, Duration::from_secs(5));
    let spent = |series: &Series| {
        let width = series.width().as_secs_f64();
        let sum = |mean: &dyn Fn(&(f64, f64)) -> f64| {
            series.concurrency().iter().map(mean).sum::<f64>() * width
        };
        (sum(&|(all, _)| *all), sum(&|(_, talking)| *talking))
    };
    for number in 0..100 {
        count(
            &mut series,
            &Entry::from(&call(u128::from(number), number * 40, 0, Outcome::Answered)),
            None,
        );
    }
    let near = |(all, talking): (f64, f64)| {
        assert!((all - 600.0).abs() < 1e-6 && (talking - 400.0).abs() < 1e-6, "{all} {talking}");
    };
    near(spent(&series));
    let before = series.width();
    count(&mut series, &Entry::from(&call(1_000, 3_000_000, 0, Outcome::TimedOut)), None);
    assert!(series.width() > before && series.bins.len() <= MOST_BINS);
    let (all, talking) = spent(&series);
    near((all - 6.0, talking));
    assert_eq!(series.bins().map(|(_, bin)| bin.offered).sum::<u64>(), 101);
}

#[test]
fn a_broken_clock_does_not_stretch_the_axis() {
    let mut series = Series::new(START, Duration::from_secs(60));
    for (start, end) in [(0, u64::MAX), (u64::MAX, 0), (START, START - 1)] {
        let record = CallRecord {
            intended_us: None,
            start_us: start,
            answer_us: Some(end),
            end_us: end,
            ..call(1, 0, 0, Outcome::Answered)
        };
        count(&mut series, &Entry::from(&record), Some("alpha"));
    }
    assert!(series.length() <= Duration::from_secs(3 * 3_600), "{:?}", series.length());
    assert!(series.concurrency().iter().all(|(all, talking)| all.is_finite() && *talking >= 0.0));
    let mut long = Series::new(START, Duration::MAX);
    count(&mut long, &Entry::from(&call(1, u64::from(u32::MAX), 0, Outcome::Answered)), None);
    assert!(long.bins.len() <= MOST_BINS);
}

#[test]
fn slow_calls_and_ways_to_fail_are_named() {
    let mut series = Series::new(START, Duration::from_secs(60));
    for number in 0..50_u32 {
        let mut record = call(u128::from(number), 0, 0, Outcome::Rejected);
        record.status = Some(if number < 40 { 503 } else { 400 + number as u16 });
        record.ring_us = Some(START + u64::from(number) * SECOND);
        count(&mut series, &Entry::from(&record), None);
    }
    for status in 500..540 {
        let record = CallRecord { status: Some(status), ..call(7, 0, 0, Outcome::TimedOut) };
        count(&mut series, &Entry::from(&record), None);
    }
    let slowest = series.examples().slowest();
    assert_eq!((slowest.len(), slowest[0].pdd_us, slowest[9].pdd_us), (10, 49_000_000, 40_000_000));
    let failures = series.examples().failures();
    assert_eq!(
        (failures[0].status, failures[0].count, failures[0].attempts.len()),
        (Some(503), 40, 3)
    );
    let named: u64 = failures.iter().map(|failure| failure.count).sum();
    assert_eq!(named + series.examples().other_failures(), 90);
    let curve = series.percentiles();
    assert!(
        curve.windows(2).all(|two| two[0].share <= two[1].share && two[0].micros <= two[1].micros)
    );
    assert_eq!(curve.last().map(|last| last.share), Some(1.0));
}
