//! Runs that end well, are interrupted, or lose a site.

use std::fs;
use std::net::{SocketAddr, UdpSocket};

use serde_json::Value;
use system_tests::process::{Process, signal};

use crate::history::{said, tell};
use crate::{CampaignFolder, balanced};

#[test]
fn a_run_carries_calls_and_leaves_a_folder() {
    let workspace = CampaignFolder::new(2, "200ms");
    let mut run = workspace.run(&[]);
    let status = run.finish();
    assert!(status.success(), "{status}; {}", run.words());
    let said = run.words();
    assert!(said.contains("NO BOUNDS  ") && said.contains(": balanced"), "{said}");
    let summary = workspace.summary();
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
        assert!(workspace.path("runs/latest").join(file).is_file(), "{file} is missing");
    }
    let processes = ["load", "trunks", "site-alpha", "site-beta", "psap-samu-59", "psap-cta-59"];
    for process in processes {
        let records = workspace.path("runs/latest/records").join(format!("{process}.jsonl"));
        let lines = fs::read_to_string(records).expect("the records of a process").lines().count();
        assert!(lines > 0, "{process} recorded nothing");
    }
}

#[test]
fn the_command_line_changes_seed_length_and_rate_of_a_campaign() {
    let workspace = CampaignFolder::new(60, "100ms");
    let mut run = workspace.run(&["--seed", "9", "--duration", "1s", "--rate", "80", "--quiet"]);
    assert_eq!(run.finish().code(), Some(0), "{}", run.words());
    let summary = workspace.summary();
    assert_eq!(summary["seed"], 9);
    // Eighty are expected, and chance has its say.
    assert!((50..120).contains(&balanced(&summary)), "{}", summary["ledger"]);
    let page = fs::read_to_string(workspace.path("runs/latest/report.html")).expect("a page");
    assert!(!page.contains("the run has not ended"), "the receipt is that of the finished run");
    let receipt = page.split("id=\"receipt\"").nth(1).expect("a receipt");
    assert!(receipt.contains("exit code") && receipt.contains(">pass<"), "{receipt}");
}

#[test]
fn the_first_interrupt_drains_and_the_summary_is_still_written() {
    let workspace = CampaignFolder::new(60, "60s");
    let mut run = workspace.run(&[]);
    wait_for_calls(&mut run);
    run.interrupt();
    let status = run.finish();
    assert_eq!(status.code(), Some(130), "{}", run.words());
    let summary = workspace.summary();
    balanced(&summary);
    assert_eq!(summary["ledger"]["in_progress"], 0);
    assert_eq!(summary["ledger"]["lost"], 0, "established calls were ended with BYE");
    assert_eq!(
        (&summary["verdict"], &summary["interrupted"]),
        (&"interrupted".into(), &true.into())
    );
    assert!(run.words().contains("INTERRUPTED  campaign"), "{}", run.words());
    // Of the seconds that it ran, and not of the minute that it was meant to.
    let rate = summary["metrics"]["calls_per_second"].as_f64().expect("a rate");
    assert!(rate > 10.0, "{rate} calls/s");
}

// `timeout` and `docker stop` may signal every process there is.
#[test]
fn a_signal_to_every_process_is_one_interrupt() {
    let workspace = CampaignFolder::new(60, "60s");
    let mut run = workspace.run(&[]);
    wait_for_calls(&mut run);
    for child in children(run.id()) {
        signal("TERM", child);
        signal("HUP", child);
    }
    signal("TERM", run.id());
    assert_eq!(run.finish().code(), Some(130), "{}", run.words());
    let summary = workspace.summary();
    balanced(&summary);
    assert_eq!(summary["ledger"]["lost"], 0);
    assert_eq!(summary["reasons"], serde_json::json!([]));
}

#[test]
fn an_interrupt_while_the_network_starts_is_obeyed() {
    let workspace = CampaignFolder::new(60, "60s");
    let mut run = workspace.run(&[]);
    while children(run.id()).is_empty() {
        std::thread::yield_now();
    }
    run.interrupt();
    assert_eq!(run.finish().code(), Some(130), "{}", run.words());
    assert!(run.words().contains("interrupted while the network started"), "{}", run.words());
}

#[test]
fn a_killed_site_loses_its_own_calls_and_no_others() {
    let workspace = CampaignFolder::new(4, "500ms");
    let mut run = workspace.run(&[]);
    wait_for_calls(&mut run);
    signal("KILL", child(run.id(), &["--site", "alpha"]));
    let status = run.finish();
    assert_eq!(status.code(), Some(4), "{}", run.words());
    let summary = workspace.summary();
    let calls = balanced(&summary);
    assert_eq!(summary["verdict"], "degraded");
    let lost_at = summary["ledger"]["lost_at"].as_array().expect("places");
    assert!(lost_at.iter().all(|place| place["node"] == "alpha"), "{lost_at:?}");
    let lost = summary["ledger"]["lost"].as_u64().expect("a count");
    assert!(lost > 0, "a site that is killed loses the calls in it");
    assert!(lost * 4 < calls, "{lost} of {calls} lost: the other site should have carried on");
    let reasons = summary["reasons"].to_string();
    assert!(reasons.contains("process site-alpha was lost: signal: 9 (SIGKILL)"), "{reasons}");
}

