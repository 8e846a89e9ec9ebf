//! What the page of an outage opens with: who was not reached, published figures beside its own, what would have saved whom.

use account::summary::{HalfHour, HarmCounts, HarmFigures};
use maud::{Markup, PreEscaped, html};

use crate::content::{Outage, Page, PageRun};
use crate::figure::{HALF, NARROW, Room, WIDE, figure};
use crate::figures::{check, count, part, percent, table};
use crate::plot::{Scale, Tornado};
use crate::run_charts::{RunCharts, axis, fewer, line, panel};

/// Half of a half hour, in seconds: its figures are drawn in its middle.
const MIDDLE: i64 = 900;

/// Half hours that stand in the table: those of two days.
const MOST_HALF_HOURS: usize = 96;

/// The top of the page.
pub(crate) fn headline(outage: &Outage) -> Markup {
    let (first, rest) = outage.sentences.split_at(outage.sentences.len().min(1));
    html! {
        div.harmed {
            @for sentence in first { h1 { (sentence) } }
            @for sentence in rest { p { (sentence) } }
        }
    }
}

/// People half hour by half hour, drawn and as a table; by département and number.
pub(crate) fn harm(page: &Page<'_>, run: &PageRun<'_>) -> Option<Markup> {
    page.outage.as_ref()?;
    let harm = run.summary.harm.as_ref()?;
    let (shown, left) = worst_half_hours(&harm.by_half_hour);
    let half_hours = shown.into_iter().map(|one| (&one.from[..], &one.counts));
    let by_name = |one: &'static str, groups: &std::collections::BTreeMap<String, HarmCounts>| {
        let groups = groups.iter().map(|(name, counts)| (&name[..], counts));
        counts_table(&format!("By {one}"), one, groups)
    };
    Some(html! {
        p.note {
            "People are with their first call: its half hour, its département, its number. Who was reached late was reached "
            "more than so long after that call was due, by one that was not cut."
        }
        // A single half hour makes no line.
        @if harm.by_half_hour.len() > 1 {
            div.thirds {
                (curve(page, run, harm, "Never reached", "People who spoke to nobody, however often they called.", |it| it.never_reached))
                (curve(page, run, harm, "Reached late", "People who were reached after more than five minutes.", |it| it.reached_late_5m))
                (curve(page, run, harm, "Cut off", "People with a conversation that the network cut.", |it| it.cut_callers))
            }
        }
        (counts_table("Half hour by half hour", "from", half_hours))
        @if left > 0 {
            p.note { "Those with most harm; " (left) " more are in summary.json." }
        }
        @if harm.by_department.len() > 1 { (by_name("département", &harm.by_department)) }
        @if harm.by_number.len() > 1 { (by_name("number", &harm.by_number)) }
        (ways(&harm.whole))
    })
}

/// Those in which most people were harmed, in the order of time, and how many there are besides.
fn worst_half_hours(all: &[HalfHour]) -> (Vec<&HalfHour>, usize) {
    let harmed = |one: &HalfHour| {
        let HarmCounts { never_reached, reached_late_5m, cut_callers, .. } = one.counts;
        never_reached + reached_late_5m + cut_callers
    };
    let mut shown: Vec<&HalfHour> = all.iter().collect();
    shown.sort_by_key(|one| std::cmp::Reverse(harmed(one)));
    shown.truncate(MOST_HALF_HOURS);
    shown.sort_by_key(|one| one.from_s);
    let left = all.len() - shown.len();
    (shown, left)
}

/// One count of people, over the half hours.
fn curve(
    page: &Page<'_>,
    run: &PageRun<'_>,
    harm: &HarmFigures,
    title: &str,
    note: &str,
    pick: fn(&HarmCounts) -> u64,
) -> Markup {
    let charts = RunCharts::of(page, run);
    // All three have one axis: people are people.
    let most = |counts: &HarmCounts| {
        counts.never_reached.max(counts.reached_late_5m).max(counts.cut_callers)
    };
    let most = harm.by_half_hour.iter().map(|one| most(&one.counts)).max().unwrap_or_default();
    let end = Scale::Count.end(most.max(1) as f64, 4.0);
    let points = harm
        .by_half_hour
        .iter()
        .map(|one| ((one.from_s + MIDDLE).max(0) as f64, Some(pick(&one.counts) as f64)));
    let lines = vec![line(title, 0, fewer(points.collect()))];
    let panel = panel(axis("people per half hour", Scale::Count, Some(end)), 120.0, lines);
    figure(title, note, Room::Third, |width| charts.over_time(title, width, vec![panel.clone()]))
}

