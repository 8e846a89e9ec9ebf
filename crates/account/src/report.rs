//! The summary for people: at most 50 lines of 100 columns, the verdict and why first.

mod lines;
mod media;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use telemetry::metric::{Metric, Quantile};
use telemetry::{Failures, MessageFigures, Quantiles};

use crate::summary::{GroupMetrics, ProcessUsage, PsapFigures, RunVerdict, Summary};
use crate::text::{counted, instant, length};

use lines::{millis, percent, push, push_whole, table, wrapped};
use media::media;

const REASONS: usize = 4;
const REASON_LINES: usize = 3;

/// Writes the report of one run, which leaves to `summary.json` what does not fit.
#[must_use]
pub fn report(summary: &Summary) -> String {
    told(summary, REASONS)
}

/// Writes the report of a run that has no `summary.json`: every reason is told here, as it is told nowhere else.
#[must_use]
pub fn lone_report(summary: &Summary) -> String {
    told(summary, usize::MAX).replace(" more in summary.json", " more")
}

fn told(summary: &Summary, most_reasons: usize) -> String {
    let mut out = String::new();
    headline(&mut out, summary);
    reasons(&mut out, &summary.reasons, most_reasons);
    ledger(&mut out, summary);
    delays(&mut out, summary);
    sites(&mut out, &summary.metrics.by_site);
    psaps(&mut out, &summary.psaps);
    media(&mut out, summary.media.as_ref());
    processes(&mut out, &summary.processes);
    messages(&mut out, &summary.messages);
    out
}

fn headline(out: &mut String, summary: &Summary) {
    let Summary { campaign, network, seed, started_at, duration_s, .. } = summary;
    let verdict = summary.headline();
    let demanded = if summary.has_no_bounds() { ": no bounds were set" } else { "" };
    push(out, &format!("{verdict}  {campaign} on {network}, seed {seed}{demanded}"));
    if summary.interrupted {
        push(out, "the run was interrupted: its thresholds were not judged");
    }
    if summary.verdict == RunVerdict::Invalid {
        push(
            out,
            "the figures below are those of a generator at its limit: they do not measure the network",
        );
    }
    let ran = length(*duration_s);
    // Virtual time has no date that anybody lived through.
    push(
        out,
        &match summary.ledger_hash {
            Some(_) => format!("ran {ran} of virtual time"),
            None => format!("started {}, ran {ran}", instant(started_at)),
        },
    );
    for note in &summary.notes {
        push_whole(out, note);
    }
}

fn ledger(out: &mut String, summary: &Summary) {
    let ledger = &summary.ledger;
    let balance = if ledger.balanced { "balanced" } else { "NOT BALANCED" };
    push_whole(out, &format!("offered {} = {}: {balance}", ledger.offered, ledger.sum_in_words()));
    if ledger.foreign > 0 {
        push(out, &format!("  and {} by callers outside the campaign", ledger.foreign));
    }
    for lost in ledger.lost_at.iter().take(2) {
        push(out, &format!("  lost in {}: {} ({})", lost.node, lost.attempts, lost.why));
    }
    callers(out, summary);
    let metrics = &summary.metrics;
    let named = |metric: Metric| {
        format!("{} {}", metric.definition().short, percent(metrics.ratios.get(metric), 1))
    };
    let ratios = [Metric::Asr, Metric::Ner, Metric::Ser, Metric::Seer].map(named).join("   ");
    push(out, &format!("{ratios}   {:.1} calls/s", metrics.calls_per_second));
    let [isa, scr] = [Metric::Isa, Metric::Scr].map(named);
    let (sent, received) = (metrics.messages_sent_per_second, metrics.messages_received_per_second);
    push(
        out,
        &format!(
            "{isa}   {scr}   {:.1} erlang   SIP messages/s: {sent:.0} sent, {received:.0} received",
            metrics.erlang
        ),
    );
    failures(out, &ledger.failures);
    let statuses: Vec<String> = metrics
        .by_status
        .iter()
        .map(|(status, attempts)| format!("{status}: {attempts}"))
        .collect();
    push(out, &format!("final statuses  {}", statuses.join("  ")));
    push(out, "");
}

/// How far failed attempts got.
fn failures(out: &mut String, failures: &Failures) {
    let buckets = [
        (failures.callee_never_saw_invite, "callee never saw the INVITE"),
        (failures.answered_without_ack, "200 without ACK"),
        (failures.ack_not_seen, "ACK not seen"),
        (failures.lifecycle_timeout, "cut or timed out later"),
        (failures.refused_by_callee, "refused by the callee"),
        (failures.unknown, "unknown"),
    ];
    let some = buckets.iter().filter(|(count, _)| *count > 0);
    let some: Vec<String> = some.map(|(count, what)| format!("{count} {what}")).collect();
    if !some.is_empty() {
        push_whole(out, &format!("failed {}: {}", failures.sum(), some.join(", ")));
    }
}

