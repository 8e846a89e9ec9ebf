use std::collections::BinaryHeap;

use telemetry::{Delays, Ledger, Quantiles};

use super::*;
use crate::fixture::judged;
use crate::summary::Metrics;

fn side(name: &str, answered: u64, p99: u64) -> ComparedSide {
    let summary = judged(Vec::new(), |_| ());
    let rejected = 1_000 - answered;
    let ledger = Ledger { offered: 1_000, answered, rejected, ..Ledger::default() };
    let [p50, p90, p95, p99] = [3_000, 4_000, 5_000, p99].map(Some);
    let pdd = Quantiles { count: 900, p50, p90, p95, p99, max: p99 };
    let metrics = Metrics { pdd, calls_per_second: 10.0, ..Metrics::default() };
    let summary = Summary { seed: 1, ledger, metrics, media: None, ..summary };
    let run = ComparedRun { name: name.to_owned(), summary, inputs: None, calls: None };
    ComparedSide::new(vec![run])
}

/// A call: when it was due, its set-up time if it was answered, all in microseconds.
type Row = (u64, Option<u64>);

/// A run with these calls and no others.
fn with_calls(name: &str, rows: &[Row]) -> ComparedSide {
    ComparedSide::new(vec![run_of(name, rows)])
}

fn run_of(name: &str, rows: &[Row]) -> ComparedRun {
    let database = Connection::open_in_memory().expect("a database");
    let columns =
        "intended_us, outcome, pdd_us, setup_us, heard_by_caller, heard_by_psap, caller, class";
    database.execute(&format!("CREATE TABLE attempts ({columns})"), []).expect("a table");
    let mut insert = database
        .prepare("INSERT INTO attempts VALUES (?, ?, NULL, ?, NULL, NULL, NULL, NULL)")
        .expect("a statement");
    let mut setup = Delays::default();
    for (due, delay) in rows {
        let outcome = if delay.is_some() { "answered" } else { "abandoned" };
        let (due, delay) = (due.cast_signed(), delay.map(u64::cast_signed));
        insert.execute(rusqlite::params![due, outcome, delay]).expect("a row");
        delay.into_iter().for_each(|delay| setup.record_us(delay.cast_unsigned()));
    }
    drop(insert);
    let (offered, setup) = (rows.len() as u64, setup.quantiles());
    let (answered, abandoned) = (setup.count, offered - setup.count);
    let ledger = Ledger { offered, answered, abandoned, ..Ledger::default() };
    let metrics = Metrics { setup, ..Metrics::default() };
    let summary = Summary { seed: 1, ledger, metrics, media: None, ..judged(Vec::new(), |_| ()) };
    ComparedRun { name: name.to_owned(), summary, inputs: None, calls: Some(database) }
}

fn breaches(
    any: Option<f64>,
    named: &[(&str, f64)],
    before: &ComparedSide,
    after: &ComparedSide,
) -> Vec<String> {
    let named = named.iter().map(|(name, limit)| ((*name).to_owned(), *limit)).collect();
    compare(before, after, &ComparisonLimits { any, named }).breaches
}

fn figure(before: &ComparedSide, after: &ComparedSide, name: &str) -> Value {
    let told = compare(before, after, &ComparisonLimits::default());
    told.figures.into_iter().find(|figure| figure["name"] == name).expect("a figure")
}

#[test]
fn a_limit_counts_shares_in_points_and_delays_in_percent() {
    let (before, after) = (side("a", 950, 10_000), side("b", 920, 10_800));
    assert!(breaches(Some(0.1), &[], &before, &after).is_empty());
    let found = breaches(Some(0.02), &[], &before, &after);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(
        found[0].starts_with("answered_share is worse by 3.00 points, at most 2.00 points"),
        "{found:?}"
    );
    assert!(found[2].starts_with("pdd_p99 is worse by 8.00 %"), "{found:?}");
    // The other way round everything is better.
    assert!(breaches(Some(0.02), &[], &after, &before).is_empty());
    let own = breaches(Some(0.1), &[("pdd_p99", 0.05)], &before, &after);
    assert_eq!(own.len(), 1, "{own:?}");
    let missing = breaches(None, &[("heard_share", 0.01)], &before, &after);
    assert_eq!(missing, ["heard_share was not measured in both runs"]);
}

