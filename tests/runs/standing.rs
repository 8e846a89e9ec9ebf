//! Which run is the latest, and how each of them stands: one that goes on, one that was killed, one that never began.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::path::PathBuf;

use serde_json::Value;
use system_tests::process::signal;

use crate::CampaignFolder;
use crate::history::{said, tell};

/// What `tocsin runs` says of the newest run.
fn newest(workspace: &CampaignFolder) -> Value {
    let runs: Value = serde_json::from_str(&said(workspace, &["runs", "--json"])).expect("JSON");
    runs[0].clone()
}

fn latest(workspace: &CampaignFolder) -> Option<PathBuf> {
    workspace.path("runs/latest").canonicalize().ok()
}

/// How often a network is killed while it starts, at most, until that was before time zero.
const TRIES: usize = 50;

#[test]
fn latest_stays_with_the_former_run_when_one_does_not_start() {
    let workspace = CampaignFolder::new(1, "100ms");
    let taken = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let beta = format!("sites.beta.address={}", taken.local_addr().expect("its address"));
    let refused = |options: &[&str]| {
        let mut run = workspace.run(options);
        assert_eq!(run.finish().code(), Some(2), "{}", run.words());
        assert_eq!(newest(&workspace)["verdict"], "not started", "{options:?}");
    };
    refused(&["--set", &beta]);
    assert_eq!(latest(&workspace), None, "no run has begun");
    let shown = tell(&workspace, &["show", "latest"]);
    let why = String::from_utf8_lossy(&shown.stderr);
    assert!(shown.status.code() == Some(2) && why.contains("no run in runs has begun"), "{why}");

    workspace.run(&["--quiet", "--set", "callers.media=0"]).finish();
    let former = latest(&workspace);
    assert!(former.is_some(), "a run that began");
    let listening = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let metrics = listening.local_addr().expect("its address").to_string();
    refused(&["--set", &beta]);
    refused(&["--metrics", &metrics]);
    assert_eq!(latest(&workspace), former);

    // The whole program dies while its network starts.
    for _ in 0..TRIES {
        let before = fs::read_dir(workspace.path("runs")).expect("runs").count();
        let mut run = workspace.run(&["--quiet"]);
        while fs::read_dir(workspace.path("runs")).expect("runs").count() == before {
            std::thread::yield_now();
        }
        signal("KILL", run.id());
        run.finish();
        if newest(&workspace)["verdict"] == "not started" {
            assert_eq!(latest(&workspace), former);
            return;
        }
    }
    panic!("not once in {TRIES} times was it killed before time zero");
}

#[test]
fn a_run_that_goes_on_is_told_from_one_that_was_killed() {
    let workspace = CampaignFolder::new(60, "300ms");
    let mut run = workspace.run(&["--set", "callers.media=0"]);
    run.until("  alpha");
    run.until(" s  ");
    let now = newest(&workspace);
    assert_eq!(now["verdict"], "running", "{now:#}");
    assert_eq!((&now["campaign"], &now["asr"]), (&"campaign".into(), &Value::Null), "{now:#}");
    assert!(said(&workspace, &["runs"]).contains("RUNNING"));
    // Nothing is told of it before it has ended, as if it had been killed.
    for words in [["report", "latest"], ["show", "latest"]] {
        let early = tell(&workspace, &words);
        let why = String::from_utf8_lossy(&early.stderr);
        assert!(early.status.code() == Some(2) && why.contains("goes on"), "{words:?}: {why}");
    }
    signal("KILL", run.id());
    run.finish();
    assert_eq!(newest(&workspace)["verdict"], "broken");
    // A process that has by now the number of the one that died is not that run.
    let mark = workspace.path("runs/latest/.running");
    fs::write(mark, format!("begun\n{}\n", std::process::id())).expect("the mark of the run");
    assert_eq!(newest(&workspace)["verdict"], "broken");
    let output = tell(&workspace, &["runs"]);
    let [table, advice] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    assert!(table.contains("BROKEN") && advice.contains("tocsin report"), "{table}\n{advice}");
    tell(&workspace, &["report", "latest"]);
    let told = newest(&workspace)["verdict"].clone();
    assert_eq!(told, workspace.summary()["verdict"]);
}

#[test]
fn in_virtual_time_too_a_run_goes_on_until_it_is_killed() {
    let workspace = CampaignFolder::new(36_000, "300ms");
    workspace.write("network.toml", &crate::placed(crate::NETWORK));
    let mut run = workspace.run(&["--virtual-time", "--set", "callers.media=0"]);
    while latest(&workspace).is_none() {
        std::thread::yield_now();
    }
    assert_eq!(newest(&workspace)["verdict"], "running");
    signal("KILL", run.id());
    run.finish();
    assert_eq!(newest(&workspace)["verdict"], "broken");
}
