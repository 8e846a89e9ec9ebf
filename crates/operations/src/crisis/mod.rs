//! A crisis: how people come to notice, to understand, to tell others and to find the cause. Each step follows from the one
//! before and from the run.
//!
//! ```text
//!   alarms ──believed? blamed on the maintenance?──┐
//!   PSAPs: missing calls, calls cut ───────────────┼─► evidence ─0.2─► detected
//!   other operators: failed calls ─────────────────┤         └──1──► understood ─┬─► activated ─┬─► advised
//!   callers ───────────────────────────────────────┘                            │              ├─► published
//!   which sites were commanded, which restarted ───────────────────────────────►└─► diagnosed  └─► informed
//!   emergency calls are answered as before ────────────────────────────────────────► recovered: nothing more is done
//! ```
//!
//! Times count from the first harm: the first emergency call that the network failed, whatever caused it. All chance follows
//! from the seed of the run.

mod alarm_desk;
mod complaints;
mod diagnosis;
mod draws;
mod evidence;
mod harm;
mod report;
mod settings;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::Serialize;
use topology::Distribution;

pub use self::alarm_desk::AlarmSettings;
pub use self::complaints::{CallerSettings, Fates, OperatorSettings, PsapSettings};
pub use self::evidence::{EvidenceWeights, Sign};
pub use self::harm::HarmSettings;
pub use self::report::{CrisisReport, Informed, MilestoneTime};
pub use self::settings::{CrisisSettings, DiagnosisSettings, Step};

use self::alarm_desk::AlarmDesk;
use self::complaints::Complaints;
use self::diagnosis::Diagnosis;
use self::draws::Draws;
use self::evidence::Evidence;
use self::harm::HarmWatch;
use crate::log::seconds;
use crate::milestone::Milestone;
use crate::supervision::{Alarm, SupervisionSettings};

/// A milestone that was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reached {
    /// Since the start of the campaign.
    #[serde(rename = "at_s", serialize_with = "seconds::serialize")]
    pub at: Duration,
    pub milestone: Milestone,
}

/// A crisis as it unfolds. Tell it what happens, in the order of time, then [`advance`](Self::advance) it.
#[derive(Debug)]
pub struct Crisis {
    settings: CrisisSettings,
    draws: Draws,
    alarms: AlarmDesk,
    complaints: Complaints,
    evidence: Evidence,
    harm: HarmWatch,
    diagnosis: Option<Diagnosis>,
    /// Emergency attempts since the last look, and how many of them were harmed.
    attempts: u64,
    harmed: u64,
    /// The last time at which operators were at work.
    busy: Option<Duration>,
    fault_at: Option<Duration>,
    log: Vec<Reached>,
}

impl Crisis {
    /// A crisis that has not begun, in a network that is watched like this.
    #[must_use]
    pub fn new(
        settings: &CrisisSettings,
        supervision: Option<&SupervisionSettings>,
        seed: u64,
    ) -> Self {
        let draws = Draws::new(seed);
        let rules = supervision.map_or(&[][..], |supervision| &supervision.rules);
        let usual = supervision.and_then(|supervision| supervision.usual_day.as_ref());
        let diagnosis = settings.diagnosis.map(|diagnosis| {
            let work = draws.time(&diagnosis.work, "diagnose", 0);
            Diagnosis::new(diagnosis, work)
        });
        let outside = (&settings.psaps, &settings.operators[..], &settings.callers);
        Self {
            settings: settings.clone(),
            draws,
            alarms: AlarmDesk::new(&settings.alarms, settings.evidence, rules, draws),
            complaints: Complaints::new(outside, settings.evidence, usual, draws),
            evidence: Evidence::default(),
            harm: HarmWatch::new(settings.harm),
            diagnosis,
            attempts: 0,
            harmed: 0,
            busy: None,
            fault_at: None,
            log: Vec::new(),
        }
    }

    /// Takes note of a fault: of a machine, or a command that touched a site. Only the first one counts.
    pub fn fault(&mut self, at: Duration) {
        self.fault_at.get_or_insert(at);
    }

    /// A machine is down without anybody's command.
    pub fn machine_down(&mut self) {
        if let Some(diagnosis) = &mut self.diagnosis {
            diagnosis.machine_down();
        }
    }

    /// A command that touches `site` goes out.
    pub fn commanded(&mut self, at: Duration, site: &str) {
        self.alarms.commanded(at, site);
        if let Some(diagnosis) = &mut self.diagnosis {
            diagnosis.commanded(site);
        }
    }

    /// A site restarts.
    pub fn restarted(&mut self, site: &str) {
        if let Some(diagnosis) = &mut self.diagnosis {
            diagnosis.restarted(site);
        }
    }

    /// Calls arrive at `psap`.
    pub fn arrived(&mut self, at: Duration, psap: &str, calls: u64) {
        self.complaints.arrived(at, psap, calls);
    }

    /// What became of attempts of one kind since the last time.
    pub fn attempts_ended(&mut self, at: Duration, fates: &Fates<'_>) {
        if fates.emergency {
            self.attempts += fates.attempts;
            self.harmed += fates.failed + fates.cut;
            self.complaints.look(at, fates);
        }
    }

    /// An alarm is raised or cleared.
    pub fn alarm(&mut self, at: Duration, alarm: &Alarm) {
        self.alarms.alarm(at, alarm);
    }

