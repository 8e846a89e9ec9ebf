//! The ledger's balance, how calls failed, and the calls that are worth a look.

use account::summary::{RunVerdict, Summary};
use maud::{Markup, html};

use crate::figures::{check, clock, count, counted, millis, or_dash, part, percent, show, table};
use telemetry::Failures;

use crate::content::{Page, PageRun};

/// The sum of the ledger, and what does not fit into it.
pub(crate) fn ledger(summary: &Summary) -> Markup {
    let ledger = &summary.ledger;
    let parts = [
        ("answered", ledger.answered),
        ("rejected", ledger.rejected),
        ("abandoned", ledger.abandoned),
        ("timed out", ledger.timed_out),
        ("lost", ledger.lost),
    ];
    let unaccounted = Some(("without a record", ledger.in_progress)).filter(|(_, n)| *n > 0);
    let told = ledger.faults.len() as u64;
    html! {
        p.equation {
            span.term { b { (count(ledger.offered)) } " offered" }
            @for (number, (name, attempts)) in parts.into_iter().chain(unaccounted).enumerate() {
                span.operator { @if number == 0 { "=" } @else { "+" } }
                span.term { b { (count(attempts)) } " " (name) }
            }
        }
        p {
            (check(ledger.balanced, "balanced", "not balanced"))
            @if ledger.balanced {
                ": the sum is right, every attempt has a record, and no box contradicts another."
            } @else {
                ": a record is missing, or records contradict each other."
            }
            @if ledger.foreign > 0 {
                " Callers outside the campaign made " (count(ledger.foreign)) " more."
            }
        }
        @if !ledger.lost_at.is_empty() {
            div.scroll tabindex="0" role="region" aria-label="Where calls were lost" {
                table.words {
                    caption { "Where calls were lost" }
                    thead { tr {
                        th scope="col" { "box" } th.n scope="col" { "attempts" } th scope="col" { "why" }
                    } }
                    tbody {
                        @for lost in &ledger.lost_at {
                            tr { th scope="row" { (lost.node) } td.n { (count(lost.attempts)) } td.text { (lost.why) } }
                        }
                    }
                }
            }
        }
        @if !ledger.faults.is_empty() {
            h3 { "Contradictions" }
            @if summary.verdict == RunVerdict::Invalid {
                p { "The generator fell behind in this run, so they prove nothing about the network." }
            }
            ul { @for fault in &ledger.faults { li { (fault) } } }
            @if ledger.fault_count > told { p { "… and " (count(ledger.fault_count - told)) " more." } }
        }
    }
}

/// How calls failed.
pub(crate) fn failures(page: &Page<'_>, run: &PageRun<'_>) -> Markup {
    let ledger = &run.summary.ledger;
    let failed = ledger.failed();
    if failed == 0 {
        return html! {
            p { (check(true, "no call failed", "")) ": none was rejected, timed out or lost." }
        };
    }
    let examples = run.series.examples();
    let told = examples.failures().iter().map(|failure| failure.count).sum::<u64>()
        + examples.other_failures();
    html! {
        p {
            (count(failed)) " of " (counted(ledger.offered, "attempt", "attempts")) " failed ("
            (percent(part(failed, ledger.offered))) "): rejected, timed out or lost."
        }
        (how_far(&ledger.failures))
        div.scroll tabindex="0" role="region" aria-label="Ways to fail" {
            table.words {
                caption { "By what the caller saw" }
                thead { tr {
                    th scope="col" { "outcome" } th.n scope="col" { "status" } th.n scope="col" { "calls" }
                    th.n scope="col" { "first" } th.n scope="col" { "last" }
                    th scope="col" { "why, and some of them" }
                } }
                tbody {
                    @for failure in examples.failures() {
                        tr {
                            th scope="row" { (failure.outcome) }
                            td.n { @match failure.status { Some(status) => (status), None => "–" } }
                            td.n { (count(failure.count)) }
                            td.n { (clock(page.begins, failure.first)) }
                            td.n { (clock(page.begins, failure.last)) }
                            td.text {
                                @if let Some(reason) = &failure.reason { p { (reason) } }
                                @for attempt in &failure.attempts { p { (show(page.folder, attempt)) } }
                            }
                        }
                    }
                }
            }
        }
        @if examples.other_failures() > 0 {
            p { (count(examples.other_failures())) " more failed in still other ways." }
        }
        @if failed > told {
            p.note {
                "For the callers of " (count(failed - told)) " more the call ended as it should; the ledger counts them "
                "as failed, because the box that had them lost them or left no record."
            }
        }
    }
}

