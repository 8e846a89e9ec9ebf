//! The whole file: its sections in their order.

use account::outcome::VariantOutcome;
use account::summary::RunVerdict;
use campaign::Campaign;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

use crate::content::{Page, PageRun};
use crate::content_security_policy::{self, SCRIPT, STYLE};
use crate::{
    calls, charts, events, harm, key_figures, quality, tables, thresholds, validity, variants,
    verdict,
};

/// `report.html` of a campaign that has been run: `folder` as `tocsin show` takes it, `command` what was typed, and
/// `receipt.json` where there is one.
#[must_use]
pub fn page(
    campaign: &Campaign,
    outcomes: &[VariantOutcome],
    folder: &str,
    command: &str,
    receipt: Option<&Value>,
) -> String {
    whole(&Page::of(campaign, outcomes, folder, command, receipt))
}

/// The whole file.
pub(crate) fn whole(page: &Page<'_>) -> String {
    let Some(run) = page.runs.first() else { return String::new() };
    let summary = run.summary;
    let title = format!("{}: {} on {}", summary.headline(), summary.campaign, summary.network);
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(content_security_policy::policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content=(concat!("tocsin ", env!("CARGO_PKG_VERSION")));
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { (body(page, run)) }
        }
    };
    markup.into_string()
}

fn body(page: &Page<'_>, run: &PageRun<'_>) -> Markup {
    let sections = sections(page, run);
    html! {
        @if let Some(outage) = &page.outage {
            header.outage { (harm::headline(outage)) (verdict::headline(run.summary)) }
        } @else {
            header { (verdict::headline(run.summary)) }
        }
        nav aria-label="Sections" {
            @for section in &sections {
                a href={ "#" (section.id) } { (section.title) }
            }
        }
        main {
            @for section in &sections {
                section id=(section.id) class=[section.is_grey.then_some("grey")] {
                    h2 { (section.title) }
                    @if section.is_folded {
                        details.folded { summary { "Show" } (section.content) }
                    } @else {
                        (section.content)
                    }
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

/// In the order of the page, without those that have nothing to say: what a reader wants to know first comes first, and
/// what only a few look up is folded at the end.
fn sections(page: &Page<'_>, run: &PageRun<'_>) -> Vec<Section> {
    let summary = run.summary;
    let is_outage = page.outage.is_some();
    let charts = || charts::charts(page, run);
    let all = [
        Section::new("harm", "Who was not reached", harm::harm(page, run)),
        Section::new("published", "Published and emulated", harm::published(page)),
        Section::new("saved", "What would have saved them", harm::savings(page)),
        Section::new("assumed", "What hangs on what was assumed", harm::sensitivity(page, run)),
        Section::new("evening", "What happened when", is_outage.then(charts).flatten()),
        Section::new("thresholds", "Thresholds", thresholds::thresholds(summary)),
        Section::new("key", "Key figures", Some(key_figures::large(summary))),
        Section::new("time", "Over time", (!is_outage).then(charts).flatten()),
        Section::new("worlds", "Variants", variants::variants(page)),
        Section::new("figures", "All figures", Some(key_figures::all(summary))),
        Section::new("groups", "Sites, trunks, numbers, PSAPs", Some(tables::groups(summary))),
        Section::new("ledger", "Ledger", Some(calls::ledger(summary))),
        Section::new("failures", "Failed calls", Some(calls::failures(page, run))),
        Section::new("worst", "Worst calls", calls::worst(page, run)),
        Section::new("media", "Quality of media", quality::media(summary)),
        Section::new("generator", "The generator itself", Some(validity::generator(page, summary))),
        Section::new("events", "What happened", events::events(page, run)),
        Section::new("run", "What was run", Some(verdict::run(page, summary))).map(Section::folded),
        Section::new("receipt", "Receipt", events::receipt(page)).map(Section::folded),
    ];
    let mut sections: Vec<Section> = all.into_iter().flatten().collect();
    if summary.verdict == RunVerdict::Invalid {
        for section in &mut sections {
            section.is_grey = OF_THE_NETWORK.contains(&section.id);
        }
    }
    sections
}

/// Sections with figures that say nothing about the network where the generator could not keep up.
const OF_THE_NETWORK: [&str; 15] = [
    "harm",
    "published",
    "saved",
    "assumed",
    "evening",
    "thresholds",
    "key",
    "time",
    "worlds",
    "figures",
    "groups",
    "ledger",
    "failures",
    "worst",
    "media",
];

/// A part of the page with a title of its own.
#[derive(Debug)]
struct Section {
    id: &'static str,
    title: &'static str,
    content: Markup,
    is_folded: bool,
    is_grey: bool,
}

impl Section {
    fn new(id: &'static str, title: &'static str, content: Option<Markup>) -> Option<Self> {
        content.map(|content| Self { id, title, content, is_folded: false, is_grey: false })
    }

    /// Behind a fold.
    fn folded(self) -> Self {
        Self { is_folded: true, ..self }
    }
}
