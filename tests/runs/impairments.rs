//! Impairments and a site that comes back, on real sockets and in virtual time: what they do is what they were set to do.

use std::fs;

use serde_json::Value;

use crate::history::{calls, count, tell};
use crate::{CampaignFolder, NETWORK, balanced};

/// The network of the other tests with an IP address of its own for each box, and a port that the system chooses on each; in
/// virtual time, where no system chooses, 5060.
fn network(is_virtual: bool, text: &str) -> String {
    let mut pieces = text.split("127.0.0.1:0");
    let first = pieces.next().unwrap_or_default().to_owned();
    let port = if is_virtual { 5060 } else { 0 };
    (20_u32..)
        .zip(pieces)
        .fold(first, |text, (number, piece)| format!("{text}127.0.7.{number}:{port}{piece}"))
}

const CAMPAIGN: &str = r#"
network = "network.toml"
seed = 7
progress_interval = "200ms"

[[phases]]
name = "steady"
duration = "12s"
arrivals = { model = "poisson", rate = 20 }

[[mix]]
number = "15"
communes = ["59350"]
trunk_group = "mobile"

[callers]
talk = "500ms"
patience = "10s"
caller_hangs_up = 1.0
media = 0

[validity]
lag_p99 = "1m"
cpu = 1.0
late_retransmissions = 1.0
late_rtp = 1.0
clock_step = "1m"
"#;

fn run(is_virtual: bool, network_text: &str, sections: &str) -> CampaignFolder {
    let workspace = CampaignFolder::new(1, "1s");
    workspace.write("network.toml", &network(is_virtual, network_text));
    workspace.write("campaign.toml", &format!("{CAMPAIGN}{sections}"));
    let mut words = vec!["run", "campaign.toml", "--quiet"];
    words.extend(is_virtual.then_some("--virtual-time"));
    let output = tell(&workspace, &words);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{words:?}: {complaint}");
    balanced(&workspace.summary());
    workspace
}

fn number(workspace: &CampaignFolder, query: &str) -> f64 {
    let found: Option<f64> =
        calls(workspace).query_row(query, [], |row| row.get(0)).expect("a number");
    found.unwrap_or_default()
}

fn chronicle(workspace: &CampaignFolder) -> Value {
    let path = workspace.path("runs/latest/chronicle.json");
    let text = fs::read_to_string(path).expect("a chronicle");
    serde_json::from_str(&text).expect("JSON")
}

/// What was done to the network, in the order of time.
fn done(workspace: &CampaignFolder) -> Vec<String> {
    let told = chronicle(workspace)["faults"].clone();
    let line = |one: &Value| {
        assert_eq!(one["failed"], Value::Null, "{one}");
        let word = |key: &str| one[key].as_str().unwrap_or("-").to_owned();
        format!("{} {} {} {}", word("what"), word("target"), word("other"), word("impairment"))
    };
    told.as_array().expect("faults").iter().map(line).collect()
}

/// Mean delay to the first ring of calls that began in these seconds of the campaign, in milliseconds.
fn post_dial_delay(workspace: &CampaignFolder, from: u32, to: u32) -> f64 {
    number(
        workspace,
        &format!(
            "SELECT avg(pdd_us) / 1000.0 FROM attempts WHERE start_us - (SELECT min(start_us) FROM attempts) \
             BETWEEN {from}000000 AND {to}000000"
        ),
    )
}

// An INVITE and its 180 cross the way between trunk group and site once each.
#[test]
fn a_delay_is_seen_in_the_post_dial_delay_in_both_worlds() {
    let delay = "[[faults]]\nat = \"4s\"\nbetween = [\"mobile\", \"alpha\"]\ndelay = \"120ms\"\nfor = \"4s\"\n\
                 [[faults]]\nat = \"4s\"\nbetween = [\"mobile\", \"beta\"]\ndelay = \"120ms\"\nfor = \"4s\"\n";
    let mut shifts = Vec::new();
    for is_virtual in [true, false] {
        let workspace = run(is_virtual, NETWORK, delay);
        let (before, during, after) = (
            post_dial_delay(&workspace, 0, 3),
            post_dial_delay(&workspace, 5, 7),
            post_dial_delay(&workspace, 9, 12),
        );
        let told = done(&workspace);
        assert_eq!(told[0], "impair mobile alpha 120ms delay", "{told:?}");
        assert_eq!(told[2], "heal mobile alpha -", "{told:?}");
        let shift = during - before;
        assert!((238.0..300.0).contains(&shift), "virtual {is_virtual}: {before} {during} {after}");
        assert!((after - before).abs() < 40.0, "virtual {is_virtual}: {before} {during} {after}");
        shifts.push(shift);
    }
    assert!((shifts[0] - shifts[1]).abs() < 40.0, "{shifts:?}");
}

