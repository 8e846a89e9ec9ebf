//! What happened in a run beside its calls, in the order of time.

use std::collections::HashSet;
use std::time::Duration;

use operations::OrderResult;

use crate::outcome::{VariantOutcome, site_of_loss};

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct ArchivedEvent {
    /// Since the start of the campaign.
    pub at: Duration,
    /// `command`, `note`, `fault`, `alarm`, `hang`, `restart`, `milestone` or `process`.
    pub kind: &'static str,
    pub site: Option<String>,
    pub what: String,
}

/// Everything that happened in a run, `losses` of processes included.
pub fn events(run: &VariantOutcome, losses: &[(Duration, String)]) -> Vec<ArchivedEvent> {
    let mut events = Vec::new();
    let mut accepted = HashSet::new();
    for (operation, entry) in run.operations.log() {
        let order = (operation, &entry.site, &entry.action, entry.given_at);
        let was_accepted = accepted.contains(&order);
        if !entry.result.is_final() {
            accepted.insert(order);
        }
        let what = match &entry.result {
            OrderResult::Done(said) if said.is_empty() => "done".to_owned(),
            OrderResult::Done(said) => said.clone(),
            OrderResult::Accepted(said) => format!("accepted: {said}"),
            OrderResult::Aborted(why) => format!("aborted: {why}"),
            OrderResult::Refused(said) => format!("refused, {said}"),
            OrderResult::Stopped(said) => format!("not given, {said}"),
            OrderResult::TimedOut => "no answer".to_owned(),
        };
        // One call server of a site with several is told by its name.
        let site = site_part(&entry.site);
        let blade = if site == entry.site { String::new() } else { format!("{}: ", entry.site) };
        events.push(ArchivedEvent {
            // What took its time is told when it was over.
            at: match was_accepted {
                true => entry.at,
                false => entry.given_at.unwrap_or(entry.at),
            },
            kind: "command",
            site: Some(site.to_owned()),
            what: format!("{operation}: {blade}{}: {what}", entry.action),
        });
    }
    events.extend(run.operations.notes.iter().map(|(operation, note)| ArchivedEvent {
        at: note.at,
        kind: "note",
        site: note.site.clone(),
        what: format!("{operation}: {}", note.text),
    }));
    events.extend(run.operations.alarms.iter().map(|alarm| {
        let state = if alarm.is_raised() { "raised" } else { "cleared" };
        ArchivedEvent {
            at: alarm.at,
            kind: "alarm",
            site: alarm.labels.get("site").cloned(),
            what: format!("{} {state}: {}", alarm.rule, alarm.sentence),
        }
    }));
    events.extend(run.operations.faults.iter().map(|entry| ArchivedEvent {
        at: entry.at,
        kind: "fault",
        site: Some(entry.target.clone()),
        what: entry.to_string(),
    }));
    events.extend(run.hangs.iter().map(|(at, site, why)| ArchivedEvent {
        at: *at,
        kind: "hang",
        site: Some(site.clone()),
        what: format!("its software hangs: {why}"),
    }));
    events.extend(run.restarts.iter().map(|(at, site, why)| ArchivedEvent {
        at: *at,
        kind: "restart",
        site: Some(site.clone()),
        what: format!("restarts: {why}"),
    }));
    events.extend(run.operations.milestones.iter().map(|(at, milestone)| ArchivedEvent {
        at: *at,
        kind: "milestone",
        site: None,
        what: milestone.to_string(),
    }));
    events.extend(losses.iter().map(|(at, what)| ArchivedEvent {
        at: *at,
        kind: "process",
        site: site_of_loss(what).map(str::to_owned),
        what: what.clone(),
    }));
    events.sort_by_key(|event| event.at);
    events
}

/// The site of a call server, which is called like it, or `site.blade`.
fn site_part(call_server: &str) -> &str {
    call_server.split_once('.').map_or(call_server, |(site, _)| site)
}
