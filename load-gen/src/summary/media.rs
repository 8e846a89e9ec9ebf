//! What callers and call takers heard of each other, and how well.
//!
//! ```text
//!   record of the caller ──┐ by attempt ┌─ heard both ways
//!   record of the PSAP ────┴────────────┼─ one way, or not at all: the call counts as failed here
//!                                       └─ not judged: too short, or nobody of ours at the other end
//! ```

use std::collections::{BTreeMap, HashMap};

use media::{StreamReport, Verdict};
use serde::{Deserialize, Serialize};
use telemetry::{CallRecord, LatencyHistogram, Outcome, Quantiles};

use super::tally::UNREACHED;

/// Bad calls that are named.
const WORST: usize = 10;
/// A shorter talk proves nothing, in microseconds.
const SHORT_TALK_US: u64 = 500_000;

/// The media of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MediaFigures {
    /// Answered calls that had media and ended normally.
    pub calls: u64,
    pub heard_both_ways: u64,
    /// One end heard the other, which did not hear it.
    pub one_way: u64,
    /// Neither end heard the other.
    pub no_way: u64,
    /// Too short to tell, or with an end that is not ours.
    pub unjudged: u64,
    /// Heard both ways, of those judged.
    pub heard_share: Option<f64>,
    /// Verdicts by direction: what callers heard, what PSAPs heard.
    pub towards_caller: BTreeMap<Verdict, u64>,
    pub towards_psap: BTreeMap<Verdict, u64>,
    /// Calls in which media stopped though nobody had hung up, those that were lost included.
    pub stopped: u64,
    /// RTP packets received by callers and PSAPs, lost on the way to them, and too late for them.
    pub received: u64,
    pub lost: u64,
    pub discarded: u64,
    /// Lost and discarded, of those expected.
    pub loss: Option<f64>,
    /// Of each stream at its end.
    pub mos: MosFigures,
    /// Mean interarrival jitter of each stream (RFC 3550 A.8).
    pub jitter: Quantiles,
    /// By RTCP, of the calls that lasted long enough.
    pub round_trip: Quantiles,
    pub by_site: BTreeMap<String, MediaGroup>,
    /// The worst calls first; none that is good.
    pub worst: Vec<WorstCall>,
    /// Calls that a box refused because it had no port or no file left, by process.
    #[serde(default)]
    pub refused_without_port: BTreeMap<String, u64>,
}

/// Mean opinion scores (ITU-T G.107), from the good to the bad: 95 % of the streams are at least as good as `p5`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct MosFigures {
    /// Streams.
    pub count: u64,
    pub p50: f64,
    pub p5: f64,
    pub p1: f64,
    pub min: f64,
}

/// The media of the calls of one site.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MediaGroup {
    pub calls: u64,
    pub heard_both_ways: u64,
    pub mos: MosFigures,
    pub loss: Option<f64>,
    pub jitter: Quantiles,
}

/// A call with something to be said against it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorstCall {
    pub attempt: String,
    pub site: String,
    pub psap: String,
    /// `None`: the PSAP wrote no record.
    pub towards_caller: Option<Verdict>,
    pub towards_psap: Option<Verdict>,
    /// The lower one of its two streams.
    pub mos: Option<f64>,
    pub loss: f64,
    pub mean_jitter_us: u64,
}

/// Adds up records: those of PSAPs first, then those of callers.
#[derive(Debug, Default)]
pub(super) struct MediaTally {
    psaps: HashMap<u128, StreamReport>,
    figures: MediaFigures,
    streams: Streams,
    sites: BTreeMap<String, (MediaGroup, Streams)>,
}

/// Quality of many streams.
#[derive(Debug, Default)]
struct Streams {
    /// Scores in hundredths.
    mos: BTreeMap<u16, u64>,
    jitter: LatencyHistogram,
    round_trip: LatencyHistogram,
    expected: u64,
    missed: u64,
}

impl MediaTally {
    pub(super) fn add_psap(&mut self, record: &CallRecord) {
        if let (Some(key), Some(report)) = (record.attempt_key(), record.media.first()) {
            self.psaps.insert(key, report.clone());
        }
    }

