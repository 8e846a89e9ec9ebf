//! Callers of a network that somebody serves by hand: what the run hears of it, and what it says when nobody is there.

use std::net::UdpSocket;
use std::process::Command;

use system_tests::process::Process;
use system_tests::program::tocsin;

use crate::history::{said, tell};
use crate::serving::Lab;

/// What is commanded there is no secret to the run: who, when, what, and what came of it.
#[test]
fn commands_to_the_target_stand_in_the_run() {
    let lab = Lab::new();
    let _psap = lab.serve("psap");
    let manage = ["--manage", "127.0.0.1:0", "--manage-file", "here.json"];
    let peers = ["--set", "trunk_groups.mobile.peers=127.0.0.0/8"];
    let mut switch = lab.start("switch", &[&manage[..], &peers[..]].concat());
    switch.until("each call is written to");
    let workspace = &lab.workspace;
    let command = |words: &[&str]| {
        let words = [&["ctl", "--manage", "here.json"], words].concat();
        assert!(tell(workspace, &words).status.success(), "{words:?}");
    };
    command(&["lock", "alpha", "--yes"]);
    command(&["unlock", "alpha", "--yes"]);
    let target = lab.trunk_group.to_string();
    let mut run = workspace.run(&[
        "--duration",
        "4s",
        "--target",
        &target,
        "--target-manage",
        "here.json",
        "--set",
        "callers.media=0",
        "--set",
        "network=lab.toml",
    ]);
    run.until(" calls in 4s to ");
    run.until(" s  ");
    command(&["drain", "alpha", "--yes"]);
    run.finish();
    let report = said(workspace, &["show", "latest"]);
    assert!(report.contains("drain") && report.contains("commanded by hand"), "{report}");
    let path = workspace.path("runs/latest/chronicle.json");
    let chronicle = std::fs::read_to_string(path).expect("a chronicle");
    assert!(chronicle.contains("\"by_hand\"") && chronicle.contains("ctl"), "{chronicle}");
    assert!(!chronicle.contains("unlock"), "what was before is no part of the run: {chronicle}");
    let calls = crate::history::calls(workspace);
    let query = "SELECT count(*) FROM events WHERE kind = 'command' AND site = 'alpha' AND at_s BETWEEN 0 AND 4";
    let commands: i64 = calls.query_row(query, [], |row| row.get(0)).expect("a count");
    assert_eq!(commands, 1);
}

#[test]
fn a_file_that_leads_to_no_network_is_refused() {
    let lab = Lab::new();
    let mut switch = lab.serve("switch");
    let target = lab.trunk_group.to_string();
    let options =
        ["--target", &target, "--target-manage", "nowhere.json", "--set", "network=lab.toml"];
    let mut run = lab.workspace.run(&options);
    assert_eq!(run.finish().code(), Some(2), "{}", run.words());
    assert!(run.words().contains("no network is managed there"), "{}", run.words());
    switch.terminate();
}

/// Without the probe the callers find out themselves.
#[test]
fn load_that_reaches_nobody_fails_with_and_without_a_probe() {
    let lab = Lab::new();
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let target = silent.local_addr().expect("its address").to_string();
    let load = |options: &[&str]| {
        let mut command = Command::new(tocsin());
        command.current_dir(lab.workspace.path("")).args([
            "load",
            "campaign.toml",
            "--target",
            &target,
        ]);
        command.args(["--set", "network=lab.toml", "--set", "timers.t1=20ms"]).args(options);
        let mut load = Process::start("tocsin load", &mut command);
        (load.finish().code(), load.words())
    };
    let (code, words) = load(&["--no-probe"]);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("no call got a response: is anybody there?"), "{words}");
    let (code, words) = load(&[]);
    assert_eq!(code, Some(2), "{words}");
}
