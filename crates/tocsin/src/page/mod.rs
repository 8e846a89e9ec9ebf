//! `report.html`: one page that tells what a run was worth, why, and what happened in it.
//!
//! It is one file: style, script and pictures are inside, and its policy forbids every request, so that it can be mailed,
//! archived and opened without a network. Nothing needs the script to be read; it only adds values under the pointer and
//! sorts tables. Whatever comes from a run is text: names, reasons and ids may hold anything.
//!
//! ```text
//!   Summary   verdict.rs: the verdict and why, what was run, thresholds; key.rs: key figures
//!   Series    charts.rs: lines over time, with overlay.rs: phases and events; worlds.rs: variants
//!   Summary   tables.rs: sites, trunk groups, numbers, PSAPs; calls.rs: ledger, failures, worst calls
//!             quality.rs: media; honesty.rs: the generator's own part, processes
//!   Event     annals.rs: everything that happened; the receipt
//! ```

mod annals;
mod calls;
mod charts;
mod figures;
mod honesty;
mod key;
mod overlay;
mod policy;
mod quality;
mod series;
mod tables;
#[cfg(test)]
pub(crate) mod tests;
mod verdict;
mod worlds;

use std::time::Duration;

use load_gen::campaign::Campaign;
use load_gen::summary::Summary;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

use crate::archive::command_line;
use crate::outcome::{Event, Outcome, comparison, events};
use crate::run::Folder;

use self::policy::{SCRIPT, STYLE};
pub(crate) use self::series::Series;

/// All that a page tells.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    /// The run folder, as `tocsin show` takes it.
    pub(crate) folder: &'a str,
    /// What was typed to make this run.
    pub(crate) command: &'a str,
    /// `receipt.json`, where there is one.
    pub(crate) receipt: Option<&'a Value>,
    /// The time of day at the start of the campaign; zero where it has none.
    pub(crate) begins: Duration,
    /// How much faster than the wall's the clock of the run went.
    pub(crate) compression: f64,
    pub(crate) phases: Vec<Phase>,
    /// The run, and then its variants. Never empty.
    pub(crate) worlds: Vec<World<'a>>,
    /// The cells of the comparison with what was published, heads first; may be empty.
    pub(crate) comparison: Vec<Vec<String>>,
}

/// One run of the campaign.
#[derive(Debug)]
pub(crate) struct World<'a> {
    pub(crate) name: &'a str,
    pub(crate) title: &'a str,
    pub(crate) summary: &'a Summary,
    pub(crate) series: &'a Series,
    /// In the order of time.
    pub(crate) events: Vec<Event>,
}

/// A stretch of the campaign, since its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Phase {
    pub(crate) name: String,
    pub(crate) from: Duration,
    pub(crate) to: Duration,
}

/// The page of the campaign that has been run in this folder.
pub(crate) fn page(folder: &Folder, campaign: &Campaign, outcomes: &[Outcome]) -> String {
    let receipt = std::fs::read(folder.path().join("receipt.json")).ok();
    let receipt: Option<Value> = receipt.and_then(|text| serde_json::from_slice(&text).ok());
    let path = folder.path().to_string_lossy();
    let repeat = receipt.as_ref().and_then(|receipt| receipt["repeat"].as_str());
    let command = repeat.map_or_else(command_line, str::to_owned);
    Page::of(campaign, outcomes, &path, &command, receipt.as_ref()).html()
}

impl<'a> Page<'a> {
    /// The page of a campaign that has been run.
    pub(crate) fn of(
        campaign: &Campaign,
        outcomes: &'a [Outcome],
        folder: &'a str,
        command: &'a str,
        receipt: Option<&'a Value>,
    ) -> Self {
        let mut end = Duration::ZERO;
        let phase = |phase: &load_gen::campaign::Phase| {
            let from = end;
            end += phase.duration;
            Phase { name: phase.name.clone(), from, to: end }
        };
        let world = |outcome: &'a Outcome| World {
            name: &outcome.name,
            title: &outcome.title,
            summary: &outcome.summary,
            series: &outcome.series,
            events: events(outcome, campaign.begins),
        };
        Self {
            folder,
            command: command.trim(),
            receipt,
            begins: campaign.begins,
            compression: campaign.compression,
            phases: campaign.phases.iter().map(phase).collect(),
            worlds: outcomes.iter().map(world).collect(),
            comparison: comparison(campaign, outcomes),
        }
    }

    /// The whole file.
    pub(crate) fn html(&self) -> String {
        let Some(world) = self.worlds.first() else { return String::new() };
        let summary = world.summary;
        let title =
            format!("{}: {} on {}", verdict::word(summary), summary.campaign, summary.network);
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(policy::policy());
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="generator" content=(concat!("tocsin ", env!("CARGO_PKG_VERSION")));
                    title { (title) }
                    style { (PreEscaped(STYLE)) }
                }
                body { (self.body(world)) }
            }
        };
        page.into_string()
    }

    fn body(&self, world: &World<'_>) -> Markup {
        let sections = self.sections(world);
        html! {
            header { (verdict::headline(world.summary)) }
            nav aria-label="Sections" {
                @for section in &sections {
                    a href={ "#" (section.id) } { (section.title) }
                }
            }
            main {
                @for section in &sections {
                    section id=(section.id) {
                        h2 { (section.title) }
                        (section.content)
                    }
                }
            }
            footer {
                p {
                    "Written by tocsin " (env!("CARGO_PKG_VERSION")) ". Every figure of this page is in "
                    code { "summary.json" } " or follows from the records of the run."
                }
            }
            script { (PreEscaped(SCRIPT)) }
        }
    }

    /// In the order of the page, without those that have nothing to say.
    fn sections(&self, world: &World<'_>) -> Vec<Section> {
        let summary = world.summary;
        let all = [
            Section::new("run", "What was run", Some(verdict::run(self, summary))),
            Section::new("key", "Key figures", Some(key::figures(summary))),
            Section::new("thresholds", "Thresholds", verdict::thresholds(summary)),
            Section::new("time", "Over time", Some(charts::charts(self, world))),
            Section::new("worlds", "Variants", worlds::worlds(self)),
            Section::new("groups", "Sites, trunks, numbers, PSAPs", Some(tables::groups(summary))),
            Section::new("ledger", "Ledger", Some(calls::ledger(&summary.ledger))),
            Section::new("failures", "Failed calls", Some(calls::failures(self, world))),
            Section::new("worst", "Worst calls", calls::worst(self, world)),
            Section::new("media", "Quality of media", quality::media(summary)),
            Section::new(
                "generator",
                "The generator itself",
                Some(honesty::generator(self, summary)),
            ),
            Section::new("events", "What happened", annals::events(self, world)),
            Section::new("receipt", "Receipt", annals::receipt(self)),
        ];
        all.into_iter().flatten().collect()
    }
}

/// A part of the page with a title of its own.
#[derive(Debug)]
struct Section {
    id: &'static str,
    title: &'static str,
    content: Markup,
}

impl Section {
    fn new(id: &'static str, title: &'static str, content: Option<Markup>) -> Option<Self> {
        content.map(|content| Self { id, title, content })
    }
}
