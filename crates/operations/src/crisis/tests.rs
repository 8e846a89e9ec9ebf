//! Crises from settings to report, on evenings by hand.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::supervision::{AlarmState, Severity, UsualDay};
use crate::tests::settings;

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

const RULES: &str = r#"
[supervision]
window = "5m"
[[supervision.rules]]
name = "restarts"
indicator = "restarts"
above = 0
[[supervision.rules]]
name = "emergency"
indicator = "emergency_asr"
by = "number_department"
below = 0.8
[[supervision.rules]]
name = "missing"
indicator = "arrivals"
below = 0.6
"#;

const STEPS: &str = r#"
[crisis]
understand = "5m"
activate = "40m"
advise = "30m"
publish = "60m"
diagnose = "2h"
[[crisis.inform]]
who = "prefect"
after = "understood"
delay = "60m"
published = "120m"
[crisis.published]
understood = "60m"
"#;

/// A crisis with these sections, a usual day of 200 calls in each half hour at samu-59, and this seed.
fn crisis(sections: &str, seed: u64) -> Crisis {
    let settings = settings(&format!("{RULES}{STEPS}{sections}"));
    let mut settings = settings.unwrap_or_else(|problems| panic!("{problems}"));
    let supervision = settings.supervision.as_mut().expect("the section is there");
    let mut day = UsualDay::of_campaign(minutes(30));
    (0..40).for_each(|slot| day.add("samu-59", slot, 200.0));
    supervision.usual_day = Some(day);
    let crisis = settings.crisis.expect("the section is there");
    Crisis::new(&crisis, settings.supervision.as_ref(), seed)
}

fn alarm(rule: &str, labels: &[(&str, &str)], state: AlarmState) -> Alarm {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Alarm {
        at: Duration::ZERO,
        raised_at: Duration::ZERO,
        state,
        rule: rule.to_owned(),
        severity: Severity::Warning,
        labels: labels.collect::<BTreeMap<_, _>>(),
        value: 0.5,
        threshold: 0.9,
        sentence: String::new(),
    }
}

/// An evening by hand: ten attempts a minute; from minute 10 on, so many of ten fail and so many are cut.
struct Evening {
    crisis: Crisis,
    at: u64,
    failed: u64,
    cut: u64,
    /// Calls that reach samu-59 in a minute. Usual are 6 or 7.
    arrivals: u64,
    ends: u64,
}

impl Evening {
    fn new(crisis: Crisis) -> Self {
        Self { crisis, at: 0, failed: 4, cut: 0, arrivals: 7, ends: 400 }
    }

    /// Goes on until this minute.
    fn until(&mut self, minute: u64) {
        while self.at < minute {
            self.at += 1;
            let is_bad = (10..self.ends).contains(&self.at);
            let (failed, cut) = if is_bad { (self.failed, self.cut) } else { (0, 0) };
            let fates = Fates {
                number: "15",
                department: "59",
                trunk_group: "mobile",
                emergency: true,
                attempts: 10,
                failed,
                cut,
            };
            let at = minutes(self.at);
            self.crisis.attempts_ended(at, &fates);
            self.crisis.arrived(at, "samu-59", if is_bad { self.arrivals } else { 7 });
            self.crisis.advance(at, false);
            while self.crisis.poll(at).is_some() {}
        }
    }

    /// An alarm now.
    fn alarm(&mut self, rule: &str, labels: &[(&str, &str)]) {
        let at = minutes(self.at);
        let alarm = Alarm { at, raised_at: at, ..alarm(rule, labels, AlarmState::Raised) };
        self.crisis.alarm(at, &alarm);
    }

    /// What has been reached, in whole minutes from the first harm.
    fn times(&self) -> BTreeMap<String, u64> {
        let report = self.crisis.report();
        let reached = report.milestones.iter().filter_map(|one| {
            Some((one.milestone.to_string(), (one.emulated_s? / 60.0).floor() as u64))
        });
        reached.collect()
    }
}

