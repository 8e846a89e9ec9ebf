//! Those who watch the network: from what the boxes count to what supervision is told, the alarms, and when all is well.

use std::time::Duration;

use operations::{Alarm, ObservedAttempt, OperationsSettings, Supervision, SupervisionSettings};

use crate::stage::Observation;

/// Supervision, and what it has seen and said so far.
#[derive(Debug)]
pub(crate) struct SupervisionState {
    supervision: Option<Supervision>,
    /// What the boxes showed last.
    last: Observation,
    /// Alarms in the order in which they were raised and cleared.
    alarms: Vec<Alarm>,
    /// Restarts of sites, when they were seen.
    restarts: Vec<(Duration, String)>,
}

impl SupervisionState {
    pub(crate) fn new(settings: &OperationsSettings) -> Self {
        let default = SupervisionSettings::default();
        let watched = settings.supervision.as_ref().unwrap_or(&default);
        Self {
            supervision: settings.needs_supervision().then(|| Supervision::new(watched)),
            last: Observation::default(),
            alarms: Vec::new(),
            restarts: Vec::new(),
        }
    }

    /// What is measured, if anything is.
    pub(crate) const fn supervision(&self) -> Option<&Supervision> {
        self.supervision.as_ref()
    }

    pub(crate) fn next_due(&self) -> Option<Duration> {
        self.supervision.as_ref().and_then(Supervision::next_due)
    }

    /// Takes in what the boxes show at `at`.
    pub(crate) fn observe(&mut self, at: Duration, seen: Observation) {
        if let Some(supervision) = &mut self.supervision {
            tell_callers(supervision, at, &self.last, &seen);
            for (psap, offered) in &seen.psaps {
                let before = self.last.psaps.get(psap).copied().unwrap_or_default();
                (before..*offered).for_each(|_| supervision.arrived(at, psap));
            }
            for (site, now) in &seen.sites {
                let before = self.last.sites.get(site).copied().unwrap_or_default();
                let (offered, answered) = (
                    now.offered.saturating_sub(before.offered),
                    now.answered.saturating_sub(before.answered),
                );
                supervision.site_took(at, site, offered, answered);
                for _ in before.restarts..now.restarts {
                    supervision.site_restarted(at, site);
                    self.restarts.push((at, site.clone()));
                }
            }
        }
        self.last = seen;
    }

    /// Lets time pass, and gives the alarms that were raised or cleared by it.
    pub(crate) fn advance(&mut self, at: Duration) -> &[Alarm] {
        let known = self.alarms.len();
        if let Some(supervision) = &mut self.supervision {
            supervision.advance(at);
            while let Some(alarm) = supervision.poll_change() {
                self.alarms.push(alarm);
            }
        }
        &self.alarms[known..]
    }

    /// What the boxes showed last.
    pub(crate) const fn last(&self) -> &Observation {
        &self.last
    }

    pub(crate) fn alarms(&self) -> &[Alarm] {
        &self.alarms
    }

    pub(crate) fn restarts(&self) -> &[(Duration, String)] {
        &self.restarts
    }
}

/// Tells supervision of the attempts that have ended between two observations.
fn tell_callers(
    supervision: &mut Supervision,
    at: Duration,
    before: &Observation,
    seen: &Observation,
) {
    for now in &seen.callers.fates {
        let before = before.callers.fates.iter().find(|one| one.is_of_kind_of(now));
        let before = before.cloned().unwrap_or_default();
        let mut tell = |count: u64, answered: bool| {
            let attempt = ObservedAttempt {
                number: &now.number,
                department: &now.department,
                trunk_group: Some(&now.trunk_group),
                site: None,
                emergency: now.emergency,
                answered,
                lost: false,
            };
            (0..count).for_each(|_| supervision.attempt_ended(at, &attempt));
        };
        tell(now.answered.saturating_sub(before.answered), true);
        tell(now.unanswered.saturating_sub(before.unanswered), false);
    }
}
