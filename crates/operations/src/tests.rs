//! The sections as files hold them: good, bad, and what lint says of them.

use std::time::Duration;

use topology::reader::Document;
use topology::{Distribution, Layers, Problems};

use super::*;
use crate::supervision::{Bound, By, Severity};

pub(crate) fn settings(text: &str) -> Result<OperationsSettings, Problems> {
    let document = Document::parse("peak.toml", text, &Layers::none())?;
    let settings = document.read(OperationsSettings::read);
    document.finish(settings)
}

/// The one operation of `text`, which is the inside of its section.
pub(crate) fn operation(text: &str) -> Operation {
    let text = format!("[operations.reconnection]\n{text}");
    let settings = settings(&text).unwrap_or_else(|problems| panic!("{problems}"));
    settings.operations[0].clone()
}

pub(crate) fn pool() -> Vec<String> {
    ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"].map(str::to_owned).to_vec()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const GOOD: &str = r#"
[operations.reconnection]
at = "44m"
commands = ["disconnect", "reconnect mobile"]
sites = "all"
manner = "parallel"
order = "by-command"

[operations.capacity]
at = "2h"
commands = ["lock", "load r8", "unlock"]
sites = ["beta", "alpha"]
interval = "10m"
command_interval = "5s"
timeout = "1m"
retry = 3
retry_interval = "10s"
wait_for = "ready"
stop_on_refusal = true
enabled = false
canary = { observe = "10m", indicator = "site_asr", min = 0.9, min_attempts = 5, on_stop = ["rollback"] }

[operations.recovery]
after = "informed:SAMU"
delay = "5m"
commands = ["restart clean"]
sites = "all"

[supervision]
window = "10m"
step = "30s"
baseline = "1h"
webhook = "http://127.0.0.1:9093/hook"

[[supervision.rules]]
name = "emergency"
indicator = "emergency_asr"
by = "number_department"
below = 0.8
min_attempts = 30
for = "2m"
severity = "critical"
labels = ["team=noc"]

[[supervision.rules]]
name = "restarts"
indicator = "restarts"
above = 1

[crisis]
detect = 0.3
convince = 1.5
understand = "lognormal 60m 0.3"
activate = "20m"
advise = "5m"
publish = "10m"
diagnose = "3h"
staff_delay = 1.5
[[crisis.inform]]
who = "SAMU"
after = "60m"
[[crisis.inform]]
who = "prefect"
after = "activated"
delay = "uniform 5m 10m"
published = "120m"
[crisis.harm]
share = 0.1
least = 5
over_after = "10m"
[crisis.alarms]
believed = 0.5
delay = "10m"
again = "15m"
blamed = 0.1
maintenance = "1h"
[crisis.evidence]
emergency_alarm = 2
psap = 0.5
[crisis.psaps]
below = 0.5
cut = 9
[[crisis.operators]]
name = "Other"
trunk_groups = ["mobile"]
above = 0.2
[crisis.callers]
complains = 0.5
needed = 7
[crisis.diagnosis]
unclear = 0.25
[crisis.published]
understood = "60m"
"#;

#[test]
fn every_key_is_read() {
    let settings = settings(GOOD).unwrap_or_else(|problems| panic!("{problems}"));
    let [reconnection, capacity, recovery] = &settings.operations[..] else {
        panic!("three operations in the order of the file");
    };
    let Operation { name, start, commands, sites, manner, sequence, .. } = reconnection;
    assert_eq!((&name[..], start), ("reconnection", &OperationStart::At(seconds(2640))));
    let mobile = Action::Reconnect { trunk_group: Some("mobile".to_owned()) };
    assert_eq!(commands[..], [Action::Disconnect { trunk_group: None }, mobile]);
    assert_eq!(sites, &OperationSites::All);
    assert_eq!((*manner, *sequence), (Manner::Parallel, Sequence::ByCommand));
    assert_eq!((reconnection.timeout, reconnection.retry), (seconds(30), 0));

    assert_eq!(capacity.sites, OperationSites::Named(vec!["beta".to_owned(), "alpha".to_owned()]));
    assert_eq!((capacity.manner, capacity.interval), (Manner::Serial, seconds(600)));
    assert_eq!((capacity.retry, capacity.retry_interval), (3, seconds(10)));
    assert!(capacity.wait_for_ready && capacity.stop_on_refusal && !capacity.enabled);
    let canary = capacity.canary.clone().expect("it has a canary");
    assert_eq!((canary.indicator, canary.min), (GateIndicator::SiteAsr, Some(0.9)));
    assert_eq!((canary.min_attempts, &canary.on_stop[..]), (5, &[Action::Rollback][..]));

    let milestone = Milestone::Informed("SAMU".to_owned());
    assert_eq!(
        recovery.start,
        OperationStart::After { milestone: milestone.clone(), delay: seconds(300) }
    );

    let supervision = settings.supervision.clone().expect("it is there");
    let [emergency, restarts] = &supervision.rules[..] else {
        panic!("two rules");
    };
    assert_eq!((emergency.by, emergency.bound), (By::NumberDepartment, Bound::Below(0.8)));
    assert_eq!((emergency.hold, emergency.severity), (seconds(120), Severity::Critical));
    assert_eq!(emergency.labels, [("team".to_owned(), "noc".to_owned())]);
    assert_eq!((restarts.by, restarts.bound), (By::Site, Bound::Above(1.0)));
    assert_eq!((restarts.hold, restarts.severity), (seconds(60), Severity::Warning));

    let crisis = settings.crisis.clone().expect("it is there");
    let steps: Vec<_> =
        crisis.steps.iter().map(|one| (one.milestone.to_string(), one.after.to_string())).collect();
    let wanted = [
        ("activated", "understood"),
        ("advised", "activated"),
        ("published", "activated"),
        ("informed:SAMU", "understood"),
        ("informed:prefect", "activated"),
    ];
    assert_eq!(steps, wanted.map(|(one, after)| (one.to_owned(), after.to_owned())));
    assert_eq!(
        crisis.steps[3].delay,
        Distribution::Fixed(seconds(3_600)),
        "as files had it before"
    );
    assert_eq!((crisis.detect, crisis.convince, crisis.staff_delay), (0.3, 1.5, 1.5));
    assert_eq!(
        (crisis.harm.share, crisis.harm.least, crisis.harm.over_after),
        (0.1, 5, seconds(600))
    );
    assert_eq!((crisis.alarms.believed, crisis.alarms.blamed), (0.5, 0.1));
    assert_eq!((crisis.evidence.emergency_alarm, crisis.evidence.arrivals_alarm), (2.0, 0.5));
    assert_eq!((crisis.psaps.below, crisis.psaps.cut, crisis.callers.needed), (0.5, 9, 7));
    assert_eq!(crisis.operators[0].trunk_groups, ["mobile"]);
    let diagnosis = crisis.diagnosis.expect("it is given");
    assert_eq!((diagnosis.unclear, diagnosis.alone), (0.25, 0.5));
    let prefect = Milestone::Informed("prefect".to_owned());
    let published = [(Milestone::Understood, seconds(3_600)), (prefect.clone(), seconds(7_200))];
    assert_eq!(crisis.published, published);
    let order = crisis.milestones();
    assert_eq!((&order[2], &order[4], order.len()), (&Milestone::Activated, &prefect, 9));
    assert!(settings.check(&pool(), &["mobile".to_owned()], &[]).is_empty());
}

#[test]
fn without_the_sections_nothing_happens() {
    assert_eq!(settings("").expect("an empty file"), OperationsSettings::default());
    assert!(!OperationsSettings::default().needs_supervision());
    let canary = operation(
        "at = \"0\"\ncommands = [\"lock\"]\nsites = \"all\"\n\
         canary = { observe = \"1m\", min = 0.5 }",
    );
    let settings = OperationsSettings { operations: vec![canary], ..OperationsSettings::default() };
    assert!(settings.needs_supervision(), "the gate of a canary has to be measured");
}

/// The sentences for `text`, each after its key.
fn refusals(text: &str) -> Vec<String> {
    let problems = settings(text).expect_err("a bad file").0;
    problems.into_iter().map(|problem| format!("{}: {}", problem.key, problem.message)).collect()
}

#[track_caller]
fn assert_refused(text: &str, wanted: &[&str]) {
    let found = refusals(text);
    for sentence in wanted {
        assert!(found.iter().any(|one| one == sentence), "no {sentence:?} in {found:#?}");
    }
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
}

#[test]
fn a_bad_operation_is_refused_in_sentences() {
    assert_refused(
        "[operations.a]\ncommands = []\nsites = []",
        &[
            "operations.a: needs at or after, to say when it begins",
            "operations.a.commands: must not be empty",
            "operations.a.sites: must not be empty",
        ],
    );
    assert_refused(
        r#"
        [operations.a]
        at = "1m"
        after = "diagnosed"
        commands = ["lok", 5, "load ../x"]
        sites = "alpha"
        timeout = "0s"
        retry_interval = "1s"
        manner = "parallel"
        interval = "1s"
        wait_for = "luck"
        canary = { indicator = "asr" }
        "#,
        &[
            "operations.a.after: cannot stand beside at; keep one of them",
            "operations.a.after: needs a section [crisis], which has the milestones",
            "operations.a.commands[0]: no command is called \"lok\"; did you mean \"lock\"?",
            "operations.a.commands[1]: must be a text in quotes, got 5",
            "operations.a.commands[2]: \"../x\" is no name of a release; names have letters, digits, \
             dots, hyphens and underscores, at most 64",
            "operations.a.sites: must be a list, such as [\"a\", \"b\"], got \"alpha\"",
            "operations.a.timeout: must be at least 100ms, got \"0s\"",
            "operations.a.retry_interval: needs retry, the number of further tries",
            "operations.a.interval: needs manner = \"serial\"; in parallel no site waits",
            "operations.a.wait_for: must be \"ready\", got \"luck\"",
            "operations.a.wait_for: needs manner = \"serial\"; in parallel no site waits",
            "operations.a.canary: needs the key \"observe\"",
            "operations.a.canary: needs min or max, to say when the operation stops",
        ],
    );
    assert_refused(
        r#"
        [operations.a]
        at = "1m"
        delay = "1m"
        commands = ["lock"]
        sites = ["alpha", "beta", "alpha"]
        canary = { observe = "0s", indicator = "arrivals", min = 0.9, max = 0.1, min_attempts = 0 }
        [operations.b]
        at = "1m"
        commands = ["lock"]
        sites = "all"
        canary = { observe = "1m", min = 90 }
        "#,
        &[
            "operations.a.delay: needs after",
            "operations.a.sites: names \"alpha\" twice",
            "operations.a.canary.observe: must be at least 1s, got \"0s\"",
            "operations.a.canary.indicator: cannot judge a canary: arrivals belong to a PSAP, not to a \
             site",
            "operations.a.canary.min: must not exceed max",
            "operations.a.canary.min_attempts: must be 1..=1000000, got 0",
            "operations.b.canary.min: must be a share, 0..=1 (0.25 is a quarter), got 90",
        ],
    );
}

#[test]
fn bad_supervision_is_refused_in_sentences() {
    assert_refused(
        r#"
        [supervision]
        window = "0s"
        step = "0s"
        webhook = "https://example.org"
        [[supervision.rules]]
        name = "a"
        indicator = "asr"
        by = "psap"
        below = 90
        min_attempts = 0
        severity = "page"
        labels = ["team", "site=x", "1a=b", "a=b"]
        [[supervision.rules]]
        name = "a"
        indicator = "arrivals"
        below = -1
        above = 2
        [[supervision.rules]]
        "#,
        &[
            "supervision.window: must be at least 1s, got \"0s\"",
            "supervision.step: must be at least 1s, got \"0s\"",
            "supervision.webhook: must be an address such as \"http://127.0.0.1:9093/hook\", got \
             \"https://example.org\"",
            "supervision.rules[0].by: of asr must be \"all\" or \"number\" or \"department\" or \
             \"number_department\" or \"site\" or \"trunk_group\"",
            "supervision.rules[0].below: must be a share, 0..=1 (0.25 is a quarter), got 90",
            "supervision.rules[0].min_attempts: must be 1..=1000000, got 0",
            "supervision.rules[0].severity: must be \"warning\" or \"critical\", got \"page\"",
            "supervision.rules[0].labels[0]: must be a label such as \"team=noc\", got \"team\"",
            "supervision.rules[0].labels[1]: the label \"site\" is set by supervision itself; take \
             another name",
            "supervision.rules[0].labels[2]: must be a label such as \"team=noc\", got \"1a=b\"",
            "supervision.rules[1].name: another rule is called \"a\" already",
            "supervision.rules[1].below: must be 0..=1000, got -1",
            "supervision.rules[1].above: cannot stand beside below; write two rules",
            "supervision.rules[2]: needs the key \"indicator\"",
            "supervision.rules[2]: needs the key \"name\"",
            "supervision.rules[2]: needs below or above",
        ],
    );
    let window = |window: &str, step: &str, baseline: &str| {
        let text = format!(
            "[supervision]\nwindow = \"{window}\"\nstep = \"{step}\"\nbaseline = \"{baseline}\""
        );
        refusals(&text).remove(0)
    };
    assert!(window("25s", "10s", "1h").contains("window: must be a multiple of step"));
    assert!(window("10h", "1s", "20h").contains("must not be more than 10000 steps long"));
    assert!(window("10m", "10s", "5m").contains("baseline: must not be shorter than window"));
}

#[test]
fn a_bad_crisis_is_refused_in_sentences() {
    assert_refused(
        "[crisis]\nunderstand = \"soon\"\nstarts = \"first-alarm\"\n",
        &[
            "crisis.starts: is no key any more: every alarm counts, each with its weight in [crisis.evidence]; take the line \
             out",
            "crisis: unknown key \"starts\"; the keys here are activate, advise, publish, diagnose, published, inform, \
             harm, alarms, evidence, psaps, operators, callers, detect, convince, understand, diagnosis, staff_delay",
            "crisis.understand: must be a distribution such as \"5s\", \"uniform 2s 8s\", \"exponential 5s\" or \
             \"lognormal 100s 0.8\", got \"soon\"",
        ],
    );
    assert_refused(
        r#"
        [crisis]
        detect = 2
        inform = [{ who = "SAMU", after = "activated" }, { who = " SAMU", after = "2h", delay = "1m" },
            { after = "informed:SAMU" }, { who = "x", after = "later" }]
        operators = [{ name = "a" }, { name = "a", above = 2 }]
        [crisis.alarms]
        believed = 70
        [operations.a]
        after = "diagnosed"
        commands = ["restart"]
        sites = "all"
        [operations.b]
        after = "someday"
        commands = ["restart"]
        sites = "all"
        [operations.c]
        after = "recovered"
        commands = ["restart"]
        sites = "all"
        "#,
        &[
            "crisis.detect: must not exceed convince",
            "crisis.inform[0].after: informed:SAMU waits for \"activated\", which [crisis] never reaches",
            "crisis.inform[1].delay: cannot stand beside a duration in after; name a milestone there",
            "crisis.inform[1].who: is informed already; each is told once",
            "crisis.inform[2]: needs the key \"who\"",
            "crisis.inform[2].after: must be \"detected\", \"understood\", \"activated\", \"advised\", \"published\" or \
             \"diagnosed\", or a delay after \"understood\" such as \"60m\", got \"informed:SAMU\"",
            "crisis.inform[3].after: must be \"detected\", \"understood\", \"activated\", \"advised\", \"published\" or \
             \"diagnosed\", or a delay after \"understood\" such as \"60m\", got \"later\"",
            "crisis.operators[1].name: another operator is called \"a\" already",
            "crisis.operators[1].above: must be a share, 0..=1 (0.25 is a quarter), got 2",
            "crisis.alarms.believed: must be a share, 0..=1 (0.25 is a quarter), got 70",
            "operations.a.after: [crisis] never reaches \"diagnosed\"; give it a delay there",
            "operations.b.after: must be \"detected\", \"understood\", \"activated\", \
             \"informed:WHO\", \"advised\", \"published\", \"diagnosed\" or \"recovered\", got \"someday\"",
        ],
    );
}

#[test]
fn sites_and_trunk_groups_must_be_those_of_the_network() {
    let text = r#"
        [operations.a]
        at = "1m"
        commands = ["lock", "disconnect mobil"]
        sites = ["alpha", "omega"]
        canary = { observe = "1m", min = 0.5, on_stop = ["reconnect mobil"] }
    "#;
    let settings = settings(text).expect("a good file");
    let found = settings.check(&pool()[..2], &["mobile".to_owned()], &[]);
    let group = "no trunk group is called \"mobil\"; the trunk groups are mobile";
    let wanted = [
        ("operations.a.sites[1]", "no site is called \"omega\"; the sites are alpha, beta"),
        ("operations.a.commands[1]", group),
        ("operations.a.canary.on_stop[0]", group),
    ];
    assert_eq!(found, wanted.map(|(key, sentence)| (key.to_owned(), sentence.to_owned())));
}

fn lint(text: &str) -> Vec<String> {
    let settings = settings(text).unwrap_or_else(|problems| panic!("{problems}"));
    lint::blast_radius(&settings.operations, &pool(), seconds(7))
}

#[test]
fn what_touches_the_whole_pool_at_once_is_told_before() {
    let at_once = lint(
        r#"
        [operations.reconnection]
        at = "44m"
        commands = ["disconnect", "reconnect"]
        sites = "all"
        order = "by-command"
        interval = "1400ms"
        "#,
    );
    let wanted = [
        "operation reconnection touches 6/6 sites within 7.0 s, inside one detection window (7.0 s): no \
         site would be left that is known to be well",
        "operation reconnection has no canary: nothing is measured between the first site and the others",
        "operation reconnection gives disconnect and reconnect to a site that is not locked: not the \
         documented order: lock, disconnect, reconnect, unlock",
    ];
    assert_eq!(at_once, wanted);
    let some = lint(
        "[operations.a]\nat = \"1m\"\ncommands = [\"restart\"]\nsites = \"all\"\ninterval = \"3s\"",
    );
    let left = "operation a touches 3/6 sites within 6.0 s, inside one detection window (7.0 s): 3 sites \
                would be left that are known to be well";
    assert_eq!(some[0], left);
}

#[test]
fn a_careful_operation_gives_no_sentence() {
    let careful = r#"
        [operations.reconnection]
        at = "44m"
        commands = ["lock", "disconnect", "reconnect", "unlock"]
        sites = "all"
        interval = "10m"
        canary = { observe = "10m", min = 0.9 }
        [operations.look]
        at = "44m"
        commands = ["show"]
        sites = "all"
        manner = "parallel"
        [operations.wild]
        at = "44m"
        commands = ["restart"]
        sites = "all"
        manner = "parallel"
        enabled = false
    "#;
    assert_eq!(lint(careful), Vec::<String>::new());
}

#[test]
fn what_another_operation_locked_is_locked_and_overlaps_are_told() {
    let text = r#"
        [operations.reconnect]
        at = "20m"
        commands = ["reconnect"]
        sites = ["alpha"]
        [operations.lock]
        at = "10m"
        commands = ["lock", "disconnect"]
        command_interval = "15m"
        sites = ["alpha"]
    "#;
    let overlap = "operations reconnect and lock overlap at 20m: what one of them breaks looks like the \
                   other's work";
    assert_eq!(lint(text), [overlap]);
}