// Trunk groups probe every 500 ms: the cut site is found down and gets no calls, then it is healed and does.
#[test]
fn a_cut_is_found_by_the_pool_and_so_is_its_end() {
    for is_virtual in [true, false] {
        let workspace = run(
            is_virtual,
            NETWORK,
            "[[faults]]\nat = \"3s\"\nof = \"alpha\"\ncut = true\nfor = \"4s\"\n",
        );
        assert_eq!(done(&workspace), ["impair alpha - cut", "heal alpha - -"]);
        let by_alpha = |from: u32, to: u32| {
            count(
                &calls(&workspace),
                &format!(
                    "answer_us IS NOT NULL AND site = 'alpha' AND start_us - (SELECT min(start_us) FROM attempts) \
                     BETWEEN {from}000000 AND {to}000000"
                ),
            )
        };
        assert!(by_alpha(0, 3) > 10, "virtual {is_virtual}");
        assert_eq!(by_alpha(5, 7), 0, "virtual {is_virtual}");
        assert!(by_alpha(10, 12) > 5, "virtual {is_virtual}");
        let state = fs::read_to_string(workspace.path("runs/latest/state.json")).expect("a state");
        let state: Value = serde_json::from_str(&state).expect("JSON");
        let downs = state["detections"].to_string();
        let found = |group: &str| downs.contains(&format!("[\"alpha\",\"{group}\""));
        assert!(found("mobile") && found("fixe"), "virtual {is_virtual}: {downs}");
    }
}

// What is on its disk survives: alpha is locked before it is killed, and takes calls only when it is unlocked.
#[test]
fn a_killed_site_that_is_started_again_takes_calls_with_what_was_on_its_disk() {
    let sections = "[[faults]]\nat = \"2s\"\nkill = \"alpha\"\n[[faults]]\nat = \"4s\"\nrestart = \"alpha\"\n\
                    [[faults]]\nat = \"2s\"\nkill = \"samu-59\"\n[[faults]]\nat = \"3s\"\nrestart = \"samu-59\"\n\
                    [operations.lock]\nat = \"1s\"\ncommands = [\"lock\"]\nsites = [\"alpha\"]\n\
                    [operations.unlock]\nat = \"8s\"\ncommands = [\"unlock\"]\nsites = [\"alpha\"]\n";
    let text = NETWORK.replacen(
        "[trunk_groups.mobile]",
        "[equipment]\nboot = \"1s\"\n[trunk_groups.mobile]",
        1,
    );
    for is_virtual in [true, false] {
        let workspace = run(is_virtual, &text, sections);
        let mut told = done(&workspace);
        told.sort();
        assert_eq!(
            told,
            ["kill alpha - -", "kill samu-59 - -", "restart alpha - -", "restart samu-59 - -"]
        );
        let answered = |site: &str, from: u32, to: u32| {
            count(
                &calls(&workspace),
                &format!(
                    "answer_us IS NOT NULL AND site = '{site}' AND start_us - (SELECT min(start_us) FROM attempts) \
                     BETWEEN {from}000000 AND {to}000000"
                ),
            )
        };
        assert!(answered("beta", 4, 8) > 20, "virtual {is_virtual}: the PSAP is back");
        assert_eq!(answered("alpha", 5, 8), 0, "virtual {is_virtual}: it is locked as before");
        assert!(answered("alpha", 9, 12) > 10, "virtual {is_virtual}: it takes calls again");
        let summary = workspace.summary();
        assert_ne!(summary["verdict"], "degraded", "{}", summary["reasons"]);
    }
}

// Over the same seeds both worlds lose about as many calls of a bad way.
#[test]
fn a_bad_way_costs_the_same_in_both_worlds() {
    let bad = "[[faults]]\nat = \"0s\"\nof = \"mobile\"\nloss = 0.1\njitter = \"20ms\"\nduplicate = 0.05\nreorder = 0.05\n";
    let mut delays = Vec::new();
    for is_virtual in [true, false] {
        let workspace = run(is_virtual, NETWORK, bad);
        let answered = count(&calls(&workspace), "answer_us IS NOT NULL") as f64;
        let offered = count(&calls(&workspace), "1") as f64;
        assert!(answered / offered > 0.95, "virtual {is_virtual}: {answered} of {offered}");
        delays.push(post_dial_delay(&workspace, 0, 12));
    }
    // A lost INVITE is sent again after T1, 50 ms: one of ten, twice on the way there and back.
    assert!(delays.iter().all(|delay| *delay > 15.0), "{delays:?}");
    // A way takes 5 ms in virtual time, and nothing on loopback: about 26 ms to the first ring.
    assert!((delays[0] - delays[1]).abs() < 60.0, "{delays:?}");
}
