//! What is written of the attempts of a small run.

use std::fs;

use serde_json::json;
use telemetry::{Attempts, Audit, BoxKind, CallRecord, CallerClass, Outcome, Party, Rules};

use super::row::{COLUMNS, Row};
use super::*;

const ZERO_US: u64 = 1_622_645_100_000_000;

fn record(kind: BoxKind, node: &str, attempt: u128) -> CallRecord {
    let name = |name: &str| Some(name.to_owned());
    CallRecord {
        attempt: format!("{attempt:032x}"),
        kind,
        node: node.to_owned(),
        call_id: format!("{attempt}@127.0.0.1"),
        number: "15".to_owned(),
        commune: name("59350"),
        site: name("alpha"),
        psap: name("samu-59"),
        trunk_group: name("mobile"),
        tried: Vec::new(),
        intended_us: None,
        start_us: ZERO_US + 2_000_000,
        ring_us: Some(ZERO_US + 2_030_000),
        answer_us: Some(ZERO_US + 3_000_000),
        bye_us: None,
        end_us: ZERO_US + 8_000_000,
        outcome: Outcome::Answered,
        status: Some(200),
        cause: Some(16),
        ended_by: Some(Party::Caller),
        reason: None,
        media: Vec::new(),
        caller: None,
        attempt_of_caller: None,
        class: None,
    }
}

/// Both ends heard each other, the PSAP not so well.
fn chain(attempt: u128) -> Vec<CallRecord> {
    let heard = |mos: f64| {
        let verdict = Some(media::Verdict::Heard);
        vec![media::StreamReport { verdict, mos: Some(mos), ..media::StreamReport::default() }]
    };
    let caller = CallRecord {
        intended_us: Some(ZERO_US + 1_990_000),
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

/// One answered, one refused, one lost, and one of somebody else.
fn attempts() -> Attempts {
    let mut refused = chain(2);
    for record in &mut refused {
        (record.outcome, record.answer_us, record.status) = (Outcome::Rejected, None, Some(503));
        record.reason = Some("no circuit is free".to_owned());
    }
    let mut lost = chain(3);
    for record in &mut lost {
        (record.outcome, record.reason) = (Outcome::Lost, Some("restarted".to_owned()));
    }
    let mut audit = Audit::new(Rules { foreign_callers: true, ..Rules::default() });
    let foreign = chain(u128::MAX).split_off(1);
    for record in [chain(1), refused, lost, foreign].iter().flatten() {
        audit.add(record);
    }
    let (ledger, attempts) = audit.close(3, &[]);
    assert!(ledger.balanced, "{:?}", ledger.faults);
    attempts
}

fn place(name: &str) -> usize {
    COLUMNS.iter().position(|(column, _)| *column == name).expect("a column")
}

#[test]
fn the_database_holds_every_attempt_of_the_campaign_and_what_boxes_said_of_bad_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(CALLS);
    let unnamed = sqlite::write(&path, &attempts(), ZERO_US).expect("a database");
    assert!(!path.exists(), "it is not whole yet");
    let event = events::Event {
        at: Duration::from_millis(1_500),
        kind: "command",
        site: Some("alpha".to_owned()),
        what: "restart".to_owned(),
    };
    let facts = [("seed", "7".to_owned()), ("started_us", ZERO_US.to_string())];
    sqlite::close(unnamed, &path, &facts, &[event]).expect("its name");

    let calls = open_calls(&path).expect("the database");
    let number = |query: &str| calls.query_row(query, [], |row| row.get::<_, i64>(0)).expect(query);
    assert_eq!(number("SELECT count(*) FROM attempts"), 3);
    assert_eq!(number("SELECT count(*) FROM records"), 8);
    let one = "SELECT pdd_us FROM attempts WHERE attempt LIKE '%1'";
    assert_eq!(number(one), 40_000);
    assert_eq!(number("SELECT setup_us FROM attempts WHERE outcome = 'answered'"), 1_010_000);
    assert_eq!(
        number("SELECT talk_us + lag_us FROM attempts WHERE outcome = 'answered'"),
        5_010_000
    );
    assert_eq!(
        number("SELECT count(*) FROM attempts WHERE department = '59' AND caller = 7 AND nth = 2"),
        3
    );
    assert_eq!(number("SELECT count(*) FROM attempts WHERE number = '1,5 \"x\"' || char(10)"), 3);
    assert_eq!(number("SELECT value FROM run WHERE key = 'seed'"), 7);
    assert_eq!(number("SELECT count(*) FROM events WHERE at_s = 1.5 AND site = 'alpha'"), 1);
    let text =
        |query: &str| calls.query_row(query, [], |row| row.get::<_, String>(0)).expect(query);
    assert_eq!(
        text("SELECT lost_in || lost_why FROM attempts WHERE outcome = 'lost'"),
        "alpharestarted"
    );
    assert_eq!(
        text("SELECT why FROM failures_by_site WHERE outcome = 'rejected'"),
        "no circuit is free"
    );
    assert_eq!(
        text("SELECT heard_by_caller || heard_by_psap FROM worst_sound WHERE mos = 3.9"),
        "heardheard"
    );
    assert_eq!(text("SELECT start_at FROM attempts_utc LIMIT 1"), "2021-06-02T14:45:02.000Z");
    // Every view can be asked.
    let mut views =
        calls.prepare("SELECT name FROM sqlite_master WHERE type = 'view'").expect("views");
    let views: Vec<String> =
        views.query_map([], |row| row.get(0)).and_then(Iterator::collect).expect("their names");
    assert!(views.len() >= 7, "{views:?}");
    views
        .iter()
        .for_each(|view| assert!(number(&format!("SELECT count(*) FROM {view}")) > 0, "{view}"));
    let parts = fs::read_dir(folder.path()).expect("the folder").count();
    assert_eq!(parts, 1, "nothing is left beside it");
}

#[test]
fn a_line_of_the_table_is_a_row_of_the_database() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(CALLS_CSV);
    let attempts = attempts();
    calls_csv::write(&path, &attempts, ZERO_US).expect("a table");
    let mut table = csv::Reader::from_path(&path).expect("the table");
    let head: Vec<String> = table.headers().expect("names").iter().map(str::to_owned).collect();
    assert_eq!(head[..COLUMNS.len()], COLUMNS.map(|(name, _)| name.to_owned()));
    let lines: Vec<csv::StringRecord> = table.records().collect::<Result<_, _>>().expect("lines");
    let rows: Vec<Row<'_>> = attempts.iter().filter_map(|one| Row::of(&one, ZERO_US)).collect();
    assert_eq!((lines.len(), rows.len()), (3, 3));
    assert_eq!(rows.iter().map(|row| row.is_good).collect::<Vec<_>>(), [true, false, false]);
    assert_eq!(&lines[0][place("number")], "1,5 \"x\"\n");
    assert_eq!(&lines[0][place("pdd_us")], "40000");
    assert_eq!(&lines[1][place("answer_us")], "");
    assert_eq!(&lines[2][COLUMNS.len()], "2021-06-02T14:45:01.990Z");
}

