//! Adds up the records of callers and PSAPs.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use operations::supervision::department;
use telemetry::metric::share;
use telemetry::{Arrival, Attempt, AttemptReader, Delays, Destination, Entry, Outcome};
use topology::Topology;

use super::delay_table::{DelayTable, Groups};
use super::figures::{GroupMetrics, Metrics, PsapFigures, Ratios};
use super::group::{Group, delays};
use contract::Signalling;

/// Key of the attempts that never reached a site or PSAP, or named no trunk group.
pub const UNREACHED: &str = "unreached";

/// Counts of one run. Add every attempt once, then ask for the figures.
#[derive(Debug)]
pub struct Tally {
    whole: Group,
    /// When there was load, in Unix microseconds: traffic is counted then.
    load: Range<u64>,
    lag: Delays,
    /// Failed attempts by the time to the final response (RFC 6076 §4.3.2).
    failed_delay: Delays,
    /// Of whole and of each group.
    delays: DelayTable,
    by_site: Groups<Group>,
    by_trunk_group: Groups<Group>,
    by_number: Groups<Group>,
    by_department: Groups<Group>,
    by_psap: Groups<Group>,
    by_status: BTreeMap<u16, u64>,
    psaps: BTreeMap<String, PsapTally>,
}

#[derive(Debug, Default)]
struct PsapTally {
    target: Duration,
    received: u64,
    answered: u64,
    abandoned: u64,
    in_time: u64,
    wait: Delays,
}

/// How long a run offered calls, and how many calls each place has room for.
#[derive(Debug, Clone, Default)]
pub struct Capacity {
    pub loaded: Duration,
    /// Circuits of each trunk group, towards all call servers.
    pub trunk_groups: BTreeMap<String, u64>,
    /// Circuits of all trunk groups towards each site.
    pub sites: BTreeMap<String, u64>,
}

