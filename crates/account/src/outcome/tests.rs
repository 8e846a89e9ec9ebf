//! Small evenings by hand: who counts in which figure, over several seeds, and beside other runs.

use std::time::Duration;

use campaign::Campaign;
use contract::GeneratorSnapshot;
use telemetry::{BoxKind, CallRecord, CallerClass, Outcome, Rules};
use topology::Layers;

use super::*;
use crate::fixture::START;
use crate::series::Series;
use crate::summary::{
    KeyEffect, RecordIntake, RunFacts, RunVerdict, SeedResult, SensitivityFigures, Spread,
};

const SECOND: u64 = 1_000_000;

/// Forty minutes from 16:40 on.
fn campaign(figures: &str) -> Campaign {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("campaign.toml");
    let text = format!(
        r#"
network = "n.toml"
begins = "16:40"
[[mix]]
number = "15"
communes = ["59350", "75056"]
[[phases]]
name = "test"
duration = "40m"
arrivals = {{ model = "constant", rate = 2 }}
[callers.redial]
{figures}
[[variants]]
name = "quiet"
title = "nothing happens"
set = ["seed=2"]
"#
    );
    std::fs::write(&path, text).expect("a writable folder");
    Campaign::load(&path, &Layers::none()).unwrap_or_else(|problems| panic!("{problems}"))
}

/// A call of `caller` after `at` seconds; a second later it rang, or was answered, unless it was refused.
fn call(id: u128, caller: u64, at: u64, commune: &str, outcome: Outcome) -> CallRecord {
    let start = START + at * SECOND;
    let is_answered = matches!(outcome, Outcome::Answered | Outcome::Lost);
    CallRecord {
        number: "15".to_owned(),
        commune: Some(commune.to_owned()),
        trunk_group: Some("mobile".to_owned()),
        caller: Some(caller),
        class: Some(CallerClass::Emergency),
        intended_us: Some(start),
        answer_us: is_answered.then_some(start + SECOND),
        end_us: start + 5 * SECOND,
        outcome,
        status: match outcome {
            Outcome::Rejected => Some(503),
            _ => is_answered.then_some(200),
        },
        ..CallRecord::open(BoxKind::Generator, "load-1", format!("{id:032x}"), start)
    }
}

/// Four people: one is reached at once, one after a refusal, one is cut and calls again, and one never gets through.
fn evening() -> Vec<CallRecord> {
    let busy = call(6, 4, 1_500, "75056", Outcome::Rejected);
    let arrived = call(1, 1, 60, "59350", Outcome::Answered);
    let psap = CallRecord {
        kind: BoxKind::Psap,
        node: "samu-59".to_owned(),
        caller: None,
        class: None,
        ..arrived.clone()
    };
    vec![
        arrived,
        psap,
        call(2, 2, 120, "59350", Outcome::Rejected),
        call(3, 2, 200, "59350", Outcome::Answered),
        call(4, 3, 600, "75056", Outcome::Lost),
        call(5, 3, 700, "75056", Outcome::Answered),
        CallRecord { status: Some(486), ..busy },
        call(7, 4, 1_600, "75056", Outcome::Abandoned),
    ]
}

fn run(campaign: &Campaign, name: &str, records: &[CallRecord]) -> VariantOutcome {
    let offered = records.iter().filter(|record| record.kind == BoxKind::Generator).count() as u64;
    let generators = GeneratorSnapshot { offered, ..GeneratorSnapshot::default() };
    let facts = RunFacts { started_us: START, ..RunFacts::new(campaign, "six-sites", generators) };
    let mut intake = RecordIntake::open(Rules::default());
    records.iter().for_each(|record| intake.add(record));
    let (mut tallies, attempts) = intake.into_tallies(&facts);
    let mut evidence = Evidence::new(campaign, START);
    let ledger = attempts.read(&mut [&mut tallies, &mut evidence]);
    evidence.count_people(tallies.people());
    let mut summary = tallies.close(facts, ledger);
    // Records by hand are no full story.
    (summary.verdict, summary.reasons) = (RunVerdict::Pass, Vec::new());
    let mut outcome = VariantOutcome {
        name: name.to_owned(),
        title: "by hand".to_owned(),
        summary,
        operations: OperationsReport::default(),
        evidence,
        goodput: Goodput::new(Vec::new(), START),
        series: Series::new(START, campaign.duration()),
        hangs: Vec::new(),
        restarts: Vec::new(),
        downtimes: Vec::new(),
        detections: Vec::new(),
        predicted: (Duration::ZERO, Duration::ZERO),
        took: Duration::ZERO,
        figures: campaign.figures.clone(),
        seeds: Vec::new(),
        related: Vec::new(),
    };
    let figures = measure(campaign, &outcome);
    outcome.keep_figures(figures);
    outcome
}

