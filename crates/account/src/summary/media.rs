//! What callers and call takers heard of each other, and how well.
//!
//! ```text
//!   record of the caller ──┐ by attempt ┌─ heard both ways
//!   record of the PSAP ────┴────────────┼─ one way, or not at all: the call counts as failed here
//!                                       └─ not judged: too short, or nobody of ours at the other end
//! ```

use std::collections::BTreeMap;

use media::SoundVerdict;
use serde::{Deserialize, Serialize};
use telemetry::metric::share;
use telemetry::{Attempt, AttemptReader, Delays, Heard, Outcome, Quantiles};

use super::tally::UNREACHED;
use crate::sound::{is_failure, is_too_short, verdicts};
use crate::text::counted;

/// Bad calls that are named.
const WORST: usize = 10;

/// The media of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MediaFigures {
    /// Answered calls that had media and ended normally.
    pub calls: u64,
    pub heard_both_ways: u64,
    /// The caller heard the other end, which is not ours, so that nobody says what was heard there.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(!default))]
    pub heard_by_caller: u64,
    /// One end heard the other, which did not hear it.
    pub one_way: u64,
    /// Neither end heard the other.
    pub no_way: u64,
    /// Too short to tell, or with an end whose record is missing.
    pub unjudged: u64,
    /// Heard both ways, or by the caller where the other end is not ours, of those judged.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub heard_share: Option<f64>,
    /// Verdicts by direction: what callers heard, what PSAPs heard.
    #[cfg_attr(feature = "schema", schemars(extend("propertyNames" = {"$ref": "#/$defs/SoundVerdict"})))]
    pub towards_caller: BTreeMap<SoundVerdict, u64>,
    #[cfg_attr(feature = "schema", schemars(extend("propertyNames" = {"$ref": "#/$defs/SoundVerdict"})))]
    pub towards_psap: BTreeMap<SoundVerdict, u64>,
    /// Calls in which media stopped though nobody had hung up, those that were lost included.
    pub stopped: u64,
    /// RTP packets received by callers and PSAPs, lost on the way to them, and too late for them.
    pub received: u64,
    pub lost: u64,
    pub discarded: u64,
    /// Lost and discarded, of those expected.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
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
    #[cfg_attr(feature = "schema", schemars(!default))]
    pub refused_without_port: BTreeMap<String, u64>,
}

/// Mean opinion scores (ITU-T G.107), from the good to the bad: 95 % of the streams are at least as good as `p5`. `null`
/// without a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MosFigures {
    /// Streams.
    pub count: u64,
    pub p50: Option<f64>,
    pub p5: Option<f64>,
    pub p1: Option<f64>,
    pub min: Option<f64>,
}

/// The media of the calls of one site.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MediaGroup {
    pub calls: u64,
    pub heard_both_ways: u64,
    /// The caller heard the other end, which is not ours, so that nobody says what was heard there.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(!default))]
    pub heard_by_caller: u64,
    pub mos: MosFigures,
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub loss: Option<f64>,
    pub jitter: Quantiles,
}

/// A call with something to be said against it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WorstCall {
    pub attempt: String,
    pub site: String,
    pub psap: String,
    pub towards_caller: Option<SoundVerdict>,
    /// `null` when the PSAP wrote no record.
    pub towards_psap: Option<SoundVerdict>,
    /// The lower one of its two streams.
    pub mos: Option<f64>,
    /// `null` when no packet was due.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub loss: Option<f64>,
    /// `null` when no stream came.
    pub mean_jitter_us: Option<u64>,
}

/// Adds up what was heard in each attempt.
#[derive(Debug, Default)]
pub(super) struct MediaTally {
    figures: MediaFigures,
    sites: BTreeMap<String, (MediaGroup, Streams)>,
}

