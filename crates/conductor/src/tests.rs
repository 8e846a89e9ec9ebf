//! A conductor on a stage of paper: what it does when, and what it makes of what it is shown and told.

use std::fs;
use std::time::Duration;

use campaign::Campaign;
use contract::{EffectEnd, FateCount, Reply};
use operations::{Fault, FaultAction, OrderAnswer, OrderResult};
use topology::Layers;

use crate::{
    Announcement, Conductor, HandCommand, ImpairedWay, Observation, OrderId, SiteCounts, SiteOrder,
    Stage, joint_answer, joint_effect,
};

/// Two sites that answer at once, unless they are told to keep still.
#[derive(Debug, Default)]
struct Paper {
    time: Duration,
    shown: Observation,
    /// What was done, in words.
    done: Vec<String>,
    /// Orders that wait for an answer.
    waiting: Vec<OrderId>,
    answers_later: bool,
    /// Machines that cannot be killed or frozen any more.
    dead: Vec<String>,
}

impl Stage for Paper {
    fn time(&self) -> Duration {
        self.time
    }

    fn put_back_limit(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn observe(&self) -> Observation {
        self.shown.clone()
    }

    fn inject(&mut self, target: &str, action: FaultAction) -> Result<(), String> {
        if self.dead.iter().any(|dead| dead == target) {
            return Err("it was gone already".to_owned());
        }
        self.done.push(format!("{action} {target}"));
        Ok(())
    }

    fn impair(&mut self, way: &ImpairedWay) -> Result<(), String> {
        let other = way.other.as_deref().unwrap_or("all");
        let what = way.what.map_or_else(|| "heal".to_owned(), |what| what.to_string());
        self.done.push(format!("{} and {other}: {what}", way.of));
        Ok(())
    }

    fn order(&mut self, order: SiteOrder) -> Option<OrderAnswer> {
        self.done.push(format!("{}: {}", order.site, order.action));
        if self.answers_later {
            self.waiting.push(order.id);
            return None;
        }
        Some(OrderAnswer::Done("done".to_owned()))
    }

    fn tell_callers(&mut self, what: Announcement) {
        self.done.push(format!("{what:?}"));
    }

    fn drain_callers(&mut self) {
        self.done.push("drain".to_owned());
    }
}

impl Paper {
    /// Works until `seconds`, each time that something is due, and gives what was done meanwhile.
    fn until(&mut self, seconds: u64, conductor: &mut Conductor) -> Vec<String> {
        let end = Duration::from_secs(seconds);
        conductor.work(self);
        while let Some(due) = conductor.next_due().filter(|due| *due <= end) {
            self.time = due.max(self.time + Duration::from_millis(1));
            conductor.work(self);
        }
        self.time = self.time.max(end);
        std::mem::take(&mut self.done)
    }
}

fn conductor(sections: &str) -> Conductor {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("campaign.toml");
    let basis = r#"
network = "network.toml"
[[phases]]
name = "steady"
duration = "1m"
arrivals = { model = "constant", rate = 1 }
[[mix]]
number = "15"
[callers]
talk = "5s"
patience = "30s"
"#;
    fs::write(&path, format!("{basis}{sections}")).expect("a file");
    let campaign = Campaign::load(&path, &Layers::none()).expect("a campaign");
    Conductor::new(&campaign, &["alpha".to_owned(), "beta".to_owned()])
}

fn callers(answered: u64, unanswered: u64) -> Observation {
    let mut shown = Observation::default();
    shown.callers.offered = answered + unanswered;
    shown.callers.answered = answered;
    shown.callers.rejected = unanswered;
    let (number, emergency) = ("15".to_owned(), true);
    let failed = unanswered;
    let fate =
        FateCount { number, emergency, answered, unanswered, failed, ..FateCount::default() };
    shown.callers.fates = vec![fate];
    shown
}

const KILL_AND_FREEZE: &str = r#"
[[faults]]
at = "20s"
kill = "alpha"
[[faults]]
at = "40s"
freeze = "beta"
for = "30s"
"#;

#[test]
fn ways_are_impaired_for_their_time_or_until_the_end_and_a_killed_machine_comes_back() {
    let sections = r#"
[[faults]]
at = "5s"
kill = "alpha"
[[faults]]
at = "9s"
restart = "alpha"
[[faults]]
at = "10s"
of = "alpha"
loss = 0.05
for = "5s"
[[faults]]
at = "20s"
between = ["mobile", "beta"]
cut = true
"#;
    let (mut conductor, mut stage) = (conductor(sections), Paper::default());
    let done = ["kill alpha", "restart alpha", "alpha and all: 5 % lost", "alpha and all: heal"];
    assert_eq!(stage.until(19, &mut conductor), done);
    assert_eq!(stage.until(50, &mut conductor), ["mobile and beta: cut"]);
    conductor.end(&stage);
    assert!(!conductor.is_settled(stage.time));
    assert_eq!(stage.until(51, &mut conductor), ["mobile and beta: heal"]);
    assert!(conductor.is_settled(stage.time));
    let report = conductor.report();
    let told: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    assert_eq!(told[2], "impair alpha (5 % lost)");
    assert_eq!(told[4..], ["impair mobile and beta (cut)", "heal mobile and beta"]);
}

#[test]
fn faults_are_injected_at_their_time_and_a_frozen_machine_goes_on_at_the_end() {
    let (mut conductor, mut stage) = (conductor(KILL_AND_FREEZE), Paper::default());
    assert_eq!(stage.until(19, &mut conductor), [""; 0]);
    assert_eq!(stage.until(50, &mut conductor), ["kill alpha", "freeze beta"]);
    assert_eq!(conductor.report().fault_at, Some(Duration::from_secs(20)));
    conductor.end(&stage);
    assert!(!conductor.is_settled(stage.time));
    conductor.work(&mut stage);
    assert_eq!(stage.done, ["thaw beta"]);
    assert!(conductor.is_settled(stage.time));
    let told: Vec<String> = conductor.report().faults.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["kill alpha", "freeze beta", "thaw beta"]);
}

