//! The figures of small runs, by hand.

use std::net::Ipv4Addr;
use std::path::Path;

use telemetry::{BoxKind, CallRecord, Outcome, Party, RecordWriter};

use super::*;
use campaign::{Scope, ScopeKind, Threshold};
use contract::Signalling;
use telemetry::metric::{Metric, Quantile};

/// Two calls per second for two seconds.
fn campaign(thresholds: Vec<Threshold>) -> Campaign {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = "name = \"demo\"\nnetwork = \"six-sites.toml\"\n[[mix]]\nnumber = \"15\"\n[[phases]]\nname = \"test\"\n\
                duration = \"2s\"\narrivals = { model = \"constant\", rate = 2 }\n";
    let path = folder.path().join("campaign.toml");
    std::fs::write(&path, text).expect("a writable folder");
    let campaign = Campaign::load(&path, &topology::Layers::none());
    Campaign { thresholds, ..campaign.unwrap_or_else(|problems| panic!("{problems}")) }
}

pub fn record(kind: BoxKind, node: &str, attempt: u128) -> CallRecord {
    CallRecord {
        call_id: format!("{attempt}@{}", Ipv4Addr::LOCALHOST),
        number: "15".to_owned(),
        ring_us: Some(1_020_000),
        answer_us: Some(3_000_000),
        end_us: 8_000_000,
        outcome: Outcome::Answered,
        status: Some(200),
        cause: Some(16),
        ended_by: Some(Party::Caller),
        ..CallRecord::open(kind, node, format!("{attempt:032x}"), 1_000_000)
    }
}

/// What the ledger makes of these records.
pub(crate) fn attempts(records: impl IntoIterator<Item = CallRecord>) -> Attempts {
    let mut audit = Audit::new(Rules::default());
    records.into_iter().for_each(|record| audit.add(&record));
    audit.close(0, &[])
}

/// An answered attempt in all four boxes. The generator is 10 ms late.
fn answered(attempt: u128) -> Vec<CallRecord> {
    let name = |name: &str| Some(name.to_owned());
    vec![
        CallRecord {
            trunk_group: name("mobile"),
            intended_us: Some(990_000),
            ..record(BoxKind::Generator, "generator-0", attempt)
        },
        CallRecord {
            trunk_group: name("mobile"),
            site: name("alpha"),
            tried: vec!["alpha".to_owned()],
            ..record(BoxKind::TrunkGroup, "mobile", attempt)
        },
        CallRecord {
            site: name("alpha"),
            psap: name("samu-59"),
            ..record(BoxKind::CallServer, "alpha", attempt)
        },
        CallRecord { psap: name("samu-59"), ..record(BoxKind::Psap, "samu-59", attempt) },
    ]
}

fn unanswered(attempt: u128, outcome: Outcome, status: u16) -> Vec<CallRecord> {
    let mut records = answered(attempt);
    for record in &mut records {
        (record.outcome, record.status, record.answer_us) = (outcome, Some(status), None);
    }
    records
}

fn generators(offered: u64) -> GeneratorSnapshot {
    let mut counts = GeneratorSnapshot::default();
    (0..offered).for_each(|_| counts.count_start(Duration::from_millis(10)));
    counts
}

fn summarize(
    campaign: &Campaign,
    generators: GeneratorSnapshot,
    records: &[CallRecord],
) -> Summary {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("calls.jsonl");
    let mut writer = RecordWriter::create(&path).expect("a file");
    records.iter().for_each(|record| writer.write(record));
    drop(writer);
    summarize_files(campaign, generators, &[&path])
}

fn summarize_files(campaign: &Campaign, generators: GeneratorSnapshot, files: &[&Path]) -> Summary {
    let files: Vec<PathBuf> = files.iter().map(|file| file.to_path_buf()).collect();
    Summary::of(run(campaign, generators), &files)
}

