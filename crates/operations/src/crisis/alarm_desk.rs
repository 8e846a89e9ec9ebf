//! Those who look at alarms: when, and what they make of them.
//!
//! ```text
//!   raised ──delay──► looked at ──┬── its site is under maintenance ──► blamed on that: counts for little ──┐
//!                        ▲        ├── believed ──► counts in full                                           │
//!                        │        └── taken for a false alarm ────────────────────────────────────────────┐ │
//!                        └───────────── still raised, so looked at again ◄────────────────────────────────┴─┘
//! ```
//!
//! An alarm on emergency calls is never blamed on a maintenance: no maintenance may harm them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use topology::Distribution;

use super::draws::Draws;
use super::evidence::{Evidence, EvidenceWeights};
use crate::supervision::{Alarm, Indicator, Rule};

/// The section `[crisis.alarms]`.
#[derive(Debug, Clone, PartialEq)]
pub struct AlarmSettings {
    /// How likely an alarm is believed when it is looked at.
    pub believed: f64,
    /// From an alarm until somebody has looked at it.
    pub delay: Distribution,
    /// An alarm that still stands is looked at again after so long.
    pub again: Duration,
    /// What is left of the weight of an alarm that is blamed on a maintenance.
    pub blamed: f64,
    /// For so long after a command to a site its alarms are blamed on that.
    pub maintenance: Duration,
}

impl Default for AlarmSettings {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        Self {
            believed: 0.7,
            delay: Distribution::Fixed(minutes(5)),
            again: minutes(30),
            blamed: 0.2,
            maintenance: minutes(30),
        }
    }
}

/// What an alarm is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Emergency,
    Arrivals,
    Equipment,
}

/// An alarm that somebody will look at.
#[derive(Debug, Clone)]
struct Waiting {
    id: String,
    class: Class,
    /// What it counts as.
    source: String,
    site: Option<String>,
    raised_at: Duration,
    /// How often it was looked at.
    looks: u64,
}

#[derive(Debug)]
pub(super) struct AlarmDesk {
    settings: AlarmSettings,
    weights: EvidenceWeights,
    draws: Draws,
    classes: BTreeMap<String, Class>,
    /// By the time of the look, then by the alarm.
    waiting: BTreeMap<(Duration, String), Waiting>,
    raised: BTreeSet<String>,
    believed: BTreeSet<String>,
    /// Until when the alarms of a site are blamed on what is done there.
    maintenance: BTreeMap<String, Duration>,
}

impl AlarmDesk {
    pub(super) fn new(
        settings: &AlarmSettings,
        weights: EvidenceWeights,
        rules: &[Rule],
        draws: Draws,
    ) -> Self {
        let class = |rule: &Rule| match rule.indicator {
            Indicator::EmergencyAsr => Class::Emergency,
            Indicator::Arrivals => Class::Arrivals,
            _ => Class::Equipment,
        };
        Self {
            settings: settings.clone(),
            weights,
            draws,
            classes: rules.iter().map(|rule| (rule.name.clone(), class(rule))).collect(),
            waiting: BTreeMap::new(),
            raised: BTreeSet::new(),
            believed: BTreeSet::new(),
            maintenance: BTreeMap::new(),
        }
    }

    /// Somebody works on `site`.
    pub(super) fn commanded(&mut self, at: Duration, site: &str) {
        let until = self.maintenance.entry(site.to_owned()).or_default();
        *until = (*until).max(at + self.settings.maintenance);
    }

    /// An alarm is raised or cleared.
    pub(super) fn alarm(&mut self, at: Duration, alarm: &Alarm) {
        let labels = alarm.labels.iter().map(|(name, value)| format!(" {name}={value}"));
        let id = format!("{}{}", alarm.rule, labels.collect::<String>());
        if !alarm.is_raised() {
            self.raised.remove(&id);
            return;
        }
        self.raised.insert(id.clone());
        let is_known = |waiting: &Waiting| waiting.id == id;
        if self.believed.contains(&id) || self.waiting.values().any(is_known) {
            return;
        }
        let class = self.classes.get(&alarm.rule).copied().unwrap_or(Class::Equipment);
        let source = match (class, alarm.labels.get("psap")) {
            (Class::Arrivals, Some(psap)) => format!("alarm {} {psap}", alarm.rule),
            _ => format!("alarm {}", alarm.rule),
        };
        let site = alarm.labels.get("site").cloned();
        let delay = self.draws.time(&self.settings.delay, &id, 0);
        let waiting = Waiting { id, class, source, site, raised_at: alarm.at, looks: 0 };
        self.wait(at + delay, waiting);
    }

    /// When somebody looks at an alarm next.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.waiting.keys().next().map(|(due, _)| *due)
    }

    /// Looks at the alarms that are due, and adds what they say.
    pub(super) fn advance(&mut self, at: Duration, evidence: &mut Evidence) {
        while let Some(first) = self.waiting.first_entry().filter(|first| first.key().0 <= at) {
            let ((due, _), mut waiting) = first.remove_entry();
            // Whoever looks first sees what was going on when it was raised.
            let seen_at = if waiting.looks == 0 { waiting.raised_at } else { due };
            let weight = match waiting.class {
                Class::Emergency => self.weights.emergency_alarm,
                Class::Arrivals => self.weights.arrivals_alarm,
                Class::Equipment => self.weights.equipment_alarm,
            };
            let is_blamed = self.is_blamed(&waiting, seen_at);
            waiting.looks += 1;
            if is_blamed {
                let source = waiting.source.clone();
                evidence.add(due, source, weight * self.settings.blamed, true);
            } else if self.draws.happens(self.settings.believed, &waiting.id, waiting.looks) {
                evidence.add(due, waiting.source.clone(), weight, false);
                self.believed.insert(waiting.id);
                continue;
            }
            if self.raised.contains(&waiting.id) {
                self.wait(due + self.settings.again, waiting);
            }
        }
    }

    fn wait(&mut self, due: Duration, waiting: Waiting) {
        self.waiting.insert((due, waiting.id.clone()), waiting);
    }

    /// Whether an alarm is taken for an effect of what operators do. Of calls in general it is when they do anything.
    fn is_blamed(&self, alarm: &Waiting, at: Duration) -> bool {
        let lasts = |until: &Duration| *until > at;
        match (alarm.class, &alarm.site) {
            (Class::Equipment, Some(site)) => self.maintenance.get(site).is_some_and(lasts),
            (Class::Equipment, None) => self.maintenance.values().any(lasts),
            (Class::Emergency | Class::Arrivals, _) => false,
        }
    }
}
