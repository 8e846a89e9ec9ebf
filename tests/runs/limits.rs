//! Limits of boxes and of the disk, as a run meets them: refusals that are counted, and a verdict that says what was dropped.

use serde_json::Value;

use crate::{CampaignFolder, NETWORK, balanced, placed};

/// What the boxes of a run have counted under this name.
fn counted(summary: &Value, name: &str) -> u64 {
    let messages = summary["messages"].as_object().expect("messages by process");
    messages.values().filter_map(|figures| figures[name].as_u64()).sum()
}

#[test]
fn a_limit_of_dialogs_refuses_and_is_told_in_both_worlds() {
    for is_virtual in [false, true] {
        let workspace = CampaignFolder::new(3, "500ms");
        if is_virtual {
            workspace.write("network.toml", &placed(NETWORK));
        }
        let mut options = vec!["--quiet", "--set", "callers.media=0"];
        options.extend(is_virtual.then_some("--virtual-time"));
        options.extend(["--set", "sip.dialogs=10"]);
        let mut run = workspace.run(&options);
        let status = run.finish();
        assert_eq!(status.code(), Some(0), "{}", run.words());
        let summary = workspace.summary();
        balanced(&summary);
        let ledger = &summary["ledger"];
        assert!(counted(&summary, "over_dialogs") > 0, "{summary:#}");
        assert!(ledger["rejected"].as_u64() > Some(0), "{ledger:#}");
        assert!(ledger["answered"].as_u64() > Some(0), "{ledger:#}");
        // Whoever was let in is served.
        assert_eq!((&ledger["lost"], &ledger["timed_out"]), (&0.into(), &0.into()), "{ledger:#}");
    }
}

#[test]
fn what_a_run_folder_may_not_hold_is_dropped_and_counted_and_degrades_the_run() {
    let workspace = CampaignFolder::new(4, "200ms");
    let mut run = workspace.run(&["--quiet", "--set", "callers.media=0", "--disk-limit", "60KiB"]);
    let status = run.finish();
    assert_eq!(status.code(), Some(4), "{}", run.words());
    let summary = workspace.summary();
    assert_eq!(summary["verdict"], "degraded");
    let reasons = summary["reasons"].to_string();
    assert!(reasons.contains("call records for want of room on the disk"), "{reasons}");
    let processes = summary["processes"].as_array().expect("processes");
    let dropped = processes.iter().filter_map(|process| process["records_dropped"].as_u64());
    assert!(dropped.sum::<u64>() > 20, "{processes:#?}");
    let records = std::fs::read_dir(workspace.path("runs/latest/records")).expect("records");
    let sizes = records.map(|file| file.and_then(|file| file.metadata()).expect("a file").len());
    // Each of the six processes looks again after 4 KiB at the latest.
    assert!(sizes.sum::<u64>() <= (60 + 6 * 4) * 1024);
    let logs = std::fs::read_to_string(workspace.path("runs/latest/logs/trunks.log"));
    let logs = logs.expect("a log of the trunk groups");
    assert!(logs.contains("--disk-limit"), "{logs}");
}