#[test]
fn a_killed_generator_has_lost_the_calls_it_had() {
    let workspace = CampaignFolder::new(60, "60s");
    let mut run = workspace.run(&[]);
    wait_for_calls(&mut run);
    signal("KILL", child(run.id(), &["load", "campaign.toml"]));
    assert_eq!(run.finish().code(), Some(4), "{}", run.words());
    let summary = workspace.summary();
    balanced(&summary);
    let lost_at = summary["ledger"]["lost_at"].as_array().expect("places");
    assert!(!lost_at.is_empty(), "{summary:#}");
    assert!(lost_at.iter().all(|place| place["node"] == "load-1"), "{lost_at:?}");
    let reasons = summary["reasons"].to_string();
    assert!(reasons.contains("process load was lost: signal: 9 (SIGKILL)"), "{reasons}");
}

#[test]
fn two_runs_have_the_same_callers_and_share_no_attempt() {
    let workspace = CampaignFolder::new(1, "100ms");
    let run = || {
        let mut run = workspace.run(&["--quiet"]);
        assert!(run.finish().success(), "{}", run.words());
        let records = fs::read_to_string(workspace.path("runs/latest/records/load.jsonl"));
        let records = records.expect("the records of the generator");
        let of = |key: &str| {
            let key =
                |line: &str| serde_json::from_str::<Value>(line).expect("JSON")[key].to_string();
            let mut values: Vec<_> = records.lines().map(key).collect();
            values.sort_unstable();
            values
        };
        (of("attempt"), of("call_id"), of("number"))
    };
    let (first, second) = (run(), run());
    assert_eq!(first.2, second.2);
    assert!(first.0.iter().all(|attempt| !second.0.contains(attempt)));
    assert!(first.1.iter().all(|call_id| !second.1.contains(call_id)));
}

#[test]
fn strangers_who_call_are_counted_and_fail_nothing() {
    let workspace = CampaignFolder::new(2, "200ms");
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let free = || UdpSocket::bind("127.0.0.1:0").and_then(|free| free.local_addr());
    let [site, psap] = [free(), free()].map(|address| address.expect("a port that is free again"));
    let site_key = format!("sites.alpha.address={site}");
    let psap_key = format!("psaps.samu-59.address={psap}");
    let mut run = workspace.run(&["--set", &site_key, "--set", &psap_key]);
    wait_for_calls(&mut run);
    // Both refuse: no route leads to this number, and the PSAP cannot read this body.
    let named = |to: SocketAddr| (to, format!("stranger-{}", to.port()));
    for (to, call_id) in [named(site), named(psap), (psap, "stranger".to_owned())] {
        let invite = foreign_invite(&stranger, to, &call_id);
        stranger.send_to(invite.as_bytes(), to).expect("a datagram on its way");
    }
    assert!(run.finish().success(), "{}", run.words());
    let summary = workspace.summary();
    balanced(&summary);
    assert_eq!(summary["ledger"]["foreign"], 3);
    // Each is found by its Call-ID, or by a part that no other has; what is whole comes before what is a part of others.
    let [first, second] = [site, psap].map(|to| format!("stranger-{}", to.port()));
    for (word, call_id) in [
        (&first[..], &first[..]),
        (&first[4..], &first),
        (&second, &second),
        ("stranger", "stranger"),
    ] {
        let told = said(&workspace, &["show", "latest", word]);
        let wanted = format!("Call-ID {call_id}\n");
        assert!(told.contains(&wanted) && told.contains("from outside the campaign"), "{told}");
        assert!(told.contains("rejected with "), "{told}");
        let id = told.split_whitespace().nth(1).expect("its id");
        assert_eq!(said(&workspace, &["show", "latest", id]), told);
    }
    let several = tell(&workspace, &["show", "latest", "stranger-"]);
    let why = String::from_utf8_lossy(&several.stderr);
    assert!(
        several.status.code() == Some(2) && why.contains("2 calls have a Call-ID with"),
        "{why}"
    );
}

/// A call from outside the campaign, without Session-ID.
fn foreign_invite(from: &UdpSocket, to: SocketAddr, call_id: &str) -> String {
    let from = from.local_addr().expect("an address");
    format!(
        "INVITE sip:0353010099@{to} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK-{call_id}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:lab@{from}>;tag=1\r\nTo: <sip:0353010099@{to}>\r\n\
         Call-ID: {call_id}\r\nCSeq: 1 INVITE\r\nContact: <sip:lab@{from}>\r\n\
         Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\nhello"
    )
}

/// Waits for a progress line with answered calls in it.
pub(crate) fn wait_for_calls(run: &mut Process) {
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
pub(crate) fn child(parent: u32, words: &[&str]) -> u32 {
    let has_words = |id: &u32| {
        let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let line: Vec<_> = line.split(|byte| *byte == 0).collect();
        line.windows(words.len())
            .any(|have| have.iter().zip(words).all(|(a, b)| *a == b.as_bytes()))
    };
    let found = children(parent).into_iter().find(has_words);
    found.unwrap_or_else(|| panic!("no child has {words:?}"))
}

/// All children of a process.
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let children = format!("/proc/{parent}/task/{parent}/children");
    let children = fs::read_to_string(children).expect("the children of a process");
    children.split_whitespace().filter_map(|id| id.parse().ok()).collect()
}
