//! The generator's judgement of itself, and what the processes used.

use std::time::Duration;

use account::summary::Summary;
use maud::{Markup, html};

use crate::content::Page;
use crate::figures::{check, count, decimal, millis, percent, table};

/// What would make the run invalid, each with its limit; then processes and messages that came to nothing.
pub(crate) fn generator(page: &Page<'_>, summary: &Summary) -> Markup {
    let generator = &summary.generator;
    let signalling = generator.signalling;
    let is_virtual = summary.ledger_hash.is_some();
    let rows = limits(page, summary);
    let offered = summary.ledger.offered;
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
                    @for (name, measured, limit, is_well) in &rows {
                        tr {
                            th scope="row" { (name) } td { (measured) } td { (limit) }
                            td { (check(*is_well, "within", "beyond")) }
                        }
                    }
                }
            }
        }
        p.note {
            "Lag: p50 " (millis(generator.lag.p50)) " ms, p90 " (millis(generator.lag.p90)) " ms, p99 "
            (millis(generator.lag.p99)) " ms, at most " (millis(generator.lag.max)) " ms; "
            (count(generator.late_starts)) " calls began over 20 ms late. Sent again: "
            (count(signalling.resent_to_silent_peer)) " messages to silent peers, "
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
            p { (count(summary.truncated_files)) " record files end in half a line, as after a kill." }
        }
    }
}

/// What is limited: the name, what was measured, the limit, and whether it keeps within.
fn limits(page: &Page<'_>, summary: &Summary) -> Vec<(&'static str, String, String, bool)> {
    let generator = &summary.generator;
    let limits = &generator.limits;
    let lag_limit = limits.lag_p99.mul_f64(page.compression);
    let limit = format!("{} ms", lag_limit.as_millis());
    let lag = format!("{} ms", millis(generator.lag.p99));
    let late = percent(Some(generator.late_media_share));
    let signalling = generator.signalling;
    let late_again = signalling.resent_late as f64 / signalling.sent.max(1) as f64;
    vec![
        ("lag of calls, p99", lag, limit, Duration::from_micros(generator.lag.p99) <= lag_limit),
        (
            "calls that were due and not started",
            count(generator.not_started + generator.feed_exhausted),
            "0".to_owned(),
            generator.not_started + generator.feed_exhausted == 0,
        ),
        (
            "CPU of its core, in the busiest five seconds",
            percent(generator.busiest_cpu_share),
            percent(Some(limits.cpu)),
            generator.busiest_cpu_share.is_none_or(|share| share <= limits.cpu),
        ),
        (
            "messages sent again by being late, of all sent",
            percent(Some(late_again)),
            percent(Some(limits.late_retransmissions)),
            late_again <= limits.late_retransmissions,
        ),
        (
            "step of the machine's clock",
            format!("{} ms", millis(generator.clock_step_us)),
            format!("{} ms", limits.clock_step.as_millis()),
            Duration::from_micros(generator.clock_step_us) <= limits.clock_step,
        ),
        (
            "datagrams that its sockets lost",
            count(generator.socket_losses),
            "0".to_owned(),
            generator.socket_losses == 0,
        ),
        (
            "RTP packets over 20 ms late",
            late,
            percent(Some(limits.late_rtp)),
            generator.late_media_share <= limits.late_rtp,
        ),
        (
            "calls without a port for media",
            count(generator.without_port),
            "0".to_owned(),
            generator.without_port == 0,
        ),
    ]
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
