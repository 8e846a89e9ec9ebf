//! What is written of the attempts of a small run.

use std::fs;
use std::path::Path;
use std::time::Duration;

use telemetry::{Attempts, Audit, Outcome, Rules};

use super::row::COLUMNS;
use super::*;
use crate::fixture::{START, chain};

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
    let attempts = audit.close(3, &[]);
    let ledger = attempts.ledger();
    assert!(ledger.balanced, "{:?}", ledger.faults);
    attempts
}

fn rows(attempts: &Attempts) -> Vec<Batch> {
    let mut rows = AttemptRows::new(START);
    let batches = rows.subscribe();
    attempts.read(&mut [&mut rows]);
    rows.finish();
    batches.iter().collect()
}

fn place(name: &str) -> usize {
    COLUMNS.iter().position(|column| column.name == name).expect("a column")
}

#[test]
fn the_database_holds_every_attempt_of_the_campaign_and_what_boxes_said_of_bad_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("calls.sqlite");
    let mut partial = sqlite::write(&path, rows(&attempts())).expect("a database");
    assert!(!path.exists(), "it is not whole yet");
    let event = ArchivedEvent {
        at: Duration::from_millis(1_500),
        kind: "command",
        site: Some("alpha".to_owned()),
        what: "restart".to_owned(),
    };
    let facts = [("seed", "7".to_owned()), ("started_us", START.to_string())];
    // A verdict may change before the file gets its name, and after.
    sqlite::tell(&partial, &[("seed", "6".to_owned())], std::slice::from_ref(&event))
        .expect("a verdict");
    sqlite::name(&mut partial).expect("its name");
    sqlite::tell(&partial, &facts, &[event]).expect("another verdict");
    sqlite::name(&mut partial).expect("the name that it has");
    drop(partial);

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
fn views_name_what_reached_no_site_and_no_answering_point() {
    let mut nowhere = chain(1);
    nowhere.truncate(2);
    for record in &mut nowhere {
        (record.site, record.psap, record.answer_us) = (None, None, None);
        record.tried.clear();
        (record.outcome, record.status) = (Outcome::Rejected, Some(503));
        record.reason = Some("no site takes calls".to_owned());
    }
    let mut audit = Audit::new(Rules::default());
    nowhere.iter().for_each(|record| audit.add(record));
    let attempts = audit.close(1, &[]);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("calls.sqlite");
    let mut partial = sqlite::write(&path, rows(&attempts)).expect("a database");
    sqlite::tell(&partial, &[("started_us", START.to_string())], &[]).expect("facts");
    sqlite::name(&mut partial).expect("its name");
    let calls = open_calls(&path).expect("the database");
    for view in ["failures_by_site", "by_site", "attempts_utc"] {
        let site: String =
            calls.query_row(&format!("SELECT site FROM {view}"), [], |row| row.get(0)).expect(view);
        assert_eq!(site, "no site", "{view}");
    }
    for view in ["failures_by_psap", "attempts_utc"] {
        let [psap, why]: [String; 2] = calls
            .query_row(&format!("SELECT psap, why FROM {view}"), [], |row| {
                Ok([row.get(0)?, row.get(1)?])
            })
            .expect(view);
        assert_eq!((&psap[..], &why[..]), ("no PSAP", "no site takes calls"), "{view}");
    }
}

#[test]
fn a_line_of_the_table_is_a_row_of_the_database() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("calls.csv");
    let attempts = attempts();
    calls_csv::write(&path, rows(&attempts)).expect("a table");
    let mut table = csv::Reader::from_path(&path).expect("the table");
    let head: Vec<String> = table.headers().expect("names").iter().map(str::to_owned).collect();
    assert_eq!(head[..COLUMNS.len()], COLUMNS.map(|column| column.name.to_owned()));
    let lines: Vec<csv::StringRecord> = table.records().collect::<Result<_, _>>().expect("lines");
    let batches = rows(&attempts);
    let are_good: Vec<bool> = batches
        .iter()
        .flat_map(|batch| batch.iter())
        .map(|row| row.records().next().is_none())
        .collect();
    assert_eq!((lines.len(), are_good), (3, vec![true, false, false]));
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
    let refused = calls_csv::write(full, rows(&attempts())).expect_err("a full disk");
    assert!(format!("{refused:#}").starts_with("No space left"), "{refused:#}");

    let nowhere = Path::new("/nowhere/calls.sqlite");
    sqlite::write(nowhere, rows(&attempts())).expect_err("no folder");
    let folder = tempfile::tempdir().expect("a folder");
    drop(
        sqlite::write(&folder.path().join("calls.sqlite"), rows(&attempts())).expect("a database"),
    );
    assert_eq!(
        fs::read_dir(folder.path()).expect("the folder").count(),
        0,
        "it never got its name"
    );
}