/// All who look at alarms believe them after five minutes; nobody complains.
const CERTAIN: &str = "[crisis.alarms]\nbelieved = 1\ndelay = \"5m\"\n[crisis.callers]\ncomplains = 0\n\
                       [crisis.psaps]\nbelow = 0\n";

#[test]
fn each_step_follows_from_the_one_before() {
    let mut evening = Evening::new(crisis(CERTAIN, 1));
    evening.crisis.fault(minutes(4));
    evening.until(12);
    evening.alarm("emergency", &[("number", "15"), ("department", "59")]);
    evening.until(380);
    let times = evening.times();
    let of = |milestone: &str| times[milestone];
    assert_eq!(evening.crisis.report().harm_at_s, Some(600.0), "from the first call that failed");
    assert_eq!(evening.crisis.report().fault_at_s, Some(240.0));
    // Alarm at 2 min, looked at 5 min later, understood 5 min after that; the cell 40 min later decides.
    assert_eq!((of("detected"), of("understood"), of("activated")), (7, 12, 52));
    assert_eq!((of("informed:prefect"), of("advised"), of("published")), (72, 82, 112));
    // No site restarts, so it is not clear: a quarter of the work in the 40 min alone, half of it with the cell. 110 / 0.5.
    assert_eq!(of("diagnosed"), 12 + 40 + 220);
    assert!(!times.contains_key("recovered"), "calls still fail");
    let report = evening.crisis.report();
    let published = |milestone: &Milestone| {
        report.milestones.iter().find(|one| one.milestone == *milestone)?.published_s
    };
    assert_eq!(published(&Milestone::Understood), Some(3_600.0));
    assert_eq!(published(&Milestone::Informed("prefect".to_owned())), Some(7_200.0));
    assert_eq!(published(&Milestone::Advised), None);
    assert_eq!(report.signs.len(), 1, "{:?}", report.signs);
}

#[test]
fn the_cause_is_found_sooner_where_the_sites_that_were_commanded_restart() {
    let diagnosed = |restarts: bool| {
        let mut evening = Evening::new(crisis(CERTAIN, 1));
        evening.crisis.commanded(minutes(4), "alpha");
        if restarts {
            evening.crisis.restarted("alpha");
        }
        evening.until(12);
        evening.alarm("emergency", &[]);
        evening.until(380);
        evening.times()["diagnosed"]
    };
    // 20 of 120 min are done before the cell, and the other 100 with it.
    assert_eq!(diagnosed(true), 12 + 40 + 100);
    assert_eq!(diagnosed(false), 12 + 40 + 220);
}

#[test]
fn an_alarm_on_equipment_in_a_maintenance_is_blamed_on_it() {
    let sections = format!("{CERTAIN}[crisis.evidence]\nequipment_alarm = 1\n");
    let understood = |rule: &str, labels: &[(&str, &str)], commanded: &str| {
        let mut evening = Evening::new(crisis(&sections, 1));
        evening.until(9);
        evening.crisis.commanded(minutes(9), commanded);
        evening.until(12);
        evening.alarm(rule, labels);
        evening.until(200);
        evening.times().get("understood").copied()
    };
    assert_eq!(understood("restarts", &[("site", "alpha")], "beta"), Some(12));
    // Blamed at minute 17; the maintenance is over at minute 39, and it is looked at again at 47.
    assert_eq!(understood("restarts", &[("site", "alpha")], "alpha"), Some(37 + 5));
    assert_eq!(understood("emergency", &[], "alpha"), Some(12), "no maintenance may harm them");
    assert_eq!(
        understood("missing", &[("psap", "samu-59")], "alpha"),
        None,
        "half of what it takes"
    );
}