impl Capacity {
    /// The circuits of a network.
    #[must_use]
    pub fn of(topology: &Topology) -> Self {
        let mut capacity = Self::default();
        for group in &topology.trunk_groups {
            capacity.trunk_groups.insert(group.name.clone(), u64::from(group.circuits()));
            for member in &group.members {
                let one = topology.call_servers().find(|one| one.name == member.call_server);
                let site = one.map_or_else(String::new, |one| one.site.clone());
                *capacity.sites.entry(site).or_default() += u64::from(member.circuits);
            }
        }
        capacity
    }
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
            load: 0..u64::MAX,
            lag: Delays::default(),
            failed_delay: Delays::default(),
            delays: DelayTable::default(),
            by_site: Groups::default(),
            by_trunk_group: Groups::default(),
            by_number: Groups::default(),
            by_department: Groups::default(),
            by_psap: Groups::default(),
            by_status: BTreeMap::new(),
            psaps: service_levels.iter().map(psap).collect(),
        }
    }

    /// The same, for a run whose load was there at this time, in Unix microseconds.
    #[must_use]
    pub fn during(self, load: Range<u64>) -> Self {
        Self { load, ..self }
    }

    /// Takes the record of a caller, and where the attempt ended up.
    fn add_caller(&mut self, record: &Entry<'_>, reached: Destination<'_>) {
        self.lag.record_us(record.lag_us());
        if let Some(status) = record.status {
            *self.by_status.entry(status).or_default() += 1;
            // RFC 6076 §4.3.2: a challenge is no failure, nor is 402.
            if status >= 400 && !matches!(status, 401 | 402 | 407) {
                self.failed_delay.record_us(record.end_us.saturating_sub(record.start_us));
            }
        }
        let until = record.end_us.min(self.load.end);
        let busy_us = until.saturating_sub(record.start_us.max(self.load.start));
        self.whole.add(record, busy_us);
        let groups = [
            (&mut self.by_site, reached.site),
            (&mut self.by_trunk_group, record.trunk_group.as_deref()),
            (&mut self.by_number, Some(&*record.number)),
            (&mut self.by_department, Some(department(record.commune.as_deref()))),
            (&mut self.by_psap, reached.psap),
        ];
        let places = groups.map(|(groups, key)| {
            let (place, group) = groups.of(key.unwrap_or(UNREACHED));
            group.add(record, busy_us);
            place
        });
        self.delays.add(delays(record), places);
    }

    /// Takes a call that came to a PSAP.
    fn add_arrival(&mut self, call: &Arrival<'_>) {
        if !self.psaps.contains_key(call.psap) {
            self.psaps.insert(call.psap.to_owned(), PsapTally::default());
        }
        let psap = self.psaps.get_mut(call.psap).expect("it was put there above");
        psap.received += 1;
        psap.abandoned += u64::from(call.outcome == Outcome::Abandoned);
        if let Some(answer) = call.answer_us {
            let wait = Duration::from_micros(answer.saturating_sub(call.start_us));
            psap.answered += 1;
            psap.in_time += u64::from(wait <= psap.target);
            psap.wait.record(wait);
        }
    }

    /// The figures of all callers.
    #[must_use]
    pub fn metrics(&mut self, capacity: &Capacity, signalling: Signalling) -> Metrics {
        let whole = &self.whole;
        let [pdd, setup, sdd, sdt] = self.delays.whole();
        let (srd_failed, lag) = (self.failed_delay.quantiles(), self.lag.quantiles());
        let offered = whole.counts.offered;
        let per_second = |count: u64, over: Duration| match over.as_secs_f64() {
            0.0 => 0.0,
            seconds => count as f64 / seconds,
        };
        let groups = |key: usize, circuits: Option<&BTreeMap<String, u64>>| {
            let groups = self.groups(key);
            let delays = self.delays.grouped(key, groups.len());
            let of = |(name, place, group): (&str, usize, &Group)| {
                let circuits = circuits.and_then(|circuits| circuits.get(name).copied());
                let metrics = group.metrics(delays[place], offered, capacity.loaded, circuits);
                (name.to_owned(), metrics)
            };
            groups.iter().map(of).collect::<BTreeMap<String, GroupMetrics>>()
        };
        let all = capacity.trunk_groups.values().sum();
        Metrics {
            ratios: Ratios::of(&whole.counts),
            rrd: None,
            calls_per_second: per_second(whole.counts.offered, capacity.loaded),
            messages_sent_per_second: per_second(signalling.sent, capacity.loaded),
            messages_received_per_second: per_second(signalling.received, capacity.loaded),
            erlang: whole.erlang(capacity.loaded),
            occupancy: whole.occupancy(capacity.loaded, (all > 0).then_some(all)),
            pdd,
            srd_failed,
            setup,
            sdd,
            sdt,
            lag,
            by_site: groups(0, Some(&capacity.sites)),
            by_trunk_group: groups(1, Some(&capacity.trunk_groups)),
            by_number: groups(2, None),
            by_department: groups(3, None),
            by_psap: groups(4, None),
            by_status: self.by_status.clone(),
        }
    }

    /// The groups by one of the keys of the table of delays.
    const fn groups(&self, key: usize) -> &Groups<Group> {
        match key {
            0 => &self.by_site,
            1 => &self.by_trunk_group,
            2 => &self.by_number,
            3 => &self.by_department,
            _ => &self.by_psap,
        }
    }

    /// The figures of each PSAP.
    #[must_use]
    pub fn psaps(&mut self) -> BTreeMap<String, PsapFigures> {
        let service = |psap: &mut PsapTally| PsapFigures {
            received: psap.received,
            answered: psap.answered,
            abandoned: psap.abandoned,
            service_level: share(psap.in_time, psap.answered + psap.abandoned),
            target_s: psap.target.as_secs_f64(),
            wait: psap.wait.quantiles(),
        };
        self.psaps.iter_mut().map(|(name, psap)| (name.clone(), service(psap))).collect()
    }
}

impl AttemptReader for Tally {
    fn add(&mut self, attempt: &Attempt<'_>) {
        attempt.arrivals().for_each(|call| self.add_arrival(&call));
        if let Some(caller) = attempt.caller() {
            self.add_caller(caller, attempt.reached());
        }
    }
}