#[test]
fn what_was_measured_and_is_no_more_crosses_every_limit() {
    let (before, mut after) = (side("a", 950, 10_000), side("b", 950, 10_000));
    after.runs[0].summary.metrics.pdd = Quantiles::default();
    let found = breaches(Some(0.5), &[], &before, &after);
    assert_eq!(found.len(), 4, "{found:?}");
    assert_eq!(found[0], "pdd_p50 was measured in a, and not in b");
    // The other way round there is nothing to judge by.
    let refused = obstacles(&after, &before);
    assert_eq!(refused[0], "b has no pdd_p50, which a has: it cannot be judged by it");
    assert!(obstacles(&before, &after).is_empty());
}

#[test]
fn a_difference_says_how_sure_it_is() {
    let answered = |count: u64| -> Vec<Row> {
        (0..1_000).map(|n| (n * 1_000_000, (n * 389 % 1_000 < count).then_some(n % 97))).collect()
    };
    let judgement = |one: u64, other: u64| {
        let (before, after) = (with_calls("a", &answered(one)), with_calls("b", &answered(other)));
        figure(&before, &after, "answered_share")["judgement"].clone()
    };
    assert_eq!(judgement(950, 850), "WORSE");
    assert_eq!(judgement(950, 948), "no clear difference");
    assert_eq!(judgement(850, 950), "better");
    assert_eq!(judgement(950, 950), "the same");
    let (before, after) = (with_calls("a", &answered(950)), with_calls("b", &answered(850)));
    let told = compare(&before, &after, &ComparisonLimits::default());
    assert!(
        told.table.contains("answered_share") && told.table.contains("-10.00 %"),
        "{}",
        told.table
    );
    let found = figure(&before, &after, "answered_share");
    assert_eq!(found["samples"], 2_000);
    assert!(found["effective_samples"].as_f64().is_some_and(|it| it > 1_000.0), "{found}");
}

#[test]
fn both_sides_are_taken_from_the_same_kind_of_source() {
    let rows: Vec<Row> = (0..500).map(|n| (n * 1_000_000, Some(n * n))).collect();
    let whole = with_calls("a", &rows);
    // Its summary alone, as it is kept to compare with.
    let kept = ComparedSide::new(vec![ComparedRun {
        name: "a.json".to_owned(),
        summary: whole.runs[0].summary.clone(),
        inputs: None,
        calls: None,
    }]);
    for name in ["answered_share", "setup_p50", "setup_p99"] {
        assert_eq!(figure(&kept, &whole, name)["judgement"], "the same", "{name}");
        assert_eq!(figure(&whole, &whole, name)["judgement"], "the same", "{name}");
    }
    let slower: Vec<Row> = rows.iter().map(|(due, delay)| (*due, delay.map(|it| it + 1))).collect();
    let found = figure(&kept, &with_calls("b", &slower), "setup_p50");
    assert_eq!(found["judgement"], "how sure is not known");
    assert_eq!((&found["interval_known"], &found["samples"]), (&json!(false), &Value::Null));
}

#[test]
fn runs_that_cannot_be_compared_say_why() {
    let good = side("a", 950, 10_000);
    assert!(obstacles(&good, &side("b", 900, 10_000)).is_empty());
    let mut invalid = side("b", 950, 10_000);
    invalid.runs[0].summary.verdict = RunVerdict::Invalid;
    invalid.runs[0].summary.seed = 2;
    let found = obstacles(&good, &invalid);
    assert!(
        found[0].contains("b is INVALID") && found[1].contains("another seed: 1 and 2"),
        "{found:?}"
    );
    let with = |hash: &str| {
        let mut side = side("c", 950, 10_000);
        side.runs[0].inputs = Some(hash.to_owned());
        side
    };
    assert!(obstacles(&with("x"), &with("y"))[0].contains("receipt.json"));
    assert!(obstacles(&with("x"), &good).is_empty());
}

/// Numbers by chance above 0 and up to 1 (SplitMix64, G. L. Steele 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (((mixed ^ (mixed >> 31)) >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }
}

/// A call centre with callers who come by chance at one a second for twenty minutes, talk for 20 s on average, and give up after
/// a minute on average.
fn call_centre(seed: u64, positions: usize) -> Vec<Row> {
    let mut random = Random(seed);
    let mut after = |mean: f64| -mean * random.next().ln();
    // Idle from these times on, the earliest first.
    let mut idle: BinaryHeap<_> = (0..positions).map(|_| std::cmp::Reverse(0_u64)).collect();
    let (mut now, mut rows) = (0.0, Vec::new());
    loop {
        now += after(1.0);
        if now > 1_200.0 {
            return rows;
        }
        let due = (now * 1e6) as u64;
        let (patience, talk) = ((after(60.0) * 1e6) as u64, (after(20.0) * 1e6) as u64);
        // What the network needs to ring.
        let ringing = (after(0.01) * 1e6) as u64;
        let mut first = idle.peek_mut().expect("a position");
        let answered = due.max(first.0);
        let wait = answered - due;
        rows.push((due, (wait <= patience).then_some(wait + ringing)));
        if wait <= patience {
            *first = std::cmp::Reverse(answered + talk);
        }
    }
}

