//! Campaigns that are run with many seeds, and with other values of what was assumed.

use std::fs;

use serde_json::Value;

use crate::CampaignFolder;
use crate::replay::{OUTAGE, run, workspace};

fn read(workspace: &CampaignFolder, name: &str) -> String {
    fs::read_to_string(workspace.path("runs/latest").join(name)).expect(name)
}

/// The outage, shorter, with what reports would say of it.
fn outage(more: &str) -> CampaignFolder {
    let workspace = workspace();
    let figure =
        "published = \"11 %\"\nvalue = 0.11\nplausible = [0.0, 1.0]\nwindow = \"16:30-16:45\"\n";
    let text = OUTAGE.replace("duration = \"10m\"", "duration = \"6m\"");
    let text = text.replacen("published = \"11 %\"\n", figure, 1);
    workspace.write("outage.toml", &(text + more));
    workspace
}

#[test]
fn many_seeds_are_told_as_median_and_range_and_one_run_is_kept() {
    let workspace = outage("");
    let said = run(&workspace, &["--seeds", "3", "--records"]);
    for part in [
        "never spoke to anybody",
        "the median of 3 seeds",
        "16:40-16:45 of 16:30-16:45",
        "would have saved",
        "within",
        "6 worlds to run",
    ] {
        assert!(said.contains(part), "{part:?} is missing in\n{said}");
    }
    let summary = workspace.summary();
    let seeds = summary["seeds"].as_array().expect("seeds");
    let numbers: Vec<_> = seeds.iter().map(|seed| seed["seed"].as_u64()).collect();
    assert_eq!(numbers, [Some(7), Some(8), Some(9)]);
    let hashes: std::collections::BTreeSet<_> =
        seeds.iter().map(|seed| seed["ledger_hash"].as_str().expect("a hash")).collect();
    assert_eq!(hashes.len(), 3, "each seed is another evening");
    assert_eq!(seeds[0]["ledger_hash"], summary["ledger_hash"], "the first one is the run itself");
    // The same arithmetic again, by hand.
    let mut shares: Vec<f64> =
        seeds.iter().filter_map(|seed| seed["figures"][0].as_f64()).collect();
    shares.sort_unstable_by(f64::total_cmp);
    let told = &summary["figures"][0]["measured"];
    let told = ["low", "median", "high"].map(|key| told[key].as_f64().expect("a number"));
    assert_eq!(told.to_vec(), shares);
    let saved = &summary["savings"][0];
    assert_eq!(
        (saved["variant"].as_str(), saved["never_reached"]["runs"].as_u64()),
        (Some("bug-off"), Some(3))
    );
    assert!(saved["not_routed"]["low"].as_f64() > Some(0.0), "{saved}");
    assert_eq!(read(&workspace, "seeds.csv").lines().count(), 1 + 6);
    let records = fs::read_dir(workspace.path("runs/latest/records")).expect("records").count();
    assert_eq!(records, 2, "those of the first seed: the campaign and its variant");
    let page = read(&workspace, "report.html");
    for part in
        ["<h1>", "never spoke to anybody", "Published and emulated", "What would have saved them"]
    {
        assert!(page.contains(part), "{part:?} is not on the page");
    }
}

#[test]
fn what_was_assumed_is_varied_and_what_the_result_hangs_on_is_marked() {
    let assumed = r#"
[[assumed]]
key = "equipment.boot"
why = "not public"
range = ["5s", "30s"]

[[assumed]]
key = "callers.talk"
"#;
    let workspace = outage(assumed);
    let said = run(&workspace, &["--variant", "base", "--sensitivity"]);
    for part in [
        "8 values of 2 keys, 8 runs more, about",
        "equipment.boot",
        "callers.talk",
        "does the result hang on it?",
    ] {
        assert!(said.contains(part), "{part:?} is missing in\n{said}");
    }
    let summary = workspace.summary();
    let keys = summary["sensitivity"]["keys"].as_array().expect("keys");
    let boot = keys.iter().find(|key| key["key"] == "equipment.boot").expect("boot");
    let values: Vec<_> =
        boot["trials"].as_array().into_iter().flatten().map(|trial| &trial["value"]).collect();
    assert_eq!(values, ["5s", "8s", "12s", "20s"]);
    let lost = |trial: &Value| trial["not_routed_share"]["median"].as_f64();
    assert!(lost(&boot["trials"][0]) < lost(&boot["trials"][3]), "{boot}");
    assert_eq!(read(&workspace, "sensitivity.csv").lines().count(), 1 + 8);
    let svg = read(&workspace, "sensitivity.svg");
    roxmltree::Document::parse(&svg).expect("well-formed XML");
    assert!(read(&workspace, "report.html").contains("What hangs on what was assumed"));
}

#[test]
fn what_cannot_be_varied_is_refused_by_name() {
    for (assumed, why) in [
        ("[[assumed]]\nkey = \"time\"\n", "[[assumed]] time cannot be varied: it is \"virtual\""),
        (
            "[[assumed]]\nkey = \"pool.sync_configuration\"\n",
            "pool.sync_configuration has no value in",
        ),
        ("", "it marks nothing"),
    ] {
        let workspace = outage(assumed);
        let mut command = std::process::Command::new(system_tests::program::tocsin());
        command.current_dir(workspace.path(".")).args(["run", "outage.toml", "--sensitivity"]);
        let output = command.output().expect("tocsin starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(why), "{why:?} is missing in\n{said}");
    }
}
