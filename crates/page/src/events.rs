//! Everything that happened, in the order of time, and the receipt of the run.

use maud::{Markup, html};
use serde_json::Value;

use account::outcome::EventKind;

use crate::content::{Page, PageRun};
use crate::figures::{clock, facts, table};

/// Events that are told in full.
const MOST: usize = 300;
/// How deep a receipt is told, and how many facts of it.
const DEPTH: usize = 6;
const FACTS: usize = 400;

/// Commands, restarts, alarms and milestones; nothing where nothing happened.
pub(crate) fn events(page: &Page<'_>, run: &PageRun<'_>) -> Option<Markup> {
    let events = &run.events;
    let crisis = &run.summary.crisis;
    if events.is_empty() && crisis.is_empty() {
        return None;
    }
    let times: Vec<Vec<String>> = crisis
        .iter()
        .map(|one| std::iter::once(one.milestone.clone()).chain(one.words()).collect())
        .collect();
    let kind = |what: &EventKind| match what {
        EventKind::Command(_) | EventKind::HandCommand(_) => "command",
        EventKind::Note(_) => "note",
        EventKind::Fault(_) => "fault",
        EventKind::Restart => "restart",
        EventKind::Alarm(_) => "alarm",
        EventKind::Milestone(_) => "milestone",
    };
    Some(html! {
        @if !times.is_empty() {
            (table(
                "When people knew, minutes from the first emergency call that the network failed",
                &["milestone", "emulated", "published"],
                &times,
            ))
        }
        div.scroll tabindex="0" role="region" aria-label="What happened" {
            table.words {
                thead { tr { th scope="col" { "time" } th scope="col" { "kind" } th scope="col" { "what" } } }
                tbody {
                    @for event in events.iter().take(MOST) {
                        tr {
                            th scope="row" { (clock(page.begins, event.at)) }
                            td { (kind(&event.what)) }
                            td.text { (event.text) }
                        }
                    }
                }
            }
        }
        @if events.len() > MOST {
            p { "… and " (events.len() - MOST) " more in " code { "chronicle.json" } "." }
        }
    })
}

/// What the run was made with: each fact of `receipt.json` under its path.
pub(crate) fn receipt(page: &Page<'_>) -> Option<Markup> {
    let mut told = Vec::new();
    collect(page.receipt?, String::new(), DEPTH, &mut told);
    if told.is_empty() {
        return None;
    }
    let rows: Vec<(&str, Markup)> =
        told.iter().map(|(path, fact)| (&path[..], html! { (fact) })).collect();
    Some(facts(&rows))
}

fn collect(value: &Value, path: String, depth: usize, told: &mut Vec<(String, String)>) {
    if told.len() >= FACTS {
        return;
    }
    match value {
        Value::Object(fields) if depth > 0 => {
            for (name, field) in fields {
                let name = name.replace('_', " ");
                let path = if path.is_empty() { name } else { format!("{path}, {name}") };
                collect(field, path, depth - 1, told);
            }
        }
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            let items: Vec<String> = items.iter().map(plain).collect();
            told.push((path, items.join(" ")));
        }
        Value::Null => {}
        other => told.push((path, plain(other))),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