/// How many people stand behind the attempts, where they may call more than once.
fn callers(out: &mut String, summary: &Summary) {
    let Summary { callers, ledger, .. } = summary;
    if !callers.redial {
        return;
    }
    let percent = |part: u64, whole: u64| part as f64 * 100.0 / whole.max(1) as f64;
    let mut line = format!("attempts answered {:.1} %", percent(ledger.answered, ledger.offered));
    let classes = [("emergency", &callers.emergency), ("ordinary", &callers.ordinary)];
    for (name, class) in classes.into_iter().filter(|(_, class)| class.callers > 0) {
        let (reached, callers) = (class.reached, class.callers);
        let share = percent(reached, callers);
        let _ = write!(line, "   {name} callers reached {share:.1} % of {callers}");
    }
    push_whole(out, &line);
}

fn delays(out: &mut String, summary: &Summary) {
    let row = |out: &mut String, name: &str, delay: &Quantiles| {
        let [p50, p90, p99, max] = [delay.p50, delay.p90, delay.p99, delay.max].map(millis);
        push(out, &format!("{name:<24}{p50:>11}{p90:>11}{p99:>11}{max:>11}"));
    };
    push(
        out,
        &format!(
            "{:<24}{:>11}{:>11}{:>11}{:>11}",
            "from intended start, ms", "p50", "p90", "p99", "max"
        ),
    );
    row(out, Metric::Pdd(Quantile::P50).definition().short, &summary.metrics.pdd);
    row(out, Metric::AnswerDelay(Quantile::P50).definition().short, &summary.metrics.setup);
    if summary.metrics.sdd.count > 0 {
        row(out, Metric::Sdd(Quantile::P50).definition().short, &summary.metrics.sdd);
    }
    row(out, "lag of the generator", &summary.metrics.lag);
    let generator = &summary.generator;
    let (silent, late) =
        (generator.signalling.resent_to_silent_peer, generator.signalling.resent_late);
    let mut line = format!(
        "generator: {} not started, {} lost, {silent} + {late} sent again (peer silent + we late)",
        counted(generator.not_started + generator.feed_exhausted, "call", "calls"),
        counted(generator.socket_losses, "datagram", "datagrams"),
    );
    if let Some(share) = generator.busiest_cpu_share {
        let _ = write!(line, ", CPU {:.0} %", share * 100.0);
    }
    push(out, &line);
    push(out, "");
}

fn sites(out: &mut String, sites: &BTreeMap<String, GroupMetrics>) {
    let title = ["offered", "share", "answered", "failed", "pdd p50 ms", "pdd p99 ms"];
    let row = |group: &GroupMetrics| {
        [
            group.offered.to_string(),
            format!("{:.1} %", group.share * 100.0),
            group.answered.to_string(),
            group.failed.to_string(),
            millis(group.pdd.p50),
            millis(group.pdd.p99),
        ]
    };
    table(out, "site", title, sites, row);
}

fn psaps(out: &mut String, psaps: &BTreeMap<String, PsapFigures>) {
    let title = ["received", "answered", "abandoned", "in time", "wait p50 ms", "wait p99 ms"];
    let row = |psap: &PsapFigures| {
        [
            psap.received.to_string(),
            psap.answered.to_string(),
            psap.abandoned.to_string(),
            percent(psap.service_level, 1),
            millis(psap.wait.p50),
            millis(psap.wait.p99),
        ]
    };
    table(out, "PSAP", title, psaps, row);
}

/// CPU of all processes of a kind together, and the memory of the largest; kinds are the first words of
/// their names, as in `site-alpha`.
fn processes(out: &mut String, processes: &[ProcessUsage]) {
    let mut kinds: Vec<(&str, usize, f64, u64)> = Vec::new();
    for process in processes {
        let kind = process.name.split('-').next().unwrap_or_default();
        let (cpu, mib) = (process.user_s + process.system_s, process.max_rss_kib / 1_024);
        match kinds.iter_mut().find(|(have, ..)| *have == kind) {
            Some((_, count, sum, largest)) => {
                *count += 1;
                *sum += cpu;
                *largest = mib.max(*largest);
            }
            None => kinds.push((kind, 1, cpu, mib)),
        }
    }
    let text = |(kind, count, cpu, mib): &(&str, usize, f64, u64)| {
        let times = if *count > 1 { format!(" x{count}") } else { String::new() };
        format!("{kind}{times}: {cpu:.2} s CPU, {mib} MiB")
    };
    for line in kinds.chunks(3) {
        push(out, &line.iter().map(text).collect::<Vec<_>>().join("   "));
    }
}

