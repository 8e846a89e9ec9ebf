//! Campaigns in virtual time, and on a clock that goes faster, as a tester runs them.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use serde_json::Value;

use crate::{CampaignFolder, NETWORK, balanced};

/// Both sites get the usual commands in the wrong order, at once, while there are calls.
pub(crate) const OUTAGE: &str = r#"
network = "network.toml"
seed = 7
time = "virtual"
begins = "16:40"
drain_timeout = "3m"

[[phases]]
name = "evening"
duration = "10m"
arrivals = { model = "poisson", rate = 4 }

[[mix]]
number = "15"
communes = ["59350"]

[[mix]]
number = "112"

[callers]
talk = "20s"
patience = "30s"
caller_hangs_up = 1.0
media = 0

[callers.redial]

[operations.reconnection]
at = "1m"
commands = ["disconnect", "reconnect"]
sites = "all"
manner = "parallel"
command_interval = "2s"

[operations.cure]
after = "diagnosed"
commands = ["isolate", "restart clean", "rejoin"]
sites = "all"
manner = "serial"
timeout = "5s"
retry = 20
retry_interval = "2s"

[supervision]
window = "1m"

[[supervision.rules]]
name = "asr"
indicator = "emergency_asr"
by = "all"
below = 0.8
for = "10s"

[supervision.usual]
arrivals = "computed"

[crisis]
understand = "20s"
diagnose = "150s"

[crisis.alarms]
believed = 1
delay = "10s"

[crisis.published]
understood = "60m"

[[figures]]
name = "not routed"
measure = "unrouted_share"
published = "11 %"
source = "https://example.org/report"

[[figures]]
name = "restarts"
measure = "restarts"

[[variants]]
name = "bug-off"
title = "the same commands on a release without the defect"
set = ["equipment.release=sound"]
"#;

pub(crate) fn workspace() -> CampaignFolder {
    let workspace = CampaignFolder::new(1, "1s");
    let machine = "[equipment]\nrelease = \"r7\"\ncontexts = 100\nboot = \"10s\"\n\
                   [releases.r7.defects.context-leak]\n[sites.alpha]";
    // In virtual time ports are what the file says.
    let mut network = NETWORK.replace("[sites.alpha]", machine);
    for port in 20..26 {
        network = network.replacen("127.0.0.1:0", &format!("127.0.0.{port}:5060"), 1);
    }
    workspace.write("network.toml", &network);
    workspace.write("outage.toml", OUTAGE);
    workspace
}

pub(crate) fn chronicle(workspace: &CampaignFolder, name: &str) -> Value {
    let text = fs::read_to_string(workspace.path("runs/latest").join(name)).expect("a chronicle");
    serde_json::from_str(&text).expect("JSON")
}

pub(crate) fn run(workspace: &CampaignFolder, options: &[&str]) -> String {
    let mut command = std::process::Command::new(system_tests::program::tocsin());
    command.current_dir(workspace.path(".")).args(["run", "outage.toml"]).args(options);
    let mut run = system_tests::process::Process::start("tocsin run", &mut command);
    let status = run.finish();
    assert!(status.success(), "{status}; {}", run.words());
    run.words()
}