fn run(campaign: &Campaign, generators: GeneratorSnapshot) -> RunFacts<'_> {
    RunFacts {
        service_levels: BTreeMap::from([("samu-59".to_owned(), Duration::from_secs(2))]),
        started_us: 1_622_645_100_000_000,
        duration: Duration::from_millis(9_500),
        generator_cpu_s: 0.25,
        rules: Rules::default(),
        ..RunFacts::new(campaign, "six-sites", generators)
    }
}

fn bound(metric: Metric, min: Option<f64>, max: Option<f64>) -> Threshold {
    Threshold { metric, of: None, min, max, abort_from: None }
}

/// Three answered attempts and one abandoned while it rang.
pub fn demo() -> Summary {
    let mut records: Vec<CallRecord> = (1..=3).flat_map(answered).collect();
    records.extend(unanswered(4, Outcome::Abandoned, 487));
    summarize(&campaign(Vec::new()), generators(4), &records)
}

#[test]
fn figures_of_a_demo_run() {
    let summary = demo();
    assert_eq!((summary.verdict, &summary.reasons[..]), (RunVerdict::Pass, &[][..]));
    assert_eq!((summary.ledger.offered, summary.ledger.answered), (4, 3));
    assert_eq!(summary.started_at, "2021-06-02T14:45:00.000Z");
    let metrics = &summary.metrics;
    assert_eq!(metrics.ratios.asr, Some(0.75));
    assert_eq!(metrics.calls_per_second, 2.0);
    // From the intended start: 10 ms of lag and 20 ms until it rang.
    assert_eq!((metrics.pdd.p50, metrics.lag.max), (Some(30_000), Some(10_000)));
    assert_eq!(metrics.setup.p99, Some(2_010_000));
    let alpha = &metrics.by_site["alpha"];
    assert_eq!((alpha.offered, alpha.answered, alpha.failed, alpha.share), (4, 3, 0, 1.0));
    assert_eq!(metrics.by_psap["samu-59"].answered, 3);
    assert_eq!(metrics.by_trunk_group["mobile"].offered, 4);
    assert_eq!(metrics.by_number["15"].offered, 4);
    let psap = &summary.psaps["samu-59"];
    assert_eq!((psap.received, psap.answered, psap.abandoned), (4, 3, 1));
    // Answered after exactly the two seconds allowed.
    assert_eq!(psap.service_level, Some(0.75));
}

// ITU-T E.425 and RFC 6076 §4.6, §4.7: who counts in which ratio.
#[test]
fn ratios_by_status() {
    let cases = [
        // status, outcome, NER, SER, SEER of one answered attempt and this one
        (486, Outcome::Rejected, 1.0, Some(0.5), Some(1.0)),
        (480, Outcome::Rejected, 1.0, Some(0.5), Some(1.0)),
        (603, Outcome::Rejected, 1.0, Some(0.5), Some(1.0)),
        (503, Outcome::Rejected, 0.5, Some(0.5), Some(0.5)),
        (302, Outcome::Rejected, 0.5, Some(1.0), Some(1.0)),
        (487, Outcome::Abandoned, 1.0, Some(0.5), Some(0.5)),
    ];
    for (status, outcome, ner, ser, seer) in cases {
        let mut tally = Tally::new(&BTreeMap::new());
        let other = unanswered(2, outcome, status).swap_remove(0);
        attempts([answered(1).swap_remove(0), other]).read(&mut [&mut tally]);
        let metrics = tally.metrics(&Capacity::default(), Signalling::default());
        let ratios =
            (metrics.ratios.asr, metrics.ratios.ner, metrics.ratios.ser, metrics.ratios.seer);
        assert_eq!(ratios, (Some(0.5), Some(ner), ser, seer), "{status}");
        assert_eq!(metrics.by_site[UNREACHED].offered, 2);
    }
}

#[test]
fn without_calls_there_are_no_ratios_and_no_verdict_on_the_network() {
    let summary = summarize(&campaign(Vec::new()), GeneratorSnapshot::default(), &[]);
    assert_eq!((summary.metrics.ratios.asr, summary.metrics.ratios.ser), (None, None));
    assert_eq!(summary.verdict, RunVerdict::Invalid);
    assert_eq!(summary.reasons, ["the generator started no call"]);
}

