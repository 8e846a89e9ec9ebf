//! Faults on the timeline, the steady state before them, thresholds that end a campaign, and what puts the network back.

use std::fs;
use std::process::{Command, ExitStatus};

use serde_json::Value;
use system_tests::process::Process;
use system_tests::program::tocsin;

use crate::{CampaignFolder, NETWORK, balanced};

/// A minute of calls to two sites, in virtual time.
const CAMPAIGN: &str = r#"
network = "network.toml"
seed = 7
time = "virtual"

[[phases]]
name = "steady"
duration = "1m"
arrivals = { model = "poisson", rate = 8 }

[[mix]]
number = "15"
communes = ["59350"]

[callers]
talk = "5s"
patience = "30s"
caller_hangs_up = 1.0
media = 0
"#;

/// A run of `CAMPAIGN` and these sections.
fn run(sections: &str) -> (CampaignFolder, ExitStatus, String) {
    let workspace = CampaignFolder::new(1, "1s");
    let mut network = NETWORK.to_owned();
    for port in 20..26 {
        network = network.replacen("127.0.0.1:0", &format!("127.0.0.{port}:5060"), 1);
    }
    workspace.write("network.toml", &network);
    workspace.write("campaign.toml", &format!("{CAMPAIGN}{sections}"));
    let mut run = workspace.run(&["--quiet"]);
    let status = run.finish();
    let said = run.words();
    (workspace, status, said)
}