#[test]
fn a_fault_that_was_not_injected_is_told() {
    let mut stage = Paper { dead: vec!["alpha".to_owned()], ..Paper::default() };
    let mut conductor = conductor(KILL_AND_FREEZE);
    stage.until(30, &mut conductor);
    assert_eq!(
        conductor.report().shortfalls,
        ["fault not applied: kill alpha: it was gone already"]
    );
}

#[test]
fn without_a_steady_state_nothing_is_done_and_nothing_put_back() {
    let sections = format!(
        "{KILL_AND_FREEZE}[[steady_state]]\nmetric = \"rejected_share\"\nmin = 0.5\n\
         [operations.back]\nat = \"end\"\ncommands = [\"unlock\"]\nsites = \"all\"\n"
    );
    let mut conductor = conductor(&sections);
    let mut stage = Paper { shown: callers(20, 0), ..Paper::default() };
    assert_eq!(stage.until(60, &mut conductor), ["drain"]);
    assert_eq!(conductor.report().unsteady.len(), 1);
    conductor.end(&stage);
    conductor.work(&mut stage);
    assert!(conductor.is_settled(stage.time) && stage.done.is_empty());
}

#[test]
fn a_threshold_ends_the_campaign_early() {
    let threshold = "[[thresholds]]\nmetric = \"answered_share\"\nmin = 0.95\nabort = true\n";
    let mut conductor = conductor(threshold);
    let mut stage = Paper { shown: callers(20, 0), ..Paper::default() };
    assert_eq!(stage.until(10, &mut conductor), [""; 0]);
    stage.shown = callers(20, 20);
    assert_eq!(stage.until(12, &mut conductor), ["drain"]);
    assert!(conductor.report().aborted.is_some());
}

