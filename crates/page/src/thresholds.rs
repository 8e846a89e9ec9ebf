//! The thresholds: how each came out, in the units of the rest of the page.

use account::summary::words::{bounds, measured, title};
use account::summary::{Summary, ThresholdResult};
use maud::{Markup, html};

use crate::figures::check;

/// A table with the result of each first, those that do not hold above the others; nothing where the campaign sets none.
pub(crate) fn thresholds(summary: &Summary) -> Option<Markup> {
    if summary.thresholds.is_empty() {
        return None;
    }
    let mut results: Vec<&ThresholdResult> = summary.thresholds.iter().collect();
    results.sort_by_key(|result| result.holds != Some(false));
    Some(html! {
        div.scroll tabindex="0" role="region" aria-label="Thresholds" {
            table.thresholds {
                thead { tr {
                    th scope="col" { "result" } th scope="col" { "metric" }
                    th scope="col" { "measured" } th scope="col" { "must be" }
                } }
                tbody {
                    @for result in results {
                        tr {
                            td { (outcome(result)) }
                            th scope="row" { (title(result)) " " code { (result.subject()) } (why(result)) }
                            td { (measured(result).unwrap_or_else(|| "nothing to measure".to_owned())) }
                            td { (bounds(result)) }
                        }
                    }
                }
            }
        }
    })
}

/// Why it was not judged, or not measured.
fn why(result: &ThresholdResult) -> Markup {
    html! { @if let Some(reason) = &result.reason { span.why { (reason) } } }
}

/// Whether it holds, with a sign.
fn outcome(result: &ThresholdResult) -> Markup {
    html! {
        @match result.holds {
            Some(holds) => (check(holds, "holds", "does not hold")),
            None => span.unjudged { "– not judged" },
        }
    }
}

/// A reason of the verdict, in the page's units where it is that of a threshold.
pub(crate) fn reason(summary: &Summary, reason: &str) -> String {
    let is_its = |result: &&ThresholdResult| result.breach().is_some_and(|breach| breach == reason);
    let told = summary.thresholds.iter().find(is_its).and_then(|result| {
        let (title, subject, measured) = (title(result), result.subject(), measured(result)?);
        Some(format!("{title} ({subject}) is {measured}, must be {}", bounds(result)))
    });
    told.unwrap_or_else(|| reason.to_owned())
}