    /// Lets time pass. `is_busy`: operators are at work, so nothing is over.
    pub fn advance(&mut self, at: Duration, is_busy: bool) {
        let (attempts, harmed) =
            (std::mem::take(&mut self.attempts), std::mem::take(&mut self.harmed));
        self.harm.look(at, attempts, harmed);
        if is_busy {
            self.busy = Some(at);
        }
        self.alarms.advance(at, &mut self.evidence);
        self.complaints.advance(at, &mut self.evidence);
    }

    /// The next milestone that is reached by `at`.
    pub fn poll(&mut self, at: Duration) -> Option<Milestone> {
        let cell = self.is_cell_at_work();
        if let Some(diagnosis) = &mut self.diagnosis
            && diagnosis.due(cell).is_some_and(|due| due > at)
        {
            diagnosis.advance(at, cell);
        }
        let (due, milestone) = self.next(at).filter(|(due, _)| *due <= at)?;
        if milestone == Milestone::Understood
            && let Some(diagnosis) = &mut self.diagnosis
        {
            diagnosis.begin(due);
        }
        self.log.push(Reached { at: due, milestone: milestone.clone() });
        Some(milestone)
    }

    /// When something is due next, as far as it is known now.
    #[must_use]
    pub fn next_due(&self) -> Option<Duration> {
        if self.reached(&Milestone::Recovered).is_some() {
            return None;
        }
        let over = self.harm.over_due().map(|due| due.max(self.quiet_due()));
        let milestone = self.next(Duration::ZERO).map(|(due, _)| due);
        let parts = [milestone, self.alarms.next_due(), self.complaints.next_due(), over];
        parts.into_iter().flatten().min()
    }

    /// The milestones that were polled, in the order in which they were known to be reached: recovery is known only later.
    #[must_use]
    pub fn log(&self) -> &[Reached] {
        &self.log
    }

    /// How much speaks for a crisis so far.
    #[must_use]
    pub fn evidence(&self) -> f64 {
        self.evidence.total()
    }

    /// How long it all took, by the milestones that were polled.
    #[must_use]
    pub fn report(&self) -> CrisisReport {
        let harm_at = self.harm.first();
        let time = |milestone: Milestone| {
            let after = self.reached(&milestone).zip(harm_at);
            let emulated = after.map(|(at, harm)| at.saturating_sub(harm).as_secs_f64());
            let of_it = |(one, _): &&(Milestone, Duration)| *one == milestone;
            let published = self.settings.published.iter().find(of_it);
            let published_s = published.map(|(_, at)| at.as_secs_f64());
            MilestoneTime { milestone, emulated_s: emulated, published_s }
        };
        CrisisReport::of(
            self.fault_at.map(|at| at.as_secs_f64()),
            harm_at.map(|at| at.as_secs_f64()),
            self.settings.milestones().into_iter().map(time).collect(),
            self.evidence.signs().to_vec(),
        )
    }

    /// When a milestone was reached.
    fn reached(&self, milestone: &Milestone) -> Option<Duration> {
        self.log.iter().find(|reached| reached.milestone == *milestone).map(|reached| reached.at)
    }

    /// Whether all are at work who look for the cause. Where there is no crisis cell, those who are there are all.
    fn is_cell_at_work(&self) -> bool {
        let has_cell = self.settings.reaches(&Milestone::Activated);
        !has_cell || self.reached(&Milestone::Activated).is_some()
    }

    /// The soonest that all can be well for good, after what operators did.
    fn quiet_due(&self) -> Duration {
        self.busy.map_or(Duration::ZERO, |busy| busy + self.settings.harm.over_after)
    }

    /// What comes next and when. Nothing comes after recovery, and nothing is understood before there is harm.
    fn next(&self, at: Duration) -> Option<(Duration, Milestone)> {
        if self.reached(&Milestone::Recovered).is_some() {
            return None;
        }
        let is_new = |(_, milestone): &(Duration, Milestone)| self.reached(milestone).is_none();
        let recovered = self.harm.over(at).filter(|_| at >= self.quiet_due());
        let recovered = recovered.map(|since| (since, Milestone::Recovered));
        let steps = self.settings.steps.iter().filter_map(|step| {
            let purpose = step.milestone.to_string();
            Some((self.after(&step.after, &step.delay, &purpose)?, step.milestone.clone()))
        });
        let diagnosed = self.diagnosis.as_ref().and_then(|one| one.due(self.is_cell_at_work()));
        let detected = self.evidence.reached(self.settings.detect);
        let convinced = self.evidence.reached(self.settings.convince).zip(self.harm.first());
        let understood = convinced.map(|(convinced, harm)| {
            let delay = self.draws.time(&self.settings.understand, "understand", 0);
            convinced.max(harm) + delay
        });
        let first = [
            detected.map(|due| (due, Milestone::Detected)),
            understood.map(|due| (due, Milestone::Understood)),
            diagnosed.map(|due| (due, Milestone::Diagnosed)),
        ];
        let next = first.into_iter().flatten().chain(steps).filter(is_new).min();
        match (next, recovered) {
            (Some(next), Some(recovered)) if next.0 > recovered.0 => Some(recovered),
            (next, recovered) => next.or(recovered),
        }
    }

    /// A delay after a milestone that was reached. It is longer while people are hard to reach.
    fn after(
        &self,
        milestone: &Milestone,
        delay: &Distribution,
        purpose: &str,
    ) -> Option<Duration> {
        let from = self.reached(milestone)?;
        let delay = self.draws.time(delay, purpose, 0);
        let is_slow = self.settings.staff_delay > 1.0 && self.harm.lasts(from);
        Some(from + if is_slow { delay.mul_f64(self.settings.staff_delay) } else { delay })
    }
}
