//! The verdict and why; what was run.

use account::summary::{RunVerdict, Summary};
use account::text::instant;
use maud::{Markup, html};

use crate::content::Page;
use crate::figures::{facts, length};
use crate::thresholds::reason;

/// Reasons that are shown at once; the others are behind a fold.
const REASONS: usize = 6;
/// Reasons behind it.
const MORE_REASONS: usize = 100;

/// The class of its colour, its sign, and what it means.
fn meaning(summary: &Summary) -> (&'static str, &'static str, &'static str) {
    match summary.verdict {
        RunVerdict::Interrupted => (
            "degraded",
            "‖",
            "The campaign was ended before its time. No call was lost by that; thresholds are not judged.",
        ),
        RunVerdict::Pass if summary.thresholds.is_empty() => (
            "unjudged",
            "○",
            "No bounds were set: nothing was judged but that the ledger balances.",
        ),
        RunVerdict::Pass => ("pass", "✓", "Every threshold holds and the ledger balances."),
        RunVerdict::Fail => ("fail", "✗", "The network did not do what the campaign asks of it."),
        RunVerdict::Invalid => (
            "invalid",
            "∅",
            "The generator itself could not keep up. These figures say nothing about the network.",
        ),
        RunVerdict::Unsteady => (
            "degraded",
            "≁",
            "The network was not well before the first fault: none was injected, and nothing was tested.",
        ),
        RunVerdict::Degraded => (
            "degraded",
            "!",
            "A part of the test was lost. These figures are of something else than was asked for.",
        ),
    }
}

/// The top of the page.
pub(crate) fn headline(summary: &Summary) -> Markup {
    let (class, sign, sentence) = meaning(summary);
    let (first, rest) = summary.reasons.split_at(summary.reasons.len().min(REASONS));
    html! {
        div class={ "verdict " (class) } {
            p.sign aria-hidden="true" { (sign) }
            div {
                h1 { (summary.headline()) }
                p.sentence { (sentence) }
                @for note in &summary.notes { p { (note) } }
                @if !first.is_empty() {
                    ul.reasons { @for one in first { li { (reason(summary, one)) } } }
                }
                @if !rest.is_empty() {
                    details {
                        summary { "and " (rest.len()) " more" }
                        ul.reasons { @for one in rest.iter().take(MORE_REASONS) { li { (reason(summary, one)) } } }
                        @if rest.len() > MORE_REASONS {
                            p { "… and " (rest.len() - MORE_REASONS) " more in " code { "summary.json" } "." }
                        }
                    }
                }
                p.subject {
                    strong { (summary.campaign) } " on " strong { (summary.network) }
                    ", seed " (summary.seed) ", " (started(summary)) ", " (length(summary.duration_s))
                }
            }
        }
    }
}

/// When it began: virtual time has no date that anybody lived through.
fn started(summary: &Summary) -> String {
    match summary.ledger_hash {
        Some(_) => "in virtual time".to_owned(),
        None => instant(&summary.started_at),
    }
}

/// What was run, and how to run it again.
pub(crate) fn run(page: &Page<'_>, summary: &Summary) -> Markup {
    let mut rows = vec![
        ("Campaign", html! { (summary.campaign) }),
        ("Network", html! { (summary.network) }),
        ("Seed", html! { (summary.seed) }),
        ("Started", html! { (started(summary)) }),
        ("Ran for", html! { (length(summary.duration_s)) }),
    ];
    if let Some(hash) = &summary.ledger_hash {
        rows.push((
            "Clock",
            html! { "virtual: the same campaign with the same seed gives the same records" },
        ));
        rows.push(("Hash of all records", html! { code.long { (hash) } }));
    }
    rows.push(("Run folder", html! { code { (page.folder) } }));
    rows.push(("To run it again", html! { code.command { (page.command) } }));
    facts(&rows)
}