// A bound is kept by what equals it.
#[test]
fn delays_are_held_against_bounds_as_they_were_measured() {
    let rang_after = |micros: &[u64]| {
        let mut shown = callers(micros.len() as u64, 0);
        micros.iter().for_each(|micros| shown.callers.pdd.record_us(*micros));
        Paper { shown, ..Paper::default() }
    };
    for (bound, kept, broken) in [
        ("pdd_max\"\nmax = \"30ms", [30_000, 29_999, 30_000], [30_001, 1, 1]),
        ("pdd_p50\"\nmax = \"30ms", [30_000, 30_000, 90_000], [30_001, 30_010, 1]),
        ("pdd_p99\"\nmax = \"1230ms", [1_230_000, 5, 5], [1_230_001, 5, 5]),
        ("pdd_p50\"\nmin = \"30ms", [30_000, 30_000, 1], [29_999, 1, 40_000]),
    ] {
        let abort = format!("[[thresholds]]\nmetric = \"{bound}\"\nabort = true\n");
        assert_eq!(rang_after(&kept).until(5, &mut conductor(&abort)), [""; 0], "{bound}");
        assert_eq!(rang_after(&broken).until(5, &mut conductor(&abort)), ["drain"], "{bound}");
        let steady = format!("{KILL_AND_FREEZE}[[steady_state]]\nmetric = \"{bound}\"\n");
        assert_eq!(rang_after(&kept).until(21, &mut conductor(&steady)), ["kill alpha"], "{bound}");
        assert_eq!(rang_after(&broken).until(21, &mut conductor(&steady)), ["drain"], "{bound}");
    }
}

const MAINTENANCE: &str = r#"
[operations.maintenance]
at = "10s"
commands = ["lock"]
sites = ["alpha"]
timeout = "5s"
[operations.back]
at = "end"
commands = ["unlock"]
sites = ["alpha"]
timeout = "90s"
"#;

#[test]
fn answers_are_taken_at_once_or_later() {
    for answers_later in [false, true] {
        let mut conductor = conductor(MAINTENANCE);
        let mut stage = Paper { answers_later, ..Paper::default() };
        assert_eq!(stage.until(10, &mut conductor), ["alpha: lock"]);
        for id in std::mem::take(&mut stage.waiting) {
            conductor.answered(stage.time, id, OrderAnswer::Done("done".to_owned()));
        }
        let results: Vec<_> = conductor.commands().map(|(by, entry)| (by, &entry.result)).collect();
        assert_eq!(results, [("maintenance", &OrderResult::Done("done".to_owned()))]);
    }
}

fn by_hand(action: &str) -> HandCommand {
    let action = action.parse().expect("a command");
    HandCommand { by: "ctl (kim)".to_owned(), site: "alpha".to_owned(), action }
}

#[test]
fn commands_by_hand_stand_among_those_of_the_campaign_in_the_order_of_time() {
    let (mut conductor, mut stage) = (conductor(MAINTENANCE), Paper::default());
    let second = Duration::from_secs;
    stage.until(5, &mut conductor);
    conductor.commanded_by_hand(second(6), 0, by_hand("rollback"));
    conductor.hand_is_over(second(6), 0, OrderResult::Refused("there is none".to_owned()));
    conductor.commanded_by_hand(second(7), 1, by_hand("restart"));
    stage.until(10, &mut conductor);
    conductor.hand_is_over(second(8), 1, OrderResult::Accepted("within 40s".to_owned()));
    conductor.hand_is_over(second(12), 1, OrderResult::Done("restarts".to_owned()));
    conductor.commanded_by_hand(second(13), 2, by_hand("lock"));
    let told: Vec<_> = conductor
        .commands()
        .map(|(by, entry)| (by, entry.by_hand, entry.given_at, entry.action.to_string()))
        .collect();
    let entry = |by, by_hand, at, action: &str| (by, by_hand, Some(second(at)), action.to_owned());
    assert_eq!(
        told,
        [
            entry("ctl (kim)", true, 6, "rollback"),
            entry("maintenance", false, 10, "lock"),
            entry("ctl (kim)", true, 7, "restart"),
            entry("ctl (kim)", true, 7, "restart"),
        ]
    );
    let report = conductor.report();
    assert_eq!(report.fault_at, Some(second(7)), "what it does to the network is a fault");
    // The run ends before there is an answer.
    let last = &report.commands.last().expect("commands").1;
    assert_eq!((last.given_at, &last.result), (Some(second(13)), &OrderResult::TimedOut));
    let sentence = report.by_hand().expect("a sentence");
    assert_eq!(
        sentence,
        "commanded by hand while it ran: 6.0 s ctl (kim): alpha: rollback: refused, there is none; \
         7.0 s ctl (kim): alpha: restart: accepted: within 40s; 7.0 s ctl (kim): alpha: restart: restarts; 13.0 s ctl (kim): alpha: lock: no answer"
    );
}

