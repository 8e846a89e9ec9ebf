//! What is told of a run: report, page, chronicle, pictures, JUnit file and summary, in its folder.

use std::time::Duration;

use load_gen::campaign::Campaign;
use load_gen::report;

use super::{BASE, RUN, Receipt, Told, Trouble, World, degrade};
use crate::junit::junit;
use crate::outcome::{Outcome, chronicle, pictures, story, table};
use crate::page::page;
use crate::run::Folder;

/// Writes what is told of a run, or of a campaign and its variants, the campaign first. What the disk refuses is missing in
/// the folder and a reason in the report.
///
/// # Panics
/// When there is no outcome.
pub(crate) fn publish(
    folder: &Folder,
    campaign: &Campaign,
    outcomes: &mut [Outcome],
    world: World,
    zero: Duration,
) -> Told {
    let is_story = world == World::Virtual || campaign.operations.is_eventful();
    let mut trouble = Trouble::default();
    let mut write = |name: &str, text: anyhow::Result<String>| {
        trouble.note(name, text.and_then(|text| folder.replace(name, &text)));
    };
    if is_story {
        for outcome in &*outcomes {
            let text = serde_json::to_string_pretty(&chronicle(outcome, zero));
            write(&named("chronicle", outcome), text.map_err(Into::into));
        }
    }
    for (name, svg) in pictures(campaign, outcomes) {
        write(name, Ok(svg));
    }
    let table = table(campaign, outcomes);
    if world == World::Virtual {
        write("comparison.txt", Ok(table.clone()));
    }
    write("report.html", Ok(page(folder, campaign, outcomes)));
    let (first, others) = outcomes.split_first_mut().expect("a campaign that has been run");
    write("junit.xml", junit(&first.summary));
    for outcome in others {
        let text = serde_json::to_string_pretty(&outcome.summary);
        write(&named("summary", outcome), text.map_err(Into::into));
    }

    let mut told = String::new();
    if is_story {
        told += &format!("\n{}", story(first, campaign.begins));
    }
    if !table.is_empty() {
        told += &format!("\n{table}");
    }
    trouble.sentences.into_iter().for_each(|why| degrade(&mut first.summary, why));
    let mut text = report(&first.summary) + &told;
    let mut last = Trouble::default();
    let summary = serde_json::to_string_pretty(&first.summary).map_err(Into::into);
    let file = named("summary", first);
    last.note(&file, summary.and_then(|summary| folder.replace(&file, &summary)));
    last.note("report.txt", folder.replace("report.txt", &text));
    if !last.sentences.is_empty() {
        last.sentences.into_iter().for_each(|why| degrade(&mut first.summary, why));
        text = report(&first.summary) + &told;
    }
    if let Err(error) = Receipt::update(folder, &first.summary) {
        cli::complain!("error: {error:#}");
    }
    Told { text, exit_code: first.summary.exit_code() }
}

/// The file of a run, or of the campaign itself, has a name without its own.
fn named(file: &str, outcome: &Outcome) -> String {
    match &outcome.name[..] {
        RUN | BASE => format!("{file}.json"),
        name => format!("{file}-{name}.json"),
    }
}