#[test]
fn thresholds_decide_and_say_what_they_wanted() {
    let records: Vec<CallRecord> = (1..=4).flat_map(answered).collect();
    let judge = |metric, min, max| {
        let campaign = campaign(vec![bound(metric, min, max)]);
        let summary = summarize(&campaign, generators(4), &records);
        (summary.verdict, summary.reasons.join("; "))
    };
    assert_eq!(judge(Metric::AnsweredShare, Some(0.99), None).0, RunVerdict::Pass);
    assert_eq!(judge(Metric::FailedShare, None, Some(0.0)).0, RunVerdict::Pass);
    let (verdict, reason) = judge(Metric::AnswerDelay(Quantile::P95), None, Some(0.5));
    assert_eq!(verdict, RunVerdict::Fail);
    assert!(reason.starts_with("answer_delay_p95 is 2.01"), "{reason}");
    assert!(reason.ends_with(" s, must be at most 0.5 s"), "{reason}");
}

// A bound is kept by what equals it, of all calls and of a part of them.
#[test]
fn delays_are_held_against_bounds_as_they_were_measured() {
    // From the intended start 10 ms before, these rang after 30 ms and were answered after 2.01 s.
    let records: Vec<CallRecord> = (1..=4).flat_map(answered).collect();
    let verdict = |metric, min: Option<u64>, max: Option<u64>, of: Option<Scope>| {
        let seconds = |us: u64| Duration::from_micros(us).as_secs_f64();
        let threshold = Threshold { of, ..bound(metric, min.map(seconds), max.map(seconds)) };
        summarize(&campaign(vec![threshold]), generators(4), &records).verdict
    };
    let alpha = Scope { kind: ScopeKind::Site, name: "alpha".to_owned() };
    for of in [None, Some(alpha)] {
        for quantile in [Quantile::P50, Quantile::P99, Quantile::Max] {
            for (metric, us) in
                [(Metric::Pdd(quantile), 30_000), (Metric::AnswerDelay(quantile), 2_010_000)]
            {
                let is = |min, max| verdict(metric, min, max, of.clone());
                assert_eq!(is(None, Some(us)), RunVerdict::Pass, "{metric:?}");
                assert_eq!(is(Some(us), None), RunVerdict::Pass, "{metric:?}");
                assert_eq!(is(None, Some(us - 1)), RunVerdict::Fail, "{metric:?}");
                assert_eq!(is(Some(us + 1), None), RunVerdict::Fail, "{metric:?}");
            }
        }
    }
}

#[test]
fn a_threshold_on_a_delay_that_nobody_had_does_not_hold() {
    let metric = Metric::AnswerDelay(Quantile::P50);
    let campaign = campaign(vec![bound(metric, None, Some(9.0))]);
    let records = unanswered(1, Outcome::Rejected, 503);
    let summary = summarize(&campaign, generators(1), &records);
    assert_eq!(summary.verdict, RunVerdict::Fail);
    assert!(summary.reasons[0].contains("could not be measured"), "{:?}", summary.reasons);
    let result = &summary.thresholds[0];
    assert_eq!(
        (result.measured, result.holds, &result.bounds()[..]),
        (None, Some(false), "at most 9 s")
    );
    let json = serde_json::to_string(&summary).expect("a summary is JSON");
    assert_eq!(serde_json::from_str::<Summary>(&json).expect("our own JSON"), summary);
}

#[test]
fn a_generator_that_fell_behind_makes_the_run_invalid_whatever_else_failed() {
    let records = unanswered(1, Outcome::Rejected, 503);
    let metric = Metric::AnsweredShare;
    let campaign = campaign(vec![bound(metric, Some(0.99), None)]);
    let mut late = GeneratorSnapshot::default();
    late.count_start(Duration::from_millis(80));
    let summary = summarize(&campaign, late, &records);
    // The threshold does not hold either, but that is not held against the network.
    assert_eq!((summary.verdict, summary.reasons.len()), (RunVerdict::Invalid, 1));
    assert!(summary.reasons[0].starts_with("the generator started calls late"));

    let crowded = GeneratorSnapshot { not_started: 3, ..generators(1) };
    let summary = summarize(&campaign, crowded, &records);
    assert_eq!(summary.verdict, RunVerdict::Invalid);
    assert!(summary.reasons[0].contains("did not start 3 calls"), "{:?}", summary.reasons);
}