#[test]
fn two_operations_at_once_are_noted_each_in_its_turn() {
    let sections =
        MAINTENANCE.replace("[operations.back]\nat = \"end\"", "[operations.back]\nat = \"5s\"");
    let (mut conductor, mut stage) = (conductor(&sections), Paper::default());
    let told = |conductor: &Conductor| -> Vec<String> {
        conductor.commands().map(|(by, _)| by.to_owned()).collect()
    };
    stage.until(7, &mut conductor);
    assert_eq!(told(&conductor), ["back"]);
    stage.until(12, &mut conductor);
    assert_eq!(told(&conductor), ["back", "maintenance"], "whoever counts sees only what is new");
}

#[test]
fn the_network_is_put_back_or_given_up_at_the_limit() {
    let (mut prompt, mut stage) = (conductor(MAINTENANCE), Paper::default());
    stage.until(60, &mut prompt);
    prompt.end(&stage);
    assert_eq!(stage.until(60, &mut prompt), ["alpha: unlock"]);
    assert!(prompt.is_settled(stage.time) && prompt.report().shortfalls.is_empty());

    let (mut silent, mut stage) =
        (conductor(MAINTENANCE), Paper { answers_later: true, ..Paper::default() });
    stage.until(60, &mut silent);
    silent.end(&stage);
    silent.work(&mut stage);
    assert!(!silent.is_settled(Duration::from_secs(119)));
    assert_eq!(silent.next_due(), Some(Duration::from_secs(120)));
    assert!(silent.is_settled(Duration::from_secs(120)));
    assert_eq!(silent.report().shortfalls, ["not put back: back was cut off"]);
}

#[test]
fn an_alarm_begins_the_crisis_and_the_public_is_told() {
    let sections = r#"
[supervision]
window = "20s"
step = "5s"
[[supervision.rules]]
name = "asr"
indicator = "emergency_asr"
by = "all"
below = 0.8
for = "0s"
[crisis]
understand = "0s"
advise = "10s"
publish = "20s"
[crisis.alarms]
believed = 1
delay = "0s"
"#;
    let (mut conductor, mut stage) = (conductor(sections), Paper::default());
    stage.until(5, &mut conductor);
    stage.shown = callers(0, 100);
    assert_eq!(stage.until(60, &mut conductor), ["RedialAdvice", "TenDigitNumbers"]);
    assert_eq!(conductor.alarms().len(), 1, "{:?}", conductor.alarms());
    let reached: Vec<_> = conductor.milestones().iter().map(|(_, one)| one.to_string()).collect();
    assert_eq!(reached, ["detected", "understood", "advised", "published"]);
    let crisis = conductor.report().crisis.expect("there is the section");
    assert_eq!(crisis.harm_at_s, Some(5.0), "without any command or fault before");
    assert_eq!((crisis.detected_s, crisis.advised_s), (Some(5.0), Some(15.0)));
}

