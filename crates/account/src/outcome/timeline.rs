//! What happened, in the order of time: commands, restarts, alarms, milestones.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use operations::OrderResult;
use operations::supervision::alertmanager;
use serde_json::{Value, json};

use super::variant::VariantOutcome;
use crate::summary::CrisisTime;
use crate::text::{aligned, counted};

/// Lines of commands, alarms and milestones that are told in full.
const MOST_LINES: usize = 40;

/// Signs of a crisis that are told.
const MOST_SIGNS: usize = 10;

/// One thing that happened in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineEvent {
    /// Since the start of the campaign.
    pub at: Duration,
    pub what: EventKind,
    /// A sentence.
    pub text: String,
}

/// What kind of thing happened.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    /// A command of this operation.
    Command(String),
    /// A command that somebody gave by hand: who, what, and to which site.
    HandCommand(String),
    /// What was seen at the gate of this operation, or another thing to be told of it.
    Note(String),
    /// A machine was killed, frozen or thawed by the campaign.
    Fault(String),
    /// A call server began anew.
    Restart,
    /// Supervision raised an alarm of this rule.
    Alarm(String),
    /// The crisis came to this point.
    Milestone(String),
}

/// What happened in a run, how soon sites were found down, and the times of the crisis.
pub fn timeline_text(run: &VariantOutcome, begins: Duration) -> String {
    let clock = |at: Duration| clock(begins + at);
    let mut text = String::new();
    if let Some(line) = detection(run) {
        let _ = writeln!(text, "{line}");
    }
    text += &crisis(run, begins);
    let events = events(run, begins);
    if !events.is_empty() {
        // One clock, named: hours and minutes alone could be anybody's.
        let clock = match begins.is_zero() {
            true => "h:min:s since the start",
            false => "by the time of day in the campaign",
        };
        let _ = writeln!(text, "\nwhat happened, {clock}");
    }
    for event in events.iter().take(MOST_LINES) {
        let _ = writeln!(text, "  {}  {}", clock(event.at), event.text);
    }
    if events.len() > MOST_LINES {
        let _ = writeln!(text, "  … and {} more in chronicle.json", events.len() - MOST_LINES);
    }
    text
}

/// What was predicted of the detection of a dead site, and what was measured.
fn detection(run: &VariantOutcome) -> Option<String> {
    let mut times: Vec<Duration> = run.detections.iter().map(|(_, _, time)| *time).collect();
    times.sort_unstable();
    let (best, worst) = run.predicted;
    let (first, middle, last) = (times.first()?, times[times.len() / 2], times.last()?);
    Some(format!(
        "sites found down {}: predicted {:.1} to {:.1} s by probes alone, measured {:.1} to {:.1} s, median {:.1} s",
        counted(times.len() as u64, "time", "times"),
        best.as_secs_f64(),
        worst.as_secs_f64(),
        first.as_secs_f64(),
        last.as_secs_f64(),
        middle.as_secs_f64()
    ))
}

/// When people knew what, beside what was published, and what they went by.
fn crisis(run: &VariantOutcome, begins: Duration) -> String {
    let Some(report) = run.operations.crisis.as_ref() else { return String::new() };
    let Some(harm) = report.harm_at_s else {
        return "no emergency call was harmed beyond what is usual: there was no crisis\n"
            .to_owned();
    };
    let time =
        |seconds: f64| clock(begins + Duration::try_from_secs_f64(seconds).unwrap_or_default());
    let head = format!("minutes from the first harm at {}", time(harm));
    let mut rows = vec![vec![head, "emulated".to_owned(), "published".to_owned()]];
    rows.extend(report.milestones.iter().map(|one| {
        let [emulated, published] = CrisisTime::from(one).words();
        vec![format!("  {}", one.milestone), emulated, published]
    }));
    let mut text = aligned(&rows);
    if !report.signs.is_empty() {
        let told = report.signs.iter().take(MOST_SIGNS).map(|sign| {
            let blamed =
                if sign.blamed_on_maintenance { ", blamed on the maintenance" } else { "" };
            format!("{} {} ({:.2}{blamed})", time(sign.at.as_secs_f64()), sign.source, sign.weight)
        });
        let mut told = told.collect::<Vec<_>>().join("; ");
        if report.signs.len() > MOST_SIGNS {
            told += &format!("; and {} more in chronicle.json", report.signs.len() - MOST_SIGNS);
        }
        let _ = writeln!(text, "what people went by: {told}");
    }
    text
}