#[cfg(target_os = "linux")]
#[test]
fn what_the_disk_refuses_is_a_sentence_and_leaves_nothing_half_written() {
    // Every write to it fails as on a full disk.
    let full = Path::new("/dev/full");
    let refused = calls_csv::write(full, &attempts(), ZERO_US).expect_err("a full disk");
    let sentence = unwritten(CALLS_CSV, &refused);
    assert!(sentence.starts_with("calls.csv could not be written: No space left"), "{sentence}");
    assert!(sentence.ends_with("make room and run tocsin report"), "{sentence}");

    let nowhere = Path::new("/nowhere/calls.sqlite");
    sqlite::write(nowhere, &attempts(), ZERO_US).expect_err("no folder");
    let folder = tempfile::tempdir().expect("a folder");
    drop(sqlite::write(&folder.path().join(CALLS), &attempts(), ZERO_US).expect("a database"));
    assert_eq!(
        fs::read_dir(folder.path()).expect("the folder").count(),
        0,
        "it never got its name"
    );
}

/// The demo with three attempts, told in `folder`.
fn demo(folder: &Folder, state: State) -> crate::outcome::Outcome {
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/campaigns/demo.toml");
    let none = topology::Layers::none();
    let (campaign, topology) =
        Campaign::load_with_network(&configs, &none, &none).expect("the demo");
    let mut books = Books::open(campaign.rules());
    books.read(&[folder.records("all")]);
    let mut outcome = close(Ending {
        campaign: &campaign,
        topology: &topology,
        name: "run".to_owned(),
        title: String::new(),
        state,
        books,
        took: Duration::ZERO,
        archive: Some(folder),
    });
    publish(
        folder,
        &campaign,
        std::slice::from_mut(&mut outcome),
        World::Real,
        Duration::from_micros(ZERO_US),
    );
    outcome
}

fn desk() -> (tempfile::TempDir, Folder) {
    let desk = tempfile::tempdir().expect("a folder");
    let folder = Folder::create(desk.path(), "demo").expect("a run folder");
    let mut records = telemetry::RecordWriter::create(&folder.records("all")).expect("a file");
    [chain(1), chain(2), chain(3)].iter().flatten().for_each(|record| records.write(record));
    (desk, folder)
}