#[test]
fn a_crisis_is_told_of_commands_restarts_arrivals_and_complaints() {
    let sections = r#"
[operations.maintenance]
at = "2s"
commands = ["restart"]
sites = ["alpha"]
[supervision]
window = "20s"
step = "5s"
[[supervision.rules]]
name = "restarts"
indicator = "restarts"
above = 0
for = "0s"
[crisis]
understand = "0s"
diagnose = "10s"
[crisis.alarms]
delay = "0s"
believed = 1
[crisis.evidence]
operator = 1
[[crisis.operators]]
name = "Other"
delay = "20s"
[crisis.callers]
complains = 0
"#;
    let (mut conductor, mut stage) = (conductor(sections), Paper::default());
    stage.until(5, &mut conductor);
    stage.shown = callers(50, 50);
    stage.shown.sites.insert("alpha".to_owned(), SiteCounts { restarts: 1, ..Default::default() });
    stage.until(60, &mut conductor);
    let crisis = conductor.report().crisis.expect("there is the section");
    let signs: Vec<_> =
        crisis.signs.iter().map(|one| (&one.source[..], one.blamed_on_maintenance)).collect();
    assert_eq!(signs, [("alarm restarts", true), ("operator Other", false)]);
    // From 5 s on: noticed at once, told 20 s later; the cause is clear, alpha was commanded and has restarted.
    assert_eq!((crisis.fault_at_s, crisis.harm_at_s), (Some(2.0), Some(5.0)));
    assert_eq!((crisis.understood_s, crisis.diagnosed_s), (Some(20.0), Some(30.0)));
}

#[test]
fn a_site_answers_when_each_of_its_call_servers_has() {
    let done = |text: &str| Reply::Done(text.to_owned());
    let no = || Reply::Refused("no".to_owned());
    let accepted = |text: &str| Reply::Accepted { ticket: 1, text: text.to_owned() };
    let said = |answer: fn(String) -> OrderAnswer, text: &str| Some(answer(text.to_owned()));
    assert_eq!(joint_answer([done("a"), done("b")]), said(OrderAnswer::Done, "a"));
    assert_eq!(joint_answer([done("a"), no(), done("b")]), said(OrderAnswer::Refused, "no"));
    assert_eq!(joint_answer([no(), accepted("b")]), said(OrderAnswer::Refused, "no"));
    let begun = joint_answer([done("a"), accepted("b"), accepted("c")]);
    assert_eq!(begun, said(OrderAnswer::Accepted, "b"));
    assert_eq!(joint_answer([no(), Reply::Silent]), None);
    assert_eq!(joint_answer([]), None);
    let (up, cut) = (|| EffectEnd::Done("up".to_owned()), EffectEnd::Aborted("cut".to_owned()));
    assert_eq!(joint_effect([up(), up()]), said(OrderAnswer::Done, "up"));
    assert_eq!(joint_effect([up(), cut]), said(OrderAnswer::Aborted, "cut"));
    assert_eq!(joint_effect([]), None);
}

// What was begun and never done is neither put back nor told as put back.
#[test]
fn what_was_only_begun_is_no_putting_back() {
    let sections = MAINTENANCE.replace("unlock", "restart");
    let begin = |end: Option<OrderAnswer>| {
        let (mut conductor, mut stage) =
            (conductor(&sections), Paper { answers_later: true, ..Paper::default() });
        stage.until(60, &mut conductor);
        conductor.end(&stage);
        conductor.work(&mut stage);
        let id = stage.waiting.pop().expect("an order");
        conductor.answered(stage.time, id, OrderAnswer::Accepted("within 40s".to_owned()));
        assert!(!conductor.is_settled(stage.time));
        let known = end.is_some();
        end.into_iter().for_each(|end| conductor.answered(stage.time, id, end));
        assert_eq!(conductor.is_settled(stage.time), known);
        conductor.report().shortfalls
    };
    assert_eq!(begin(Some(OrderAnswer::Done("in service".to_owned()))), [""; 0]);
    assert_eq!(begin(None), ["not put back: back was cut off"]);
    let cut = OrderAnswer::Aborted("the machine was lost".to_owned());
    let told = "not put back: back: alpha: restart: aborted: the machine was lost";
    assert_eq!(begin(Some(cut)), [told]);
}

