//! The conductor of a campaign: decides by what is seen and by the clock, and does it on its stage.

use std::collections::VecDeque;
use std::time::Duration;

use account::outcome::OperationsReport;
use campaign::Campaign;
use operations::{
    Alarm, Crisis, Fault, FaultAction, FaultEntry, LogEntry, Milestone, OperationNote, OrderAnswer,
    OrderResult,
};

use crate::command_log::{CommandLog, HandCommand};
use crate::conditions::Conditions;
use crate::crisis_watch;
use crate::faults::{ActingFault, FaultSchedule, FaultStep, FaultStepKind};
use crate::hand_load::HandLoad;
use crate::operators::Operators;
use crate::order::{OrderId, SiteOrder};
use crate::stage::{Announcement, Stage};
use crate::supervision_state::SupervisionState;
use crate::webhook::Webhook;

/// Operators with an order to give within this time are at work: nothing is over yet.
const CALM: Duration = Duration::from_secs(600);

/// What is to be done to the stage.
#[derive(Debug)]
enum Step {
    DrainCallers,
    Tell(Announcement),
    Inject(FaultStep),
    Order(SiteOrder),
}

/// Conducts a campaign on a [`Stage`]; the crate says who calls what when.
#[derive(Debug)]
pub struct Conductor {
    operators: Operators,
    commands: CommandLog,
    supervision: SupervisionState,
    crisis: Option<Crisis>,
    conditions: Conditions,
    faults: FaultSchedule,
    webhook: Option<Webhook>,
    milestones: Vec<(Duration, Milestone)>,
    hand_load: HandLoad,
    /// When the campaign has no more calls.
    length: Duration,
    /// The first fault, or command by the clock that touched a site.
    fault_at: Option<Duration>,
    /// Once the callers are done: when whatever is not put back yet is given up.
    put_back_by: Option<Duration>,
    /// Steps that are decided and not yet done.
    steps: VecDeque<Step>,
}

impl Conductor {
    /// Who conducts `campaign` on the sites of `pool`, in the order of the network file.
    #[must_use]
    pub fn new(campaign: &Campaign, pool: &[String]) -> Self {
        let settings = &campaign.operations;
        Self {
            operators: Operators::new(&settings.operations, pool, settings.window()),
            commands: CommandLog::default(),
            supervision: SupervisionState::new(settings),
            crisis: settings
                .crisis
                .as_ref()
                .map(|crisis| Crisis::new(crisis, settings.supervision.as_ref(), campaign.seed)),
            conditions: Conditions::new(campaign),
            faults: FaultSchedule::new(&settings.faults, campaign.seed),
            webhook: None,
            milestones: Vec::new(),
            hand_load: HandLoad::default(),
            length: campaign.duration(),
            fault_at: None,
            put_back_by: None,
            steps: VecDeque::new(),
        }
    }

    /// The same, but alarms are posted to the webhook of `campaign`, if it names one. `campaign_start` is the Unix time from
    /// which they are dated.
    #[must_use]
    pub fn posting_alarms(mut self, campaign: &Campaign, campaign_start: Duration) -> Self {
        let supervision = campaign.operations.supervision.as_ref();
        let url = supervision.and_then(|supervision| supervision.webhook.as_ref());
        self.webhook = url.map(|url| Webhook::new(url, campaign_start));
        self
    }

    /// When [`work`](Self::work) is to be called next, at the latest.
    #[must_use]
    pub fn next_due(&self) -> Option<Duration> {
        let parts = [
            self.operators.next_due(),
            self.supervision.next_due(),
            self.crisis.as_ref().and_then(Crisis::next_due),
            self.conditions.next_due(),
            self.faults.next_due(),
            self.hand_load.next_due(),
            self.put_back_by,
        ];
        parts.into_iter().flatten().min()
    }

    /// Looks at the stage, and does there what is due.
    pub fn work(&mut self, stage: &mut impl Stage) {
        let at = stage.time();
        if self.supervision.supervision().is_some()
            || self.conditions.watch()
            || self.crisis.is_some()
        {
            let seen = stage.observe();
            if let Some(crisis) = &mut self.crisis {
                crisis_watch::tell(crisis, at, self.supervision.last(), &seen);
            }
            self.supervision.observe(at, seen);
        }
        self.advance(at);
        if let Some(webhook) = &mut self.webhook {
            webhook.post(self.supervision.alarms());
        }
        while let Some(step) = self.steps.pop_front() {
            self.carry_out(at, step, stage);
        }
        self.commands.gather(&self.operators);
    }

    /// Takes the answer of a site to an order that was not answered at once, and how an order ended that it had accepted. [`work`](Self::work) comes next.
    pub fn answered(&mut self, at: Duration, id: OrderId, answer: impl Into<OrderAnswer>) {
        self.operators.answered(at, id, answer.into());
        self.commands.gather(&self.operators);
    }

