//! What a small run leaves in its folder.

use std::fs;
use std::path::Path;
use std::time::Duration;

use account::archive::open_calls;
use account::fixture::{START, chain};
use account::summary::{RecordIntake, RunVerdict, Summary};
use campaign::{Campaign, Time};
use serde_json::json;

use super::*;

/// The demo with three attempts, told in `folder`.
pub(crate) fn demo(folder: &Folder, state: RunState) -> Published {
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/campaigns/demo.toml");
    let none = topology::Layers::none();
    let (campaign, topology) =
        Campaign::load_with_network(&configs, &none, &none).expect("the demo");
    let mut intake = RecordIntake::open(campaign.rules());
    intake.read(&[folder.records("all")]);
    let run = close(EndedRun {
        campaign: &campaign,
        topology: &topology,
        name: "run".to_owned(),
        title: String::new(),
        state,
        intake,
        took: Duration::ZERO,
        archive: Some(folder),
    });
    publish(folder, &campaign, vec![run], Time::Real, Duration::from_micros(START))
}

/// What stands in its `summary.json`.
fn summary(folder: &Folder) -> Summary {
    read_summary(&folder.path().join("summary.json")).expect("a summary")
}

pub(crate) fn desk() -> (tempfile::TempDir, Folder) {
    let desk = tempfile::tempdir().expect("a folder");
    let folder = Folder::create(desk.path(), "demo").expect("a run folder");
    let mut records = telemetry::RecordWriter::create(&folder.records("all")).expect("a file");
    [chain(1), chain(2), chain(3)].iter().flatten().for_each(|record| records.write(record));
    (desk, folder)
}

pub(crate) fn state(offered: u64) -> RunState {
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
    demo(&folder, state(3));
    let summary = summary(&folder);
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
    demo(&folder, killed);
    let ledger = summary(&folder).ledger;
    assert_eq!((ledger.offered, ledger.answered, ledger.in_progress), (3, 3, 0));
    assert!(ledger.balanced, "{:?}", ledger.faults);
}

#[test]
fn a_folder_that_takes_no_database_still_gets_its_summary_with_the_reason() {
    let (_desk, folder) = desk();
    // A folder in its place cannot be written to.
    fs::create_dir(folder.path().join(CALLS_CSV)).expect("a folder");
    demo(&folder, state(3));
    let summary = summary(&folder);
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
fn a_run_that_misses_something_is_degraded_unless_something_graver_was_found() {
    let (_desk, folder) = desk();
    demo(&folder, state(3));
    let mut summary = summary(&folder);
    let before = summary.reasons.clone();
    summary.degrade("calls.csv is missing".to_owned());
    assert_eq!(summary.verdict, RunVerdict::Degraded);
    // Before what is said against the network, and after what was missing already.
    summary.degrade("report.txt too".to_owned());
    let missing = ["calls.csv is missing".to_owned(), "report.txt too".to_owned()];
    assert_eq!(summary.reasons, [&missing[..], &before].concat());
    assert_eq!(summary.degraded, missing);
    for (verdict, exit_code) in [(RunVerdict::Invalid, 3), (RunVerdict::Unsteady, 5)] {
        summary.verdict = verdict;
        summary.degrade("junit.xml too".to_owned());
        assert_eq!((summary.verdict, summary.exit_code()), (verdict, exit_code));
    }
}

/// Everything in the folder that says a verdict, in the words of `summary.json`.
fn verdicts(folder: &Folder, published: &Published) -> Vec<(String, String)> {
    let mut found = vec![
        ("exit code".to_owned(), published.exit_code.to_string()),
        (
            "text".to_owned(),
            published.text.split_whitespace().next().unwrap_or_default().to_owned(),
        ),
    ];
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).ok();
    let json = |text: String| serde_json::from_str::<serde_json::Value>(&text).expect("JSON");
    if let Some(text) = read("report.txt") {
        found.push((
            "report.txt".to_owned(),
            text.split_whitespace().next().unwrap_or_default().to_owned(),
        ));
    }
    if let Some(page) = read("report.html") {
        let word = page.split("<h1>").nth(1).and_then(|rest| rest.split("</h1>").next());
        found.push(("report.html".to_owned(), word.expect("a headline").to_owned()));
    }
    if let Some(junit) = read("junit.xml") {
        let word = |name: &str| {
            let value = junit.split(&format!("name=\"{name}\" value=\"")).nth(1).expect(name);
            value.split('"').next().unwrap_or_default().to_owned()
        };
        found.push(("junit.xml".to_owned(), word("verdict")));
        found.push(("junit.xml, exit code".to_owned(), word("exit_code")));
        let is_green = !junit.contains("<failure") && !junit.contains("<error");
        assert_eq!(is_green, published.exit_code == 0, "{junit}");
    }
    for name in ["summary.json", "receipt.json"] {
        let Some(told) = read(name).map(json) else { continue };
        // A receipt of the start says nothing yet.
        if let Some(word) = told["verdict"].as_str() {
            found.push((name.to_owned(), word.to_owned()));
        }
    }
    if let Ok(calls) = open_calls(&folder.path().join(CALLS)) {
        let word = |key: &str| -> String {
            let query = "SELECT CAST(value AS TEXT) FROM run WHERE key = ?";
            calls.query_row(query, [key], |row| row.get(0)).expect("a fact")
        };
        found.push((CALLS.to_owned(), word("verdict")));
        found.push((format!("{CALLS}, exit code"), word("exit_code")));
    }
    found
}