#[test]
fn a_campaign_says_how_late_its_generator_may_be_and_its_readers_are_told() {
    let late = || {
        let mut late = GeneratorSnapshot::default();
        late.count_start(Duration::from_millis(80));
        late
    };
    let mut patient = campaign(Vec::new());
    patient.validity.lag_p99 = Duration::from_millis(100);
    let summary = summarize(&patient, late(), &answered(1));
    assert_eq!(summary.verdict, RunVerdict::Pass, "{:?}", summary.reasons);
    assert_eq!(summary.notes, ["the generator was allowed more than usual: lag_p99 100ms"]);

    let mut strict = campaign(Vec::new());
    strict.validity.lag_p99 = Duration::from_millis(5);
    let summary = summarize(&strict, generators(1), &answered(1));
    assert!(summary.reasons[0].ends_with("the limit is 5 ms"), "{:?}", summary.reasons);
    assert_eq!((summary.verdict, summary.notes.len()), (RunVerdict::Invalid, 0));
}

#[test]
fn a_ledger_that_does_not_balance_fails_the_run() {
    let mut records = answered(1);
    records.pop();
    let summary = summarize(&campaign(Vec::new()), generators(1), &records);
    assert_eq!(summary.verdict, RunVerdict::Fail);
    assert!(summary.reasons[0].contains("PSAP samu-59 has no record of it"));
    let summary = summarize(&campaign(Vec::new()), generators(2), &answered(1));
    assert_eq!(summary.reasons, ["1 attempt has no record"]);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let missing = Path::new("/nowhere/calls.jsonl");
    let summary = summarize_files(&campaign(Vec::new()), generators(1), &[missing]);
    assert_eq!(summary.verdict, RunVerdict::Fail);
    assert!(summary.reasons.iter().any(|reason| reason.contains("/nowhere/calls.jsonl")));
}

#[test]
fn the_json_reads_back_and_has_the_names_that_scripts_use() {
    let summary = demo();
    let json = serde_json::to_string(&summary).expect("a summary is JSON");
    for name in ["\"verdict\":\"pass\"", "\"asr\":0.75", "\"by_site\":{\"alpha\"", "\"487\":1"] {
        assert!(json.contains(name), "{name} is missing in {json}");
    }
    let back: Summary = serde_json::from_str(&json).expect("our own JSON");
    assert_eq!(back, summary);
}

fn judge(change: impl FnOnce(&mut RunFacts<'_>), thresholds: Vec<Threshold>) -> Summary {
    let campaign = campaign(thresholds);
    let mut run = run(&campaign, generators(0));
    change(&mut run);
    Summary::of(run, &[])
}

#[test]
fn an_interrupted_run_is_judged_by_its_ledger_and_not_by_its_thresholds() {
    let high = bound(Metric::AnsweredShare, Some(1.0), None);
    let summary = judge(|run| run.interrupted = true, vec![high]);
    assert_eq!((summary.verdict, summary.exit_code()), (RunVerdict::Interrupted, 130));
    assert!(summary.interrupted && summary.reasons.is_empty(), "{:?}", summary.reasons);
    assert_eq!(summary.thresholds[0].holds, None, "half a campaign is not judged");
    let report = crate::report(&summary);
    assert!(report.starts_with("INTERRUPTED  demo") && report.contains("not judged"), "{report}");

    // An attempt without a record, or a process that did not end well, is no clean end.
    let unbalanced =
        |run: &mut RunFacts<'_>| (run.interrupted, run.generators) = (true, generators(1));
    assert_eq!(judge(unbalanced, Vec::new()).exit_code(), 1);
    let degraded = |run: &mut RunFacts<'_>| {
        (run.interrupted, run.degraded) =
            (true, vec!["process trunks did not end well".to_owned()]);
    };
    assert_eq!(judge(degraded, Vec::new()).exit_code(), 4);
}