fn chronicle(workspace: &CampaignFolder) -> Value {
    let text =
        fs::read_to_string(workspace.path("runs/latest/chronicle.json")).expect("a chronicle");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn a_killed_and_a_frozen_site_are_told_with_their_times() {
    let faults = r#"
[[steady_state]]
metric = "answered_share"
min = 0.99

[[faults]]
at = "20s"
kill = "alpha"

[[faults]]
at = "40s"
freeze = "beta"
for = "3s"
"#;
    let (workspace, status, said) = run(faults);
    assert!(status.success(), "{status}; {said}");
    let summary = workspace.summary();
    balanced(&summary);
    let lost = &summary["ledger"]["lost_at"];
    assert_eq!(
        (&lost[0]["node"], &lost[0]["why"]),
        (&"alpha".into(), &"lost power".into()),
        "{lost}"
    );
    let faults = chronicle(&workspace)["faults"].clone();
    let told: Vec<String> = faults
        .as_array()
        .expect("faults")
        .iter()
        .map(|one| format!("{} {} {}", one["at_s"], one["what"], one["target"]))
        .collect();
    let wanted = ["20.0 \"kill\" \"alpha\"", "40.0 \"freeze\" \"beta\"", "43.0 \"thaw\" \"beta\""];
    assert_eq!(told, wanted);
    assert!(said.contains("0:00:20  FAULT kill alpha"), "{said}");
    // Those who called the frozen site waited for it, or for their trunk group to give it up.
    let pdd = summary["metrics"]["pdd"]["max"].as_u64().expect("microseconds");
    assert!(pdd > 400_000, "{pdd}");
}

#[test]
fn without_a_steady_state_no_fault_is_injected() {
    let sections = r#"
[[steady_state]]
metric = "rejected_share"
min = 0.5

[[faults]]
at = "20s"
kill = "alpha"

[operations.back]
at = "end"
commands = ["unlock"]
sites = "all"
"#;
    let (workspace, status, said) = run(sections);
    assert_eq!(status.code(), Some(5), "{said}");
    let summary = workspace.summary();
    balanced(&summary);
    assert_eq!(summary["verdict"], "unsteady");
    let reason = summary["reasons"][0].as_str().expect("a reason");
    assert!(
        reason.starts_with("no steady state before the first fault: rejected_share is 0"),
        "{reason}"
    );
    assert!(said.starts_with("\nUNSTEADY") || said.contains("UNSTEADY  campaign"), "{said}");
    let chronicle = chronicle(&workspace);
    assert_eq!(chronicle["faults"].as_array().map(Vec::len), Some(0));
    assert_eq!(chronicle["commands"].as_array().map(Vec::len), Some(0));
    assert!(summary["duration_s"].as_f64() < Some(60.0), "the campaign ended");
}

#[test]
fn a_threshold_ends_the_campaign_and_the_network_is_put_back() {
    let sections = r#"
[[thresholds]]
metric = "answered_share"
min = 0.95
abort = true
delay = "5s"

[operations.maintenance]
at = "10s"
commands = ["lock"]
sites = "all"
manner = "parallel"

[operations.back]
at = "end"
commands = ["unlock"]
sites = "all"
"#;
    let (workspace, status, said) = run(sections);
    assert_eq!(status.code(), Some(1), "{said}");
    let summary = workspace.summary();
    balanced(&summary);
    let reason = summary["reasons"][0].as_str().expect("a reason");
    assert!(reason.starts_with("ended at 1"), "{reason}");
    assert!(reason.contains("answered_share is 0."), "{reason}");
    let commands = chronicle(&workspace)["commands"].clone();
    let done = |name: &str| {
        let of = commands.as_array().into_iter().flatten();
        of.filter(|one| one["operation"] == name && one["result"] == "done").count()
    };
    assert_eq!((done("maintenance"), done("back")), (2, 2), "{commands:#}");

    // What cannot be put back degrades the run: a killed site answers no command.
    let killed =
        sections.replace("min = 0.95", "min = 0") + "[[faults]]\nat = \"15s\"\nkill = \"beta\"\n";
    let (workspace, status, said) =
        run(&killed.replace("at = \"end\"", "at = \"end\"\ntimeout = \"1s\""));
    assert_eq!(status.code(), Some(4), "{said}");
    let reasons = workspace.summary()["reasons"].to_string();
    assert!(reasons.contains("not put back: back: beta: unlock: no answer"), "{reasons}");
}

// On real processes: SIGKILL and SIGSTOP, and no process is left behind.
#[test]
fn faults_are_injected_into_real_processes() {
    let workspace = CampaignFolder::new(4, "500ms");
    let text = fs::read_to_string(workspace.path("campaign.toml")).expect("the campaign");
    let faults = "[[faults]]\nat = \"1s\"\nkill = \"alpha\"\n\
                  [[faults]]\nat = \"2s\"\nfreeze = \"samu-59\"\nfor = \"700ms\"\n\
                  [[faults]]\nat = \"3s\"\nkill = \"alpha\"\n";
    workspace.write("campaign.toml", &format!("{text}{faults}"));
    let mut run = workspace.run(&[]);
    // The second kill finds nobody: a fault that was not applied.
    assert_eq!(run.finish().code(), Some(4), "{}", run.words());
    let summary = workspace.summary();
    balanced(&summary);
    let lost = &summary["ledger"]["lost_at"][0];
    assert_eq!((&lost["node"], &lost["why"]), (&"alpha".into(), &"killed by the campaign".into()));
    let reasons = summary["reasons"].to_string();
    assert!(
        reasons.contains("fault not applied: kill alpha: process site-alpha was gone"),
        "{reasons}"
    );
    assert!(!reasons.contains("was lost:"), "the kill itself was asked for: {reasons}");
}

/// Asks for ten times what the machine can do.
#[test]
fn an_overdriven_generator_blames_itself_and_not_the_network() {
    let workspace = CampaignFolder::new(1, "1s");
    let configs = concat!(env!("CARGO_MANIFEST_DIR"), "/../configs");
    let mut command = Command::new(tocsin());
    command.current_dir(workspace.path("."));
    command.arg("run").arg(format!("{configs}/campaigns/overdriven.toml"));
    let mut run = Process::start("tocsin run", &mut command);
    assert_eq!(run.finish().code(), Some(3), "{}", run.words());
    let summary = workspace.summary();
    assert_eq!(summary["verdict"], "invalid");
    let reasons = summary["reasons"].as_array().expect("reasons");
    let blames =
        |part: &str| reasons.iter().any(|one| one.as_str().is_some_and(|it| it.contains(part)));
    assert!(blames("the generator started calls late") || blames("did not start"), "{reasons:#?}");
    // Its threshold does not hold, its records contradict each other, and nobody says so.
    assert!(!blames("answered_share") && !blames("the ledger has"), "{reasons:#?}");
}