fn figure(keys: &str) -> Option<f64> {
    let campaign = campaign(&format!("[[figures]]\nname = \"one\"\n{keys}"));
    run(&campaign, BASE, &evening()).seeds[0].figures[0]
}

#[test]
fn a_figure_counts_whom_it_asks_for() {
    let window = "window = \"16:30-17:00\"";
    for (keys, wanted) in [
        ("measure = \"attempts\"".to_owned(), 7.0),
        (format!("measure = \"attempts\"\n{window}"), 5.0),
        (format!("measure = \"unrouted\"\n{window}"), 1.0),
        (format!("measure = \"routed_share\"\n{window}"), 0.8),
        ("measure = \"unrouted_share\"\ndepartments = [\"75\"]".to_owned(), 0.5),
        ("measure = \"never_reached\"".to_owned(), 1.0),
        ("measure = \"never_reached_share\"".to_owned(), 0.25),
        (format!("measure = \"never_reached\"\n{window}"), 0.0),
        ("measure = \"never_reached\"\ndepartments = [\"59\"]".to_owned(), 0.0),
        ("measure = \"never_reached\"\nnumbers = [\"15\"]".to_owned(), 1.0),
        ("measure = \"reached_late_1m\"".to_owned(), 2.0),
        ("measure = \"reached_late_1m\"\ndepartments = [\"59\"]".to_owned(), 1.0),
        ("measure = \"reached_late_5m\"".to_owned(), 0.0),
        ("measure = \"cut_callers\"".to_owned(), 1.0),
        ("measure = \"callers_reached\"".to_owned(), 0.75),
        ("measure = \"arrivals\"".to_owned(), 1.0),
        ("measure = \"arrivals\"\npsaps = [\"samu-75\"]".to_owned(), 0.0),
        ("measure = \"arrivals\"\nwindow = \"17:00-18:00\"".to_owned(), 0.0),
        // From the first to the last step with a call that was not routed: the first and the sixth.
        ("measure = \"disturbed\"".to_owned(), 6.0 * 300.0),
        ("measure = \"disturbed_steps\"".to_owned(), 2.0),
        ("measure = \"disturbed_steps\"\nusual = 0.5".to_owned(), 1.0),
        (format!("measure = \"disturbed\"\n{window}"), 300.0),
    ] {
        assert_eq!(figure(&keys), Some(wanted), "{keys}");
    }
    assert_eq!(figure("measure = \"never_reached\"\nnumbers = [\"17\"]"), None, "nobody called it");
}

#[test]
fn harm_is_told_by_half_hour_departement_and_way_of_failing() {
    let campaign = campaign("");
    let harm = run(&campaign, BASE, &evening()).summary.harm.expect("people called");
    let whole = harm.whole;
    assert_eq!((whole.callers, whole.never_reached, whole.cut_callers), (4, 1, 1));
    assert_eq!((whole.attempts, whole.not_routed, whole.refused), (7, 3, 1));
    assert_eq!((whole.busy, whole.silence, whole.cut, whole.no_answer), (1, 1, 1, 0));
    let steps: Vec<_> = harm
        .by_half_hour
        .iter()
        .map(|one| (&one.from[..], one.from_s, one.counts.callers, one.counts.never_reached))
        .collect();
    assert_eq!(steps, [("16:30", -600, 3, 0), ("17:00", 1_200, 1, 1)]);
    let late = |name: &str| harm.by_department[name].reached_late_1m;
    assert_eq!((late("59"), late("75")), (1, 1));
    assert_eq!(harm.by_number["15"].callers, 4);
}