fn how_far(buckets: &Failures) -> Markup {
    let failed = buckets.sum();
    let rows = [
        ("the callee never saw the INVITE", buckets.callee_never_saw_invite),
        ("answered with 2xx, which the caller never got: no ACK", buckets.answered_without_ack),
        ("the callee did not see the ACK", buckets.ack_not_seen),
        ("cut, or ended by a timer", buckets.lifecycle_timeout),
        ("refused by the callee", buckets.refused_by_callee),
        ("not known: the callee left no records", buckets.unknown),
    ];
    let rows =
        rows.map(|(name, calls)| vec![name.to_owned(), count(calls), percent(part(calls, failed))]);
    table("By how far they got", &["what happened", "calls", "of those that failed"], &rows)
}

/// The slowest calls; nothing when none rang.
pub(crate) fn worst(page: &Page<'_>, run: &PageRun<'_>) -> Option<Markup> {
    let slowest = run.series.examples().slowest();
    let heard = run.summary.media.as_ref().map(|media| &media.worst[..]).unwrap_or_default();
    if slowest.is_empty() && heard.is_empty() {
        return None;
    }
    let said = |verdict: Option<_>| verdict.map_or("no record", account::summary::word);
    Some(html! {
        p.note { "The command beside a call shows all that the boxes recorded of it." }
        @if !slowest.is_empty() {
            div.scroll tabindex="0" role="region" aria-label="Slowest to ring" {
                table.words {
                    caption { "Slowest to ring" }
                    thead { tr {
                        th.n scope="col" { "post-dial delay, ms" } th.n scope="col" { "at" }
                        th scope="col" { "number" } th scope="col" { "site" }
                        th scope="col" { "outcome" } th scope="col" { "to look at it" }
                    } }
                    tbody {
                        @for call in slowest {
                            tr {
                                th.n scope="row" { (millis(call.pdd_us)) }
                                td.n { (clock(page.begins, call.at)) }
                                td { (call.number) }
                                td { (call.site.as_deref().unwrap_or("–")) }
                                td { (call.outcome) }
                                td.text { (show(page.folder, &call.attempt)) }
                            }
                        }
                    }
                }
            }
        }
        @if !heard.is_empty() {
            div.scroll tabindex="0" role="region" aria-label="Worst heard" {
                table.words {
                    caption { "Worst heard" }
                    thead { tr {
                        th.n scope="col" { "MOS" } th.n scope="col" { "loss" } th.n scope="col" { "jitter, ms" }
                        th scope="col" { "caller heard" } th scope="col" { "PSAP heard" }
                        th scope="col" { "site" } th scope="col" { "PSAP" } th scope="col" { "to look at it" }
                    } }
                    tbody {
                        @for call in heard {
                            tr {
                                th.n scope="row" { @match call.mos { Some(mos) => (format!("{mos:.2}")), None => "–" } }
                                td.n { (percent(call.loss)) }
                                td.n { (or_dash(call.mean_jitter_us.map(millis))) }
                                td { (said(call.towards_caller)) }
                                td { (said(call.towards_psap)) }
                                td { (call.site) }
                                td { (call.psap) }
                                td.text { (show(page.folder, &call.attempt)) }
                            }
                        }
                    }
                }
            }
        }
    })
}