const CANARY: &str = r#"
[operations.fix]
at = "10s"
commands = ["load r8"]
sites = "all"
canary = { observe = "60s", min_attempts = 20, on_stop = ["rollback"] }
[operations.repair]
at = "80s"
commands = ["restart clean"]
sites = "affected"
[supervision]
window = "20s"
step = "5s"
"#;

/// Conducts for a minute and a half; `counts` gives what the two sites have counted after so many seconds.
fn with_canary(counts: impl Fn(u64) -> [SiteCounts; 2]) -> (Vec<String>, Conductor) {
    let (mut conductor, mut stage) = (conductor(CANARY), Paper::default());
    let mut done = Vec::new();
    for second in (0..=90).step_by(5) {
        let [alpha, beta] = counts(second);
        stage.shown.sites = [("alpha".to_owned(), alpha), ("beta".to_owned(), beta)].into();
        done.extend(stage.until(second, &mut conductor));
    }
    (done, conductor)
}

// The network is well, as beta answers what alpha refuses.
#[test]
fn a_poison_release_stops_at_the_canary_and_the_report_says_what_was_seen() {
    let site = |offered, answered, restarts| SiteCounts { offered, answered, restarts };
    let well = |second: u64| [site(second * 20, second * 19, 0), site(second * 20, second * 20, 0)];
    let (done, conductor) = with_canary(well);
    assert_eq!(done, ["alpha: load r8", "beta: load r8"]);
    let notes = conductor.report().notes;
    let told: Vec<&str> = notes.iter().map(|(_, note)| &note.text[..]).collect();
    // Of 20 calls a second, from the first look after the effect, at 15 s, to the end of the minute at 70 s.
    assert_eq!(
        told,
        [
            "canary alpha: 1,100 calls, answered 95.0 % (others 100.0 %), 0 restarts: goes on",
            "no site has restarted or been silent so far: nothing to do",
        ]
    );
    // It refuses for twenty seconds of the sixty, and is well again when the gate decides.
    let ill = |second: u64| {
        let lost = second.clamp(25, 45) - 25;
        [site(second * 20, second * 20 - lost * 8, 0), site(second * 20, second * 20, 0)]
    };
    let (done, conductor) = with_canary(ill);
    assert_eq!(done, ["alpha: load r8", "alpha: rollback"]);
    let note = &conductor.report().notes[0].1;
    let reason = "site_asr_vs_others after alpha was 0.600, below 0.9";
    assert!(note.text.ends_with(&format!(": stops, {reason}")), "{note:?}");
    // A canary that restarts has failed; the repair is for it alone.
    let falls = |second: u64| {
        [site(second * 20, second * 20, u64::from(second > 30)), site(second * 20, second * 20, 0)]
    };
    let (done, _) = with_canary(falls);
    assert_eq!(done, ["alpha: load r8", "alpha: rollback", "alpha: restart clean"]);
}

