//! Key figures: what most readers come for.

use account::summary::Summary;
use maud::{Markup, html};
use telemetry::Quantiles;
use telemetry::metric::Metric;

use crate::figures::{count, decimal, part, percent, quantile, score, table};

/// Tiles, and the delays below them.
pub(crate) fn figures(summary: &Summary) -> Markup {
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
        let judged = format!("of {} calls with media", count(media.calls));
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