#[test]
fn a_blamed_alarm_says_so() {
    let mut evening = Evening::new(crisis(CERTAIN, 1));
    evening.crisis.commanded(Duration::ZERO, "alpha");
    evening.until(1);
    evening.alarm("restarts", &[("site", "alpha")]);
    evening.until(60);
    let signs = evening.crisis.report().signs;
    let told: Vec<_> =
        signs.iter().map(|sign| (&sign.source[..], sign.blamed_on_maintenance)).collect();
    assert_eq!(told, [("alarm restarts", true), ("alarm restarts", false)]);
    assert!((evening.crisis.evidence() - 0.1).abs() < 1e-9);
}

#[test]
fn not_every_alarm_is_believed_at_once_but_none_that_lasts_is_overlooked_for_ever() {
    let sections = CERTAIN.replace("believed = 1", "believed = 0.5");
    let times: Vec<u64> = (0..200)
        .map(|seed| {
            let mut evening = Evening::new(crisis(&sections, seed));
            evening.until(12);
            evening.alarm("emergency", &[]);
            evening.until(390);
            evening.times()["understood"]
        })
        .collect();
    let at_once = times.iter().filter(|time| **time == 12).count();
    assert!((70..130).contains(&at_once), "{at_once} of 200");
    // Each half hour half of the others.
    assert!(times.iter().all(|time| (time - 12) % 30 == 0), "{times:?}");
    assert!(times.iter().any(|time| *time > 60));
}

/// The minute of an alarm, its rule, and its labels.
type AlarmAt<'a> = (u64, &'a str, &'a [(&'a str, &'a str)]);

/// When it is detected and understood in a bad evening with another operator, if this rule raises an alarm in its minute.
fn known(rule: Option<AlarmAt<'_>>, seed: u64) -> (u64, u64) {
    let outside = "[[crisis.operators]]\nname = \"Other\"\n[crisis.callers]\ncomplains = 0.05\n";
    let mut evening = Evening::new(crisis(outside, seed));
    (evening.failed, evening.arrivals) = (7, 2);
    if let Some((minute, rule, labels)) = rule {
        evening.until(minute);
        evening.alarm(rule, labels);
    }
    evening.until(390);
    let times = evening.times();
    (times["detected"], times["understood"])
}

#[test]
fn without_any_alarm_complaints_alone_are_slower() {
    let (mut by_arrivals, mut by_regulator) = (0, 0);
    for seed in 0..20 {
        let (detected, by_complaints) = known(None, seed);
        assert!(detected >= 3, "somebody has to notice first: {detected}");
        // In the network's own supervision: calls missing at a PSAP against a usual day, and what the law has watched.
        let missing = known(Some((15, "missing", &[("psap", "samu-59")])), seed);
        let emergency =
            known(Some((12, "emergency", &[("number", "15"), ("department", "59")])), seed);
        assert!(missing.0 <= detected && missing.1 <= by_complaints, "seed {seed}: {missing:?}");
        assert!(emergency.0 <= detected && emergency.1 <= by_complaints, "seed {seed}");
        by_arrivals += u64::from(missing.1 + 10 < by_complaints);
        by_regulator += u64::from(emergency.1 + 10 < missing.1);
    }
    assert!(by_arrivals > 10, "sooner by missing arrivals in {by_arrivals} of 20");
    assert!(by_regulator > 10, "and sooner still by emergency calls in {by_regulator} of 20");
}

#[test]
fn a_psap_misses_its_calls_and_sees_them_cut() {
    let quiet = "[crisis.callers]\ncomplains = 0\n[crisis.psaps]\ndelay = \"10m\"\n";
    let signs = |change: &dyn Fn(&mut Evening)| {
        let mut evening = Evening::new(crisis(quiet, 1));
        change(&mut evening);
        evening.until(200);
        let signs = evening.crisis.report().signs;
        signs.iter().map(|sign| (sign.at.as_secs() / 60, sign.source.clone())).collect::<Vec<_>>()
    };
    let missing = signs(&|evening| evening.arrivals = 1);
    let [(at, source)] = &missing[..] else { panic!("{missing:?}") };
    assert_eq!(source, "psap samu-59, missing calls");
    assert!((25..45).contains(at), "{at}");
    let cut = signs(&|evening| evening.cut = 2);
    // 20 calls by minute 19.
    assert_eq!(cut, [(29, "psap of 15 in 59, calls cut".to_owned())]);
    assert_eq!(signs(&|_| ()), []);
}

