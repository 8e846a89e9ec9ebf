//! `tocsin run --target` and `tocsin bench --target`: our callers alone, against a SIP server that is not ours.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::process::Command;

use serde_json::Value;
use system_tests::process::Process;
use system_tests::program::tocsin;
use tempfile::TempDir;

use crate::loopback;
use crate::network::CAMPAIGN_CALLS;
use crate::sipp::Sipp;

/// A folder with a campaign, and the runs that come out of it.
struct CampaignFolder(TempDir);

impl CampaignFolder {
    fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let write = |name, text: &str| {
            fs::write(folder.path().join(name), text).expect("a file in a temporary folder");
        };
        write("network.toml", include_str!("network.toml"));
        write("campaign.toml", include_str!("campaign.toml"));
        Self(folder)
    }

    fn start(&self, command: &str, target: SocketAddr, options: &[&str]) -> Process {
        let mut program = Command::new(tocsin());
        program.current_dir(self.0.path()).args([command, "campaign.toml"]);
        program.args(["--target", &target.to_string()]).args(options);
        Process::start(&format!("tocsin {command}"), &mut program)
    }

    fn json(&self, name: &str) -> Value {
        let text = fs::read_to_string(self.0.path().join("runs/latest").join(name));
        serde_json::from_str(&text.expect("a file of the run")).expect("JSON")
    }
}

/// `sipp -sn uas -aa` answers OPTIONS too, so the probe finds it.
#[test]
fn sipp_takes_a_campaign_and_only_the_callers_testify() {
    let callee = Sipp::built_in("uas").with(&["-aa"]);
    let target = callee.address();
    let _callee = callee.start();
    let workspace = CampaignFolder::new();
    let options = ["--set", "callers.media=0", "--request-uri", "sip:{number}@example.org"];
    let mut run = workspace.start("run", target, &options);
    // Other programs share the processors of a test machine: a late generator says so, and is asked again.
    for _ in 1..5 {
        if run.finish().code() != Some(3) {
            break;
        }
        run = workspace.start("run", target, &options);
    }
    let status = run.finish();
    assert!(status.success(), "{status}; {}", run.words());
    assert!(run.words().contains("only the callers' side is known"), "{}", run.words());
    let summary = workspace.json("summary.json");
    let ledger = &summary["ledger"];
    assert_eq!((&ledger["answered"], &ledger["balanced"]), (&CAMPAIGN_CALLS.into(), &true.into()));
    assert_eq!(summary["metrics"]["by_site"], serde_json::json!({}), "sites that nobody saw");
    let processes = summary["processes"].as_array().expect("processes");
    assert_eq!(processes.len(), 1, "{processes:?}");
}

#[test]
fn a_target_that_says_nothing_is_refused_before_the_first_call() {
    let silent = UdpSocket::bind((loopback::host(), 0)).expect("a port of its own");
    let target = silent.local_addr().expect("an address");
    let workspace = CampaignFolder::new();
    let mut run = workspace.start("run", target, &[]);
    assert_eq!(run.finish().code(), Some(2), "{}", run.words());
    let sentence = format!("{target} does not answer OPTIONS");
    assert!(run.words().contains(&sentence), "{}", run.words());
    assert!(!workspace.0.path().join("runs").exists(), "there was no run");
}

#[test]
fn sipp_is_benched_to_the_rate_that_was_asked_for() {
    let callee = Sipp::built_in("uas").with(&["-aa"]);
    let target = callee.address();
    let _callee = callee.start();
    let workspace = CampaignFolder::new();
    let options = ["--start", "20", "--max-rate", "40", "--step", "1s", "--confirm", "1s"];
    let mut bench = workspace.start("bench", target, &options);
    let status = bench.finish();
    let found = workspace.json("bench.json");
    let trials = found["trials"].as_array().expect("trials");
    // A busy machine makes a generator late, and a bench that says so is right.
    if trials.iter().all(|trial| trial["finding"] == "held") {
        assert!(status.success(), "{status}; {}", bench.words());
        assert_eq!((&found["rate"], &found["bound"]), (&40.0.into(), &"floor".into()));
        assert!(found["finding"].as_str().expect("words").contains("--max-rate"), "{found:#}");
    } else {
        assert!(trials.iter().any(|trial| trial["finding"] == "generator_out"), "{found:#}");
    }
}