fn counts_table<'a>(
    caption: &str,
    first: &str,
    rows: impl Iterator<Item = (&'a str, &'a HarmCounts)>,
) -> Markup {
    let heads = [
        first,
        "callers",
        "never reached",
        "of all",
        "late, > 1 min",
        "> 5 min",
        "> 15 min",
        "cut off",
        "calls",
        "not routed",
        "of all",
    ];
    let row = |(name, counts): (&str, &HarmCounts)| {
        vec![
            name.to_owned(),
            count(counts.callers),
            count(counts.never_reached),
            percent(part(counts.never_reached, counts.callers)),
            count(counts.reached_late_1m),
            count(counts.reached_late_5m),
            count(counts.reached_late_15m),
            count(counts.cut_callers),
            count(counts.attempts),
            count(counts.not_routed),
            percent(part(counts.not_routed, counts.attempts)),
        ]
    };
    table(caption, &heads, &rows.map(row).collect::<Vec<_>>())
}

/// What callers heard of the calls that failed.
fn ways(counts: &HarmCounts) -> Markup {
    let HarmCounts { attempts, silence, refused, busy, no_answer, cut, .. } = *counts;
    let ways = [
        ("silence until somebody gave up", silence),
        ("a refusal", refused),
        ("busy", busy),
        ("ringing until they gave up", no_answer),
        ("a conversation that was cut", cut),
    ];
    let rows = ways
        .into_iter()
        .map(|(way, calls)| vec![way.to_owned(), count(calls), percent(part(calls, attempts))]);
    table("What callers heard", &["", "calls", "of all"], &rows.collect::<Vec<_>>())
}

/// What was published beside what was measured; whether it is within what can be believed, in a word and a sign.
pub(crate) fn published(page: &Page<'_>) -> Option<Markup> {
    let (heads, rows) = page.outage.as_ref()?.published.split_first()?;
    Some(html! {
        div.scroll tabindex="0" role="region" aria-label="Published and emulated" {
            table {
                thead { tr { @for head in heads { th scope="col" { (head) } } } }
                tbody {
                    @for row in rows {
                        tr {
                            @for (column, cell) in row.iter().enumerate() {
                                @match (column, &cell[..]) {
                                    (0, name) => { th scope="row" { (name) } }
                                    (_, "within") => { td { (check(true, "within", "")) } }
                                    (_, "OUTSIDE") => { td { (check(false, "", "outside")) } }
                                    (_, cell) => { td { (cell) } }
                                }
                            }
                        }
                    }
                }
            }
        }
        p.note {
            "Both over the same window. Plausible is from where to where the published figure can be believed; "
            "where it is a range in brackets, the emulated figure is the median of all seeds."
        }
    })
}

/// What each variant would have saved, most first.
pub(crate) fn savings(page: &Page<'_>) -> Option<Markup> {
    let (heads, rows) = page.outage.as_ref()?.savings.split_first()?;
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let mut titled = rows.to_vec();
    for row in &mut titled {
        let title = page.runs.iter().find(|run| run.name == row[0]).map(|run| run.title);
        if let Some(title) = title {
            row[0] = format!("{}: {title}", row[0]);
        }
    }
    Some(html! {
        (table("People and calls, the campaign's less the variant's of the same seed", &heads, &titled))
        p.note { "A negative number is harm on top." }
    })
}

/// What the assumed keys do, drawn and as a table, and why the conclusion hangs on some of them.
pub(crate) fn sensitivity(page: &Page<'_>, run: &PageRun<'_>) -> Option<Markup> {
    let (heads, rows) = page.outage.as_ref()?.sensitivity.split_first()?;
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let figures = run.summary.sensitivity.as_ref()?;
    let tornado = Tornado::of(run.summary)?;
    let widths = [(WIDE, "at-wide"), (HALF, "at-middle"), (NARROW, "at-narrow")];
    Some(html! {
        p.note {
            "The campaign again with one assumed key changed at a time: half, four fifths, six fifths, and twice its value."
        }
        figure {
            figcaption {
                h3 { "People never reached" }
                p { "From the least to the most over all values; the line is the campaign itself. ◆ marks what the result hangs on." }
            }
            @for (width, class) in widths {
                div class={ "drawing " (class) } { (PreEscaped(tornado.svg(Some(width)))) }
            }
        }
        (table("Each assumed key", &heads, rows))
        ul {
            @for effect in &figures.keys {
                @for sentence in &effect.decisive {
                    li { "The result hangs on " code { (effect.key) } ": " (sentence) }
                }
            }
        }
    })
}