#[test]
fn a_generator_whose_own_sockets_lose_datagrams_makes_the_run_invalid() {
    let lossy = |run: &mut RunFacts<'_>| {
        run.interrupted = true;
        run.generator_messages =
            MessageFigures { kernel_drops: 2, unsent: 1, ..MessageFigures::default() };
    };
    let summary = judge(lossy, Vec::new());
    assert_eq!((summary.verdict, summary.generator.socket_losses), (RunVerdict::Invalid, 3));
    assert!(summary.reasons[0].contains("sockets lost 3 datagrams"), "{:?}", summary.reasons);
}

#[test]
fn a_generator_accuses_itself_of_everything_that_spoils_a_measurement() {
    let invalid = |change: fn(&mut RunFacts<'_>), sentence: &str| {
        let summary = judge(
            |run| {
                run.interrupted = true;
                change(run);
            },
            Vec::new(),
        );
        assert_eq!(summary.verdict, RunVerdict::Invalid, "{sentence}");
        assert!(summary.reasons[0].contains(sentence), "{:?}", summary.reasons);
    };
    invalid(|run| run.busiest_cpu_share = Some(0.97), "used 97 % of its core");
    invalid(|run| run.clock_step_us = 2_500_000, "clock was set by 2.5 s");
    let late = |run: &mut RunFacts<'_>| {
        let signalling = &mut run.generators.signalling;
        (signalling.sent, signalling.resent_late, signalling.resent_to_silent_peer) = (900, 10, 3);
    };
    invalid(late, "10 messages again by timers that it had served late, and 3 because");
    let busy = |run: &mut RunFacts<'_>| {
        run.busiest_cpu_share = Some(0.97);
        let (cores, busy_share, others_share) = (2, 0.99, 0.6);
        run.machine = Some(MachineFigures { cores, busy_share, others_share });
    };
    invalid(busy, "used 97 % of its core");
    let summary = judge(busy, Vec::new());
    let no_time =
        "the machine had no time: 2 cores of it were 99 % busy, 60 % went to other programs";
    assert!(summary.reasons[1].starts_with(no_time), "{:?}", summary.reasons);
    // A silent peer is the network's affair, and so is a busy but not saturated generator.
    let fine = |run: &mut RunFacts<'_>| {
        run.interrupted = true;
        run.busiest_cpu_share = Some(0.8);
        run.machine = Some(MachineFigures { cores: 2, busy_share: 1.0, others_share: 0.5 });
        run.clock_step_us = 50_000;
        run.generators.signalling.sent = 900;
        run.generators.signalling.resent_to_silent_peer = 300;
    };
    assert_eq!(judge(fine, Vec::new()).verdict, RunVerdict::Interrupted);
}

#[test]
fn without_a_steady_state_nothing_was_tested_and_an_abort_is_a_failure() {
    let records = answered(1);
    let campaign = campaign(vec![bound(Metric::AnsweredShare, Some(2.0), None)]);
    let of = |change: fn(&mut RunFacts<'_>)| {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("calls.jsonl");
        let mut writer = RecordWriter::create(&path).expect("a file");
        records.iter().for_each(|record| writer.write(record));
        drop(writer);
        let mut run = run(&campaign, generators(1));
        change(&mut run);
        Summary::of(run, &[path])
    };
    let summary = of(|run| run.unsteady = vec!["no steady state: asr is 0.4".to_owned()]);
    assert_eq!((summary.verdict, summary.exit_code()), (RunVerdict::Unsteady, 5));
    assert_eq!(summary.reasons, ["no steady state: asr is 0.4"]);
    let summary = of(|run| run.aborted = Some("ended at 12 s: asr is 0.4".to_owned()));
    assert_eq!((summary.verdict, summary.exit_code()), (RunVerdict::Fail, 1));
    assert_eq!(summary.reasons, ["ended at 12 s: asr is 0.4"], "half a campaign is not judged");
}

