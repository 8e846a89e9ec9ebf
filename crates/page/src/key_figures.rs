//! Key figures: five large ones, coloured by the thresholds that bound them, and all others.

use account::summary::words::{bounds, measured, metric};
use account::summary::{RunVerdict, Summary, ThresholdResult};
use maud::{Markup, html};
use telemetry::Quantiles;
use telemetry::metric::{Metric, Quantile};

use crate::figures::{
    count, counted, decimal, or_dash, part, percent, quantile, score, seconds, table,
};

/// What most readers come for.
struct LargeFigure<'a> {
    name: String,
    figure: String,
    more: String,
    /// The thresholds that bound it.
    thresholds: Vec<&'a ThresholdResult>,
}

/// Five figures.
pub(crate) fn large(summary: &Summary) -> Markup {
    let is_invalid = summary.verdict == RunVerdict::Invalid;
    html! {
        dl.large {
            @for one in &five(summary) {
                @let (tone, words) = judged(&one.thresholds);
                div class=(if is_invalid { "grey" } else { tone }) {
                    dt { (one.name) }
                    dd.figure { (one.figure) }
                    dd.bound { @for word in &words { p { (word) } } }
                    dd.more { (one.more) }
                }
            }
        }
        @if is_invalid {
            p.note { "Grey: the run is INVALID, and its figures say nothing about the network." }
        }
    }
}

/// How the traffic went, how soon, and what was heard.
fn five(summary: &Summary) -> [LargeFigure<'_>; 5] {
    let (ledger, metrics) = (&summary.ledger, &summary.metrics);
    let failed = ledger.failed();
    let of_all =
        |calls: u64| format!("{} of {}", count(calls), counted(ledger.offered, "call", "calls"));
    let answered = |metric: Metric| {
        use Metric::{AbandonedShare, AnsweredShare, Asr, Ner, Scr, Seer, Ser};
        matches!(metric, AnsweredShare | AbandonedShare | Asr | Ner | Ser | Seer | Scr)
    };
    let unanswered = |metric: Metric| {
        use Metric::{FailedShare, Isa, LostShare, RejectedShare, TimedOutShare};
        matches!(metric, FailedShare | RejectedShare | TimedOutShare | LostShare | Isa)
    };
    let share = |name: &str, calls: u64, is_its: &dyn Fn(Metric) -> bool| LargeFigure {
        name: name.to_owned(),
        figure: percent(part(calls, ledger.offered)),
        more: of_all(calls),
        thresholds: of(summary, is_its),
    };
    [
        share("answered", ledger.answered, &answered),
        share("failed", failed, &unanswered),
        delay(summary, "post-dial delay", &metrics.pdd, |metric| match metric {
            Metric::Pdd(quantile) => Some(quantile),
            _ => None,
        }),
        delay(summary, "time to the answer", &metrics.setup, |metric| match metric {
            Metric::AnswerDelay(quantile) => Some(quantile),
            _ => None,
        }),
        fifth(summary),
    ]
}

/// The delay at the point that a threshold bounds, rather one that does not hold; the 99th percentile where none does.
fn delay<'a>(
    summary: &'a Summary,
    name: &str,
    delays: &Quantiles,
    point: impl Fn(Metric) -> Option<Quantile>,
) -> LargeFigure<'a> {
    let thresholds = of(summary, &|metric| point(metric).is_some());
    let whole = || thresholds.iter().filter(|result| result.of.is_none());
    let missed = whole().find(|result| result.holds == Some(false));
    let shown = missed.or_else(|| whole().next()).and_then(|result| metric(result));
    let at = shown.and_then(point).unwrap_or(Quantile::P99);
    let figure = or_dash(delays.at(at).map(|micros| seconds(micros as f64 / 1e6)));
    let median = quantile(delays, |it| it.p50);
    LargeFigure {
        name: format!("{name}, {}", at.as_str()),
        figure,
        more: format!("median {median} ms, {}", counted(delays.count, "call", "calls")),
        thresholds,
    }
}

/// What was heard; without media, how many people were reached in the end; without those, how much was offered.
fn fifth(summary: &Summary) -> LargeFigure<'_> {
    let heard = |metric: Metric| matches!(metric, Metric::HeardShare | Metric::Mos(_));
    let thresholds = of(summary, &heard);
    let reached = &summary.callers.emergency;
    let (name, figure, more) = if let Some(media) = &summary.media {
        let calls = counted(media.calls, "call", "calls");
        let mos = score(media.mos.p50);
        let more = format!("of {calls} with media; MOS {mos}");
        ("heard both ways", percent(media.heard_share), more)
    } else if summary.callers.redial && reached.callers > 0 {
        let more = format!("of {}, in the end", counted(reached.callers, "person", "people"));
        ("callers reached", percent(reached.success_share), more)
    } else {
        let rate = decimal(summary.metrics.calls_per_second, 1);
        ("offered", count(summary.ledger.offered), format!("{rate} calls/s"))
    };
    LargeFigure { name: name.to_owned(), figure, more, thresholds }
}