/// Quality of many streams.
#[derive(Debug, Default)]
struct Streams {
    /// Scores in hundredths.
    mos: BTreeMap<u16, u64>,
    jitter: Delays,
    round_trip: Delays,
    expected: u64,
    missed: u64,
}

impl MediaTally {
    fn keep(&mut self, call: WorstCall) {
        let worst = &mut self.figures.worst;
        let place = worst.partition_point(|one| one.badness() >= call.badness());
        if place < WORST {
            worst.insert(place, call);
            worst.truncate(WORST);
        }
    }

    /// The figures; `None` when no call had media.
    pub(super) fn close(self, refused_without_port: BTreeMap<String, u64>) -> Option<MediaFigures> {
        let Self { mut figures, sites } = self;
        if figures.calls + figures.stopped == 0 && refused_without_port.is_empty() {
            return None;
        }
        figures.heard_share = share(figures.heard(), figures.judged());
        let mut streams = Streams::default();
        sites.values().for_each(|(_, of_site)| streams.merge(of_site));
        figures.loss = share(streams.missed, streams.expected);
        figures.mos = streams.mos();
        figures.jitter = streams.jitter.quantiles();
        figures.round_trip = streams.round_trip.quantiles();
        figures.refused_without_port = refused_without_port;
        let group = |(name, (group, mut streams)): (String, (MediaGroup, Streams))| {
            let loss = share(streams.missed, streams.expected);
            let (mos, jitter) = (streams.mos(), streams.jitter.quantiles());
            (name, MediaGroup { mos, loss, jitter, ..group })
        };
        figures.by_site = sites.into_iter().map(group).collect();
        Some(figures)
    }
}

impl AttemptReader for MediaTally {
    fn add(&mut self, attempt: &Attempt<'_>) {
        let Some(record) = attempt.caller().filter(|caller| caller.heard.is_some()) else { return };
        let (ends, reached) = (attempt.heard(), attempt.reached());
        self.figures.stopped +=
            u64::from(ends.iter().flatten().any(|end| end.stopped_us.is_some()));
        if [Some(record.outcome), attempt.counted().outcome] != [Some(Outcome::Answered); 2] {
            return; // the ledger says what became of it
        }
        let site = reached.site.unwrap_or(UNREACHED);
        if !self.sites.contains_key(site) {
            self.sites.insert(site.to_owned(), <(MediaGroup, Streams)>::default());
        }
        let (group, streams) = self.sites.get_mut(site).expect("it was put there above");
        for end in ends.iter().flatten() {
            self.figures.received += u64::from(end.received);
            self.figures.lost += u64::from(end.lost);
            self.figures.discarded += u64::from(end.discarded);
            streams.add(end);
        }
        self.figures.calls += 1;
        group.calls += 1;
        let found = match is_too_short(record.talk_us()) {
            true => [Some(SoundVerdict::Unjudged); 2],
            false => verdicts(attempt),
        };
        let [towards_caller, towards_psap] = found;
        for (counts, verdict) in [
            (&mut self.figures.towards_caller, towards_caller),
            (&mut self.figures.towards_psap, towards_psap),
        ] {
            *counts.entry(verdict.unwrap_or(SoundVerdict::Unjudged)).or_default() += 1;
        }
        let failed = found.into_iter().flatten().filter(|one| is_failure(*one)).count();
        let heard_both = found == [Some(SoundVerdict::Heard); 2];
        // Nobody of ours was at the other end, so nobody else will ever say.
        let is_foreign = reached.psap.is_none() && attempt.arrivals().next().is_none();
        let heard_by_caller = is_foreign && found == [Some(SoundVerdict::Heard), None];
        match failed {
            0 if heard_both => {
                self.figures.heard_both_ways += 1;
                group.heard_both_ways += 1;
            }
            0 if heard_by_caller => {
                self.figures.heard_by_caller += 1;
                group.heard_by_caller += 1;
            }
            0 => self.figures.unjudged += 1,
            1 => self.figures.one_way += 1,
            _ => self.figures.no_way += 1,
        }
        let both = || ends.iter().flatten();
        let mos = both().filter_map(|end| end.mos_hundredths).min();
        let mos = mos.map(|mos| f64::from(mos) / 100.0);
        if failed == 0 && mos.is_none_or(|mos| mos >= GOOD) {
            return;
        }
        self.keep(WorstCall {
            attempt: record.attempt.to_string(),
            site: site.to_owned(),
            psap: reached.psap.unwrap_or(UNREACHED).to_owned(),
            towards_caller,
            towards_psap,
            mos,
            loss: both().filter_map(loss).reduce(f64::max),
            mean_jitter_us: both()
                .filter(|end| end.mos_hundredths.is_some())
                .map(|end| u64::from(end.mean_jitter_us))
                .max(),
        });
    }
}

