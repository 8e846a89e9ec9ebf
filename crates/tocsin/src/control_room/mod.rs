//! Those who operate the network and watch it, in either world: procedures, supervision, the crisis cell.
//!
//! ```text
//!   snapshots of the boxes ──► Supervision ── alarms ──► Crisis ── milestones ──► Procedures
//!                                                          └────► callers: advice, numbers
//!   Procedures ── orders ──► sites ── replies ──► Procedures
//! ```
//!
//! Faults befall machines by the clock (misfortune.rs); what is judged while the calls run may end the campaign
//! (conditions.rs).
//!
//! Time is counted from the start of the campaign; whoever drives this comes back at `next_due`.

mod conditions;
mod misfortune;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use account::outcome::OperationsReport;
use campaign::Campaign;
use contract::{FateCount, GeneratorSnapshot};
use operations::supervision::{Alarm, SeenAttempt, Supervision};
use operations::{
    Action, Blow, Crisis, FaultEntry, LogEntry, Milestone, OrderResult, Procedure, Start,
};

use self::conditions::Conditions;
use self::misfortune::Misfortune;

/// All is well for good when no alarm has been raised for this long.
const CALM: Duration = Duration::from_secs(600);

/// What the boxes show at one moment.
#[derive(Debug, Default)]
pub(crate) struct View {
    pub(crate) generators: GeneratorSnapshot,
    /// Calls that each PSAP was offered so far.
    pub(crate) psaps: BTreeMap<String, u64>,
    /// What each call server has counted so far.
    pub(crate) sites: BTreeMap<String, SiteView>,
}

#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct SiteView {
    pub(crate) offered: u64,
    pub(crate) answered: u64,
    pub(crate) restarts: u64,
}

/// What is to be done now.
#[derive(Debug)]
pub(crate) enum Deed {
    Order {
        procedure: usize,
        id: u64,
        site: String,
        action: Action,
    },
    /// The public is advised to redial.
    Advise,
    /// The public learns the ten-digit numbers.
    Publish,
    /// A site or PSAP loses power. Each of these three is answered by [`ControlRoom::befell`].
    Kill {
        target: String,
    },
    Freeze {
        target: String,
    },
    Thaw {
        target: String,
    },
    /// The callers stop, before their time.
    EndCampaign,
}

#[derive(Debug)]
pub(crate) struct ControlRoom {
    procedures: Vec<Procedure>,
    supervision: Option<Supervision>,
    crisis: Option<Crisis>,
    conditions: Conditions,
    misfortune: Misfortune,
    seen: View,
    /// Alarms in the order in which they were raised and cleared.
    alarms: Vec<Alarm>,
    /// Alarms that are raised now, and since when there are none.
    raised: usize,
    calm_since: Option<Duration>,
    milestones: Vec<(Duration, Milestone)>,
    /// The first command that touched a site.
    fault_at: Option<Duration>,
    deeds: VecDeque<Deed>,
    /// Restarts of sites, when they were seen.
    restarts: Vec<(Duration, String)>,
}

impl ControlRoom {
    pub(crate) fn new(campaign: &Campaign, pool: &[String]) -> Self {
        let settings = &campaign.operations;
        let of = |operation| Procedure::new(operation, pool);
        let default = operations::supervision::SupervisionSettings::default();
        let watched = settings.supervision.as_ref().unwrap_or(&default);
        Self {
            procedures: settings.operations.iter().map(of).collect(),
            supervision: settings.needs_supervision().then(|| Supervision::new(watched)),
            crisis: settings.crisis.as_ref().map(Crisis::new),
            conditions: Conditions::new(campaign),
            misfortune: Misfortune::new(&settings.faults),
            seen: View::default(),
            alarms: Vec::new(),
            raised: 0,
            calm_since: None,
            milestones: Vec::new(),
            fault_at: None,
            deeds: VecDeque::new(),
            restarts: Vec::new(),
        }
    }

    /// When something is to be done or looked at next.
    pub(crate) fn next_due(&self) -> Option<Duration> {
        let procedures = self.procedures.iter().filter_map(Procedure::next_due);
        let supervision = self.supervision.as_ref().and_then(Supervision::next_due);
        let crisis = self.crisis.as_ref().and_then(Crisis::next_due);
        let (conditions, misfortune) = (self.conditions.next_due(), self.misfortune.next_due());
        procedures.chain(supervision).chain(crisis).chain(conditions).chain(misfortune).min()
    }

