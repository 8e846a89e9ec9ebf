//! The campaign beside its variants.

use maud::{Markup, html};

use super::Page;
use super::charts::glance;
use super::figures::{count, part, percent, quantile, table};
use super::verdict::word;

/// The comparison, and a small chart of each run; nothing where there is only one and nothing was published.
pub(super) fn worlds(page: &Page<'_>) -> Option<Markup> {
    if page.worlds.len() < 2 && page.comparison.is_empty() {
        return None;
    }
    let (heads, rows) = page.comparison.split_first().map_or((None, &[][..]), |(heads, rows)| {
        let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
        (Some(heads), rows)
    });
    Some(html! {
        @if let Some(heads) = heads { (table("What the campaign compares", &heads, rows)) }
        @if page.worlds.len() > 1 {
            (outcomes(page))
            div.thirds {
                @for world in &page.worlds {
                    figure {
                        figcaption { h3 { (world.name) } p { (world.title) } }
                        div.scroll { (glance(page, world)) }
                    }
                }
            }
            p.note { "Surface: offered. Lines: answered, failed (dashed), abandoned (dotted); in calls/s." }
        }
    })
}

fn outcomes(page: &Page<'_>) -> Markup {
    let row = |world: &super::World<'_>| {
        let ledger = &world.summary.ledger;
        let failed = ledger.rejected + ledger.timed_out + ledger.lost;
        vec![
            world.name.to_owned(),
            word(world.summary).to_owned(),
            count(ledger.offered),
            percent(part(ledger.answered, ledger.offered)),
            percent(part(failed, ledger.offered)),
            count(ledger.lost),
            quantile(&world.summary.metrics.pdd, |pdd| pdd.p50),
            quantile(&world.summary.metrics.pdd, |pdd| pdd.p99),
        ]
    };
    let rows: Vec<Vec<String>> = page.worlds.iter().map(row).collect();
    let heads =
        ["run", "verdict", "offered", "answered", "failed", "lost", "pdd p50, ms", "pdd p99, ms"];
    table("The campaign and its variants", &heads, &rows)
}
