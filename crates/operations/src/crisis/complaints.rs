//! Those outside who notice that calls fail, and tell the operator: PSAPs, other operators, callers.
//!
//! ```text
//!   arrivals of half an hour, calls cut ─► PSAP ────────────┐
//!   failures of the calls that they hand over ─► operator ──┼──delay──► complaint ──► evidence
//!   an attempt that failed, a call that was cut ─► caller ──┘
//! ```

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use topology::Distribution;

use super::draws::Draws;
use super::evidence::{Evidence, EvidenceWeights};
use crate::supervision::UsualDay;
use crate::supervision::usual::chance_of_so_few;

/// Nobody calls fewer arrivals missing when chance brings so few that often.
const CHANCE: f64 = 1e-6;
/// Before a campaign has gone on for so long, a PSAP has nothing to compare.
const SOONEST: Duration = Duration::from_secs(300);
/// An operator that hands over fewer calls sees no share of them fail.
const FEWEST: u64 = 20;

/// The section `[crisis.psaps]`.
#[derive(Debug, Clone, PartialEq)]
pub struct PsapSettings {
    /// A PSAP notices when its arrivals are below this share of a usual day.
    pub below: f64,
    /// Over this time.
    pub window: Duration,
    /// It also notices when so many of the calls from its area to its number are cut in that time.
    pub cut: u64,
    /// From there until it tells the operator.
    pub delay: Distribution,
}

/// An entry `[[crisis.operators]]`: another operator, who hands emergency calls over.
#[derive(Debug, Clone, PartialEq)]
pub struct OperatorSettings {
    pub name: String,
    /// Through which trunk groups. Empty: through all of them.
    pub trunk_groups: Vec<String>,
    /// It notices when more than this share of its attempts fail.
    pub above: f64,
    /// Over this time.
    pub window: Duration,
    /// From there until it tells the operator of this network.
    pub delay: Distribution,
}

/// The section `[crisis.callers]`.
#[derive(Debug, Clone, PartialEq)]
pub struct CallerSettings {
    /// How likely a caller complains of an attempt that failed or a call that was cut: by telephone, in public.
    pub complains: f64,
    pub delay: Distribution,
    /// So many complaints are one sign.
    pub needed: u64,
}

impl Default for PsapSettings {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        let delay = Distribution::LogNormal { median: minutes(15), sigma: 0.5 };
        Self { below: 0.6, window: minutes(30), cut: 20, delay }
    }
}

impl Default for CallerSettings {
    fn default() -> Self {
        let delay = Distribution::Exponential { mean: Duration::from_secs(20 * 60) };
        Self { complains: 0.01, delay, needed: 20 }
    }
}

/// What became of attempts of one kind since the last look.
#[derive(Debug, Clone, Copy)]
pub struct Fates<'a> {
    pub number: &'a str,
    pub department: &'a str,
    pub trunk_group: &'a str,
    pub emergency: bool,
    /// Attempts that ended, or were answered.
    pub attempts: u64,
    /// Of those, refused by the network or left without an answer.
    pub failed: u64,
    /// Calls that were cut.
    pub cut: u64,
}

/// Counts of the last so much time.
#[derive(Debug, Default)]
struct Recent {
    looks: VecDeque<(Duration, u64, u64)>,
    all: u64,
    bad: u64,
}

impl Recent {
    fn add(&mut self, at: Duration, all: u64, bad: u64) {
        self.looks.push_back((at, all, bad));
        self.all += all;
        self.bad += bad;
    }

    fn forget(&mut self, before: Duration) {
        while let Some((_, all, bad)) = self.looks.pop_front_if(|look| look.0 < before) {
            self.all -= all;
            self.bad -= bad;
        }
    }
}

#[derive(Debug)]
pub(super) struct Complaints {
    psaps: PsapSettings,
    operators: Vec<OperatorSettings>,
    callers: CallerSettings,
    weights: EvidenceWeights,
    draws: Draws,
    usual: Option<UsualDay>,
    arrivals: BTreeMap<String, Recent>,
    /// By number and département.
    cut: BTreeMap<String, Recent>,
    handed_over: Vec<Recent>,
    /// Those who have noticed.
    noticed: BTreeSet<String>,
    /// Harmed attempts so far: of each it is drawn whether its caller complains.
    harmed: u64,
    /// Complaints on their way: by time and source, and how many of them.
    coming: BTreeMap<(Duration, String), u64>,
    of_callers: u64,
}