/// A stream with a lower score has something to be said against it: some users are dissatisfied (ITU-T G.107 B.2).
const GOOD: f64 = 4.0;

/// Packets that this end had to do without.
fn missed(heard: &Heard) -> u32 {
    heard.lost.saturating_add(heard.discarded).min(heard.expected)
}

fn loss(heard: &Heard) -> Option<f64> {
    share(missed(heard).into(), heard.expected.into())
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
    fn add(&mut self, end: &Heard) {
        if let Some(mos) = end.mos_hundredths {
            *self.mos.entry(mos).or_default() += 1;
            self.jitter.record_us(end.mean_jitter_us.into());
        }
        end.round_trip_us.into_iter().for_each(|us| self.round_trip.record_us(us.into()));
        self.expected += u64::from(end.expected);
        self.missed += u64::from(missed(end));
    }

    fn merge(&mut self, other: &Self) {
        for (mos, count) in &other.mos {
            *self.mos.entry(*mos).or_default() += count;
        }
        self.jitter.merge(&other.jitter);
        self.round_trip.merge(&other.round_trip);
        self.expected += other.expected;
        self.missed += other.missed;
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
            found.map(|(mos, _)| f64::from(*mos) / 100.0)
        };
        MosFigures { count, p50: at(0.5), p5: at(0.05), p1: at(0.01), min: at(0.0) }
    }
}

impl MediaFigures {
    /// Calls of which is known whether they were heard both ways.
    #[must_use]
    pub const fn judged(&self) -> u64 {
        self.heard() + self.one_way + self.no_way
    }

    /// Calls that were heard, as far as anybody of ours can say.
    #[must_use]
    pub const fn heard(&self) -> u64 {
        self.heard_both_ways + self.heard_by_caller
    }

    /// A sentence about the calls that were not heard both ways; `None` when all that were judged were.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        let failed = self.one_way + self.no_way;
        if failed == 0 {
            return None;
        }
        let words = |counts: &BTreeMap<SoundVerdict, u64>| {
            let some = counts.iter().filter(|(verdict, _)| is_failure(**verdict));
            let some: Vec<String> =
                some.map(|(verdict, count)| format!("{count} {}", word(*verdict))).collect();
            if some.is_empty() { "none".to_owned() } else { some.join(", ") }
        };
        let judged = self.judged();
        Some(format!(
            "{failed} of {} not heard both ways (towards callers: {}; towards PSAPs: {})",
            counted(judged, "call was", "calls were"),
            words(&self.towards_caller),
            words(&self.towards_psap),
        ))
    }
}

/// A verdict in a sentence.
#[must_use]
pub fn word(verdict: SoundVerdict) -> &'static str {
    match verdict {
        SoundVerdict::Heard => "heard",
        SoundVerdict::Silent => "silent",
        SoundVerdict::Garbled => "garbled",
        SoundVerdict::WrongParty => "wrong party",
        SoundVerdict::Unjudged => "not judged",
    }
}

#[cfg(test)]
mod tests {
    use media::StreamReport;
    use telemetry::{Audit, BoxKind, CallRecord, LostNode, Rules};