/// One line about messages that came to nothing, if there were any.
fn messages(out: &mut String, messages: &BTreeMap<String, MessageFigures>) {
    let some = messages.iter().filter(|(_, figures)| !figures.is_zero());
    let some: Vec<String> = some.map(|(name, figures)| format!("{name}: {figures}")).collect();
    if !some.is_empty() {
        push(out, &format!("messages  {}", some.join("   ")));
    }
}

/// Why the verdict is not better: each sentence whole, on up to [`REASON_LINES`] lines.
fn reasons(out: &mut String, reasons: &[String], most: usize) {
    for reason in reasons.iter().take(most) {
        let mut lines = wrapped(&format!("! {reason}"));
        if lines.len() > REASON_LINES && most == REASONS {
            lines.truncate(REASON_LINES);
            lines[REASON_LINES - 1].push_str(" …");
        }
        lines.iter().for_each(|line| push(out, line));
    }
    if reasons.len() > most {
        push(out, &format!("! … and {} more in summary.json", reasons.len() - most));
    }
    push(out, "");
}

#[cfg(test)]
mod tests {
    use telemetry::LostAt;

    use super::lines::WIDTH;
    use super::*;
    use crate::summary::MediaFigures;
    use crate::summary::tests::demo;

    #[test]
    fn a_million_attempts_leave_room_for_the_word_that_counts() {
        let mut summary = demo();
        let ledger = &mut summary.ledger;
        (ledger.offered, ledger.answered, ledger.rejected) = (1_000_000, 939_982, 19_870);
        (ledger.abandoned, ledger.timed_out, ledger.lost) = (30_005, 10_143, 1_000);
        let text = report(&summary);
        let sum: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("offered")).collect();
        assert!(sum[0].ends_with("timed out + 1000 lost:"), "{text}");
        assert_eq!(sum[1], "  balanced");
    }

    #[test]
    fn the_report_of_a_demo_run() {
        let text = report(&demo());
        for part in [
            "NO BOUNDS  demo on six-sites, seed 1: no bounds were set\n",
            "offered 4 = 3 answered + 0 rejected + 1 abandoned + 0 timed out + 0 lost: balanced\n",
            "ASR 75.0 %   NER 100.0 %",
            "final statuses  200: 3  487: 1\n",
        ] {
            assert!(text.contains(part), "{part:?} is missing in\n{text}");
        }
    }

    #[test]
    fn without_a_summary_the_report_tells_every_reason_and_refers_to_none() {
        let mut summary = demo();
        summary.reasons = (1..=21).map(|number| format!("reason {number} of many")).collect();
        let text = report(&summary);
        assert!(text.contains("! … and 17 more in summary.json\n"), "{text}");
        let text = lone_report(&summary);
        assert!(text.contains("! reason 21 of many\n") && !text.contains("summary.json"), "{text}");
    }

    #[test]
    fn the_share_that_heard_is_of_those_judged() {
        let mut summary = demo();
        summary.media = Some(MediaFigures {
            calls: 918,
            heard_both_ways: 914,
            unjudged: 4,
            heard_share: Some(1.0),
            ..MediaFigures::default()
        });
        let line = "media  918 calls: 914 heard both ways (100.0 % of 914 judged), 0 one way";
        assert!(report(&summary).contains(line), "{}", report(&summary));
    }

    #[test]
    fn where_people_redial_the_report_counts_people_too() {
        let mut summary = demo();
        assert!(!report(&summary).contains("reached"));
        summary.callers.redial = true;
        (summary.callers.emergency.callers, summary.callers.emergency.reached) = (3, 3);
        let line = "attempts answered 75.0 %   emergency callers reached 100.0 % of 3\n";
        assert!(report(&summary).contains(line), "{}", report(&summary));
    }

    #[test]
    fn a_crowded_report_still_fits_a_screen() {
        let mut summary = demo();
        summary.callers.redial = true;
        (summary.callers.emergency.callers, summary.callers.ordinary.callers) = (900_000, 100_000);
        let group = summary.metrics.by_site.values().next().cloned().expect("a site");
        let psap = summary.psaps.values().next().cloned().expect("a PSAP");
        for i in 0..50 {
            summary.metrics.by_site.insert(format!("a-site-with-a-long-name-{i}"), group.clone());
            summary.psaps.insert(format!("a-psap-with-a-long-name-{i}"), psap.clone());
            summary.reasons.push("a reason that goes on and on ".repeat(10));
            summary.metrics.by_status.insert(400 + i, 1_000_000);
            summary.ledger.lost_at.push(LostAt {
                node: "a-node".to_owned(),
                why: "a reason that goes on and on ".repeat(10),
                attempts: 1_000_000,
            });
            summary.processes.push(ProcessUsage {
                name: "a-process-with-a-long-name".to_owned(),
                user_s: 10_000.0,
                system_s: 10_000.0,
                max_rss_kib: 10_000_000,
                records_dropped: 0,
                messages_dropped: 0,
            });
        }
        let text = report(&summary);
        assert!(text.lines().count() <= 50, "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }
}
