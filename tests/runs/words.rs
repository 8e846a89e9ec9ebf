//! What people read: whole or with an error, without control characters, and of the thing that is wrong.

use std::fs::{self, File};
use std::process::{Command, Output, Stdio};

use rusqlite::Connection;
use serde_json::Value;
use system_tests::program::tocsin;

use crate::CampaignFolder;

/// The largest seed.
const SEED: &str = "18446744073709551615";
/// Colours the terminal, names its window, and pretends to be a line of its own.
const HOSTILE: &str = r"\u001b[31mred\u001b]0;owned\u0007\u009b2J\u202e\nPASS";

/// A finished run in virtual time.
fn virtual_run() -> CampaignFolder {
    let workspace = CampaignFolder::new(2, "300ms");
    let text = fs::read_to_string(workspace.path("campaign.toml")).expect("the campaign");
    let head = format!("time = \"virtual\"\ntitle = \"{HOSTILE}\"\nseed = {SEED}\n");
    workspace.write("campaign.toml", &(head + &text.replace("seed = 7\n", "")));
    let output = tell(&workspace, &["run", "campaign.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    assert_plain(&words(&output));
    workspace
}

fn command(workspace: &CampaignFolder, words: &[&str]) -> Command {
    let mut command = Command::new(tocsin());
    command.current_dir(workspace.path(".")).args(words);
    command
}

fn tell(workspace: &CampaignFolder, words: &[&str]) -> Output {
    command(workspace, words).output().expect("tocsin starts")
}

fn words(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8(both).expect("UTF-8")
}

#[track_caller]
fn assert_plain(text: &str) {
    let is_hidden =
        |c: &char| c.is_control() && !"\n\t".contains(*c) || ('\u{202a}'..='\u{202e}').contains(c);
    assert_eq!(text.chars().find(is_hidden), None, "{text:?}");
}

#[test]
fn a_full_disk_for_the_output_is_an_error_and_a_closed_pipe_is_none() {
    let workspace = virtual_run();
    for words in [
        &["schema", "summary"][..],
        &["show", "latest"],
        &["show", "latest", "--slowest", "3"],
        &["check", "campaign.toml"],
        &["compare", "latest", "latest"],
        &["runs"],
        &["defects"],
        &["--help"],
        &["run", "campaign.toml"],
    ] {
        let full = File::options().write(true).open("/dev/full").expect("a full device");
        let output = command(&workspace, words).stdout(full).stderr(Stdio::piped()).output();
        let output = output.expect("tocsin starts");
        let said = self::words(&output);
        assert_eq!(output.status.code(), Some(4), "{words:?}: {said}");
        assert!(said.contains("No space left on device"), "{words:?}: {said}");

        let mut child = command(&workspace, words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("tocsin starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(0), "{words:?}: {}", self::words(&output));
    }
}

#[test]
fn a_seed_has_64_bits_wherever_it_stands() {
    let workspace = virtual_run();
    let read = |name: &str| {
        fs::read_to_string(workspace.path("runs/latest").join(name)).expect("a file of the run")
    };
    let json = |name: &str| serde_json::from_str::<Value>(&read(name)).expect("JSON");
    assert_eq!(json("summary.json")["seed"].as_u64(), Some(u64::MAX));
    assert!(read("receipt.json").contains(SEED) && read("report.html").contains(SEED));
    assert!(read("report.txt").contains(&format!("seed {SEED}")));
    assert_plain(&read("report.txt"));
    assert_plain(&read("comparison.txt"));
    let database = Connection::open(workspace.path("runs/latest/calls.sqlite")).expect("the calls");
    let seed: String = database
        .query_row("SELECT value FROM run WHERE key = 'seed'", [], |row| row.get(0))
        .expect("the seed");
    assert_eq!(seed, SEED);
    for set in [format!("seed={SEED}"), "seed=18446744073709551614".to_owned()] {
        let output = tell(&workspace, &["run", "campaign.toml", "--set", &set]);
        assert_eq!(output.status.code(), Some(0), "{}", words(&output));
        assert!(words(&output).contains(&set.replace('=', " ")), "{}", words(&output));
    }
    let output = tell(&workspace, &["run", "campaign.toml", "--set", "seed=18446744073709551616"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(words(&output).contains("0..=18446744073709551615"), "{}", words(&output));
}

#[test]
fn nothing_that_was_read_moves_the_cursor() {
    let workspace = virtual_run();
    for words in [
        &["show", "latest"][..],
        &["show", "latest", "--slowest", "3"],
        &["show", "\u{1b}[31m"],
        &["check", "campaign.toml", "\u{1b}]0;owned\u{7}.toml"],
        &["compare", "latest", "\u{1b}[2J.json"],
        &["report", "\u{9b}2J"],
        &["ctl", "--manage", "\u{1b}c", "show"],
        &["run", "\u{1b}[31m.toml"],
    ] {
        assert_plain(&self::words(&tell(&workspace, words)));
    }
    // A file that somebody else wrote.
    let report = workspace.path("runs/latest/report.txt");
    fs::write(report, "PASS \u{1b}[2J\u{9b}\u{7f}\n").expect("a report");
    let shown = words(&tell(&workspace, &["show", "latest"]));
    assert_eq!(shown, "PASS \\u001b[2J\\u009b\\u007f\n");
}

#[test]
fn a_database_that_is_locked_is_told_as_that() {
    let workspace = virtual_run();
    let database = Connection::open(workspace.path("runs/latest/calls.sqlite")).expect("the calls");
    database.execute_batch("BEGIN EXCLUSIVE").expect("a lock");
    for words in [&["show", "latest", "--slowest", "3"][..], &["show", "latest", "0"]] {
        let output = tell(&workspace, words);
        let said = self::words(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("calls.sqlite is locked") && !said.contains("--where"), "{said}");
    }
    database.execute_batch("ROLLBACK").expect("no lock");
    let said = words(&tell(&workspace, &["show", "latest", "--where", "pdd > 3"]));
    assert!(said.contains("--where: there is no field \"pdd\": the fields are"), "{said}");
}

// The media of a call takes four files of a call server.
#[test]
fn few_open_files_are_told_as_that_and_not_as_missing_ports() {
    let workspace = CampaignFolder::new(2, "2s");
    let script = "ulimit -n 64 && exec \"$0\" run campaign.toml --quiet";
    let output = Command::new("sh")
        .current_dir(workspace.path("."))
        .args(["-c", script])
        .arg(tocsin())
        .output()
        .expect("a shell");
    let said = words(&output);
    assert!(said.contains("limit of open files (ulimit -n)"), "{said}");
    assert!(!said.contains("widen media"), "{said}");
    assert_ne!(output.status.code(), Some(0), "{said}");
}