    /// Somebody commands the network by hand: the command goes out to one site, or one call server of it. `id` is the same
    /// when the command [is over](Self::hand_is_over).
    pub fn commanded_by_hand(&mut self, at: Duration, id: u64, command: HandCommand) {
        if let Some(crisis) = &mut self.crisis
            && command.action.touches()
            // It sleeps: nobody who operates the network can see it.
            && !command.action.is_latent()
        {
            crisis.commanded(at, &command.site);
        }
        self.commands.give(at, id, command);
    }

    /// What became of a command that was given by hand: at first that it was accepted, if its effect takes its time. What it did to the network, unless it was refused, is a fault like any
    /// other.
    pub fn hand_is_over(&mut self, at: Duration, id: u64, result: OrderResult) {
        if let Some(began) = self.commands.close(at, id, result) {
            self.fault_begins(began);
            // Another may have begun while the answer was on its way.
            self.fault_at = self.fault_at.min(Some(began));
        }
    }

    /// Somebody injects a fault by hand, which is in the chronicle with their words, and ends as one of the campaign does.
    ///
    /// # Errors
    /// Why it was not injected. Then nothing has happened.
    pub fn inject_by_hand(
        &mut self,
        by: &str,
        fault: Fault,
        stage: &mut impl Stage,
    ) -> Result<(), String> {
        let at = stage.time();
        let step = self.faults.begin_by_hand(at, by, fault);
        match apply(&step, stage) {
            Ok(()) => {
                self.note_harm(at, step.action());
                self.faults.note(at, &step, None);
                Ok(())
            }
            Err(why) => {
                self.faults.take_back();
                Err(why)
            }
        }
    }

    /// Somebody ends a fault that acts, before its time: what was done, in words.
    ///
    /// # Errors
    /// Why it was not ended. Then nothing has happened.
    pub fn end_fault_by_hand(
        &mut self,
        by: &str,
        number: u64,
        stage: &mut impl Stage,
    ) -> Result<String, String> {
        let step = self.faults.end_by_hand(number, by)?;
        apply(&step, stage)?;
        self.faults.ended_by_hand(&step);
        self.faults.note(stage.time(), &step, None);
        let entry = self.faults.log().last().map(|entry| entry.deed());
        Ok(format!("fault {number} is over: {}", entry.unwrap_or_default()))
    }

    /// Somebody did something by hand that is neither a command nor a fault: to the load.
    pub fn note_by_hand(&mut self, at: Duration, by: &str, text: String) {
        self.hand_load.note(at, by, None, text);
    }

    /// Somebody says by hand what becomes of commands to a site and others.
    pub fn remark_by_hand(&mut self, at: Duration, by: &str, site: String, text: String) {
        self.hand_load.note(at, by, Some(site), text);
    }

    /// Somebody changes by hand how many calls are placed, as `what` tells; `is_usual`: as many as the campaign has, and no surge.
    pub fn pace_by_hand(&mut self, at: Duration, by: &str, what: &str, is_usual: bool) {
        self.hand_load.note(at, by, None, what.to_owned());
        self.hand_load.pace((!is_usual).then(|| what.to_owned()));
    }

    /// The number that the next surge by hand has.
    #[must_use]
    pub const fn next_surge(&self) -> u32 {
        self.hand_load.next_surge()
    }

    /// A surge by hand begins, as `what` tells.
    pub fn surge_by_hand(&mut self, from: Duration, lasts: Duration, by: &str, what: &str) {
        let until = from.saturating_add(lasts).min(self.length);
        self.hand_load.surge(from, until, by, what);
    }

    /// What is done to the load by hand now, in words.
    pub fn load_by_hand(&self) -> impl Iterator<Item = &str> {
        self.hand_load.acting()
    }

    /// The callers are done: begins what puts the network back. [`work`](Self::work) comes next, until
    /// [`is_settled`](Self::is_settled).
    pub fn end(&mut self, stage: &impl Stage) {
        let at = stage.time();
        self.put_back_by = Some(at + stage.put_back_limit());
        self.conditions.end();
        self.faults.end(at);
        self.operators.end(at);
        self.commands.gather(&self.operators);
    }

    /// Whether the network has been put back, or is given up.
    #[must_use]
    pub fn is_settled(&self, at: Duration) -> bool {
        let done = self.faults.is_over() && self.operators.have_put_back();
        done || self.put_back_by.is_some_and(|by| by <= at)
    }

    /// Waits until the last alarm is posted. The sentence about a receiver that does not take them, if so.
    pub fn finish_posting(&mut self) -> Option<String> {
        self.webhook.take()?.finish()
    }