#[test]
fn recovery_is_told_when_it_lasts_and_ends_everything() {
    let mut evening = Evening::new(crisis(CERTAIN, 1));
    evening.ends = 40;
    evening.until(12);
    evening.alarm("emergency", &[]);
    evening.until(60);
    let times = evening.times();
    // The last call failed at minute 39; the minute with it has at least 20 attempts.
    assert!((29..=31).contains(&times["recovered"]), "{times:?}");
    assert!(times.contains_key("understood") && !times.contains_key("activated"));
    evening.until(390);
    assert_eq!(evening.times(), times, "nothing is done any more");
    assert_eq!(evening.crisis.next_due(), None);
}

#[test]
fn operators_at_work_delay_the_all_clear() {
    let mut evening = Evening::new(crisis(CERTAIN, 1));
    evening.ends = 20;
    evening.until(30);
    evening.crisis.advance(minutes(30), true);
    evening.until(44);
    assert!(!evening.times().contains_key("recovered"));
    evening.until(60);
    assert!(evening.times().contains_key("recovered"));
}

#[test]
fn what_is_known_before_anybody_is_harmed_is_known_at_once_and_without_harm_there_is_no_crisis() {
    let mut evening = Evening::new(crisis(CERTAIN, 1));
    evening.until(2);
    evening.alarm("emergency", &[]);
    evening.until(30);
    assert_eq!((evening.times()["detected"], evening.times()["understood"]), (0, 5));

    let mut quiet = Evening::new(crisis(CERTAIN, 1));
    quiet.failed = 0;
    quiet.until(2);
    quiet.alarm("emergency", &[]);
    quiet.until(390);
    assert_eq!(quiet.times(), BTreeMap::new());
    assert_eq!(quiet.crisis.report().harm_at_s, None);
    let reached: Vec<String> =
        quiet.crisis.log().iter().map(|one| one.milestone.to_string()).collect();
    assert_eq!(reached, ["detected"], "a false alarm");
}

#[test]
fn people_whose_telephones_fail_take_longer() {
    let text =
        format!("{RULES}{}{CERTAIN}", STEPS.replace("[crisis]", "[crisis]\nstaff_delay = 2"));
    let settings = settings(&text).unwrap_or_else(|problems| panic!("{problems}"));
    let crisis = settings.crisis.expect("the section is there");
    let mut evening = Evening::new(Crisis::new(&crisis, settings.supervision.as_ref(), 1));
    evening.until(12);
    evening.alarm("emergency", &[]);
    evening.until(380);
    assert_eq!((evening.times()["understood"], evening.times()["activated"]), (12, 12 + 80));
}

#[test]
fn the_same_seed_gives_the_same_crisis_and_its_report_is_plain_json() {
    let run = |seed| {
        let mut evening = Evening::new(crisis(
            "[[crisis.operators]]\nname = \"Other\"\n[crisis.callers]\ncomplains = 0.1\n",
            seed,
        ));
        evening.arrivals = 2;
        evening.until(390);
        serde_json::to_value(evening.crisis.report()).expect("plain JSON")
    };
    let report = run(7);
    assert_eq!(report, run(7));
    assert_ne!(report, run(8));
    assert_eq!(report["harm_at_s"], 600.0);
    assert_eq!(report["milestones"][1]["milestone"], "understood");
    let read: CrisisReport = serde_json::from_value(report.clone()).expect("it is read again");
    assert_eq!(read.harm_at_s, Some(600.0));
    assert_eq!(read.signs.len(), report["signs"].as_array().expect("a list").len());
}