/// That all of them say the same.
#[track_caller]
fn one_voice(folder: &Folder, published: &Published) -> RunVerdict {
    let found = verdicts(folder, published);
    let all = [
        RunVerdict::Pass,
        RunVerdict::Fail,
        RunVerdict::Invalid,
        RunVerdict::Degraded,
        RunVerdict::Unsteady,
        RunVerdict::Interrupted,
    ];
    let verdict =
        *all.iter().find(|one| one.exit_code() == published.exit_code).expect("a verdict");
    for (place, word) in &found {
        let wanted = match place.ends_with("exit code") {
            true => verdict.exit_code().to_string(),
            false => verdict.as_str().to_owned(),
        };
        assert_eq!(word.to_uppercase(), wanted, "{place} of {found:#?}");
    }
    assert!(!folder.path().join("calls.sqlite.part").exists());
    verdict
}

#[test]
fn whichever_file_fails_everything_that_is_left_says_the_same() {
    let everything = {
        let (_desk, folder) = desk();
        let published = demo(&folder, state(3));
        assert_ne!(one_voice(&folder, &published), RunVerdict::Degraded);
        verdicts(&folder, &published).len()
    };
    assert_eq!(everything, 10, "text, page, JSON, JUnit, SQLite, receipt and exit code");
    for name in [
        "report.html",
        "junit.xml",
        "report.txt",
        "summary.json",
        "receipt.json",
        CALLS,
        CALLS_CSV,
        "histograms",
    ] {
        let (_desk, folder) = desk();
        let place = folder.path().join(name);
        match name {
            // Where a folder belongs a file is in its place.
            "histograms" => fs::write(&place, "").expect("a file"),
            _ => fs::create_dir(&place).expect("a folder"),
        }
        let published = demo(&folder, state(3));
        assert_eq!(one_voice(&folder, &published), RunVerdict::Degraded, "{name}");
        let sentence = format!("{name} could not be written");
        assert!(published.text.contains(&sentence), "{name}: {}", published.text);
        assert_eq!(folder.path().join("summary.json").is_file(), name != "summary.json");
    }
}

