//! What a small run leaves in its folder.

use std::fs;
use std::path::Path;
use std::time::Duration;

use account::archive::open_calls;
use account::fixture::{START, chain};
use account::outcome::VariantOutcome;
use account::summary::{RecordIntake, RunVerdict};
use campaign::{Campaign, Time};
use serde_json::json;

use super::*;

/// The demo with three attempts, told in `folder`.
fn demo(folder: &Folder, state: RunState) -> VariantOutcome {
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/campaigns/demo.toml");
    let none = topology::Layers::none();
    let (campaign, topology) =
        Campaign::load_with_network(&configs, &none, &none).expect("the demo");
    let mut intake = RecordIntake::open(campaign.rules());
    intake.read(&[folder.records("all")]);
    let mut outcome = close(EndedRun {
        campaign: &campaign,
        topology: &topology,
        name: "run".to_owned(),
        title: String::new(),
        state,
        intake,
        took: Duration::ZERO,
        archive: Some(folder),
    });
    publish(
        folder,
        &campaign,
        std::slice::from_mut(&mut outcome),
        Time::Real,
        Duration::from_micros(START),
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

fn state(offered: u64) -> RunState {
    let generators = contract::GeneratorSnapshot {
        offered,
        finished: true,
        ..contract::GeneratorSnapshot::default()
    };
    RunState {
        ended: true,
        campaign: "demo".to_owned(),
        started_us: START,
        elapsed: Duration::from_secs(20),
        generators,
        record_files: vec!["records/all.jsonl".into()],
        ..RunState::default()
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
    let killed = RunState { ended: false, ..state(2) };
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
    assert_eq!(summary.verdict, RunVerdict::Degraded);
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
    assert_eq!(summary.verdict, RunVerdict::Degraded);
    assert_eq!(summary.reasons.last().map(String::as_str), Some("calls.csv is missing"));
    summary.verdict = RunVerdict::Invalid;
    degrade(&mut summary, "report.txt too".to_owned());
    assert_eq!((summary.verdict, summary.exit_code()), (RunVerdict::Invalid, 3));
}

#[test]
fn the_published_schema_follows_from_the_types_of_the_summary() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema/summary.schema.json");
    let published = fs::read_to_string(path).expect("the schema");
    assert!(
        published == account::summary_schema(),
        "docs/schema/summary.schema.json is not what Summary says; if that is right, renew it:\n  \
         cargo run -p account --features schema --example summary-schema >docs/schema/summary.schema.json"
    );
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

#[test]
fn what_the_disk_refused_is_a_sentence_with_advice() {
    let sentence = missing::unwritten(CALLS_CSV, &anyhow::anyhow!("No space left"));
    assert!(sentence.starts_with("calls.csv could not be written: No space left"), "{sentence}");
    assert!(sentence.ends_with("make room and run tocsin report"), "{sentence}");
}
