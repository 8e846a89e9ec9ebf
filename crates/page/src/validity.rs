//! The generator's judgement of itself, and what the processes used.

use account::summary::{Amount, Summary};
use maud::{Markup, html};
use telemetry::Quantiles;

use crate::content::Page;
use crate::figures::{check, count, counted, decimal, millis, or_dash, percent, quantile, table};

/// What would make the run invalid, each with its limit; then processes and messages that came to nothing.
pub(crate) fn generator(page: &Page<'_>, summary: &Summary) -> Markup {
    let generator = &summary.generator;
    let signalling = generator.signalling;
    let is_virtual = summary.ledger_hash.is_some();
    let checks = generator.checks(page.compression);
    let offered = summary.ledger.offered;
    let lag = |pick: fn(&Quantiles) -> Option<u64>| quantile(&generator.lag, pick);
    html! {
        p {
            "A generator that cannot keep up measures itself. Beyond one of these limits the run is INVALID, "
            "whatever the network did."
        }
        div.scroll tabindex="0" role="region" aria-label="Limits of the generator" {
            table {
                thead { tr {
                    th scope="col" { "" } th scope="col" { "measured" } th scope="col" { "limit" } th scope="col" { "result" }
                } }
                tbody {
                    @for one in &checks {
                        tr {
                            th scope="row" { (one.name) } td { (amount(one.measured)) } td { (amount(one.limit)) }
                            td { (check(one.holds, "within", "beyond")) }
                        }
                    }
                }
            }
        }
        p.note {
            "Lag: p50 " (lag(|it| it.p50)) " ms, p90 " (lag(|it| it.p90)) " ms, p99 "
            (lag(|it| it.p99)) " ms, at most " (lag(|it| it.max)) " ms; "
            (counted(generator.late_starts, "call", "calls")) " began over 20 ms late. Sent again: "
            (counted(signalling.resent_to_silent_peer, "message", "messages")) " to silent peers, "
            (count(signalling.resent_late)) " by being late; peers sent " (count(signalling.repeated_by_peers)) " again."
            @if !is_virtual {
                " The generator used " (decimal(generator.cpu_s, 2)) " s of CPU"
                @if offered > 0 { ", " (decimal(generator.cpu_s * 1e6 / offered as f64, 0)) " µs for each call" }
                "."
            }
        }
        (processes(summary))
        (messages(summary))
        @if summary.truncated_files > 0 {
            p {
                (counted(summary.truncated_files, "record file ends", "record files end"))
                " in half a line, as after a kill."
            }
        }
    }
}

fn amount(amount: Amount) -> String {
    match amount {
        Amount::Micros(micros) => or_dash(micros.map(|micros| format!("{} ms", millis(micros)))),
        Amount::Share(share) => percent(share),
        Amount::Count(number) => count(number),
    }
}

fn processes(summary: &Summary) -> Markup {
    let rows = summary.processes.iter().map(|process| {
        vec![
            process.name.clone(),
            decimal(process.user_s, 2),
            decimal(process.system_s, 2),
            decimal(process.max_rss_kib as f64 / 1_024.0, 1),
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    if rows.is_empty() {
        return Markup::default();
    }
    table(
        "What processes used",
        &["process", "CPU user, s", "CPU system, s", "memory at most, MiB"],
        &rows,
    )
}

fn messages(summary: &Summary) -> Markup {
    let some = summary.messages.iter().filter(|(_, figures)| !figures.is_zero());
    let rows: Vec<_> = some.collect();
    html! {
        @if !rows.is_empty() {
            h3 { "Messages that came to nothing" }
            ul { @for (process, figures) in rows { li { b { (process) } ": " (figures) } } }
        }
    }
}
