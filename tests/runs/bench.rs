//! `tocsin bench` on a network of its own.

use std::fs;
use std::process::Command;

use serde_json::Value;
use system_tests::process::Process;
use system_tests::program::tocsin;

use crate::CampaignFolder;

fn bench(workspace: &CampaignFolder, options: &[&str]) -> (Process, Value) {
    let mut command = Command::new(tocsin());
    command.current_dir(workspace.path("")).args(["bench", "network.toml"]).args(options);
    let mut bench = Process::start("tocsin bench", &mut command);
    bench.finish();
    let text = fs::read_to_string(workspace.path("runs/latest/bench.json"));
    let text = text.unwrap_or_else(|error| panic!("no bench.json: {error}; {}", bench.words()));
    (bench, serde_json::from_str(&text).expect("JSON"))
}

/// Two sites with room for 11 calls each, of half a second: 44 calls a second, and beyond that 503 with Retry-After.
#[test]
fn a_ceiling_is_found_and_refused_cleanly_above() {
    let workspace = CampaignFolder::new(1, "100ms");
    let options = [
        ["--set", "sites.alpha.max_calls=11"],
        ["--set", "sites.beta.max_calls=11"],
        ["--set", "sites.alpha.retry_after=1s"],
        ["--set", "sites.beta.retry_after=1s"],
        ["--talk", "500ms"],
        ["--start", "32"],
        ["--step", "1s"],
        ["--confirm", "1s"],
        ["--resolution", "50%"],
    ];
    let (bench, found) = bench(&workspace, options.as_flattened());
    let trials = found["trials"].as_array().expect("trials");
    let stages: Vec<_> = trials.iter().filter_map(|trial| trial["stage"].as_str()).collect();
    // A busy machine makes a generator late: then the bench says that, and nothing of the network.
    if found["bound"] == "ceiling" {
        assert!(found["rate"].as_f64().expect("a rate") <= 46.0, "{}", bench.words());
        assert!(found["finding"].as_str().expect("words").contains("% failed (503: "), "{found:#}");
        let overload = trials.iter().find(|trial| trial["stage"] == "overload");
        let overload = overload.expect("it was driven beyond");
        if overload["finding"] == "failed" {
            assert_eq!(overload["with_advice"], overload["refused"]["503"], "{overload:#}");
        }
        assert_eq!(stages.last(), Some(&"recovery"), "{stages:?}");
        assert_eq!(found["ledger"]["balanced"], true, "{}", bench.words());
        assert_eq!(found["retained"], serde_json::json!([]), "{}", bench.words());
        assert_eq!(found["verdict"], "pass", "{}", bench.words());
    } else {
        let late = trials.iter().any(|trial| trial["finding"] == "generator_out");
        assert!(late, "neither a ceiling nor a late generator: {}", bench.words());
    }
}
