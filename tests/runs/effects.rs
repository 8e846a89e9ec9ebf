//! Commands that take their time: accepted, done when the site is in service, or cut short; in both worlds alike.

use std::fs;

use serde_json::Value;

use crate::{CAMPAIGN, CampaignFolder, NETWORK, placed};

const OPERATIONS: &str = r#"
[operations.fix]
at = "1s"
commands = ["load r8", "lock"]
sites = ["alpha"]
wait_for = "ready"

[operations.lost]
at = "1s"
commands = ["load r8"]
sites = ["beta"]

[operations.cut]
at = "1500ms"
commands = ["restart"]
sites = ["beta"]
"#;

/// Operation, site, action, result and text of each command, sorted as far as the two worlds may differ in order.
fn commands(time: &str) -> Vec<String> {
    let workspace = CampaignFolder::new(8, "1s");
    let equipment = "[releases.r8]\n[equipment]\ninstall = \"1s\"\nboot = \"1s\"\n[sites.alpha]";
    let network = NETWORK.replace("[sites.alpha]", equipment);
    // On real sockets every port is the system's choice.
    let network = if time == "virtual" { placed(&network) } else { network };
    workspace.write("network.toml", &network);
    let campaign = CAMPAIGN
        .replace("{seconds}", "8")
        .replace("{talk}", "1s")
        .replace("patience", "media = 0\npatience");
    let campaign = campaign.replace("rate = 40", "rate = 10");
    workspace.write("campaign.toml", &format!("time = \"{time}\"\n{campaign}{OPERATIONS}"));
    let mut run = workspace.run(&[]);
    run.finish();
    let text = fs::read_to_string(workspace.path("runs/latest/chronicle.json"));
    let chronicle: Value = serde_json::from_str(&text.expect("a chronicle")).expect("JSON");
    let entries = chronicle["commands"].as_array().expect("commands");
    let line = |one: &Value| {
        let word = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
        ["operation", "site", "action", "result", "text"].map(word).join(" | ")
    };
    let mut lines: Vec<String> = entries.iter().map(line).collect();
    // What is done is done after it was accepted, and the next command comes after that.
    let at = |index: usize| entries[index]["at_s"].as_f64().expect("a time");
    let place = |line: &str| lines.iter().position(|one| one.contains(line)).expect(line);
    let (accepted, done) =
        (place("fix | alpha | load r8 | accepted"), place("fix | alpha | load r8 | done"));
    let lock = place("fix | alpha | lock | done");
    assert!((1.9..4.0).contains(&(at(done) - at(accepted))), "{entries:#?}");
    assert!(entries[lock]["given_at_s"].as_f64() >= Some(at(done)), "{entries:#?}");
    lines.sort();
    lines
}

#[test]
fn a_command_is_done_when_its_effect_is_there_in_both_worlds() {
    let virtual_time = commands("virtual");
    assert_eq!(
        virtual_time,
        [
            "cut | beta | restart | accepted | starts again within 1s",
            "cut | beta | restart | done | in service with release sound",
            "fix | alpha | load r8 | accepted | release r8 runs after a restart in 1s",
            "fix | alpha | load r8 | done | in service with release r8",
            "fix | alpha | lock | done | takes no new calls",
            "lost | beta | load r8 | aborted | the software ended: restarted by command",
            "lost | beta | load r8 | accepted | release r8 runs after a restart in 1s",
        ]
    );
    assert_eq!(commands("real"), virtual_time);
}