    /// Whether it wants to see the boxes at all.
    pub(crate) fn watches(&self) -> bool {
        self.supervision.is_some() || self.conditions.watch()
    }

    /// Takes in what the boxes show at `at`.
    pub(crate) fn see(&mut self, at: Duration, view: View) {
        let Some(supervision) = &mut self.supervision else {
            self.seen = view;
            return;
        };
        for now in &view.generators.fates {
            let before = self.seen.generators.fates.iter().find(|one| same_kind(one, now));
            let before = before.cloned().unwrap_or_default();
            let mut tell = |count: u64, answered: bool| {
                let attempt = SeenAttempt {
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
        for (psap, offered) in &view.psaps {
            let before = self.seen.psaps.get(psap).copied().unwrap_or_default();
            (before..*offered).for_each(|_| supervision.arrived(at, psap));
        }
        for (site, now) in &view.sites {
            let before = self.seen.sites.get(site).copied().unwrap_or_default();
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
        self.seen = view;
    }

    /// Lets time pass, and finds what is to be done. [`see`](Self::see) comes first.
    pub(crate) fn advance(&mut self, at: Duration) {
        if let Some(supervision) = &mut self.supervision {
            supervision.advance(at);
            while let Some(alarm) = supervision.poll_change() {
                if alarm.is_raised() {
                    self.raised += 1;
                    if let Some(crisis) = &mut self.crisis {
                        crisis.alarm(alarm.at, &alarm);
                    }
                } else {
                    self.raised = self.raised.saturating_sub(1);
                }
                self.alarms.push(alarm);
            }
        }
        self.watch_calm(at);
        if self.conditions.judge(at, &self.seen.generators) {
            self.deeds.push_back(Deed::EndCampaign);
            if !self.conditions.unsteady().is_empty() {
                // Nothing was done yet, so there is nothing to take back either.
                self.procedures.clear();
                self.misfortune.end(at);
            }
        }
        while let Some(milestone) = self.crisis.as_mut().and_then(|crisis| crisis.poll(at)) {
            self.reach(at, milestone);
        }
        for procedure in &mut self.procedures {
            procedure.advance(at);
        }
        self.open_gates(at);
        while let Some(deed) = self.misfortune.poll(at) {
            if !matches!(deed, Deed::Thaw { .. }) {
                self.fault_begins(at);
            }
            self.deeds.push_back(deed);
        }
        self.take_orders(at);
    }

    /// The callers are done: begins what puts the network back. Come back until [`is_settled`](Self::is_settled).
    pub(crate) fn end(&mut self, at: Duration) {
        self.conditions.end();
        self.misfortune.end(at);
        for procedure in &mut self.procedures {
            procedure.end(at);
        }
        self.advance(at);
    }

    /// Whether the network has been put back, as far as it can be.
    pub(crate) fn is_settled(&self) -> bool {
        let at_end = |procedure: &&Procedure| procedure.operation().start == Start::End;
        self.misfortune.is_over() && self.procedures.iter().filter(at_end).all(Procedure::is_over)
    }

    fn fault_begins(&mut self, at: Duration) {
        if self.fault_at.is_none() {
            self.fault_at = Some(at);
            if let Some(crisis) = &mut self.crisis {
                crisis.fault(at);
            }
        }
    }

    /// After a fault, all is well for good once no alarm has come back for a while.
    fn watch_calm(&mut self, at: Duration) {
        if self.raised > 0 || self.alarms.is_empty() {
            self.calm_since = None;
            return;
        }
        let since = *self.calm_since.get_or_insert(at);
        let under_way = |procedure: &Procedure| {
            !procedure.is_over() && procedure.next_due().is_some_and(|due| due <= at + CALM)
        };
        if at >= since + CALM
            && !self.procedures.iter().any(under_way)
            && let Some(crisis) = &mut self.crisis
        {
            crisis.recovered(since);
        }
    }

    fn reach(&mut self, at: Duration, milestone: Milestone) {
        for procedure in &mut self.procedures {
            procedure.milestone(at, &milestone);
        }
        match milestone {
            Milestone::Advised => self.deeds.push_back(Deed::Advise),
            Milestone::Published => self.deeds.push_back(Deed::Publish),
            _ => {}
        }
        self.milestones.push((at, milestone));
    }

    fn open_gates(&mut self, at: Duration) {
        for procedure in &mut self.procedures {
            let Some(canary) = procedure.awaits_gate() else { continue };
            let measured = self.supervision.as_ref().and_then(|supervision| {
                supervision.indicator(
                    canary.indicator,
                    procedure.canary_site(),
                    canary.min_attempts,
                )
            });
            procedure.gate(at, measured);
        }
    }

    fn take_orders(&mut self, at: Duration) {
        for number in 0..self.procedures.len() {
            while let Some(order) = self.procedures[number].poll_order(at) {
                let by_clock = matches!(self.procedures[number].operation().start, Start::At(_));
                if order.action.touches() && by_clock {
                    self.fault_begins(at);
                }
                let (id, site, action) = (order.id, order.site, order.action);
                self.deeds.push_back(Deed::Order { procedure: number, id, site, action });
            }
        }
    }

    pub(crate) fn poll_deed(&mut self) -> Option<Deed> {
        self.deeds.pop_front()
    }

    /// What a site said to an order.
    pub(crate) fn answered(
        &mut self,
        at: Duration,
        procedure: usize,
        id: u64,
        answer: Result<String, String>,
    ) {
        if let Some(procedure) = self.procedures.get_mut(procedure) {
            procedure.answered(at, id, answer);
        }
    }

    /// What became of a fault: `failed` says why it was not done.
    pub(crate) fn befell(
        &mut self,
        at: Duration,
        target: String,
        what: Blow,
        failed: Option<String>,
    ) {
        self.misfortune.note(FaultEntry { at, target, what, failed });
    }

    /// What was done to machines.
    pub(crate) fn faults(&self) -> &[FaultEntry] {
        self.misfortune.log()
    }

    /// What did not hold before the first fault.
    pub(crate) fn unsteady(&self) -> &[String] {
        self.conditions.unsteady()
    }

    /// The threshold that ended the campaign.
    pub(crate) fn aborted(&self) -> Option<&str> {
        self.conditions.aborted()
    }

    /// Faults that were not applied, and what was not put back, a sentence each.
    pub(crate) fn shortfalls(&self) -> Vec<String> {
        let fault = |entry: &FaultEntry| {
            let why = entry.failed.as_ref()?;
            Some(format!("fault not applied: {} {}: {why}", entry.what, entry.target))
        };
        let at_end = |procedure: &&Procedure| procedure.operation().start == Start::End;
        let not_put_back = self.procedures.iter().filter(at_end).flat_map(|procedure| {
            let name = &procedure.operation().name;
            let failed = |entry: &&LogEntry| !matches!(entry.result, OrderResult::Done(_));
            let of_order = procedure.log().iter().filter(failed);
            let mut sentences: Vec<String> =
                of_order.map(|entry| format!("not put back: {name}: {entry}")).collect();
            if !procedure.is_over() {
                sentences.push(format!("not put back: {name} was cut off"));
            }
            sentences
        });
        self.misfortune.log().iter().filter_map(fault).chain(not_put_back).collect()
    }

    /// What remains of it when the run is over.
    pub(crate) fn report(&self) -> OperationsReport {
        OperationsReport {
            commands: self.log().map(|(name, entry)| (name.to_owned(), entry.clone())).collect(),
            alarms: self.alarms.clone(),
            milestones: self.milestones.clone(),
            crisis: self.crisis.as_ref().map(Crisis::report),
            fault_at: self.fault_at,
            faults: self.faults().to_vec(),
            unsteady: self.unsteady().to_vec(),
            aborted: self.aborted().map(str::to_owned),
            shortfalls: self.shortfalls(),
        }
    }

    pub(crate) fn alarms(&self) -> &[Alarm] {
        &self.alarms
    }

    pub(crate) fn milestones(&self) -> &[(Duration, Milestone)] {
        &self.milestones
    }

    /// Restarts of sites, when they were seen.
    pub(crate) fn restarts(&self) -> &[(Duration, String)] {
        &self.restarts
    }

    /// What became of each command, by the name of its operation.
    pub(crate) fn log(&self) -> impl Iterator<Item = (&str, &LogEntry)> {
        self.procedures.iter().flat_map(|procedure| {
            procedure.log().iter().map(|entry| (&procedure.operation().name[..], entry))
        })
    }
}

fn same_kind(one: &FateCount, other: &FateCount) -> bool {
    one.emergency == other.emergency
        && one.number == other.number
        && one.department == other.department
        && one.trunk_group == other.trunk_group
}
