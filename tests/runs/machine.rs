//! What a machine does to a run: it kills processes, that of the run too, and somebody sets its clock.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use system_tests::process::{Process, signal};
use system_tests::program::tocsin;

use crate::history::tell;
use crate::outcomes::{child, children, wait_for_calls};
use crate::{CampaignFolder, balanced};

/// Whether a process is there, and not only waits for someone to ask how it ended: see proc_pid_stat(5).
fn lives(id: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

#[test]
fn no_process_outlives_a_killed_run_and_no_call_that_was_measured_is_lost() {
    let workspace = CampaignFolder::new(60, "300ms");
    let mut run = workspace.run(&["--set", "callers.media=0"]);
    wait_for_calls(&mut run);
    let all = children(run.id());
    assert!(all.len() >= 5, "{all:?}");
    // One of them stands still, as under a debugger: it has to wake up to see that nobody is there any more.
    signal("STOP", child(run.id(), &["--psap", "samu-59"]));
    signal("KILL", run.id());
    run.finish();
    while all.iter().any(|id| lives(*id)) {
        std::thread::yield_now();
    }
    let report = tell(&workspace, &["report", "latest"]);
    assert!(report.status.code().is_some_and(|code| code != 2), "{report:?}");
    let summary = workspace.summary();
    let calls = balanced(&summary);
    assert!(calls > 10, "{calls}");
    let answered = summary["ledger"]["answered"].as_u64();
    assert!(answered > Some(10), "{summary:#}");
}

#[test]
fn a_killed_psap_and_killed_trunk_groups_lose_their_own_and_what_was_measured_stays() {
    let workspace = CampaignFolder::new(60, "300ms");
    let mut run = workspace.run(&["--set", "callers.media=0"]);
    wait_for_calls(&mut run);
    for words in [["--psap", "samu-59"].as_slice(), ["--trunks"].as_slice()] {
        let process = child(run.id(), words);
        signal("KILL", process);
        while lives(process) {
            std::thread::yield_now();
        }
        // The run has seen it by the second line about what goes on after that.
        run.until(" s ");
        run.until(" s ");
    }
    run.interrupt();
    assert_eq!(run.finish().code(), Some(4), "{}", run.words());
    let summary = workspace.summary();
    balanced(&summary);
    assert!(summary["ledger"]["answered"].as_u64() > Some(10), "{summary:#}");
    let lost_at = summary["ledger"]["lost_at"].as_array().expect("places");
    let nodes: Vec<&str> = lost_at.iter().filter_map(|place| place["node"].as_str()).collect();
    assert!(nodes.iter().all(|node| ["samu-59", "mobile", "fixe"].contains(node)), "{nodes:?}");
    let reasons = summary["reasons"].to_string();
    for process in ["psap-samu-59", "trunks"] {
        let told = format!("process {process} was lost: signal: 9 (SIGKILL)");
        assert!(reasons.contains(&told), "{reasons}");
    }
}

/// What makes a program believe in another time of day; `None` where it is not installed.
fn faketime() -> Option<PathBuf> {
    let folders = ["x86_64-linux-gnu", "aarch64-linux-gnu"].into_iter();
    let mut places =
        folders.map(|folder| PathBuf::from(format!("/usr/lib/{folder}/faketime/libfaketime.so.1")));
    let place = places.find(|place| place.is_file());
    assert!(
        place.is_some() || cfg!(not(target_os = "linux")),
        "install the package faketime (tests/install-peers.sh)"
    );
    place
}

// Timers, delays and durations follow the clock that only goes forward: when the other one is set, no call notices.
#[test]
fn a_clock_that_is_set_changes_no_call_and_is_told() {
    let Some(faketime) = faketime() else { return };
    for (step, is_allowed) in [("+1h", true), ("-1h", false)] {
        let workspace = CampaignFolder::new(60, "300ms");
        workspace.write("clock", "+0");
        let mut command = Command::new(tocsin());
        command.current_dir(workspace.path(".")).args([
            "run",
            "campaign.toml",
            "--set",
            "callers.media=0",
        ]);
        if !is_allowed {
            command.args(["--set", "validity.clock_step=100ms"]);
        } else {
            command.args(["--set", "validity.clock_step=2h"]);
        }
        command
            .env("LD_PRELOAD", &faketime)
            .env("FAKETIME_TIMESTAMP_FILE", workspace.path("clock"));
        command.envs([("FAKETIME_NO_CACHE", "1"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")]);
        let mut run = Process::start("tocsin run", &mut command);
        wait_for_calls(&mut run);
        workspace.write("clock.new", step);
        fs::rename(workspace.path("clock.new"), workspace.path("clock")).expect("a new clock");
        for _ in 0..3 {
            run.until(" s ");
        }
        run.interrupt();
        let status = run.finish();
        let summary = workspace.summary();
        balanced(&summary);
        let ledger = &summary["ledger"];
        assert_eq!((&ledger["lost"], &ledger["timed_out"]), (&0.into(), &0.into()), "{ledger:#}");
        let longest = summary["metrics"]["pdd"]["max"].as_u64().expect("microseconds");
        assert!(longest < 30_000_000, "{step}: {longest} µs until it rang");
        let duration = summary["duration_s"].as_f64();
        assert!(duration < Some(60.0), "{step}: {duration:?}");
        let reasons = summary["reasons"].to_string();
        assert_eq!(reasons.contains("clock"), !is_allowed, "{step}: {reasons}");
        let wanted = if is_allowed { 130 } else { 3 };
        assert_eq!(status.code(), Some(wanted), "{step}: {reasons}");
    }
}