/// The source of complaints of callers.
const CALLERS: &str = "callers";

impl Complaints {
    pub(super) fn new(
        (psaps, operators, callers): (&PsapSettings, &[OperatorSettings], &CallerSettings),
        weights: EvidenceWeights,
        usual: Option<&UsualDay>,
        draws: Draws,
    ) -> Self {
        let known = usual.into_iter().flat_map(UsualDay::psaps);
        Self {
            psaps: psaps.clone(),
            operators: operators.to_vec(),
            callers: callers.clone(),
            weights,
            draws,
            usual: usual.cloned(),
            arrivals: known.map(|psap| (psap.to_owned(), Recent::default())).collect(),
            cut: BTreeMap::new(),
            handed_over: operators.iter().map(|_| Recent::default()).collect(),
            noticed: BTreeSet::new(),
            harmed: 0,
            coming: BTreeMap::new(),
            of_callers: 0,
        }
    }

    pub(super) fn arrived(&mut self, at: Duration, psap: &str, calls: u64) {
        if let Some(recent) = self.arrivals.get_mut(psap) {
            recent.add(at, calls, 0);
        }
    }

    /// Takes what became of emergency attempts.
    pub(super) fn look(&mut self, at: Duration, fates: &Fates<'_>) {
        for (operator, recent) in self.operators.iter().zip(&mut self.handed_over) {
            let groups = &operator.trunk_groups;
            if groups.is_empty() || groups.iter().any(|group| group == fates.trunk_group) {
                recent.add(at, fates.attempts, fates.failed + fates.cut);
            }
        }
        if fates.cut > 0 {
            let area = format!("{} in {}", fates.number, fates.department);
            self.cut.entry(area).or_default().add(at, fates.cut, fates.cut);
        }
        for _ in 0..fates.failed + fates.cut {
            self.harmed += 1;
            if self.draws.happens(self.callers.complains, "a caller complains", self.harmed) {
                let delay = self.draws.time(&self.callers.delay, CALLERS, self.harmed);
                self.comes(at + delay, CALLERS.to_owned());
            }
        }
    }

    pub(super) fn next_due(&self) -> Option<Duration> {
        self.coming.keys().next().map(|(due, _)| *due)
    }

    /// Who notices something now, and which complaints come in.
    pub(super) fn advance(&mut self, at: Duration, evidence: &mut Evidence) {
        self.notice(at);
        while let Some(first) = self.coming.first_entry().filter(|first| first.key().0 <= at) {
            let ((due, source), count) = first.remove_entry();
            let weight = match &source[..] {
                CALLERS => {
                    self.of_callers += count;
                    (self.of_callers / self.callers.needed.max(1)) as f64 * self.weights.callers
                }
                other if other.starts_with("psap ") => self.weights.psap,
                _ => self.weights.operator,
            };
            evidence.add(due, source, weight, false);
        }
    }

    fn notice(&mut self, at: Duration) {
        let from = at.saturating_sub(self.psaps.window);
        let mut found = Vec::new();
        for (psap, recent) in &mut self.arrivals {
            recent.forget(from);
            let usual = self.usual.as_ref().and_then(|usual| usual.expected(psap, from, at));
            let usual = usual.filter(|_| at >= SOONEST).unwrap_or_default();
            let is_few = (recent.all as f64) < self.psaps.below * usual;
            if is_few && chance_of_so_few(recent.all, usual) <= CHANCE {
                found.push((format!("psap {psap}, missing calls"), self.psaps.delay));
            }
        }
        for (area, recent) in &mut self.cut {
            recent.forget(from);
            if recent.bad >= self.psaps.cut {
                found.push((format!("psap of {area}, calls cut"), self.psaps.delay));
            }
        }
        for (operator, recent) in self.operators.iter().zip(&mut self.handed_over) {
            recent.forget(at.saturating_sub(operator.window));
            let share = recent.bad as f64 / recent.all.max(1) as f64;
            if recent.all >= FEWEST && share > operator.above {
                found.push((format!("operator {}", operator.name), operator.delay));
            }
        }
        for (source, delay) in found {
            if self.noticed.insert(source.clone()) {
                self.comes(at + self.draws.time(&delay, &source, 0), source);
            }
        }
    }

    fn comes(&mut self, due: Duration, source: String) {
        *self.coming.entry((due, source)).or_default() += 1;
    }
}