/// Everything that happened, in order. Restarts of one site for one reason that follow each other are one line.
pub fn events(run: &VariantOutcome, begins: Duration) -> Vec<TimelineEvent> {
    let clock = |at: Duration| clock(begins + at);
    let mut events: Vec<TimelineEvent> = Vec::new();
    let mut silent = BTreeMap::<(EventKind, String), (Duration, u32)>::new();
    for (operation, entry) in run.operations.log() {
        let what = format!("{operation}: {} {}", entry.site, entry.action);
        let kind = match entry.by_hand {
            true => EventKind::HandCommand(format!("{operation}: {} {}", entry.action, entry.site)),
            false => EventKind::Command(operation.to_owned()),
        };
        let said = match &entry.result {
            OrderResult::Done(said) => format!("{what}: {said}"),
            OrderResult::Accepted(said) => format!("{what}: accepted: {said}"),
            OrderResult::Aborted(why) => format!("{what}: ABORTED: {why}"),
            OrderResult::Refused(said) => format!("{what}: REFUSED, {said}"),
            OrderResult::Stopped(said) => format!("{what}: STOPPED, {said}"),
            OrderResult::TimedOut => {
                let times = silent.entry((kind, what)).or_insert((entry.at, 0));
                times.1 += 1;
                continue;
            }
        };
        events.push(TimelineEvent { at: entry.at, what: kind, text: said });
    }
    events.extend(silent.into_iter().map(|((kind, what), (at, times))| {
        let often = if times > 1 { format!(", {times} times") } else { String::new() };
        TimelineEvent { at, what: kind, text: format!("{what}: no answer{often}") }
    }));
    events.extend(run.operations.notes.iter().map(|(operation, note)| TimelineEvent {
        at: note.at,
        what: EventKind::Note(operation.clone()),
        text: format!("{operation}: {}", note.text),
    }));
    let mut restarts = BTreeMap::<(&str, &str), (Duration, Duration, u32)>::new();
    for (at, site, why) in &run.restarts {
        let entry = restarts.entry((site, why)).or_insert((*at, *at, 0));
        (entry.1, entry.2) = (*at, entry.2 + 1);
    }
    events.extend(restarts.into_iter().map(|((site, why), (first, last, times))| {
        let often = if times > 1 {
            format!(", {times} times until {}", clock(last))
        } else {
            String::new()
        };
        let text = format!("{site} restarts: {why}{often}");
        TimelineEvent { at: first, what: EventKind::Restart, text }
    }));
    events.extend(run.operations.faults.iter().map(|entry| TimelineEvent {
        at: entry.at,
        what: EventKind::Fault(format!("{} {}", entry.what, entry.target)),
        text: format!("FAULT {entry}"),
    }));
    events.extend(alarms(run, begins));
    events.extend(run.operations.milestones.iter().map(|(at, milestone)| TimelineEvent {
        at: *at,
        what: EventKind::Milestone(milestone.to_string()),
        text: format!("crisis: {milestone}"),
    }));
    events.sort_by_key(|event| event.at);
    events
}

/// The first alarm of each rule, how often there were more, and when the last one was over.
fn alarms(run: &VariantOutcome, begins: Duration) -> Vec<TimelineEvent> {
    let mut rules = BTreeMap::<&str, (Duration, &str, u32, Option<Duration>)>::new();
    for alarm in &run.operations.alarms {
        let first = || (alarm.at, &alarm.sentence[..], 0, None);
        let rule = rules.entry(&alarm.rule).or_insert_with(first);
        match alarm.is_raised() {
            true => (rule.2, rule.3) = (rule.2 + 1, None),
            false => rule.3 = Some(alarm.at),
        }
    }
    let line = |(rule, (at, sentence, times, cleared)): (
        &str,
        (Duration, &str, u32, Option<Duration>),
    )| {
        let until = cleared.map_or_else(
            || "; not over at the end".to_owned(),
            |at| format!("; over at {}", clock(begins + at)),
        );
        let often = if times > 1 { format!("; {times} such alarms") } else { String::new() };
        let text = format!("ALARM {rule}: {sentence}{often}{until}");
        TimelineEvent { at, what: EventKind::Alarm(rule.to_owned()), text }
    };
    rules.into_iter().map(line).collect()
}

/// Time of day; after midnight it goes on beyond 24 hours.
fn clock(at: Duration) -> String {
    let seconds = at.as_secs();
    format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// The same and more for programs: every command and its answer, every alarm, every milestone, every restart.
pub fn timeline_json(run: &VariantOutcome, campaign_start: Duration) -> Value {
    let seconds = |at: &Duration| at.as_secs_f64();
    let commands = run.operations.log().map(|(operation, entry)| {
        let mut entry = serde_json::to_value(entry).unwrap_or_default();
        entry["operation"] = operation.into();
        entry
    });
    let milestones = run.operations.milestones.iter();
    let restarts = run.restarts.iter();
    let detections = run.detections.iter();
    let notes = run.operations.notes.iter().map(|(operation, note)| {
        let mut note = serde_json::to_value(note).unwrap_or_default();
        note["operation"] = operation.as_str().into();
        note
    });
    json!({
        "commands": commands.collect::<Vec<_>>(),
        "notes": notes.collect::<Vec<_>>(),
        "faults": run.operations.faults,
        "alarms": run.operations.alarms,
        // As Alertmanager would post them to a webhook.
        "notifications": alertmanager::notifications(&run.operations.alarms, campaign_start),
        "milestones": milestones
            .map(|(at, milestone)| json!({"at_s": seconds(at), "milestone": milestone}))
            .collect::<Vec<_>>(),
        "crisis": run.operations.crisis,
        "restarts": restarts
            .map(|(at, site, why)| json!({"at_s": seconds(at), "call_server": site, "why": why}))
            .collect::<Vec<_>>(),
        "detection": {
            "predicted_s": [seconds(&run.predicted.0), seconds(&run.predicted.1)],
            "measured": detections
                .map(|(call_server, by, time)| {
                    json!({"call_server": call_server, "seen_by": by, "after_s": seconds(time)})
                })
                .collect::<Vec<_>>(),
        },
    })
}
