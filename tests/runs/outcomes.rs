//! Runs that end well, are interrupted, or lose a site.

use std::fs;

use system_tests::process::{Process, signal};

use crate::{Desk, balanced};

#[test]
fn a_run_carries_calls_and_leaves_a_folder() {
    let desk = Desk::new(2, "200ms");
    let mut run = desk.run(&[]);
    let status = run.finish();
    assert!(status.success(), "{status}; {}", run.words());
    let said = run.words();
    assert!(said.contains("PASS") && said.contains(": balanced"), "{said}");
    let summary = desk.summary();
    let calls = balanced(&summary);
    assert_eq!(summary["verdict"], "pass");
    assert_eq!(summary["ledger"]["answered"], calls);
    // Both trunk groups, both sites and both PSAPs had their part.
    for group in ["by_trunk_group", "by_site", "by_psap"] {
        let groups = summary["metrics"][group].as_object().expect("groups");
        let took_part = groups.values().filter(|one| one["answered"].as_u64() > Some(0)).count();
        assert_eq!(took_part, 2, "{group}: {groups:?}");
    }
    for file in ["report.txt", "campaign.toml", "network.toml", "command.txt"] {
        assert!(desk.path("runs/latest").join(file).is_file(), "{file} is missing");
    }
    let processes = ["load", "trunks", "site-alpha", "site-beta", "psap-samu-59", "psap-cta-59"];
    for process in processes {
        let records = desk.path("runs/latest/records").join(format!("{process}.jsonl"));
        let lines = fs::read_to_string(records).expect("the records of a process").lines().count();
        assert!(lines > 0, "{process} recorded nothing");
    }
}

#[test]
fn the_first_interrupt_drains_and_the_summary_is_still_written() {
    let desk = Desk::new(60, "60s");
    let mut run = desk.run(&[]);
    wait_for_calls(&mut run);
    run.interrupt();
    let status = run.finish();
    assert_eq!(status.code(), Some(130), "{}", run.words());
    let summary = desk.summary();
    balanced(&summary);
    assert_eq!(summary["ledger"]["in_progress"], 0);
    assert_eq!(summary["ledger"]["lost"], 0, "established calls were ended with BYE");
}

#[test]
fn a_killed_site_loses_its_own_calls_and_no_others() {
    let desk = Desk::new(4, "500ms");
    let mut run = desk.run(&[]);
    wait_for_calls(&mut run);
    signal("KILL", child(run.id(), &["--site", "alpha"]));
    let status = run.finish();
    assert_eq!(status.code(), Some(4), "{}", run.words());
    let summary = desk.summary();
    let calls = balanced(&summary);
    assert_eq!(summary["verdict"], "degraded");
    let lost_at = summary["ledger"]["lost_at"].as_array().expect("places");
    assert!(lost_at.iter().all(|place| place["node"] == "alpha"), "{lost_at:?}");
    let lost = summary["ledger"]["lost"].as_u64().expect("a count");
    assert!(lost * 4 < calls, "{lost} of {calls} lost: the other site should have carried on");
    let reasons = summary["reasons"].to_string();
    assert!(reasons.contains("process site-alpha was lost: signal: 9 (SIGKILL)"), "{reasons}");
}

/// Waits for a progress line with answered calls in it.
fn wait_for_calls(run: &mut Process) {
    run.until("offered");
    loop {
        let line = run.until(" s ");
        let columns: Vec<_> = line.split_whitespace().collect();
        let answered = columns.get(5).and_then(|count| count.parse::<u64>().ok());
        if answered > Some(10) {
            return;
        }
    }
}

/// The child of a process whose command line has these words next to each other: see proc(5).
fn child(parent: u32, words: &[&str]) -> u32 {
    let children = format!("/proc/{parent}/task/{parent}/children");
    let children = fs::read_to_string(children).expect("the children of a process");
    let has_words = |id: &&str| {
        let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let line: Vec<_> = line.split(|byte| *byte == 0).collect();
        line.windows(words.len())
            .any(|have| have.iter().zip(words).all(|(a, b)| *a == b.as_bytes()))
    };
    let found = children.split_whitespace().find(has_words);
    found.and_then(|id| id.parse().ok()).unwrap_or_else(|| panic!("no child has {words:?}"))
}