#[test]
fn an_outage_and_its_variant_are_told_side_by_side() {
    let workspace = workspace();
    let said = run(&workspace, &[]);
    for part in [
        "touches 2/2 sites",
        "not the documented order",
        "published",
        "11 %",
        "bug-off",
        "restarts: its memory for calls is full",
        "16:41:00  reconnection: alpha disconnect",
        "crisis: detected",
        "minutes from the first harm at 16:4",
        "what people went by: ",
    ] {
        assert!(said.contains(part), "{part:?} is missing in\n{said}");
    }
    let offered = balanced(&workspace.summary());
    let calls = crate::history::calls(&workspace);
    assert_eq!(crate::history::count(&calls, "true"), offered);
    let told: i64 = calls
        .query_row("SELECT count(*) FROM events WHERE kind = 'restart'", [], |row| row.get(0))
        .expect("events");
    assert!(told > 3, "{told} restarts");
    let failures = |name| {
        let restarts = chronicle(&workspace, name)["restarts"].clone();
        let full = "its memory for calls is full";
        restarts.as_array().into_iter().flatten().filter(|one| one["why"] == full).count()
    };
    assert!(failures("chronicle.json") > 3, "the sites restart in loops");
    assert_eq!(failures("chronicle-bug-off.json"), 0, "without the defect none does");
    for name in ["timeline.svg", "attempts.svg"] {
        let svg = fs::read_to_string(workspace.path("runs/latest").join(name)).expect("a picture");
        let document = roxmltree::Document::parse(&svg).expect("well-formed XML");
        let texts = document.descendants().filter_map(|node| node.text());
        let texts: Vec<&str> = texts.collect();
        for part in ["bug-off", "first command", "16:42", "time of day (h:mm)"] {
            assert!(texts.iter().any(|text| text.contains(part)), "{name}: {part}: {texts:?}");
        }
    }
    assert!(!workspace.path("runs/latest/goodput.svg").exists(), "nobody asked for it");
    let chronicle = chronicle(&workspace, "chronicle.json");
    assert_eq!(chronicle["notifications"][0]["version"], "4", "as Alertmanager posts it");
    let crisis = &chronicle["crisis"];
    let seconds = |key: &str| crisis[key].as_f64().unwrap_or_else(|| panic!("{key}: {crisis:#}"));
    assert!(seconds("harm_at_s") >= 60.0 && seconds("detected_s") >= 0.0);
    assert!(seconds("understood_s") >= seconds("detected_s") + 20.0);
    assert!(seconds("diagnosed_s") > seconds("understood_s"));
    let summary = workspace.summary();
    let understood = summary["crisis"].as_array().expect("times").iter();
    let understood =
        { understood }.find(|one| one["milestone"] == "understood").expect("it is there");
    assert_eq!(understood["published_min"], 60.0);
    assert!(understood["emulated_min"].as_f64().is_some_and(|minutes| minutes < 5.0));
    // The cure has worked: no site restarts of itself after it.
    let cured = chronicle["commands"].as_array().expect("commands").iter();
    let cured = cured.filter(|one| one["operation"] == "cure").count();
    assert!(cured >= 6, "{chronicle:#}");
}