    use super::super::tests::{attempts, record};
    use super::*;

    fn stream(verdict: SoundVerdict, mos: f64) -> StreamReport {
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

    /// The records of a call that the two ends heard so.
    fn call(attempt: u128, caller: StreamReport, psap: Option<StreamReport>) -> Vec<CallRecord> {
        let name = |name: &str| Some(name.to_owned());
        let caller = CallRecord {
            site: name("alpha"),
            psap: name("samu"),
            media: vec![caller],
            ..record(BoxKind::Generator, "load-1", attempt)
        };
        let psap = psap
            .map(|psap| CallRecord { media: vec![psap], ..record(BoxKind::Psap, "samu", attempt) });
        [caller].into_iter().chain(psap).collect()
    }

    fn figures(records: Vec<CallRecord>) -> MediaFigures {
        let mut tally = MediaTally::default();
        attempts(records).read(&mut [&mut tally]);
        tally.close(BTreeMap::new()).expect("there was media")
    }

    fn heard() -> StreamReport {
        stream(SoundVerdict::Heard, 4.3)
    }

    #[test]
    fn a_call_counts_only_when_both_sides_heard_each_other() {
        let mut records: Vec<CallRecord> =
            (0..90).flat_map(|attempt| call(attempt, heard(), Some(heard()))).collect();
        records.extend(call(90, stream(SoundVerdict::Silent, 4.3), Some(heard())));
        let garbled = stream(SoundVerdict::Garbled, 2.0);
        records.extend(call(91, stream(SoundVerdict::WrongParty, 4.3), Some(garbled)));
        records.extend(call(92, stream(SoundVerdict::Unjudged, 4.3), Some(heard())));
        records.extend(call(93, heard(), None));
        let figures = figures(records);
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

    // `--target`: the other end is a server of somebody else, and all that is known is what the caller heard.
    #[test]
    fn a_call_to_a_foreign_server_counts_by_its_caller() {
        let foreign = |attempt, verdict| {
            let mut records = call(attempt, stream(verdict, 4.3), None);
            (records[0].site, records[0].psap) = (None, None);
            records
        };
        let mut records = foreign(1, SoundVerdict::Heard);
        records.extend(foreign(2, SoundVerdict::Heard));
        records.extend(foreign(3, SoundVerdict::Silent));
        records.extend(foreign(4, SoundVerdict::Unjudged));
        let figures = figures(records);
        assert_eq!((figures.heard_both_ways, figures.heard_by_caller, figures.unjudged), (0, 2, 1));
        assert_eq!((figures.judged(), figures.heard_share), (3, Some(2.0 / 3.0)));
        assert_eq!(figures.by_site[UNREACHED].heard_by_caller, 2);
    }

    // The site dies while it rings, the call goes to another PSAP, and the first one picks up all the same.
    #[test]
    fn only_the_psap_that_was_reached_counts() {
        let at = |psap: &str, outcome, verdict| CallRecord {
            outcome,
            media: vec![stream(verdict, 4.3)],
            ..record(BoxKind::Psap, psap, 1)
        };
        let mut records = call(1, heard(), None);
        records.push(at("samu", Outcome::Answered, SoundVerdict::Heard));
        records.push(at("samu", Outcome::Lost, SoundVerdict::Silent));
        records.push(at("other", Outcome::Answered, SoundVerdict::Silent));
        let figures = figures(records);
        assert_eq!((figures.heard_both_ways, figures.complaint()), (1, None));
    }

    /// An answered call of whose PSAP nothing is known but that it was called; its caller heard so many packets.
    fn without_psap(attempt: u128, received: u64) -> Vec<CallRecord> {
        let name = |name: &str| Some(name.to_owned());
        let silent = StreamReport { received, ..stream(SoundVerdict::Silent, 4.3) };
        let caller = CallRecord {
            trunk_group: name("mobile"),
            media: vec![silent],
            ..record(BoxKind::Generator, "load-1", attempt)
        };
        let group = CallRecord {
            site: name("alpha"),
            tried: vec!["alpha".to_owned()],
            ..record(BoxKind::TrunkGroup, "mobile", attempt)
        };
        let server = CallRecord {
            site: name("alpha"),
            psap: name("samu"),
            ..record(BoxKind::CallServer, "alpha", attempt)
        };
        vec![caller, group, server]
    }

    fn figures_without(lost: &[LostNode], records: &[CallRecord]) -> MediaFigures {
        let mut tally = MediaTally::default();
        let mut audit = Audit::new(Rules::default());
        records.iter().for_each(|record| audit.add(record));
        let ledger = audit.close(0, lost).read(&mut [&mut tally]);
        assert_eq!(ledger.fault_count, u64::from(lost.is_empty()) + 1, "{:?}", ledger.faults);
        tally.close(BTreeMap::new()).expect("there was media")
    }

    // The PSAP loses power between its answer and its first packet.
    #[test]
    fn a_call_that_fell_before_its_first_packet_is_no_one_way_audio() {
        let power_cut = [LostNode {
            kind: BoxKind::Psap,
            node: "samu".to_owned(),
            why: "lost power".to_owned(),
        }];
        let fallen = figures_without(&power_cut, &without_psap(1, 0));
        assert_eq!((fallen.calls, fallen.unjudged, fallen.one_way), (1, 1, 0));
        assert_eq!((fallen.complaint(), fallen.worst.len()), (None, 0));
        // Packets without sound came all the same; or nothing fell that could explain the silence.
        let muted = figures_without(&power_cut, &without_psap(1, 5));
        let unexplained = figures_without(&[], &without_psap(1, 0));
        for figures in [muted, unexplained] {
            assert_eq!((figures.unjudged, figures.one_way), (0, 1));
        }
    }

    #[test]
    fn a_call_that_the_ledger_counts_as_lost_is_not_judged_by_its_sound() {
        let silent = || StreamReport { received: 0, ..stream(SoundVerdict::Silent, 1.0) };
        let mut records = call(1, silent(), Some(silent()));
        records.push(CallRecord {
            site: Some("alpha".to_owned()),
            psap: Some("samu".to_owned()),
            outcome: Outcome::Lost,
            reason: Some("it lost power".to_owned()),
            ..record(BoxKind::CallServer, "alpha", 1)
        });
        records.extend(call(2, heard(), Some(heard())));
        let figures = figures(records);
        assert_eq!((figures.calls, figures.heard_both_ways, figures.complaint()), (1, 1, None));
    }

    #[test]
    fn scores_are_told_from_the_bad_end() {
        let scored = |attempt: u128| {
            let mos = 3.0 + f64::from(attempt as u8) / 100.0;
            call(attempt, stream(SoundVerdict::Heard, mos), None)
        };
        let mos = figures((0..100).flat_map(scored).collect()).mos;
        assert_eq!(
            (mos.count, mos.p50, mos.p5, mos.p1, mos.min),
            (100, Some(3.5), Some(3.05), Some(3.01), Some(3.0))
        );
    }

    #[test]
    fn a_talk_of_a_moment_is_not_judged() {
        let mut call = record(BoxKind::Generator, "load-1", 1);
        call.media = vec![stream(SoundVerdict::Silent, 1.0)];
        call.end_us = call.answer_us.unwrap() + 400_000;
        let figures = figures(vec![call]);
        assert_eq!((figures.unjudged, figures.complaint()), (1, None));
    }

    #[test]
    fn a_run_without_media_has_no_figures() {
        assert_eq!(MediaTally::default().close(BTreeMap::new()), None);
        let refused = BTreeMap::from([("site-alpha".to_owned(), 3)]);
        assert!(MediaTally::default().close(refused).is_some());
    }
}