/// Of 40 equal runs that differ in their seeds alone, each held against the five that follow: how many pairs are called different
/// in each of these figures.
fn called_different(positions: usize, names: &[&str]) -> Vec<f64> {
    let run = |seed| run_of("a run", &call_centre(seed, positions));
    let runs: Vec<(Summary, Calls)> = (0..40)
        .map(run)
        .map(|run| (run.summary, run.calls.as_ref().and_then(Calls::read).expect("its calls")))
        .collect();
    let pairs = || (0..40).flat_map(|one| (1..=5).map(move |step| (one, (one + step) % 40)));
    let share = |name: &&str| {
        let figure = FIGURES.iter().find(|figure| figure.name == *name).expect("a figure");
        let is_clear = |(one, other): &(usize, usize)| {
            let summaries = [one, other].map(|run| [&runs[*run].0]);
            let calls = [one, other].map(|run| Some(&runs[*run].1));
            let [before, after] =
                [0, 1].map(|side| Side { summaries: &summaries[side], calls: calls[side] });
            let line = Line { figure, measured: figure.measure(before, after) };
            assert!(line.has_interval());
            !["the same", "no clear difference"].contains(&line.word())
        };
        pairs().filter(is_clear).count() as f64 / pairs().count() as f64
    };
    names.iter().map(share).collect()
}

// Where nothing depends on anything, and where everybody waits for everybody: 95 % of the time within is what it says. Intervals
// that take calls as independent call a third to four fifths of these pairs different. The 200 pairs are of 40 runs, so they say
// less than 200 would: 20 of them that differ are within what 5 % may bring.
#[test]
fn of_equal_runs_one_in_twenty_is_called_different_with_and_without_a_queue() {
    let names = ["answered_share", "setup_p50", "setup_p90", "setup_p99"];
    for positions in [60, 25, 21, 18] {
        let shares = called_different(positions, &names);
        println!("{positions} positions, {names:?}: {shares:.3?}");
        assert!(shares.iter().all(|share| *share <= 0.10), "{positions} positions: {shares:?}");
    }
}

// An interval that is never wrong may be one that never says anything.
#[test]
fn a_worse_call_centre_is_found_out_in_its_queue() {
    let found = |other: usize| {
        let (before, after) =
            (with_calls("a", &call_centre(1, 24)), with_calls("b", &call_centre(2, other)));
        figure(&before, &after, "setup_p50")["judgement"].clone()
    };
    assert_eq!(found(14), "WORSE");
    let (before, after) =
        (with_calls("a", &call_centre(3, 20)), with_calls("b", &call_centre(4, 20)));
    let crowded = figure(&before, &after, "setup_p50");
    let (samples, effective) = (crowded["samples"].as_f64(), crowded["effective_samples"].as_f64());
    assert!(effective < samples.map(|samples| samples / 5.0), "{crowded}");
}

#[test]
fn several_seeds_of_each_say_more_than_one() {
    let of = |seeds: [u64; 4], positions: usize| {
        let run = |seed: u64| {
            let mut run = run_of(&format!("run-{seed}"), &call_centre(seed, positions));
            run.summary.seed = seed;
            run
        };
        ComparedSide::new(seeds.map(run).into())
    };
    let (before, after) = (of([1, 2, 3, 4], 24), of([1, 2, 3, 4], 21));
    assert!(obstacles(&before, &after).is_empty(), "{:?}", obstacles(&before, &after));
    let found = figure(&before, &after, "setup_p90");
    assert_eq!(found["judgement"], "WORSE", "{found}");
    let told = compare(&before, &after, &ComparisonLimits::default()).table;
    assert!(told.contains("run-1 +3"), "{told}");
    let all: u64 = before.runs.iter().map(|run| run.summary.ledger.offered).sum();
    let share = figure(&before, &after, "answered_share");
    assert!(share["samples"].as_u64().is_some_and(|samples| samples > all), "{share}");
    // Each side has as many, and none twice.
    let fewer = ComparedSide::new(vec![run_of("one", &call_centre(1, 24))]);
    assert!(
        obstacles(&fewer, &after)
            .join("; ")
            .contains("there are 1 runs of the one and 4 of the other")
    );
    let twice = of([1, 2, 2, 4], 21);
    assert!(obstacles(&twice, &twice)[0].contains("run-2 and run-2 have the same seed"));
}
