//! Runs by hand, for tests.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use campaign::{Campaign, Threshold};
use contract::GeneratorSnapshot;
use telemetry::metric::Metric;
use telemetry::{BoxKind, CallRecord, CallerClass, Outcome, Party, Rules};
use topology::Layers;

use crate::series::Series;
use crate::summary::{RecordIntake, RunFacts, Summary};

const SECOND: u64 = 1_000_000;
/// When the runs by hand begin, Unix microseconds.
pub const START: u64 = 1_622_645_100 * SECOND;

/// A call that was due `due` and placed `lag` later, rang after a second, and ended `talk` after its answer, in milliseconds.
pub fn call(attempt: u128, due: u64, lag: u64, outcome: Outcome) -> CallRecord {
    let due = START + due * 1_000;
    let answered = matches!(outcome, Outcome::Answered | Outcome::Lost);
    CallRecord {
        number: "15".to_owned(),
        intended_us: Some(due),
        ring_us: (outcome != Outcome::TimedOut).then_some(due + SECOND),
        answer_us: answered.then_some(due + 2 * SECOND),
        end_us: due + 6 * SECOND,
        outcome,
        status: Some(if answered { 200 } else { 503 }),
        ..CallRecord::open(
            BoxKind::Generator,
            "load-1",
            format!("{attempt:032x}"),
            due + lag * 1_000,
        )
    }
}

fn campaign(thresholds: Vec<Threshold>) -> Campaign {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/campaigns/demo.toml");
    let campaign = Campaign::load(&demo, &Layers::none()).expect("the demo campaign");
    Campaign { thresholds, ..campaign }
}

/// A threshold on the share of answered attempts.
pub fn threshold(min: Option<f64>, max: Option<f64>) -> Threshold {
    Threshold { metric: Metric::AnsweredShare, of: None, min, max, abort_from: None }
}

/// An answered attempt in all four boxes.
pub fn answered(attempt: u128) -> Vec<CallRecord> {
    let name = |name: &str| Some(name.to_owned());
    let of = |kind, node: &str| CallRecord {
        kind,
        node: node.to_owned(),
        ..call(attempt, attempt as u64 * 100, 0, Outcome::Answered)
    };
    vec![
        CallRecord { trunk_group: name("mobile"), ..of(BoxKind::Generator, "load-1") },
        CallRecord {
            site: name("alpha"),
            tried: vec!["alpha".to_owned()],
            trunk_group: name("mobile"),
            ..of(BoxKind::TrunkGroup, "mobile")
        },
        CallRecord {
            site: name("alpha"),
            psap: name("samu-59"),
            ..of(BoxKind::CallServer, "alpha")
        },
        CallRecord { psap: name("samu-59"), ..of(BoxKind::Psap, "samu-59") },
    ]
}

/// The summary of these records, and their series.
pub fn summarize(
    records: &[CallRecord],
    thresholds: Vec<Threshold>,
    change: impl FnOnce(&mut RunFacts<'_>),
) -> (Summary, Series) {
    let campaign = campaign(thresholds);
    let callers = records.iter().filter(|record| record.kind == BoxKind::Generator);
    let generators =
        GeneratorSnapshot { offered: callers.count() as u64, ..GeneratorSnapshot::default() };
    let mut run = RunFacts {
        service_levels: BTreeMap::from([("samu-59".to_owned(), Duration::from_secs(2))]),
        started_us: START,
        duration: Duration::from_secs(25),
        generator_cpu_s: 0.25,
        rules: Rules::default(),
        ..RunFacts::new(&campaign, "six-sites", generators)
    };
    change(&mut run);
    let mut intake = RecordIntake::open(run.rules.clone());
    records.iter().for_each(|record| intake.add(record));
    let (mut tallies, attempts) = intake.into_tallies(&run);
    let mut series = Series::new(START, campaign.duration());
    let ledger = attempts.read(&mut [&mut tallies, &mut series]);
    (tallies.close(run, ledger), series)
}

/// Three answered attempts and one abandoned, judged.
pub fn judged(thresholds: Vec<Threshold>, change: impl FnOnce(&mut RunFacts<'_>)) -> Summary {
    summarize(&demo(), thresholds, change).0
}

/// The records of three answered attempts and one abandoned.
pub fn demo() -> Vec<CallRecord> {
    let mut records: Vec<CallRecord> = (1..=3).flat_map(answered).collect();
    let given_up = answered(4).into_iter().map(|record| CallRecord {
        outcome: Outcome::Abandoned,
        answer_us: None,
        status: Some(487),
        ..record
    });
    records.extend(given_up);
    records
}

fn record(kind: BoxKind, node: &str, attempt: u128) -> CallRecord {
    let name = |name: &str| Some(name.to_owned());
    CallRecord {
        call_id: format!("{attempt}@127.0.0.1"),
        number: "15".to_owned(),
        commune: name("59350"),
        site: name("alpha"),
        psap: name("samu-59"),
        trunk_group: name("mobile"),
        ring_us: Some(START + 2_030_000),
        answer_us: Some(START + 3_000_000),
        end_us: START + 8_000_000,
        outcome: Outcome::Answered,
        status: Some(200),
        cause: Some(16),
        ended_by: Some(Party::Caller),
        ..CallRecord::open(kind, node, format!("{attempt:032x}"), START + 2_000_000)
    }
}

/// Both ends heard each other, the PSAP not so well.
pub fn chain(attempt: u128) -> Vec<CallRecord> {
    let heard = |mos: f64| {
        let verdict = Some(media::SoundVerdict::Heard);
        vec![media::StreamReport { verdict, mos: Some(mos), ..media::StreamReport::default() }]
    };
    let caller = CallRecord {
        intended_us: Some(START + 1_990_000),
        caller: Some(7),
        attempt_of_caller: Some(2),
        class: Some(CallerClass::Emergency),
        number: "1,5 \"x\"\n".to_owned(),
        media: heard(4.37),
        ..record(BoxKind::Generator, "load-1", attempt)
    };
    vec![
        caller,
        record(BoxKind::TrunkGroup, "mobile", attempt),
        record(BoxKind::CallServer, "alpha", attempt),
        CallRecord { media: heard(3.9), ..record(BoxKind::Psap, "samu-59", attempt) },
    ]
}