/// What is injected by hand ends as a fault of a file does, is told with who did it, and leaves nothing behind where it cannot be
/// done.
#[test]
fn a_fault_by_hand_ends_by_itself_and_says_whose_it_is() {
    let (mut stage, mut conductor) = (Paper::default(), conductor(""));
    let fault = |row: &str| Fault::parse(row).expect("a fault");
    stage.until(10, &mut conductor);
    let freeze = fault("freeze = \"alpha\"\nfor = \"5s\"\n");
    conductor.inject_by_hand("anna", freeze.clone(), &mut stage).expect("it is done");
    assert_eq!(conductor.acting_faults().count(), 1);
    assert_eq!(stage.until(20, &mut conductor), ["freeze alpha", "thaw alpha"]);
    assert_eq!(conductor.acting_faults().count(), 0);
    stage.dead.push("alpha".to_owned());
    let refused = conductor.inject_by_hand("anna", freeze, &mut stage);
    assert_eq!(refused, Err("it was gone already".to_owned()));
    conductor
        .inject_by_hand("bert", fault("of = \"beta\"\nloss = 0.05\n"), &mut stage)
        .expect("done");
    conductor.note_by_hand(stage.time, "bert", "nobody calls".to_owned());
    conductor.end(&stage);
    let done = stage.until(30, &mut conductor);
    assert_eq!(done, ["beta and all: 5 % lost", "beta and all: heal"], "with the campaign");
    let report = conductor.report();
    let told: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    let expected =
        ["anna: freeze alpha", "thaw alpha", "bert: impair beta (5 % lost)", "heal beta"];
    assert_eq!(told, expected);
    assert_eq!(report.shortfalls, [""; 0], "what was refused is no shortfall");
    assert_eq!(report.fault_at, Some(Duration::from_secs(10)));
    let sentence = report.by_hand().expect("a sentence");
    for words in ["10.0 s anna: freeze alpha", "bert: nobody calls"] {
        assert!(sentence.contains(words), "{sentence}");
    }
}

/// Who watches may end any fault that acts, of the campaign or by hand. What the campaign has planned for its end is not done twice.
#[test]
fn a_fault_is_ended_by_hand_before_its_time() {
    let faults = r#"
[[faults]]
at = "5s"
freeze = "alpha"
for = "60s"
[[faults]]
at = "6s"
between = ["mobile", "beta"]
cut = true
[[faults]]
at = "7s"
kill = "beta"
[[faults]]
at = "50s"
restart = "beta"
[[faults]]
at = "60s"
kill = "beta"
[[faults]]
at = "70s"
restart = "beta"
"#;
    let (mut stage, mut conductor) = (Paper::default(), conductor(faults));
    stage.until(10, &mut conductor);
    let numbers = |conductor: &Conductor| {
        let mut acting: Vec<_> =
            conductor.acting_faults().map(|one| (one.number, one.fault.key())).collect();
        acting.sort_unstable();
        acting
    };
    assert_eq!(numbers(&conductor), [(1, "freeze"), (2, "between"), (3, "kill")]);
    let end = |number, conductor: &mut Conductor, stage: &mut Paper| {
        conductor.end_fault_by_hand("anna", number, stage)
    };
    assert_eq!(
        end(7, &mut conductor, &mut stage).expect_err("refused"),
        "fault 7 does not act; those that act now are 1, 2, 3"
    );
    // What cannot be ended goes on acting.
    stage.dead.push("alpha".to_owned());
    assert_eq!(end(1, &mut conductor, &mut stage), Err("it was gone already".to_owned()));
    assert_eq!(numbers(&conductor).len(), 3);
    stage.dead.clear();
    let told = [1, 2, 3].map(|number| end(number, &mut conductor, &mut stage).expect("done"));
    assert_eq!(
        told,
        [
            "fault 1 is over: thaw alpha",
            "fault 2 is over: heal mobile and beta",
            "fault 3 is over: restart beta"
        ]
    );
    assert_eq!(numbers(&conductor), []);
    assert!(end(1, &mut conductor, &mut stage).expect_err("over").contains("no fault acts now"));
    stage.until(90, &mut conductor);
    conductor.end(&stage);
    stage.until(95, &mut conductor);
    let report = conductor.report();
    let told: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        told[3..],
        [
            "anna: thaw alpha",
            "anna: heal mobile and beta",
            "anna: restart beta",
            "kill beta",
            "restart beta"
        ],
        "the first restart of the campaign has been done, the second has not"
    );
    assert_eq!(report.shortfalls, [""; 0]);
}