/// The thresholds on such metrics.
fn of<'a>(summary: &'a Summary, is_its: &dyn Fn(Metric) -> bool) -> Vec<&'a ThresholdResult> {
    let its = |result: &&ThresholdResult| metric(result).is_some_and(is_its);
    summary.thresholds.iter().filter(its).collect()
}

/// The class of the colour, and each bound in words: those that do not hold, otherwise all that do.
fn judged(thresholds: &[&ThresholdResult]) -> (&'static str, Vec<String>) {
    let missed: Vec<_> = thresholds.iter().filter(|result| result.holds == Some(false)).collect();
    if !missed.is_empty() {
        let sentence = |result: &&&ThresholdResult| {
            let measured = measured(result).unwrap_or_else(|| "not measured".to_owned());
            format!("✗ {} is {measured}, must be {}", result.subject(), bounds(result))
        };
        return ("fail", missed.iter().map(sentence).collect());
    }
    let kept = thresholds.iter().filter(|result| result.holds == Some(true));
    let kept: Vec<String> =
        kept.map(|result| format!("✓ {} {}", result.subject(), bounds(result))).collect();
    (if kept.is_empty() { "unjudged" } else { "pass" }, kept)
}

/// All others: tiles, and the delays below them.
pub(crate) fn all(summary: &Summary) -> Markup {
    let (ledger, metrics) = (&summary.ledger, &summary.metrics);
    let failed = ledger.failed();
    let of_all = |number: u64| format!("{} of all", percent(part(number, ledger.offered)));
    let rate = format!("{} calls/s", decimal(metrics.calls_per_second, 1));
    let messages = format!(
        "{} SIP messages/s sent, {} received",
        decimal(metrics.messages_sent_per_second, 0),
        decimal(metrics.messages_received_per_second, 0)
    );
    let ratio = |metric: Metric| {
        let row = metric.definition();
        (row.short, percent(metrics.ratios.get(metric)), format!("{}, {}", row.title, row.standard))
    };
    let mut tiles = vec![
        ("offered", count(ledger.offered), rate),
        ("answered", count(ledger.answered), of_all(ledger.answered)),
        ("abandoned", count(ledger.abandoned), of_all(ledger.abandoned)),
        ("failed", count(failed), of_all(failed)),
        ratio(Metric::Asr),
        ratio(Metric::Ner),
        ratio(Metric::Ser),
        ratio(Metric::Seer),
        ratio(Metric::Isa),
        ratio(Metric::Scr),
        ("traffic", format!("{} E", decimal(metrics.erlang, 1)), messages),
    ];
    if let Some(media) = &summary.media {
        let judged = format!(
            "of {} judged, {} had media",
            count(media.calls - media.unjudged),
            counted(media.calls, "call", "calls")
        );
        tiles.push(("heard both ways", percent(media.heard_share), judged));
        let bad = format!("95 % are at least {}", score(media.mos.p5));
        tiles.push(("MOS, median", score(media.mos.p50), bad));
    }
    let classes =
        [("emergency", &summary.callers.emergency), ("ordinary", &summary.callers.ordinary)];
    if summary.callers.redial {
        for (name, class) in classes.into_iter().filter(|(_, class)| class.callers > 0) {
            let title =
                if name == "emergency" { "callers reached" } else { "ordinary callers reached" };
            let people = format!("of {} people, in the end", count(class.callers));
            tiles.push((title, percent(class.success_share), people));
        }
    }
    let statuses = metrics.by_status.iter();
    let statuses = statuses.map(|(status, attempts)| format!("{status}: {}", count(*attempts)));
    let statuses: Vec<String> = statuses.collect();
    html! {
        dl.tiles {
            @for (name, figure, more) in &tiles {
                div { dt { (name) } dd.figure { (figure) } dd.more { (more) } }
            }
        }
        (delays(summary))
        @if !statuses.is_empty() {
            p.note { "Final statuses of INVITE: " (statuses.join(", ")) "." }
        }
    }
}

fn delays(summary: &Summary) -> Markup {
    let metrics = &summary.metrics;
    let row = |name: &str, delays: &Quantiles| {
        vec![
            name.to_owned(),
            count(delays.count),
            quantile(delays, |it| it.p50),
            quantile(delays, |it| it.p90),
            quantile(delays, |it| it.p95),
            quantile(delays, |it| it.p99),
            quantile(delays, |it| it.max),
        ]
    };
    let rows = [
        row("post-dial delay, to ringing", &metrics.pdd),
        row("set-up, to the answer", &metrics.setup),
        row("of these, the generator's own lag", &metrics.lag),
        row("failed, from INVITE to the final response", &metrics.srd_failed),
        row("disconnect, from BYE to its 200", &metrics.sdd),
    ];
    let caption = "Delays from the moment at which a call was due, in ms";
    table(caption, &["", "calls", "p50", "p90", "p95", "p99", "max"], &rows)
}