#[test]
fn a_report_without_a_summary_refers_to_none_and_tells_everything() {
    let (_desk, folder) = desk();
    let mut lossy = state(3);
    lossy.degraded = (1..=9).map(|number| format!("thing {number} went wrong")).collect();
    let published = demo(&folder, lossy.clone());
    assert!(published.text.contains("more in summary.json"), "{}", published.text);
    fs::remove_file(folder.path().join("summary.json")).expect("it was written");
    fs::create_dir(folder.path().join("summary.json")).expect("a folder in its place");
    let published = demo(&folder, lossy);
    assert!(!published.text.contains("more in summary.json"), "{}", published.text);
    assert!(published.text.contains("! thing 9 went wrong\n"), "{}", published.text);
}

#[test]
fn a_folder_that_is_gone_leaves_the_verdict_to_the_exit_code_and_the_text() {
    let (desk, folder) = desk();
    let mut intake_state = state(3);
    intake_state.record_files.clear();
    fs::remove_dir_all(folder.path()).expect("its folder");
    let published = demo(&folder, intake_state);
    // Its records are gone too.
    assert!(matches!(published.exit_code, 3 | 4), "{}", published.text);
    assert_eq!(verdicts(&folder, &published).len(), 2);
    drop(desk);
}

#[test]
fn a_run_that_was_interrupted_says_so_everywhere() {
    let (_desk, folder) = desk();
    let published = demo(&folder, RunState { interrupted: true, ..state(3) });
    assert_eq!(one_voice(&folder, &published), RunVerdict::Interrupted);
    assert_eq!(published.exit_code, 130);
    // And so it does when something fails as well.
    fs::remove_file(folder.path().join("report.html")).expect("the page");
    fs::create_dir(folder.path().join("report.html")).expect("a folder");
    let published = demo(&folder, RunState { interrupted: true, ..state(3) });
    assert_eq!(one_voice(&folder, &published), RunVerdict::Degraded);
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
    demo(&folder, state(3));
    let summary = serde_json::to_value(summary(&folder)).expect("JSON");
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

#[test]
fn a_run_stands_as_its_process_and_its_files_say() {
    let desk = tempfile::tempdir().expect("a folder");
    let make = || Folder::create(desk.path(), "demo").expect("a run folder");
    let at = |folder: &Folder| Standing::of(folder.path());
    let latest = || fs::read_link(desk.path().join("latest")).ok();

    let folder = make();
    let path = folder.path().to_owned();
    assert_eq!((at(&folder), latest()), (Standing::Starting, None));
    drop(folder);
    assert_eq!((Standing::of(&path), latest()), (Standing::NotStarted, None));
    assert!(!path.join(standing::MARK).exists());

    let folder = make();
    folder.begin();
    folder.begin();
    assert_eq!(at(&folder), Standing::Running);
    let own = folder.path().file_name().map(std::path::PathBuf::from);
    assert_eq!(latest(), own);
    // One that starts takes nothing from the one that goes on.
    let next = make();
    assert_eq!((at(&next), latest()), (Standing::Starting, own));
    let path = folder.path().to_owned();
    drop(folder);
    assert_eq!(Standing::of(&path), Standing::Broken);

    next.begin();
    next.write("summary.json", "{}").expect("a result");
    assert_eq!(at(&next), Standing::Ended);
    let path = next.path().to_owned();
    drop(next);
    assert_eq!(Standing::of(&path), Standing::Ended);
    assert!(!path.join(standing::MARK).exists());
}

#[test]
fn what_earlier_versions_left_has_ended_or_is_broken() {
    let desk = tempfile::tempdir().expect("a folder");
    assert_eq!(Standing::of(desk.path()), Standing::NotStarted);
    fs::write(desk.path().join("state.json"), "{}").expect("a state");
    assert_eq!(Standing::of(desk.path()), Standing::Broken);
    fs::write(desk.path().join("summary-other.json"), "{}").expect("a summary");
    assert_eq!(Standing::of(desk.path()), Standing::Ended);
}
