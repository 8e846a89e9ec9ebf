//! An operator at work while a run goes on: `tocsin ctl`.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use system_tests::process::Process;
use system_tests::program::tocsin;

use crate::api::Api;
use crate::outcomes::wait_for_calls;
use crate::{CampaignFolder, NETWORK, balanced};

/// Only a failing test waits for so long.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs `tocsin ctl` in the folder of the run: its exit code, and what it said.
pub(crate) fn ctl(workspace: &CampaignFolder, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(tocsin());
    command.current_dir(workspace.folder.path()).arg("ctl").args(arguments);
    let output = command.output().expect("tocsin ctl starts");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

/// A line of `tocsin ctl show`.
#[derive(Debug, Clone, PartialEq)]
struct Site {
    state: String,
    lock: String,
    calls: u64,
    restarts: u64,
}

fn show(workspace: &CampaignFolder, site: &str) -> Site {
    let (code, said) = ctl(workspace, &["show", site]);
    assert_eq!(code, Some(0), "{said}");
    let cells: Vec<_> = said.lines().last().unwrap_or_default().split_whitespace().collect();
    let [name, state, lock, _, _, calls, _, restarts] = cells[..] else { panic!("{said}") };
    assert_eq!(name, site, "{said}");
    let number = |cell: &str| cell.parse().unwrap_or_else(|_| panic!("{said}"));
    let (calls, restarts) = (number(calls), number(restarts));
    Site { state: state.to_owned(), lock: lock.to_owned(), calls, restarts }
}

/// Looks at a site again and again until it looks as `wanted`.
fn until(workspace: &CampaignFolder, site: &str, wanted: impl Fn(&Site) -> bool) -> Site {
    let end = Instant::now() + LIMIT;
    loop {
        let seen = show(workspace, site);
        if wanted(&seen) {
            return seen;
        }
        assert!(Instant::now() < end, "{site} is still {seen:?}");
    }
}

#[test]
fn a_site_is_locked_and_restarted_while_the_other_carries_on() {
    let workspace = CampaignFolder::new(60, "60s");
    let mut run = workspace.run(&[]);
    wait_for_calls(&mut run);
    until(&workspace, "alpha", |site| site.calls > 5);

    let (code, said) = ctl(&workspace, &["disconnect", "alpha", "beta"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("touches 2/2 sites at once; say --yes, --canary or --serial"), "{said}");
    let (code, said) = ctl(&workspace, &["rollback", "alpha"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("alpha      refused    there is no earlier release"), "{said}");

    let (code, said) = ctl(&workspace, &["lock", "alpha"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("alpha      done       takes no new calls ("), "{said}");
    // Whoever looks after the answer sees what has changed. Nobody hangs up for a minute.
    let (alpha, beta) = (show(&workspace, "alpha"), show(&workspace, "beta"));
    assert_eq!((&*alpha.lock, &*beta.lock), ("locked", "unlocked"));
    until(&workspace, "beta", |site| site.calls > beta.calls + 40);
    let later = show(&workspace, "alpha");
    assert!(later.calls <= alpha.calls, "{later:?} takes calls since {alpha:?}");

    // It takes longer to start than this run lasts: BYE and commands meet with silence.
    let (code, said) = ctl(&workspace, &["restart", "--site", "alpha", "--no-wait"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("alpha      accepted   starts again within 40s ("), "{said}");
    let (code, said) = ctl(&workspace, &["unlock", "alpha", "--timeout", "100ms"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.starts_with("alpha      timed out  no answer within 100ms ("), "{said}");
    let alpha = show(&workspace, "alpha");
    assert_eq!((&*alpha.state, &*alpha.lock, alpha.calls), ("starting", "locked", 0));
    assert_eq!(alpha.restarts, 1);
    run.interrupt();
    assert_eq!(run.finish().code(), Some(130), "{}", run.words());
    let summary = workspace.summary();
    balanced(&summary);
    let lost_at = summary["ledger"]["lost_at"].as_array().expect("places");
    assert!(!lost_at.is_empty(), "a restart loses the calls in it");
    for place in lost_at {
        assert_eq!(
            (&place["node"], &place["why"]),
            (&"alpha".into(), &"restarted by command".into())
        );
    }
    let (code, said) = ctl(&workspace, &["show"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("no network is managed there: "), "{said}");
    assert!(!workspace.path("runs/latest/manage.json").exists(), "the token goes with the run");
}

/// Commands by hand stand wherever those of a campaign do: who, when, what, to whom, and what became of it.
#[test]
fn what_is_commanded_by_hand_stands_in_all_that_is_told_of_the_run() {
    let workspace = CampaignFolder::new(60, "2s");
    let mut run = workspace.run(&["--shards", "2"]);
    wait_for_calls(&mut run);
    for (command, code) in
        [("rollback", 1), ("lock", 0), ("unlock", 0), ("restart", 0), ("disconnect", 1)]
    {
        // A machine that starts answers no command, however long one waits; all else is answered, however busy this one is.
        let patience = if command == "disconnect" { "200ms" } else { "20s" };
        let words = [command, "alpha", "--timeout", patience, "--no-wait"];
        let (given, said) = ctl(&workspace, &words);
        assert_eq!(given, Some(code), "{command}: {said}");
    }
    let before = show(&workspace, "beta").calls;
    until(&workspace, "beta", |site| site.calls > before + 20);
    run.interrupt();
    run.finish();
    let read =
        |name: &str| fs::read_to_string(workspace.path("runs/latest").join(name)).expect(name);

    let chronicle: Value = serde_json::from_str(&read("chronicle.json")).expect("JSON");
    let commands = chronicle["commands"].as_array().expect("commands");
    // Whether the site is in service again before the run ends depends on how fast this machine is.
    let is_late = |one: &&Value| one["action"] == "restart" && one["result"] != "accepted";
    let in_time = commands.iter().filter(|one| !is_late(one));
    let told: Vec<_> = in_time.map(|one| (&one["action"], &one["result"])).collect();
    let expected =
        [("rollback", "refused"), ("lock", "done"), ("unlock", "done"), ("restart", "accepted")];
    let expected = [&expected[..], &[("disconnect", "timed-out")]].concat();
    assert_eq!(told.len(), expected.len(), "{commands:#?}");
    for ((action, result), (wanted, outcome)) in told.into_iter().zip(expected) {
        assert_eq!((action, result), (&wanted.into(), &outcome.into()), "{commands:#?}");
    }
    for one in commands {
        assert!(one["operation"].as_str().is_some_and(|by| by.starts_with("ctl")), "{one}");
        assert_eq!((&one["site"], &one["by_hand"]), (&"alpha".into(), &true.into()), "{one}");
        assert!(one["given_at_s"].as_f64().is_some_and(|at| at > 0.0), "{one}");
    }
    let summary = workspace.summary();
    let note = summary["notes"].to_string();
    assert!(note.contains("commanded by hand while it ran: "), "{note}");
    assert!(note.contains("alpha: rollback: refused, there is no earlier release"), "{note}");
    let (report, page) = (read("report.txt"), read("report.html"));
    for (name, text) in [("report.txt", &report), ("report.html", &page)] {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for words in
            ["commanded by hand", "alpha lock: takes no new calls", "alpha disconnect: no answer"]
        {
            assert!(text.contains(words), "{words:?} is missing in {name}: {report}");
        }
    }
    // A mark on every chart for each of them.
    assert!(page.contains("alpha restart"), "{page}");

    let ask = |arguments: &[&str]| {
        let mut command = Command::new(tocsin());
        command.current_dir(workspace.folder.path()).args(arguments);
        String::from_utf8(command.output().expect("it starts").stdout).expect("UTF-8")
    };
    let lost = ask(&["show", "latest", "--where", "lost_in = 'alpha'", "--limit", "1"]);
    let call = lost.lines().nth(1).and_then(|line| line.split_whitespace().next());
    let life = ask(&["show", "latest", call.expect("a call that the restart lost")]);
    assert!(life.contains("*** command alpha: ctl"), "{life}");
    assert!(life.contains(": restart: "), "{life}");
}

#[test]
fn a_switch_is_managed_where_its_options_say() {
    let workspace = CampaignFolder::new(1, "1s");
    let start = |address: &str| {
        let mut command = Command::new(tocsin());
        command.current_dir(workspace.folder.path()).args([
            "switch",
            "network.toml",
            "--site",
            "alpha",
        ]);
        command.args(["--site", "beta", "--manage", address, "--manage-file", "here.json"]);
        Process::start("tocsin switch", &mut command)
    };
    let ctl =
        |arguments: &[&str]| ctl(&workspace, &[arguments, &["--manage", "here.json"]].concat());
    // Beyond this machine by TLS, and whoever has the file knows its certificate.
    let mut beyond = start("0.0.0.0:0");
    beyond.until("its certificate signs itself");
    beyond.until("beta listens on");
    let (code, said) = ctl(&["show"]);
    assert!(code == Some(0) && said.contains("alpha"), "{said}");
    beyond.interrupt();
    assert_eq!(beyond.finish().code(), Some(0), "{}", beyond.words());
    assert!(!workspace.path("here.json").exists());

    let mut switch = start("127.0.0.1:0");
    switch.until("beta listens on");
    let (code, said) = ctl(&["lock", "beta", "alpha", "--serial", "--interval", "1ms"]);
    assert_eq!(code, Some(0), "{said}");
    let order: Vec<_> = said.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(order, ["beta", "alpha"]);
    let (code, said) = ctl(&["restart", "--clean", "--all", "--yes", "--no-wait"]);
    assert_eq!((code, said.matches("accepted").count()), (Some(0), 2), "{said}");
    let (code, said) = ctl(&["show"]);
    assert_eq!((code, said.matches("starting").count()), (Some(0), 2), "{said}");
    for (slip, sentence) in [
        (vec!["lock", "gamma"], "there is no site \"gamma\"; the sites are alpha, beta"),
        (vec!["lock"], "name the sites, or say --all"),
        (vec!["load", "../r8", "alpha"], "is no name of a release"),
        (vec!["unlok", "alpha"], "unlock"),
    ] {
        let (code, said) = ctl(&slip);
        assert_eq!(code, Some(2), "{slip:?}: {said}");
        assert!(said.contains(sentence), "{slip:?}: {said}");
    }
    switch.interrupt();
    assert_eq!(switch.finish().code(), Some(0), "{}", switch.words());
    assert!(!workspace.path("here.json").exists());
}

/// No campaign runs there, so nobody but the server itself holds the command and tells what becomes of it.
#[test]
fn a_canary_of_a_switch_waits_in_the_switch_itself() {
    let workspace = CampaignFolder::new(1, "1s");
    let mut command = Command::new(tocsin());
    command.current_dir(workspace.folder.path()).args(["switch", "network.toml", "--site"]);
    command.args(["alpha", "--site", "beta", "--manage", "127.0.0.1:0"]);
    let mut switch = Process::start("tocsin switch", &mut command);
    switch.until("beta listens on");
    let ctl =
        |arguments: &[&str]| ctl(&workspace, &[arguments, &["--manage", "manage.json"]].concat());
    let locks = || {
        let (code, said) = ctl(&["show"]);
        assert_eq!(code, Some(0), "{said}");
        ["alpha", "beta"].map(|site| {
            let line = said.lines().find(|line| line.starts_with(site)).expect("a line");
            line.split_whitespace().nth(2).expect("its lock").to_owned()
        })
    };
    // Sites show themselves once a second, and before that nothing.
    let mut open = locks();
    while open.iter().any(|lock| lock != "unlocked") {
        thread::sleep(Duration::from_millis(100));
        open = locks();
    }

    let (code, said) = ctl(&["lock", "beta", "alpha", "--canary"]);
    assert!(code == Some(0) && said.contains("canary 1: lock waits for alpha"), "{said}");
    assert!(ctl(&["show"]).1.contains("canary 1: lock waits for alpha"));
    let [alpha, beta] = locks();
    assert!(alpha == open[0] && beta != open[1], "{alpha} {beta}");
    let (code, said) = ctl(&["continue", "1"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(locks(), [&beta[..], &beta[..]]);

    let (code, said) = ctl(&["unlock", "alpha", "beta", "--canary"]);
    assert!(code == Some(0) && said.contains("canary 2: unlock waits for beta"), "{said}");
    let (code, said) = ctl(&["abandon", "2"]);
    assert!(code == Some(0) && said.contains("unlock never goes to beta"), "{said}");
    assert_eq!(locks(), [&open[0][..], &beta[..]]);
    let (code, said) = ctl(&["continue", "2"]);
    assert!(code == Some(2) && said.contains("canary 2 was abandoned by ctl"), "{said}");

    let (code, said) = ctl(&["shed", "ordinary", "--all", "--canary", "--lapses-after", "1ms"]);
    assert_eq!(code, Some(0), "{said}");
    let api = Api::of_file(&workspace.path("manage.json"));
    api.until("/v1/state", |state| state["canaries"].as_array().is_some_and(Vec::is_empty));
    let (code, said) = ctl(&["continue", "3"]);
    assert!(code == Some(2) && said.contains("canary 3 lapsed after 1ms"), "{said}");
    // Who watches is told each step, and whoever comes later each command.
    let chronicle = api.get("/v1/chronicle").to_string();
    for step in [
        "canary 1: beta has got lock; the word for alpha is awaited",
        "canary 1 is continued: lock goes to alpha",
        "canary 2 is abandoned: unlock never goes to beta",
        "canary 3 lapsed after 1ms: shed ordinary never goes to beta",
    ] {
        assert!(chronicle.contains(step), "{step}: {chronicle}");
    }
    let log = api.get("/v1/command-log");
    let names: Vec<&Value> =
        log["commands"].as_array().into_iter().flatten().map(|one| &one["name"]).collect();
    assert_eq!(names, ["beta", "alpha", "alpha", "alpha"], "{log:#}");
    switch.interrupt();
    assert_eq!(switch.finish().code(), Some(0), "{}", switch.words());
}

/// What reaches a machine whatever its software does, and what is said when it cannot.
#[test]
fn a_number_is_blocked_and_the_power_switch_and_the_console_reach_a_site_that_answers_no_command() {
    let workspace = CampaignFolder::new(60, "2s");
    let equipment = "[equipment]\nboot = \"1s\"\n[sites.alpha]";
    workspace.write("network.toml", &NETWORK.replace("[sites.alpha]", equipment));
    // A call that the power cut ends before its first packet is not heard, and that is not asked here.
    let mut run = workspace.run(&["--set", "callers.media=0"]);
    wait_for_calls(&mut run);
    until(&workspace, "alpha", |site| site.calls > 5);
    let said = |words: &[&str], code: i32, sentence: &str| {
        let (given, said) = ctl(&workspace, words);
        assert_eq!(given, Some(code), "{words:?}: {said}");
        assert!(said.starts_with(sentence), "{words:?}: {said}");
    };

    for number in ["15", "112", "urn:service:sos.fire"] {
        let done = format!("alpha      done       refuses calls for {number} (");
        said(&["block", number, "alpha"], 0, &done);
    }
    until(&workspace, "alpha", |site| site.calls == 0);
    said(&["unblock", "17", "alpha"], 1, "alpha      refused    17 is not blocked (");
    said(&["unblock", "15", "alpha"], 0, "alpha      done       takes calls for 15 (");
    until(&workspace, "alpha", |site| site.calls > 5);

    said(&["power", "on", "alpha"], 1, "alpha      refused    it has power (");
    said(&["power", "off", "alpha"], 0, "alpha      done       has no power (");
    let dark = show(&workspace, "alpha");
    assert_eq!((&*dark.state, dark.calls), ("off", 0));
    said(&["power", "off", "alpha"], 1, "alpha      refused    it has no power (");
    let silent = ["lock", "alpha", "--timeout", "100ms"];
    said(&silent, 1, "alpha      timed out  no answer within 100ms (");
    let console = ["lock", "alpha", "--console"];
    said(&console, 1, "alpha      refused    it has no power; give power on first (");
    said(&["power", "on", "alpha", "--no-wait"], 0, "alpha      accepted   ");
    until(&workspace, "alpha", |site| site.state == "up" && site.calls > 5);
    said(&["power", "cycle", "alpha"], 0, "alpha      done       in service with release ");
    said(&["restart", "alpha", "--console"], 0, "alpha      done       in service with release ");
    until(&workspace, "alpha", |site| site.calls > 5);

    run.interrupt();
    assert_eq!(run.finish().code(), Some(130), "{}", run.words());
    let summary = workspace.summary();
    balanced(&summary);
    // To block is to refuse: no other site is asked instead.
    assert!(summary["ledger"]["rejected"].as_u64() > Some(0), "{}", summary["ledger"]);
    let lost_at = summary["ledger"]["lost_at"].as_array().expect("places");
    assert!(lost_at.iter().all(|place| place["node"] == "alpha"), "{lost_at:#?}");
}
