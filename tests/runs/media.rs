//! Media in whole runs: what was heard, recorded, cut off and refused.

use std::fs::{self, File};
use std::process::Command;

use media::wav;
use serde_json::Value;
use system_tests::process::{Process, signal};
use system_tests::program::tocsin;

use crate::outcomes::{child, wait_for_calls};
use crate::{CampaignFolder, NETWORK, balanced};

fn count(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or_else(|| panic!("{name} in {value:#}"))
}

#[test]
fn callers_and_call_takers_hear_each_other_and_are_recorded() {
    let workspace = CampaignFolder::new(3, "2s");
    // Quality is asked of a generator that speaks in time; a machine that others use too gets a few tries.
    let options =
        ["--quiet", "--set", "psaps.samu-59.record=0.5", "--set", "validity.late_rtp=0.05"];
    let mut code = Some(3);
    for _ in 0..5 {
        if code == Some(3) {
            code = workspace.run(&options).finish().code();
        }
    }
    let summary = workspace.summary();
    assert_eq!(code, Some(0), "{:#}", summary["reasons"]);
    let media = &summary["media"];
    assert_eq!(media["heard_share"], 1.0, "{media:#}");
    assert_eq!(count(media, "calls"), count(&summary["ledger"], "answered"));
    assert_eq!(count(media, "lost"), 0);
    // A machine that stalls for a moment makes packets late; it does not do so half of the time.
    assert!(media["mos"]["p50"].as_f64().is_some_and(|mos| mos > 4.3), "{media:#}");
    let by_site = media["by_site"].as_object().expect("sites");
    let calls: u64 = by_site.values().map(|site| count(site, "calls")).sum();
    assert_eq!(calls, count(media, "calls"), "{by_site:?}");
    assert_eq!(media["worst"].as_array().map(Vec::len), Some(0));

    // Both sides of a recording are there, for about as long as the call.
    let recordings: Vec<_> = fs::read_dir(workspace.path("runs/latest/recordings"))
        .expect("a folder of recordings")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    assert!(recordings.len() > 5, "{recordings:?}");
    let samples = wav::read(File::open(&recordings[0]).expect("a file")).expect("a WAV file");
    assert!((14_000..18_000).contains(&samples.len()), "{}", samples.len());
    assert!(samples.iter().filter(|sample| sample.abs() > 500).count() > 10_000);
}

#[test]
fn one_way_audio_fails_the_run_and_names_the_calls() {
    let workspace = CampaignFolder::new(2, "2s");
    let mute = "ring = \"100ms\"\n[[psaps.samu-59.behaviours]]\nshare = 0.5\nbehaviour = \"mute\"";
    workspace.write("network.toml", &NETWORK.replacen("ring = \"100ms\"", mute, 1));
    let status = workspace.run(&["--quiet"]).finish();
    let summary = workspace.summary();
    assert_eq!((status.code(), &summary["verdict"]), (Some(1), &Value::from("fail")));
    let media = &summary["media"];
    let one_way = count(media, "one_way");
    assert!(one_way > 0 && one_way < count(media, "calls"), "{media:#}");
    assert_eq!(count(&media["towards_caller"], "silent"), one_way);
    let reason = summary["reasons"][0].as_str().unwrap_or_default();
    assert!(
        reason.contains(&format!("towards callers: {one_way} silent; towards PSAPs: none")),
        "{reason}"
    );
    let worst = &media["worst"][0];
    assert_eq!((&worst["towards_caller"], &worst["psap"]), (&"silent".into(), &"samu-59".into()));
    balanced(&summary);
}

#[test]
fn a_killed_site_leaves_media_that_stops() {
    let workspace = CampaignFolder::new(3, "4s");
    let mut run = workspace.run(&["--set", "media.idle_after=1s"]);
    wait_for_calls(&mut run);
    signal("KILL", child(run.id(), &["--site", "alpha"]));
    assert_eq!(run.finish().code(), Some(4));
    let summary = workspace.summary();
    balanced(&summary);
    let lost = count(&summary["ledger"], "lost");
    let stopped = count(&summary["media"], "stopped");
    assert!(lost > 0 && stopped >= lost, "{stopped} of {lost}");
}

// A process with few files carries the calls that it can, refuses the others, and says why.
#[test]
fn files_that_run_out_refuse_calls_and_say_so() {
    let workspace = CampaignFolder::new(3, "3s");
    let mut command = Command::new("sh");
    let run = "ulimit -n 155 && exec \"$0\" run campaign.toml --quiet";
    command.current_dir(workspace.path(".")).args(["-c", run]).arg(tocsin());
    let status = Process::start("tocsin run", &mut command).finish();
    let summary = workspace.summary();
    balanced(&summary);
    let refused = summary["media"]["refused_without_port"].as_object().expect("by process");
    assert!(refused.keys().any(|process| process.starts_with("site-")), "{refused:?}");
    // The generator too ran out of files, and accuses itself of it.
    assert_eq!(status.code(), Some(3), "{:#}", summary["reasons"]);
    let reasons = summary["reasons"].to_string();
    assert!(reasons.contains("could open no file for the RTP ports of"), "{reasons}");
    let record = fs::read_to_string(workspace.path("runs/latest/records/site-alpha.jsonl"))
        .expect("records");
    assert!(record.contains("raise the limit of open files"), "the record says why");
}