#[test]
fn bounds_are_kept_by_the_median_of_all_seeds_and_ranges_are_told() {
    let text = "[[figures]]\nname = \"lost\"\nmeasure = \"never_reached\"\nmax = 2\nplausible = [2, 9]\n\
                published = \"a few\"\nwindow = \"16:30-23:00\"";
    let campaign = campaign(text);
    let judged = |lost: &[f64]| {
        let mut outcomes = vec![run(&campaign, BASE, &evening())];
        for (seed, lost) in (10..).zip(lost) {
            let first = outcomes[0].seeds[0].clone();
            outcomes[0].absorb(SeedResult { seed, figures: vec![Some(*lost)], ..first });
        }
        outcomes.iter_mut().for_each(judge_figures);
        tell_comparison(&campaign, &mut outcomes);
        outcomes.remove(0)
    };
    let well = judged(&[2.0, 99.0]);
    assert_eq!((well.summary.verdict, well.summary.seeds.len()), (RunVerdict::Pass, 3));
    let result = &well.summary.figures[0];
    let spread = Spread { median: 2.0, low: 1.0, high: 99.0, runs: 3 };
    assert_eq!((result.measured, result.within), (Some(spread), Some(true)));
    assert_eq!(result.window.as_deref(), Some("16:40-17:20"), "what the run has of it");
    assert_eq!(result.window_asked.as_deref(), Some("16:30-23:00"));
    let ill = judged(&[3.0, 99.0]);
    assert_eq!(ill.summary.verdict, RunVerdict::Fail, "{:?}", ill.summary.reasons);
    let text = harm_text(&campaign, &[ill]);
    for part in ["never spoke to anybody", "3 (1..99)", "16:40-17:20 of 16:30-23:00", "within"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn a_seed_that_went_wrong_is_against_the_run() {
    let campaign = campaign("");
    let mut outcome = run(&campaign, BASE, &evening());
    let (verdict, reason) = (RunVerdict::Invalid, Some("it was late".to_owned()));
    let first = outcome.seeds[0].clone();
    outcome.absorb(SeedResult { seed: 7, verdict, reason, ..first });
    assert_eq!(outcome.summary.verdict, RunVerdict::Fail);
    assert_eq!(outcome.summary.reasons, ["seed 7: INVALID, it was late"]);
}

#[test]
fn figures_of_another_run_are_shares_of_it_and_variants_are_ranked_by_whom_they_save() {
    let text =
        "[[figures]]\nname = \"calls\"\nmeasure = \"attempts\"\nof = \"quiet\"\nmin = 0.9\nmax = 3";
    let campaign = campaign(text);
    let quiet = &evening()[..3];
    let worse: Vec<CallRecord> =
        evening().into_iter().chain([call(9, 5, 300, "59350", Outcome::Rejected)]).collect();
    let mut outcomes = vec![
        run(&campaign, BASE, &evening()),
        run(&campaign, "worse", &worse),
        run(&campaign, "quiet", &quiet[..2]),
    ];
    relate(&mut outcomes);
    outcomes.iter_mut().for_each(judge_figures);
    tell_comparison(&campaign, &mut outcomes);
    let shares: Vec<_> = outcomes.iter().map(|run| run.seeds[0].figures[0]).collect();
    assert_eq!(shares, [Some(7.0), Some(8.0), Some(1.0)]);
    assert!(outcomes[0].summary.reasons[0].contains("calls of the comparison"));
    let saved = &outcomes[0].summary.savings;
    let order: Vec<_> =
        saved.iter().map(|one| (&one.variant[..], one.never_reached.median)).collect();
    assert_eq!(order, [("quiet", 1.0), ("worse", -1.0)]);
    let text = harm_text(&campaign, &outcomes);
    let (never, usual) = ("1 of 4 people who called an emergency number", "it was 0 of 1 (0.00 %)");
    assert!(text.contains(never) && text.contains("In quiet, beside which"), "{text}");
    assert!(text.contains(usual), "{text}");

    // Alone there is nothing to compare with, and that is no failure.
    let mut alone = vec![run(&campaign, BASE, &evening())];
    relate(&mut alone);
    judge_figures(&mut alone[0]);
    let threshold = &alone[0].summary.thresholds[0];
    assert_eq!((threshold.measured, threshold.holds), (None, None));
    assert_eq!(threshold.reason.as_deref(), Some("there is no run quiet to compare it with"));
    assert_eq!(alone[0].summary.verdict, RunVerdict::Pass);
    let text = harm_text(&campaign, &alone);
    assert!(text.contains("quiet, which the campaign compares"), "{text}");
}

#[test]
fn a_run_whose_figures_have_bounds_says_that_they_have_still_to_be_judged() {
    let line = |figures: &str| run(&campaign(figures), BASE, &evening()).line();
    let figure = "[[figures]]\nname = \"calls\"\nmeasure = \"attempts\"\n";
    assert!(line(figure).starts_with("base             no bounds "), "{}", line(figure));
    let bounded = figure.to_owned() + "min = 1\n";
    assert!(line(&bounded).starts_with("base             to judge  "), "{}", line(&bounded));
    let mut judged = run(&campaign(&bounded), BASE, &evening());
    judge_figures(&mut judged);
    assert!(judged.line().starts_with("base             PASS "), "{}", judged.line());
}

#[test]
fn the_result_hangs_on_a_key_that_makes_it_implausible_or_turns_the_order_of_variants() {
    let text = "[[figures]]\nname = \"lost\"\nmeasure = \"never_reached\"\nplausible = [0, 2]";
    let campaign = campaign(text);
    let mut outcomes = ["base", "early", "late"].map(|name| run(&campaign, name, &evening()));
    let first = outcomes[0].seeds[0].clone();
    let lost = |people: u64| {
        let mut seed = first.clone();
        seed.harm.never_reached = people;
        seed.figures = vec![Some(people as f64)];
        seed
    };
    for (outcome, people) in outcomes.iter_mut().zip([2, 0, 1]) {
        outcome.seeds = vec![lost(people)];
    }
    let trial = |value: &str, factor, [base, early, late]: [u64; 3]| TrialRuns {
        value: value.to_owned(),
        factor,
        seeds: [("base", base), ("early", early), ("late", late)]
            .into_iter()
            .map(|(name, people)| (name.to_owned(), vec![lost(people)]))
            .collect(),
    };
    let assumed = campaign::Assumed { key: "callers.talk".to_owned(), range: None, why: None };
    let trials = [trial("50s", 0.5, [1, 0, 1]), trial("200s", 2.0, [5, 4, 1])];
    let trials: Vec<&TrialRuns> = trials.iter().collect();
    let runs: Vec<&VariantOutcome> = outcomes.iter().collect();
    let effect = key_effect(&assumed, "100s", &runs, &trials);
    let told: Vec<_> =
        effect.trials.iter().map(|one| one.never_reached.map(|it| it.median)).collect();
    assert_eq!(told, [Some(1.0), Some(5.0)]);
    let sentences = [
        "at 200s: lost is 5, which is not plausible",
        "at 200s: late saves more people than early",
    ];
    assert_eq!(effect.decisive, sentences);

    let dull = KeyEffect {
        key: "dull".to_owned(),
        trials: vec![effect.trials[0].clone()],
        decisive: Vec::new(),
        ..effect.clone()
    };
    let mut figures = SensitivityFigures { keys: vec![dull, effect], runs_missing: 1 };
    rank_effects(&mut figures);
    assert_eq!(figures.keys[0].key, "callers.talk", "the largest effect comes first");
    assert_eq!(sensitivity_csv(&figures).lines().count(), 1 + 3);
    outcomes[0].summary.sensitivity = Some(figures);
    let text = harm_text(&campaign, &outcomes);
    for part in
        ["1..5", "YES", "the result hangs on callers.talk: at 200s: lost is 5", "1 run less"]
    {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}
