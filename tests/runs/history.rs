//! What a run leaves for later: its calls, its receipt, and the commands that tell it again.

use std::fs;
use std::process::{Command, Output};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use system_tests::process::signal;
use system_tests::program::tocsin;

use crate::{CampaignFolder, balanced};

/// Runs a command of the program in the folder of the test.
pub(crate) fn tell(workspace: &CampaignFolder, words: &[&str]) -> Output {
    Command::new(tocsin())
        .current_dir(workspace.path("."))
        .args(words)
        .output()
        .expect("tocsin starts")
}

#[track_caller]
pub(crate) fn said(workspace: &CampaignFolder, words: &[&str]) -> String {
    let output = tell(workspace, words);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{words:?}: {complaint}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

pub(crate) fn calls(workspace: &CampaignFolder) -> Connection {
    let path = workspace.path("runs/latest/calls.sqlite");
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the calls")
}

pub(crate) fn count(calls: &Connection, condition: &str) -> u64 {
    let query = format!("SELECT count(*) FROM attempts WHERE {condition}");
    let count: i64 = calls.query_row(&query, [], |row| row.get(0)).expect("a count");
    count.cast_unsigned()
}

fn json(workspace: &CampaignFolder, name: &str) -> Value {
    let text =
        fs::read_to_string(workspace.path("runs/latest").join(name)).expect("a file of the run");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn a_run_is_kept_listed_shown_compared_and_told_again() {
    let workspace = CampaignFolder::new(2, "300ms");
    let mut run = workspace.run(&["--quiet", "--set", "callers.media=0"]);
    run.finish();
    let summary = workspace.summary();
    let offered = balanced(&summary);

    let database = calls(&workspace);
    assert_eq!(count(&database, "true"), offered);
    for outcome in ["answered", "rejected", "abandoned", "timed_out", "lost"] {
        let wanted = summary["ledger"][outcome].as_u64().expect("a count");
        assert_eq!(count(&database, &format!("outcome = '{outcome}'")), wanted, "{outcome}");
    }
    let lines = csv::Reader::from_path(workspace.path("runs/latest/calls.csv")).expect("a table");
    assert_eq!(lines.into_records().count() as u64, offered);
    let receipt = json(&workspace, "receipt.json");
    assert_eq!(receipt["verdict"], summary["verdict"], "{receipt:#}");
    assert!(
        receipt["repeat"]
            .as_str()
            .is_some_and(|it| it.ends_with("run campaign.toml --quiet --set callers.media=0"))
    );
    assert!(receipt["inputs"]["sha256"].as_str().is_some_and(|hash| hash.len() == 64));
    let files = receipt["files"].as_array().expect("files");
    for name in ["calls.sqlite", "summary.json", "records/load.jsonl", "histograms/pdd-alpha.hgrm"]
    {
        assert!(files.iter().any(|file| file["name"] == name), "{name}: {files:#?}");
    }

    let runs: Value = serde_json::from_str(&said(&workspace, &["runs", "--json"])).expect("JSON");
    assert_eq!(runs[0]["attempts"], offered);
    let name = runs[0]["name"].as_str().expect("a name");
    assert!(said(&workspace, &["runs"]).contains(name));
    assert!(said(&workspace, &["show", "latest"]).contains("balanced"));
    let slowest = said(&workspace, &["show", name, "--slowest", "3"]);
    let first = slowest.lines().nth(1).and_then(|line| line.split_whitespace().next());
    let one = said(&workspace, &["show", name, &first.expect("an attempt")[..20]]);
    for part in
        ["generator load-1: sends the INVITE", "trunk group", "call server", "PSAP", "answered by"]
    {
        assert!(one.contains(part), "{part:?} is missing in\n{one}");
    }
    let nothing = tell(&workspace, &["show", "latest", "--where", "color = 'red'"]);
    let complaint = String::from_utf8_lossy(&nothing.stderr).into_owned();
    assert!(
        nothing.status.code() == Some(2)
            && complaint.contains("there is no field \"color\": the fields are number, site"),
        "{complaint}"
    );

    // Reported again from its records, it is the same run.
    for name in ["summary.json", "calls.sqlite", "report.txt"] {
        fs::remove_file(workspace.path("runs/latest").join(name)).expect("a file");
    }
    let again = tell(&workspace, &["report", "latest"]);
    assert_eq!(again.status.code().map(i64::from), receipt["exit_code"].as_i64(), "{again:?}");
    assert_eq!(workspace.summary(), summary);
    assert_eq!(count(&calls(&workspace), "true"), offered);

    fs::copy(workspace.path("runs/latest/summary.json"), workspace.path("before.json"))
        .expect("a baseline");
    let output = tell(
        &workspace,
        &["compare", "latest", "--baseline", "before.json", "--max-regression", "1%", "--force"],
    );
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("answered_share") && text.contains("the same"), "{text}");
    let is_another = |line: &&str| line.starts_with("pdd") && !line.ends_with("the same");
    assert_eq!(text.lines().find(is_another), None, "a run against its own summary");

    // What no run can have measured is refused by its name.
    let whole = fs::read_to_string(workspace.path("before.json")).expect("the baseline");
    for (name, wrong) in [("p99", "NaN"), ("p99", "-1"), ("max", "\"slow\""), ("count", "null")] {
        let from = whole.find("\"pdd\":").expect("its delays");
        let at = from + whole[from..].find(&format!("\"{name}\":")).expect(name) + name.len() + 3;
        let end = at + whole[at..].find([',', '\n']).expect("its end");
        workspace.write("wrong.json", &[&whole[..at], wrong, &whole[end..]].concat());
        let refused =
            tell(&workspace, &["compare", "latest", "--baseline", "wrong.json", "--force"]);
        let why = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{why}");
        assert!(why.contains(&format!("metrics.pdd.{name}")), "{name} {wrong}: {why}");
    }
}

#[test]
fn a_run_that_was_killed_keeps_what_it_had_measured() {
    let workspace = CampaignFolder::new(60, "300ms");
    let mut run = workspace.run(&["--set", "callers.media=0"]);
    run.until("  alpha");
    while !workspace.path("runs/latest/state.json").exists()
        || json(&workspace, "state.json")["generators"]["offered"] == 0
    {
        run.until(" s  ");
    }
    signal("KILL", run.id());
    run.finish();
    let output = tell(&workspace, &["report", "latest"]);
    let summary = workspace.summary();
    let reasons = summary["reasons"].to_string();
    assert!(reasons.contains("the run did not come to its end"), "{reasons}");
    // A machine that was too slow makes it worse still.
    assert!([Some(4), Some(3)].contains(&output.status.code()), "{output:?}");
    let offered = summary["ledger"]["offered"].as_u64().expect("a count");
    assert!(offered > 0 && count(&calls(&workspace), "true") <= offered, "{summary:#}");
    assert!(said(&workspace, &["runs"]).contains("campaign"));
}