#[test]
fn a_threshold_may_be_of_a_part_of_the_attempts() {
    let records: Vec<CallRecord> =
        answered(1).into_iter().chain(unanswered(2, Outcome::Rejected, 503)).collect();
    let judge = |kind, name: &str, metric, min| {
        let of = Some(Scope { kind, name: name.to_owned() });
        let campaign = campaign(vec![Threshold { of, ..bound(metric, Some(min), None) }]);
        summarize(&campaign, generators(2), &records).reasons.join("; ")
    };
    assert_eq!(judge(ScopeKind::Site, "alpha", Metric::Asr, 0.5), "");
    let reason = judge(ScopeKind::Number, "15", Metric::Asr, 0.6);
    assert_eq!(reason, "asr of number 15 is 0.5000, must be at least 0.6");
    let reason = judge(ScopeKind::Department, "unknown", Metric::Isa, 0.6);
    assert_eq!(reason, "isa of département unknown is 0.5000, must be at least 0.6");
    let reason = judge(ScopeKind::Psap, "samu-75", Metric::Ner, 0.6);
    assert!(reason.contains("ner of PSAP samu-75 could not be measured"), "{reason}");
}

// RFC 6076 §4.3.2, §4.4, §4.5.1, §4.8, §4.9; ITU-T E.500 for traffic.
#[test]
fn the_metrics_of_rfc_6076_by_hand() {
    // Answered after 3 s, BYE after 6 s of talk, and its 200 a second later; 7 s on the circuit.
    let mut good = answered(1).swap_remove(0);
    (good.bye_us, good.commune) = (Some(7_000_000), Some("59350".to_owned()));
    let mut refused = unanswered(2, Outcome::Rejected, 503).swap_remove(0);
    refused.end_us = refused.start_us + 250_000;
    let mut silent = unanswered(3, Outcome::TimedOut, 0).swap_remove(0);
    (silent.status, silent.ring_us) = (None, None);
    let busy = unanswered(4, Outcome::Rejected, 486).swap_remove(0);
    // Two seconds of load.
    let start = good.start_us;
    let mut tally = Tally::new(&BTreeMap::new()).during(start..start + 2_000_000);
    attempts([good, refused, silent, busy]).read(&mut [&mut tally]);
    let capacity = Capacity {
        loaded: Duration::from_secs(2),
        trunk_groups: BTreeMap::from([("mobile".to_owned(), 20)]),
        ..Capacity::default()
    };
    let signalling = Signalling { sent: 50, received: 30, ..Signalling::default() };
    let metrics = tally.metrics(&capacity, signalling);
    assert_eq!((metrics.ratios.isa, metrics.ratios.scr), (Some(0.5), Some(0.25)));
    assert_eq!((metrics.sdd.p50, metrics.sdt.p50), (Some(1_000_000), Some(4_000_000)));
    assert_eq!((metrics.sdd.count, metrics.sdt.count, metrics.rrd), (1, 1, None));
    assert_eq!(metrics.srd_failed.count, 2, "503 and 486");
    assert_eq!(metrics.srd_failed.p50, Some(250_000));
    assert_eq!(metrics.calls_per_second, 2.0);
    assert_eq!(
        (metrics.messages_sent_per_second, metrics.messages_received_per_second),
        (25.0, 15.0)
    );
    // 2 s, 0.25 s, 2 s and 2 s in 2 s: what goes on after the load is no traffic of it.
    assert!((metrics.erlang - 3.125).abs() < 1e-9, "{}", metrics.erlang);
    let mobile = &metrics.by_trunk_group["mobile"];
    let occupancy = mobile.occupancy.expect("20 circuits");
    assert!((occupancy - 3.125 / 20.0).abs() < 1e-9, "{occupancy}");
    assert_eq!(metrics.by_department["59"].ratios.asr, Some(1.0));
    assert_eq!(metrics.by_department["unknown"].ratios.isa, Some(2.0 / 3.0));
}
