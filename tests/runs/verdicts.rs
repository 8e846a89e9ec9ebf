//! One verdict: whatever fails and whenever it does, all that is left of a run says the same.

use std::fs;
use std::path::Path;
use std::process::Command;

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use system_tests::process::{Process, signal};
use system_tests::program::tocsin;

use crate::outcomes::wait_for_calls;
use crate::{CampaignFolder, NETWORK, placed};

/// Exit codes and their verdicts. The campaign has no thresholds, and what nothing was demanded of does not say PASS to people.
const VERDICTS: [(i32, &str); 6] = [
    (0, "NO BOUNDS"),
    (1, "FAIL"),
    (3, "INVALID"),
    (4, "DEGRADED"),
    (5, "UNSTEADY"),
    (130, "INTERRUPTED"),
];

/// Programs are told that the run passes, whatever was demanded of it.
fn for_people(word: String) -> String {
    if word == "PASS" { "NO BOUNDS".to_owned() } else { word }
}

/// Everything in a run folder that says a verdict: where, and the word.
fn told(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
    if let Some(text) = read("report.txt") {
        found.push(("report.txt", text.split("  ").next().map(str::to_owned)));
    }
    let between = |text: &str, from: &str, to: &str| {
        let rest = text.split(from).nth(1)?;
        Some(rest.split(to).next()?.to_owned())
    };
    if let Some(page) = read("report.html") {
        found.push(("report.html", between(&page, "<h1>", "</h1>")));
    }
    if let Some(junit) = read("junit.xml") {
        let word = between(&junit, "name=\"verdict\" value=\"", "\"");
        let is_green = !junit.contains("<failure") && !junit.contains("<error");
        assert_eq!(is_green, word.as_deref() == Some("NO BOUNDS"), "{junit}");
        found.push(("junit.xml", word));
    }
    for name in ["summary.json", "receipt.json"] {
        let json = read(name).map(|text| serde_json::from_str::<Value>(&text).expect("JSON"));
        let Some(json) = json else { continue };
        // A receipt of the start says nothing yet.
        if !json["verdict"].is_null() {
            found.push((name, json["verdict"].as_str().map(str::to_uppercase).map(for_people)));
        }
    }
    let calls = folder.join("calls.sqlite");
    if let Ok(calls) = Connection::open_with_flags(calls, OpenFlags::SQLITE_OPEN_READ_ONLY) {
        let query = "SELECT value FROM run WHERE key = 'verdict'";
        let word = calls.query_row(query, [], |row| row.get(0)).expect("a verdict in calls.sqlite");
        found.push(("calls.sqlite", Some(for_people(word))));
    }
    found.into_iter().map(|(place, word)| (place.to_owned(), word.expect(place))).collect()
}

/// That the folder, what was printed and the exit code say the same; the word.
#[track_caller]
fn one_voice(code: Option<i32>, printed: &str, folder: &Path) -> &'static str {
    let verdict = VERDICTS.iter().find(|(one, _)| Some(*one) == code);
    let (_, word) = verdict.unwrap_or_else(|| panic!("exit code {code:?}: {printed}"));
    assert!(
        printed.lines().any(|line| line.starts_with(&format!("{word}  "))),
        "{word}: {printed}"
    );
    let found = told(folder);
    assert!(found.iter().all(|(_, told)| told == word), "{word}: {found:?}\n{printed}");
    word
}

fn finish(mut run: Process, folder: &Path) -> (&'static str, usize) {
    let code = run.finish().code();
    (one_voice(code, &run.words(), folder), told(folder).len())
}

#[test]
fn an_interrupted_run_says_so_everywhere_in_both_worlds() {
    for signals in [&["INT"][..], &["TERM"], &["INT", "INT"]] {
        let workspace = CampaignFolder::new(60, "60s");
        let mut run = workspace.run(&["--set", "callers.media=0"]);
        wait_for_calls(&mut run);
        signals.iter().for_each(|name| signal(name, run.id()));
        let (word, places) = finish(run, &workspace.path("runs/latest"));
        // A second signal cuts calls off; one that came with the first may be the same.
        let wanted =
            if signals.len() > 1 { &["DEGRADED", "INTERRUPTED"][..] } else { &["INTERRUPTED"] };
        assert!(wanted.contains(&word), "{signals:?}: {word}");
        assert_eq!(places, 6, "{signals:?}");
        let runs = Command::new(tocsin()).current_dir(workspace.path(".")).arg("runs").output();
        let runs = String::from_utf8(runs.expect("tocsin runs").stdout).expect("UTF-8");
        assert!(runs.contains(word), "{runs}");
    }
    for (signals, variants) in [(&["INT"][..], false), (&["TERM"], true), (&["INT", "INT"], true)] {
        let workspace = CampaignFolder::new(3_000, "20s");
        let campaign = fs::read_to_string(workspace.path("campaign.toml")).expect("the campaign");
        let variant =
            "\n[[variants]]\nname = \"other\"\ntitle = \"the same\"\nset = [\"seed=8\"]\n";
        workspace.write("campaign.toml", &(campaign + if variants { variant } else { "" }));
        workspace.write("network.toml", &placed(NETWORK));
        let mut run = workspace.run(&["--virtual-time", "--set", "callers.media=0"]);
        run.until("Ctrl-C ends it");
        signals.iter().for_each(|name| signal(name, run.id()));
        let folder = workspace.path("runs/latest");
        let (word, places) = finish(run, &folder);
        assert_eq!((word, places), ("INTERRUPTED", 6), "{signals:?}");
        if variants {
            let other = fs::read_to_string(folder.join("summary-other.json")).expect("a summary");
            let other: Value = serde_json::from_str(&other).expect("JSON");
            assert_eq!(other["verdict"], "interrupted");
        }
    }
}