    pub(super) fn add_caller(
        &mut self,
        record: &CallRecord,
        site: Option<&str>,
        psap: Option<&str>,
    ) {
        let Some(heard) = record.media.first() else { return };
        let at_psap = record.attempt_key().and_then(|key| self.psaps.remove(&key));
        let ends = [Some(heard), at_psap.as_ref()];
        let is_stopped = |one: &&StreamReport| one.stopped_us.is_some();
        self.figures.stopped += u64::from(ends.iter().flatten().any(is_stopped));
        if record.outcome != Outcome::Answered {
            return; // the ledger says what became of it
        }
        let site = site.unwrap_or(UNREACHED);
        let (group, streams) = self.sites.entry(site.to_owned()).or_default();
        for report in ends.into_iter().flatten() {
            self.figures.received += report.received;
            self.figures.lost += report.lost;
            self.figures.discarded += report.discarded;
            self.streams.add(report);
            streams.add(report);
        }
        self.figures.calls += 1;
        group.calls += 1;
        let talk = record.answer_us.map_or(0, |answer| record.end_us.saturating_sub(answer));
        let verdicts = match talk < SHORT_TALK_US {
            true => [Some(Verdict::Unjudged); 2],
            false => ends.map(|end| end.and_then(|report| report.verdict)),
        };
        let [towards_caller, towards_psap] = verdicts;
        for (counts, verdict) in [
            (&mut self.figures.towards_caller, towards_caller),
            (&mut self.figures.towards_psap, towards_psap),
        ] {
            *counts.entry(verdict.unwrap_or(Verdict::Unjudged)).or_default() += 1;
        }
        let failed = verdicts.into_iter().flatten().filter(|one| is_failure(*one)).count();
        let heard_both = verdicts == [Some(Verdict::Heard); 2];
        match failed {
            0 if heard_both => {
                self.figures.heard_both_ways += 1;
                group.heard_both_ways += 1;
            }
            0 => self.figures.unjudged += 1,
            1 => self.figures.one_way += 1,
            _ => self.figures.no_way += 1,
        }
        let worse = |one: Option<f64>, other: Option<f64>| match (one, other) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        self.keep_if_bad(WorstCall {
            attempt: record.attempt.clone(),
            site: site.to_owned(),
            psap: psap.unwrap_or(UNREACHED).to_owned(),
            towards_caller,
            towards_psap,
            mos: ends.into_iter().flatten().map(|one| one.mos).fold(None, worse),
            loss: ends.into_iter().flatten().map(StreamReport::loss).fold(0.0, f64::max),
            mean_jitter_us: ends
                .into_iter()
                .flatten()
                .map(|one| one.mean_jitter_us)
                .max()
                .unwrap_or(0),
        });
    }

    fn keep_if_bad(&mut self, call: WorstCall) {
        if call.failures() == 0 && call.mos.is_none_or(|mos| mos >= GOOD) {
            return;
        }
        let worst = &mut self.figures.worst;
        let place = worst.partition_point(|one| one.badness() >= call.badness());
        if place < WORST {
            worst.insert(place, call);
            worst.truncate(WORST);
        }
    }

    /// The figures; `None` when no call had media.
    pub(super) fn close(self, refused_without_port: BTreeMap<String, u64>) -> Option<MediaFigures> {
        let Self { mut figures, streams, sites, .. } = self;
        if figures.calls + figures.stopped == 0 && refused_without_port.is_empty() {
            return None;
        }
        let judged = figures.heard_both_ways + figures.one_way + figures.no_way;
        figures.heard_share = ratio(figures.heard_both_ways, judged);
        figures.loss = ratio(streams.missed, streams.expected);
        figures.mos = streams.mos();
        figures.jitter = streams.jitter.quantiles();
        figures.round_trip = streams.round_trip.quantiles();
        figures.refused_without_port = refused_without_port;
        let group = |(name, (group, streams)): (String, (MediaGroup, Streams))| {
            let loss = ratio(streams.missed, streams.expected);
            let (mos, jitter) = (streams.mos(), streams.jitter.quantiles());
            (name, MediaGroup { mos, loss, jitter, ..group })
        };
        figures.by_site = sites.into_iter().map(group).collect();
        Some(figures)
    }
}

/// A stream with a lower score has something to be said against it: some users are dissatisfied (ITU-T G.107 B.2).
const GOOD: f64 = 4.0;

fn is_failure(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Silent | Verdict::Garbled | Verdict::WrongParty)
}

impl WorstCall {
    fn failures(&self) -> usize {
        let verdicts = [self.towards_caller, self.towards_psap];
        verdicts.into_iter().flatten().filter(|verdict| is_failure(*verdict)).count()
    }

    /// Directions that failed, then the score, both so that more is worse.
    fn badness(&self) -> (usize, u64) {
        let below = 5.0 - self.mos.unwrap_or(1.0);
        (self.failures(), (below * 1_000.0) as u64)
    }
}

impl Streams {
    fn add(&mut self, report: &StreamReport) {
        if let Some(mos) = report.mos {
            *self.mos.entry((mos * 100.0).round() as u16).or_default() += 1;
            self.jitter.record_us(report.mean_jitter_us);
        }
        report.round_trip_us.into_iter().for_each(|us| self.round_trip.record_us(us));
        self.expected += report.expected;
        self.missed += (report.lost + report.discarded).min(report.expected);
    }