    /// Lets time pass, and decides what is to be done.
    fn advance(&mut self, at: Duration) {
        let alarms = self.supervision.advance(at);
        if let Some(crisis) = &mut self.crisis {
            alarms.iter().for_each(|alarm| crisis.alarm(at, alarm));
            crisis.advance(at, self.operators.are_busy(at + CALM));
        }
        if self.conditions.judge(at, &self.supervision.last().callers) {
            self.steps.push_back(Step::DrainCallers);
            if !self.conditions.unsteady().is_empty() {
                // Nothing was done yet, so there is nothing to take back either.
                self.operators.dismiss();
                self.faults.end(at);
            }
        }
        while let Some(milestone) = self.crisis.as_mut().and_then(|crisis| crisis.poll(at)) {
            self.reach(at, milestone);
        }
        self.operators.note_affected(self.supervision.last());
        self.hand_load.advance(at);
        self.operators.advance(at);
        self.operators.watch_canaries(at, self.supervision.last());
        while let Some(step) = self.faults.poll(at) {
            self.note_harm(at, step.action());
            self.steps.push_back(Step::Inject(step));
        }
        let mut touched = false;
        let orders = self.operators.take_orders(at, &mut touched);
        if touched {
            self.fault_begins(at);
        }
        if let Some(crisis) = &mut self.crisis {
            let touching = orders.iter().filter(|order| order.action.touches());
            touching.for_each(|order| crisis.commanded(at, &order.site));
        }
        self.steps.extend(orders.into_iter().map(Step::Order));
    }

    fn reach(&mut self, at: Duration, milestone: Milestone) {
        self.operators.milestone(at, &milestone);
        let announcement = match milestone {
            Milestone::Advised => Some(Announcement::RedialAdvice),
            Milestone::Published => Some(Announcement::TenDigitNumbers),
            _ => None,
        };
        self.steps.extend(announcement.map(Step::Tell));
        self.milestones.push((at, milestone));
    }

    fn note_harm(&mut self, at: Duration, action: FaultAction) {
        if action.harms() {
            self.fault_begins(at);
        }
        if matches!(action, FaultAction::Kill | FaultAction::Freeze) {
            self.crisis.iter_mut().for_each(Crisis::machine_down);
        }
    }

    fn fault_begins(&mut self, at: Duration) {
        if self.fault_at.is_none() {
            self.fault_at = Some(at);
            if let Some(crisis) = &mut self.crisis {
                crisis.fault(at);
            }
        }
    }

    fn carry_out(&mut self, at: Duration, step: Step, stage: &mut impl Stage) {
        match step {
            Step::DrainCallers => stage.drain_callers(),
            Step::Tell(announcement) => stage.tell_callers(announcement),
            Step::Inject(step) => {
                let done = apply(&step, stage);
                self.faults.note(at, &step, done.err());
            }
            Step::Order(order) => {
                let id = order.id;
                if let Some(answer) = stage.order(order) {
                    self.answered(at, id, answer);
                }
            }
        }
    }

    /// What became of each command that is over, by the name of whoever gave it, in the order in which that became known.
    /// The timeline, the screen and the state of a run read commands here and nowhere else.
    pub fn commands(&self) -> impl Iterator<Item = (&str, &LogEntry)> {
        self.commands.entries()
    }

    /// What is to be told of operations beside their commands, in the order of time of each.
    pub fn notes(&self) -> impl Iterator<Item = (&str, &OperationNote)> {
        self.operators.notes().chain(self.hand_load.notes())
    }

    /// Alarms in the order in which they were raised and cleared.
    #[must_use]
    pub fn alarms(&self) -> &[Alarm] {
        self.supervision.alarms()
    }

    /// What was done to machines and ways, in the order of time.
    #[must_use]
    pub fn faults(&self) -> &[FaultEntry] {
        self.faults.log()
    }

    /// The machines without power, those that stand still, and the ways that are impaired now.
    pub fn acting_faults(&self) -> impl Iterator<Item = ActingFault<'_>> {
        self.faults.acting()
    }

    /// Restarts of sites, when supervision saw them.
    #[must_use]
    pub fn restarts(&self) -> &[(Duration, String)] {
        self.supervision.restarts()
    }

    /// What the crisis has reached, and when.
    #[must_use]
    pub fn milestones(&self) -> &[(Duration, Milestone)] {
        &self.milestones
    }

    /// What remains of it when the run is over.
    #[must_use]
    pub fn report(&self) -> OperationsReport {
        OperationsReport {
            commands: self.commands.report(),
            notes: self.notes().map(|(name, note)| (name.to_owned(), note.clone())).collect(),
            alarms: self.alarms().to_vec(),
            milestones: self.milestones.clone(),
            crisis: self.crisis.as_ref().map(Crisis::report),
            fault_at: self.fault_at,
            faults: self.faults.log().to_vec(),
            unsteady: self.conditions.unsteady().to_vec(),
            aborted: self.conditions.aborted().map(str::to_owned),
            shortfalls: self.faults.shortfalls().chain(self.operators.shortfalls()).collect(),
        }
    }
}

/// Does a step of a fault to the stage.
fn apply(step: &FaultStep, stage: &mut impl Stage) -> Result<(), String> {
    match &step.what {
        FaultStepKind::Machine { target, action } => stage.inject(target, *action),
        FaultStepKind::Way(way) => stage.impair(way),
    }
}
