//! What is judged while the calls run: the steady state before the first fault, and thresholds that end a campaign.

use std::time::Duration;

use account::summary::{ThresholdResult, measured_so_far};
use campaign::{Campaign, Threshold};
use contract::GeneratorSnapshot;
use operations::OperationStart;

/// Between two looks at thresholds that may end the campaign.
const LOOK: Duration = Duration::from_secs(1);

/// The conditions of a campaign, and what they have come to.
#[derive(Debug)]
pub(crate) struct Conditions {
    steady_state: Vec<Threshold>,
    /// When the steady state is judged: just before the first fault or operation that is due by the clock.
    judged_at: Option<Duration>,
    aborting: Vec<Threshold>,
    /// The next look at those.
    next: Duration,
    unsteady: Vec<String>,
    aborted: Option<String>,
}

impl Conditions {
    pub(crate) fn new(campaign: &Campaign) -> Self {
        let settings = &campaign.operations;
        let operations = settings.operations.iter().filter_map(|operation| match operation.start {
            OperationStart::At(at) if operation.enabled => Some(at),
            _ => None,
        });
        let first = operations.chain(settings.faults.iter().map(|fault| fault.at)).min();
        let aborting = campaign.thresholds.iter().filter(|one| one.abort_from.is_some()).cloned();
        Self {
            judged_at: first.filter(|_| !campaign.steady_state.is_empty()),
            steady_state: campaign.steady_state.clone(),
            aborting: aborting.collect(),
            next: LOOK,
            unsteady: Vec::new(),
            aborted: None,
        }
    }

    /// Whether the callers have to be looked at.
    pub(crate) fn watch(&self) -> bool {
        self.judged_at.is_some() || !self.aborting.is_empty()
    }

    pub(crate) fn next_due(&self) -> Option<Duration> {
        let look = (!self.aborting.is_empty()).then_some(self.next);
        self.judged_at.into_iter().chain(look).min()
    }

    /// Looks at the callers. True when the campaign must end now.
    pub(crate) fn judge(&mut self, at: Duration, callers: &GeneratorSnapshot) -> bool {
        if self.judged_at.is_some_and(|due| due <= at) {
            self.judged_at = None;
            let breach = |one: &Threshold| {
                let measured = measured_so_far(callers, one.metric).unwrap_or(f64::NAN);
                Some(format!(
                    "no steady state before the first fault: {}",
                    breach_of(one, measured)?
                ))
            };
            self.unsteady = self.steady_state.iter().filter_map(breach).collect();
            if !self.unsteady.is_empty() {
                self.aborting.clear();
                return true;
            }
        }
        if self.next > at {
            return false;
        }
        self.next = at + LOOK;
        // Before anybody was answered or refused there is nothing to judge.
        let breach = |one: &Threshold| {
            let measured =
                measured_so_far(callers, one.metric).filter(|_| one.abort_from <= Some(at))?;
            Some(format!("ended at {:.0} s: {}", at.as_secs_f64(), breach_of(one, measured)?))
        };
        self.aborted = self.aborting.iter().find_map(breach);
        if self.aborted.is_some() {
            self.aborting.clear();
        }
        self.aborted.is_some()
    }

    /// Nothing is judged any more.
    pub(crate) fn end(&mut self) {
        self.judged_at = None;
        self.aborting.clear();
    }

    pub(crate) fn unsteady(&self) -> &[String] {
        &self.unsteady
    }

    pub(crate) fn aborted(&self) -> Option<&str> {
        self.aborted.as_deref()
    }
}

/// The sentence about `measured` if it does not hold.
fn breach_of(threshold: &Threshold, measured: f64) -> Option<String> {
    ThresholdResult::of(threshold, measured, None).breach()
}
