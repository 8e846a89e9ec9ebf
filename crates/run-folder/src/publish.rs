//! What is told of a run: report, page, timeline, pictures, JUnit file and summary, in its folder.

use std::time::Duration;

use account::outcome::{BASE, RUN, VariantOutcome, table, timeline_json, timeline_text};
use account::{junit, report};
use campaign::{Campaign, Time};
use page::{page, pictures};
use serde_json::Value;

use crate::folder::Folder;
use crate::missing::{Missing, degrade};
use crate::receipt::{Receipt, command_line};

/// The report of a run, and the exit code that it comes to.
#[derive(Debug)]
pub struct Published {
    pub text: String,
    pub exit_code: u8,
    /// Why the receipt does not know how the run ended, if it does not.
    pub complaint: Option<String>,
}

/// Writes what is told of a run, or of a campaign and its variants, the campaign first. What the disk refuses is missing in
/// the folder and a reason in the report.
///
/// # Panics
/// When there is no outcome.
pub fn publish(
    folder: &Folder,
    campaign: &Campaign,
    outcomes: &mut [VariantOutcome],
    time: Time,
    campaign_start: Duration,
) -> Published {
    let is_commanded = outcomes.iter().any(|outcome| !outcome.operations.commands.is_empty());
    let is_story = time == Time::Virtual || campaign.operations.is_eventful() || is_commanded;
    let mut missing = Missing::default();
    let mut write = |name: &str, text: anyhow::Result<String>| {
        missing.note(name, text.and_then(|text| folder.replace(name, &text)));
    };
    if is_story {
        for outcome in &*outcomes {
            let text = serde_json::to_string_pretty(&timeline_json(outcome, campaign_start));
            write(&named("chronicle", outcome), text.map_err(Into::into));
        }
    }
    for (name, svg) in pictures(campaign, outcomes) {
        write(name, Ok(svg));
    }
    let table = table(campaign, outcomes);
    if time == Time::Virtual {
        write("comparison.txt", Ok(table.clone()));
    }
    write("report.html", Ok(html(folder, campaign, outcomes)));
    let (first, others) = outcomes.split_first_mut().expect("a campaign that has been run");
    write("junit.xml", junit(&first.summary));
    for outcome in others {
        let text = serde_json::to_string_pretty(&outcome.summary);
        write(&named("summary", outcome), text.map_err(Into::into));
    }

    let mut told = String::new();
    if is_story {
        told += &format!("\n{}", timeline_text(first, campaign.begins));
    }
    if !table.is_empty() {
        told += &format!("\n{table}");
    }
    missing.sentences.into_iter().for_each(|why| degrade(&mut first.summary, why));
    let mut text = report(&first.summary) + &told;
    let mut last = Missing::default();
    let summary = serde_json::to_string_pretty(&first.summary).map_err(Into::into);
    let file = named("summary", first);
    last.note(&file, summary.and_then(|summary| folder.replace(&file, &summary)));
    last.note("report.txt", folder.replace("report.txt", &text));
    if !last.sentences.is_empty() {
        last.sentences.into_iter().for_each(|why| degrade(&mut first.summary, why));
        text = report(&first.summary) + &told;
    }
    let complaint = Receipt::update(folder, &first.summary).err().map(|error| format!("{error:#}"));
    Published { text, exit_code: first.summary.exit_code(), complaint }
}

/// The file of a run, or of the campaign itself, has a name without its own.
fn named(file: &str, outcome: &VariantOutcome) -> String {
    match &outcome.name[..] {
        RUN | BASE => format!("{file}.json"),
        name => format!("{file}-{name}.json"),
    }
}

fn html(folder: &Folder, campaign: &Campaign, outcomes: &[VariantOutcome]) -> String {
    let receipt = std::fs::read(folder.path().join("receipt.json")).ok();
    let receipt: Option<Value> = receipt.and_then(|text| serde_json::from_slice(&text).ok());
    let path = folder.path().to_string_lossy();
    let repeat = receipt.as_ref().and_then(|receipt| receipt["repeat"].as_str());
    let command = repeat.map_or_else(command_line, str::to_owned);
    page(campaign, outcomes, &path, &command, receipt.as_ref())
}