#[test]
fn a_folder_that_is_removed_while_the_run_goes_on_leaves_a_verdict() {
    let workspace = CampaignFolder::new(2, "200ms");
    let mut run = workspace.run(&["--set", "callers.media=0"]);
    wait_for_calls(&mut run);
    let folder = workspace.path("runs/latest").canonicalize().expect("the run folder");
    fs::remove_dir_all(&folder).expect("it goes");
    let (word, places) = finish(run, &folder);
    assert!(["DEGRADED", "INVALID"].contains(&word), "{word}");
    assert_eq!(places, 0);
}

/// Runs `script` in a shell that may mount what it likes; `None` where nobody may.
fn with_mounts(workspace: &CampaignFolder, script: &str) -> Option<std::process::Output> {
    let may = Command::new("unshare").args(["-m", "true"]).output();
    if !may.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: mounting needs root");
        return None;
    }
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", script]).current_dir(workspace.path("."));
    Some(command.env("TOCSIN", tocsin()).output().expect("a shell"))
}

#[test]
fn on_a_disk_of_any_size_everything_that_is_left_says_the_same() {
    let mut seen = Vec::new();
    for (kib, variants) in (1..=20).chain([100]).map(|step| (step * 10, step % 2 == 0)) {
        let workspace = CampaignFolder::new(3, "200ms");
        let campaign = fs::read_to_string(workspace.path("campaign.toml")).expect("the campaign");
        let variant =
            "\n[[variants]]\nname = \"other\"\ntitle = \"the same\"\nset = [\"seed=8\"]\n";
        workspace.write("campaign.toml", &(campaign + if variants { variant } else { "" }));
        fs::create_dir(workspace.path("runs")).expect("a folder");
        fs::create_dir(workspace.path("left")).expect("a folder");
        workspace.write("network.toml", &placed(NETWORK));
        let script = format!(
            "mount -t tmpfs -o size={kib}k tmpfs runs && \"$TOCSIN\" run campaign.toml --virtual-time --set callers.media=0; \
             code=$?; cp -r runs/*/. left/; exit $code"
        );
        let Some(output) = with_mounts(&workspace, &script) else { return };
        let printed = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        // A disk that has no room for the inputs lets no run begin.
        if output.status.code() == Some(2) {
            continue;
        }
        let word = one_voice(output.status.code(), &printed, &workspace.path("left"));
        let has_summary = workspace.path("left/summary.json").is_file();
        assert!(has_summary || !printed.contains("more in summary.json"), "{printed}");
        let places = told(&workspace.path("left")).len();
        assert!(word == "DEGRADED" || places == 6, "{kib} KiB: {places} places, {printed}");
        seen.push((word, places));
    }
    println!("{seen:?}");
    assert!(seen.iter().any(|(word, places)| *word == "DEGRADED" && *places > 2), "{seen:?}");
    assert!(seen.contains(&("NO BOUNDS", 6)), "{seen:?}");
}

// On real sockets the disk is full while calls go on. None of them notices, and the verdict does.
#[test]
fn a_disk_that_is_full_during_a_run_costs_records_and_no_call() {
    let workspace = CampaignFolder::new(4, "200ms");
    fs::create_dir(workspace.path("runs")).expect("a folder");
    fs::create_dir(workspace.path("left")).expect("a folder");
    let script = "mount -t tmpfs -o size=160k tmpfs runs && \"$TOCSIN\" run campaign.toml --set callers.media=0; \
                  code=$?; cp -r runs/*/. left/; exit $code";
    let Some(output) = with_mounts(&workspace, script) else { return };
    let printed = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    let word = one_voice(output.status.code(), &printed, &workspace.path("left"));
    assert_eq!(word, "DEGRADED", "{printed}");
    assert!(printed.contains("could not be written"), "{printed}");
}

#[test]
fn a_folder_that_takes_no_file_is_left_as_it_is_by_a_report_made_again() {
    let workspace = CampaignFolder::new(1, "200ms");
    let run = workspace.run(&["--quiet", "--set", "callers.media=0"]);
    let before = finish(run, &workspace.path("runs/latest"));
    let script =
        "mount --bind runs runs && mount -o remount,ro,bind runs && \"$TOCSIN\" report latest";
    let Some(output) = with_mounts(&workspace, script) else { return };
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{complaint}");
    assert!(complaint.contains("nothing in it was changed"), "{complaint}");
    let found = told(&workspace.path("runs/latest"));
    assert!(found.iter().all(|(_, word)| word == before.0), "{found:?}");
    assert_eq!(found.len(), 6);
}
