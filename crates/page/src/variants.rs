//! The campaign beside its variants.

use maud::{Markup, html};

use crate::charts::{glance, peak};
use crate::content::{Page, PageRun};
use crate::figures::{count, part, percent, quantile, table};

/// The comparison, and a small chart of each run; nothing where there is only one and nothing was published.
pub(crate) fn variants(page: &Page<'_>) -> Option<Markup> {
    if page.runs.len() < 2 && page.comparison.is_empty() {
        return None;
    }
    let (heads, rows) = page.comparison.split_first().map_or((None, &[][..]), |(heads, rows)| {
        let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
        (Some(heads), rows)
    });
    // One scale for all.
    let most = page.runs.iter().map(peak).fold(0.0, f64::max);
    Some(html! {
        @if let Some(heads) = heads { (table("What the campaign compares", &heads, rows)) }
        @if page.runs.len() > 1 {
            (outcomes(page))
            div.thirds {
                @for run in &page.runs { (glance(page, run, run.title, most)) }
            }
            p.note { "All with the same axis, in calls/s." }
        }
    })
}

fn outcomes(page: &Page<'_>) -> Markup {
    let row = |run: &PageRun<'_>| {
        let ledger = &run.summary.ledger;
        let failed = ledger.failed();
        vec![
            run.name.to_owned(),
            run.summary.headline().to_owned(),
            count(ledger.offered),
            percent(part(ledger.answered, ledger.offered)),
            percent(part(failed, ledger.offered)),
            count(ledger.lost),
            quantile(&run.summary.metrics.pdd, |pdd| pdd.p50),
            quantile(&run.summary.metrics.pdd, |pdd| pdd.p99),
        ]
    };
    let rows: Vec<Vec<String>> = page.runs.iter().map(row).collect();
    let heads =
        ["run", "verdict", "offered", "answered", "failed", "lost", "pdd p50, ms", "pdd p99, ms"];
    table("The campaign and its variants", &heads, &rows)
}