fn state(offered: u64) -> State {
    let generators = contract::GeneratorSnapshot {
        offered,
        finished: true,
        ..contract::GeneratorSnapshot::default()
    };
    State {
        ended: true,
        campaign: "demo".to_owned(),
        started_us: ZERO_US,
        elapsed: Duration::from_secs(20),
        generators,
        record_files: vec!["records/all.jsonl".into()],
        ..State::default()
    }
}

#[test]
fn a_run_leaves_all_its_files_and_they_agree() {
    let (_desk, folder) = desk();
    let outcome = demo(&folder, state(3));
    let summary = &outcome.summary;
    assert!(summary.ledger.balanced, "{:?}", summary.reasons);
    for name in ["summary.json", "report.txt", CALLS, CALLS_CSV] {
        assert!(folder.path().join(name).is_file(), "{name}");
    }
    for name in ["pdd", "setup", "lag", "pdd-alpha"] {
        assert!(folder.path().join("histograms").join(format!("{name}.hgrm")).is_file(), "{name}");
    }
    let calls = open_calls(&folder.path().join(CALLS)).expect("the database");
    let verdict: String = calls
        .query_row("SELECT value FROM run WHERE key = 'verdict'", [], |row| row.get(0))
        .expect("a verdict");
    assert_eq!(verdict, summary.verdict.as_str());
    let per_outcome: i64 = calls
        .query_row("SELECT count(*) FROM attempts WHERE outcome = 'answered'", [], |row| row.get(0))
        .expect("a count");
    assert_eq!(per_outcome.cast_unsigned(), summary.ledger.answered);
}

#[test]
fn a_killed_run_counts_what_has_a_record_and_no_more() {
    let (_desk, folder) = desk();
    // Its last state is older than its last records.
    let killed = State { ended: false, ..state(2) };
    let ledger = demo(&folder, killed).summary.ledger;
    assert_eq!((ledger.offered, ledger.answered, ledger.in_progress), (3, 3, 0));
    assert!(ledger.balanced, "{:?}", ledger.faults);
}

#[test]
fn a_folder_that_takes_no_database_still_gets_its_summary_with_the_reason() {
    let (_desk, folder) = desk();
    // A folder in its place cannot be written to.
    fs::create_dir(folder.path().join(CALLS_CSV)).expect("a folder");
    let summary = demo(&folder, state(3)).summary;
    assert_eq!(summary.verdict, Verdict::Degraded);
    assert!(
        summary.reasons.iter().any(|why| why.contains("calls.csv could not be written")),
        "{:?}",
        summary.reasons
    );
    let kept = fs::read_to_string(folder.path().join("summary.json")).expect("a summary");
    assert!(kept.contains("calls.csv could not be written"));
}

#[test]
fn a_summary_that_misses_something_is_degraded_unless_it_is_invalid() {
    let (_desk, folder) = desk();
    let mut summary = demo(&folder, state(3)).summary;
    degrade(&mut summary, "calls.csv is missing".to_owned());
    assert_eq!(summary.verdict, Verdict::Degraded);
    assert_eq!(summary.reasons.last().map(String::as_str), Some("calls.csv is missing"));
    summary.verdict = Verdict::Invalid;
    degrade(&mut summary, "report.txt too".to_owned());
    assert_eq!((summary.verdict, summary.exit_code()), (Verdict::Invalid, 3));
}

#[test]
fn every_summary_has_the_shape_of_its_schema() {
    let (_desk, folder) = desk();
    let summary = serde_json::to_value(demo(&folder, state(3)).summary).expect("JSON");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema/summary.schema.json");
    let schema = fs::read_to_string(path).expect("the schema");
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("JSON in the schema");
    let known = schema["properties"].as_object().expect("properties");
    for field in summary.as_object().expect("an object").keys() {
        assert!(
            known.contains_key(field),
            "docs/schema/summary.schema.json does not describe {field}"
        );
    }
    let shape = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<String> = shape
        .iter_errors(&summary)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    // It is no schema that takes anything.
    for (place, wrong) in [
        ("/verdict", json!("good")),
        ("/ledger/offered", json!(-1)),
        ("/metrics/pdd/p99", json!("1")),
    ] {
        let mut other = summary.clone();
        *other.pointer_mut(place).expect("a field") = wrong;
        assert!(!shape.is_valid(&other), "{place}");
    }
    let mut more = summary.clone();
    more["surprise"] = json!(1);
    assert!(!shape.is_valid(&more), "a field that the schema does not know");
}