#[test]
fn alarms_are_posted_as_alertmanager_would() {
    let workspace = workspace();
    let receiver = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url =
        format!("supervision.webhook=http://{}/alarms", receiver.local_addr().expect("an address"));
    let posted = std::thread::spawn(move || {
        let (mut stream, _) = receiver.accept().expect("a connection");
        let mut request = Vec::new();
        let mut buffer = [0; 4_096];
        while !String::from_utf8_lossy(&request).contains("\"summary\"") {
            let length = stream.read(&mut buffer).expect("a request");
            assert!(length > 0, "the request ended early");
            request.extend_from_slice(&buffer[..length]);
        }
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .expect("an answer");
        String::from_utf8_lossy(&request).into_owned()
    });
    run(&workspace, &["--variant", "base", "--quiet", "--set", &url]);
    let posted = posted.join().expect("the receiver");
    for part in
        ["POST /alarms", "\"version\":\"4\"", "\"status\":\"firing\"", "\"alertname\":\"asr\""]
    {
        assert!(posted.contains(part), "{part:?} is missing in {posted}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let workspace = workspace();
    let hash = |options: &[&str]| {
        run(&workspace, &[&["--variant", "base", "--quiet"], options].concat());
        workspace.summary()["ledger_hash"].as_str().expect("a hash").to_owned()
    };
    let (first, second, other) = (hash(&[]), hash(&[]), hash(&["--set", "seed=8"]));
    assert_eq!(first, second);
    assert_ne!(first, other);
}

#[test]
fn a_mistake_in_a_variant_and_an_unknown_one_are_named() {
    let workspace = workspace();
    let wrong = OUTAGE.replace("equipment.release=sound", "equipment.release=r9");
    workspace.write("outage.toml", &wrong);
    let mut command = std::process::Command::new(system_tests::program::tocsin());
    command.current_dir(workspace.path(".")).args(["run", "outage.toml"]);
    let mut run = system_tests::process::Process::start("tocsin run", &mut command);
    assert_eq!(run.finish().code(), Some(2));
    let said = run.words();
    assert!(
        said.contains("variant bug-off") && said.contains("no release is called \"r9\""),
        "{said}"
    );
    workspace.write("outage.toml", OUTAGE);
    let mut command = std::process::Command::new(system_tests::program::tocsin());
    command.current_dir(workspace.path(".")).args(["run", "outage.toml", "--variant", "bug-of"]);
    let mut run = system_tests::process::Process::start("tocsin run", &mut command);
    assert_eq!(run.finish().code(), Some(2));
    assert!(run.words().contains("no such variant; there are base, bug-off"), "{}", run.words());
}

// The same file on real sockets: a minute of it in a few seconds.
#[test]
fn the_clock_of_a_real_run_may_go_faster() {
    let workspace = workspace();
    let short = OUTAGE
        .replace("\"10m\"", "\"2m\"")
        .replace("at = \"1m\"", "at = \"30s\"")
        .replace("rate = 4", "rate = 2")
        .replace("time = \"virtual\"", "compression = 10");
    workspace.write("outage.toml", &short);
    workspace.write(
        "network.toml",
        &NETWORK
            .replace("t1 = \"50ms\"", "t1 = \"400ms\"")
            .replace("t2 = \"400ms\"", "t2 = \"4s\""),
    );
    let mut command = std::process::Command::new(system_tests::program::tocsin());
    let options = ["run", "outage.toml", "--set", "equipment.release=sound"];
    command.current_dir(workspace.path(".")).args(options);
    let mut run = system_tests::process::Process::start("tocsin run", &mut command);
    run.finish();
    let said = run.words();
    assert!(said.contains("every clock of this run goes 10 times faster"), "{said}");
    let summary = workspace.summary();
    balanced(&summary);
    let commands = chronicle(&workspace, "chronicle.json")["commands"].clone();
    let done = commands.as_array().expect("commands").iter();
    let done = done.filter(|one| one["result"] == "done");
    assert!(done.count() >= 4, "{commands:#}");
    let duration = summary["duration_s"].as_f64().expect("a duration");
    assert!(duration > 110.0, "{duration} s by the clock of the run");
}

#[test]
fn a_variant_says_how_many_things_it_changes_and_changes_at_least_one() {
    let workspace = workspace();
    let tocsin = |words: &[&str]| {
        let mut command = std::process::Command::new(system_tests::program::tocsin());
        let output =
            command.current_dir(workspace.path(".")).args(words).output().expect("it starts");
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    };
    let variant = |set: &str| {
        let title = "title = \"the same commands on a release without the defect\"\nset = ";
        let (begin, _) = OUTAGE.split_once(title).expect("a variant");
        workspace.write("outage.toml", &format!("{begin}title = \"changed\"\nset = {set}\n"));
    };
    variant(
        "[\"equipment.release=sound\", \"operations.cure.retry=3\", \"operations.cure.sites=alpha\", \
         \"phases.evening.duration=2m\", \"figures.restarts.max=3\"]",
    );
    let (code, said) = tocsin(&["check", "outage.toml"]);
    let things = "equipment, operations.cure, phases.evening";
    assert_eq!(code, Some(0), "{said}");
    let line = format!("variant bug-off: changed; changes 3 things: {things}\n");
    assert!(said.contains(&line), "{said}");
    let (_, said) = tocsin(&["run", "outage.toml", "--variant", "bug-off"]);
    assert!(said.contains(&format!("changed (3 things changed: {things})")), "{said}");
    variant("[\"figures.restarts.max=3\"]");
    let (code, said) = tocsin(&["check", "outage.toml"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("changes nothing but figures"), "{said}");
    variant("[\"equipment.release=r7\"]");
    let (code, said) = tocsin(&["run", "outage.toml"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("variant bug-off: changes nothing: the campaign has these values"),
        "{said}"
    );
}