    fn mos(&self) -> MosFigures {
        let count: u64 = self.mos.values().sum();
        // The score that this share of the streams does not reach.
        let at = |share: f64| {
            let below = (count as f64 * share) as u64;
            let mut seen = 0;
            let found = self.mos.iter().find(|(_, streams)| {
                seen += **streams;
                seen > below
            });
            found.map_or(0.0, |(mos, _)| f64::from(*mos) / 100.0)
        };
        MosFigures { count, p50: at(0.5), p5: at(0.05), p1: at(0.01), min: at(0.0) }
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl MediaFigures {
    /// A sentence about the calls that were not heard both ways; `None` when all that were judged were.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        let failed = self.one_way + self.no_way;
        if failed == 0 {
            return None;
        }
        let words = |counts: &BTreeMap<Verdict, u64>| {
            let some = counts.iter().filter(|(verdict, _)| is_failure(**verdict));
            let some: Vec<String> =
                some.map(|(verdict, count)| format!("{count} {}", word(*verdict))).collect();
            if some.is_empty() { "none".to_owned() } else { some.join(", ") }
        };
        let judged = failed + self.heard_both_ways;
        Some(format!(
            "{failed} of {judged} calls were not heard both ways (towards callers: {}; towards PSAPs: {})",
            words(&self.towards_caller),
            words(&self.towards_psap),
        ))
    }
}

/// A verdict in a sentence.
#[must_use]
pub fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Heard => "heard",
        Verdict::Silent => "silent",
        Verdict::Garbled => "garbled",
        Verdict::WrongParty => "wrong party",
        Verdict::Unjudged => "not judged",
    }
}

#[cfg(test)]
mod tests {
    use telemetry::BoxKind;

    use super::super::tests::record;
    use super::*;

    fn stream(verdict: Verdict, mos: f64) -> StreamReport {
        StreamReport {
            verdict: Some(verdict),
            received: 90,
            expected: 100,
            lost: 10,
            mos: Some(mos),
            mean_jitter_us: 2_000,
            ..StreamReport::default()
        }
    }

    /// A call that the two ends heard so.
    fn add(
        tally: &mut MediaTally,
        attempt: u128,
        caller: StreamReport,
        psap: Option<StreamReport>,
    ) {
        if let Some(psap) = psap {
            let media = vec![psap];
            tally.add_psap(&CallRecord { media, ..record(BoxKind::Psap, "samu", attempt) });
        }
        let call =
            CallRecord { media: vec![caller], ..record(BoxKind::Generator, "load-1", attempt) };
        tally.add_caller(&call, Some("alpha"), Some("samu"));
    }

    fn heard() -> StreamReport {
        stream(Verdict::Heard, 4.3)
    }

    #[test]
    fn a_call_counts_only_when_both_sides_heard_each_other() {
        let mut tally = MediaTally::default();
        for attempt in 0..90 {
            add(&mut tally, attempt, heard(), Some(heard()));
        }
        add(&mut tally, 90, stream(Verdict::Silent, 4.3), Some(heard()));
        add(&mut tally, 91, stream(Verdict::WrongParty, 4.3), Some(stream(Verdict::Garbled, 2.0)));
        add(&mut tally, 92, stream(Verdict::Unjudged, 4.3), Some(heard()));
        add(&mut tally, 93, heard(), None);
        let figures = tally.close(BTreeMap::new()).expect("there was media");
        assert_eq!((figures.calls, figures.heard_both_ways), (94, 90));
        assert_eq!((figures.one_way, figures.no_way, figures.unjudged), (1, 1, 2));
        assert_eq!(figures.heard_share, Some(90.0 / 92.0));
        let complaint = figures.complaint().expect("two calls failed");
        assert_eq!(
            complaint,
            "2 of 92 calls were not heard both ways (towards callers: 1 silent, 1 wrong party; \
             towards PSAPs: 1 garbled)"
        );
        let worst: Vec<u128> = figures
            .worst
            .iter()
            .map(|call| u128::from_str_radix(&call.attempt, 16).unwrap())
            .collect();
        assert_eq!(worst, [91, 90]);
        assert_eq!(figures.by_site["alpha"].heard_both_ways, 90);
        assert_eq!(figures.loss, Some(0.1));
    }

    #[test]
    fn scores_are_told_from_the_bad_end() {
        let mut tally = MediaTally::default();
        for attempt in 0..100 {
            let mos = 3.0 + f64::from(attempt as u8) / 100.0;
            add(&mut tally, attempt, stream(Verdict::Heard, mos), None);
        }
        let mos = tally.close(BTreeMap::new()).expect("there was media").mos;
        assert_eq!((mos.count, mos.p50, mos.p5, mos.p1, mos.min), (100, 3.5, 3.05, 3.01, 3.0));
    }

    #[test]
    fn a_talk_of_a_moment_is_not_judged() {
        let mut tally = MediaTally::default();
        let mut call = record(BoxKind::Generator, "load-1", 1);
        call.media = vec![stream(Verdict::Silent, 1.0)];
        call.end_us = call.answer_us.unwrap() + 400_000;
        tally.add_caller(&call, None, None);
        let figures = tally.close(BTreeMap::new()).expect("there was media");
        assert_eq!((figures.unjudged, figures.complaint()), (1, None));
    }

    #[test]
    fn a_run_without_media_has_no_figures() {
        assert_eq!(MediaTally::default().close(BTreeMap::new()), None);
        let refused = BTreeMap::from([("site-alpha".to_owned(), 3)]);
        assert!(MediaTally::default().close(refused).is_some());
    }
}
