//! Adds up the records of callers and PSAPs.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use telemetry::{CallRecord, Destination, LatencyHistogram, Outcome};

use super::{GroupMetrics, Metrics, PsapFigures};

/// Key of the attempts that never reached a site or PSAP, or named no trunk group.
pub const UNREACHED: &str = "unreached";

/// Counts of one run. Add every record once, then ask for the figures.
#[derive(Debug)]
pub struct Tally {
    whole: Group,
    /// Callees who were busy, did not answer or refused (ITU-T E.425).
    callee_failed: u64,
    /// As RFC 6076 §4.7 counts them: 480, 486, 600 and 603.
    callee_status: u64,
    redirected: u64,
    /// Attempts whose INVITE got a 200, also those that were lost later.
    established: u64,
    setup: LatencyHistogram,
    lag: LatencyHistogram,
    by_site: Groups,
    by_trunk_group: Groups,
    by_number: Groups,
    by_psap: Groups,
    by_status: BTreeMap<u16, u64>,
    psaps: BTreeMap<String, PsapTally>,
}

type Groups = HashMap<String, Group>;

#[derive(Debug, Default)]
struct Group {
    offered: u64,
    answered: u64,
    failed: u64,
    pdd: LatencyHistogram,
}

#[derive(Debug, Default)]
struct PsapTally {
    target: Duration,
    received: u64,
    answered: u64,
    abandoned: u64,
    in_time: u64,
    wait: LatencyHistogram,
}

impl Tally {
    /// `service_levels` names the PSAPs of the network and how fast each wants to answer.
    #[must_use]
    pub fn new(service_levels: &BTreeMap<String, Duration>) -> Self {
        let psap = |(name, target): (&String, &Duration)| {
            (name.clone(), PsapTally { target: *target, ..PsapTally::default() })
        };
        Self {
            whole: Group::default(),
            callee_failed: 0,
            callee_status: 0,
            redirected: 0,
            established: 0,
            setup: LatencyHistogram::default(),
            lag: LatencyHistogram::default(),
            by_site: Groups::new(),
            by_trunk_group: Groups::new(),
            by_number: Groups::new(),
            by_psap: Groups::new(),
            by_status: BTreeMap::new(),
            psaps: service_levels.iter().map(psap).collect(),
        }
    }

    /// Takes the record of a generator, and where the attempt ended up.
    pub fn add_caller(&mut self, record: &CallRecord, reached: Destination<'_>) {
        let intended = record.intended_us.unwrap_or(record.start_us);
        self.lag.record_us(record.start_us.saturating_sub(intended));
        let pdd = record.ring_us.or(record.answer_us).map(|at| at.saturating_sub(intended));
        if let Some(answer) = record.answer_us {
            self.established += 1;
            self.setup.record_us(answer.saturating_sub(intended));
        }
        if let Some(status) = record.status {
            *self.by_status.entry(status).or_default() += 1;
            self.redirected += u64::from((300..400).contains(&status));
        }
        let callee_status = matches!(record.status, Some(480 | 486 | 600 | 603));
        // A caller who gave up while it rang is a call that was not answered in time.
        let unanswered = record.outcome == Outcome::Abandoned && record.ring_us.is_some();
        self.callee_status += u64::from(callee_status);
        self.callee_failed += u64::from(callee_status || unanswered);

        self.whole.add(record.outcome, pdd);
        for (groups, key) in [
            (&mut self.by_site, reached.site),
            (&mut self.by_trunk_group, record.trunk_group.as_deref()),
            (&mut self.by_number, Some(record.number.as_str())),
            (&mut self.by_psap, reached.psap),
        ] {
            group(groups, key.unwrap_or(UNREACHED)).add(record.outcome, pdd);
        }
    }

    /// Takes the record of a PSAP.
    pub fn add_psap(&mut self, record: &CallRecord) {
        let psap = self.psaps.entry(record.node.clone()).or_default();
        psap.received += 1;
        psap.abandoned += u64::from(record.outcome == Outcome::Abandoned);
        if let Some(answer) = record.answer_us {
            let wait = Duration::from_micros(answer.saturating_sub(record.start_us));
            psap.answered += 1;
            psap.in_time += u64::from(wait <= psap.target);
            psap.wait.record(wait);
        }
    }

    /// The figures of all callers; `loaded` is how long the campaign offered calls.
    #[must_use]
    pub fn metrics(&self, loaded: Duration) -> Metrics {
        let offered = self.whole.offered;
        let followed = offered - self.redirected;
        let groups = |groups: &Groups| {
            groups.iter().map(|(name, group)| (name.clone(), group.metrics(offered))).collect()
        };
        Metrics {
            asr: ratio(self.established, offered),
            ner: ratio(self.established + self.callee_failed, offered),
            ser: ratio(self.established, followed),
            seer: ratio(self.established + self.callee_status, followed),
            calls_per_second: match loaded.as_secs_f64() {
                0.0 => 0.0,
                seconds => offered as f64 / seconds,
            },
            pdd: self.whole.pdd.quantiles(),
            setup: self.setup.quantiles(),
            lag: self.lag.quantiles(),
            by_site: groups(&self.by_site),
            by_trunk_group: groups(&self.by_trunk_group),
            by_number: groups(&self.by_number),
            by_psap: groups(&self.by_psap),
            by_status: self.by_status.clone(),
        }
    }

    /// The figures of each PSAP.
    #[must_use]
    pub fn psaps(&self) -> BTreeMap<String, PsapFigures> {
        let service = |psap: &PsapTally| PsapFigures {
            received: psap.received,
            answered: psap.answered,
            abandoned: psap.abandoned,
            service_level: ratio(psap.in_time, psap.answered + psap.abandoned),
            target_s: psap.target.as_secs_f64(),
            wait: psap.wait.quantiles(),
        };
        self.psaps.iter().map(|(name, psap)| (name.clone(), service(psap))).collect()
    }
}

impl Group {
    fn add(&mut self, outcome: Outcome, pdd_us: Option<u64>) {
        self.offered += 1;
        match outcome {
            Outcome::Answered => self.answered += 1,
            Outcome::Rejected | Outcome::TimedOut | Outcome::Lost => self.failed += 1,
            Outcome::Abandoned => {}
        }
        if let Some(pdd) = pdd_us {
            self.pdd.record_us(pdd);
        }
    }

    fn metrics(&self, offered_in_run: u64) -> GroupMetrics {
        GroupMetrics {
            offered: self.offered,
            answered: self.answered,
            failed: self.failed,
            share: ratio(self.offered, offered_in_run).unwrap_or_default(),
            pdd: self.pdd.quantiles(),
        }
    }
}

/// Looks up without copying the name, which is nearly always there already.
fn group<'a>(groups: &'a mut Groups, name: &str) -> &'a mut Group {
    if !groups.contains_key(name) {
        groups.insert(name.to_owned(), Group::default());
    }
    groups.get_mut(name).expect("it was put there above")
}

pub(super) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
