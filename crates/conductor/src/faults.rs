//! The faults of a campaign: when each machine is killed, started again, frozen and thawed, when each way is impaired and
//! healed, and how that went.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use operations::{Fault, FaultAction, FaultEntry, FaultKind};

use crate::stage::ImpairedWay;

/// Faults that are still to come, and what became of the others.
#[derive(Debug)]
pub(crate) struct FaultSchedule {
    faults: Vec<Fault>,
    seed: u64,
    /// Places in `faults`, by their time.
    due: VecDeque<usize>,
    /// When those end that have begun.
    ends: BTreeSet<(Duration, usize)>,
    /// Those that end with the campaign.
    lasting: Vec<usize>,
    /// Machines without power: who took it away.
    killed: Vec<usize>,
    /// Who injected those that are by hand, by their places in `faults`.
    by_hand: BTreeMap<usize, String>,
    log: Vec<FaultEntry>,
}

/// A fault that acts now.
#[derive(Debug, Clone, Copy)]
pub struct ActingFault<'a> {
    /// From 1; no other fault of the run has it.
    pub number: u64,
    place: usize,
    pub fault: &'a Fault,
    /// Who injected it by hand; none if the campaign says so.
    pub by: Option<&'a str>,
    /// When it ends by itself, by the clock of the campaign; none where somebody must end it, or the end of the campaign does.
    pub until: Option<Duration>,
}

/// What is to be done to a machine or to its ways, and who does it if it is by hand.
#[derive(Debug)]
pub(crate) struct FaultStep {
    by: Option<String>,
    /// Which fault of the schedule begins or ends.
    place: usize,
    pub(crate) what: FaultStepKind,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum FaultStepKind {
    Machine { target: String, action: FaultAction },
    Way(ImpairedWay),
}

impl FaultStep {
    pub(crate) const fn action(&self) -> FaultAction {
        match &self.what {
            FaultStepKind::Machine { action, .. } => *action,
            FaultStepKind::Way(way) => match way.what {
                Some(_) => FaultAction::Impair,
                None => FaultAction::Heal,
            },
        }
    }
}

impl FaultSchedule {
    /// Chance in impairments follows from `seed`.
    pub(crate) fn new(faults: &[Fault], seed: u64) -> Self {
        let mut due: Vec<usize> = (0..faults.len()).collect();
        due.sort_by_key(|place| faults[*place].at);
        Self {
            faults: faults.to_vec(),
            seed,
            due: due.into(),
            ends: BTreeSet::new(),
            lasting: Vec::new(),
            killed: Vec::new(),
            by_hand: BTreeMap::new(),
            log: Vec::new(),
        }
    }

    pub(crate) fn next_due(&self) -> Option<Duration> {
        let fault = self.due.front().map(|place| self.faults[*place].at);
        fault.into_iter().chain(self.ends.first().map(|(at, _)| *at)).min()
    }

    /// The next thing to do.
    pub(crate) fn poll(&mut self, at: Duration) -> Option<FaultStep> {
        if self.ends.first().is_some_and(|(due, _)| *due <= at) {
            return self.ends.pop_first().map(|(_, place)| self.step(place, true));
        }
        let place = self.due.pop_front_if(|place| self.faults[*place].at <= at)?;
        Some(self.begin(at, place))
    }

    /// Somebody injects a fault by hand, now: the first thing to do. It [is taken back](Self::take_back) if that fails.
    pub(crate) fn begin_by_hand(&mut self, at: Duration, by: &str, fault: Fault) -> FaultStep {
        let place = self.faults.len();
        self.faults.push(Fault { at, ..fault });
        self.by_hand.insert(place, by.to_owned());
        self.begin(at, place)
    }

    /// The fault that was begun by hand last was not injected: nothing of it ends either.
    pub(crate) fn take_back(&mut self) {
        let place = self.faults.len() - 1;
        self.ends.retain(|(_, of)| *of != place);
        self.lasting.retain(|of| *of != place);
    }

    /// Somebody ends the fault with this number by hand, before its time: what is to be done.
    ///
    /// # Errors
    /// It does not act.
    pub(crate) fn end_by_hand(&self, number: u64, by: &str) -> Result<FaultStep, String> {
        let Some(fault) = self.acting().find(|fault| fault.number == number) else {
            let numbers: Vec<String> = self.acting().map(|one| one.number.to_string()).collect();
            let those = match numbers.is_empty() {
                true => "no fault acts now".to_owned(),
                false => format!("those that act now are {}", numbers.join(", ")),
            };
            return Err(format!("fault {number} does not act; {those}"));
        };
        Ok(FaultStep { by: Some(by.to_owned()), ..self.step(fault.place, true) })
    }

    /// That has been done.
    pub(crate) fn ended_by_hand(&mut self, step: &FaultStep) {
        self.ends.retain(|(_, of)| *of != step.place);
        self.lasting.retain(|of| *of != step.place);
    }

    /// The faults that act now.
    pub(crate) fn acting(&self) -> impl Iterator<Item = ActingFault<'_>> {
        let ending = self.ends.iter().map(|(at, place)| (*place, Some(*at)));
        let others = self.lasting.iter().chain(&self.killed).map(|place| (*place, None));
        ending.chain(others).map(|(place, until)| ActingFault {
            number: place as u64 + 1,
            place,
            fault: &self.faults[place],
            by: self.by_hand.get(&place).map(String::as_str),
            until,
        })
    }

    /// A machine was killed, or has power again. What the campaign has planned for its return has happened then, if somebody did it by
    /// hand.
    fn note_power(&mut self, step: &FaultStep) {
        let FaultStepKind::Machine { target, action } = &step.what else { return };
        let is_it = |fault: &Fault| fault.target == *target;
        match action {
            FaultAction::Kill => self.killed.push(step.place),
            FaultAction::Restart => {
                self.killed.retain(|place| !is_it(&self.faults[*place]));
                let is_power = |it: &Fault| matches!(it.what, FaultKind::Kill | FaultKind::Restart);
                let next = self.due.iter().position(|place| {
                    is_it(&self.faults[*place]) && is_power(&self.faults[*place])
                });
                if step.by.is_some()
                    && let Some(next) = next
                    && self.faults[self.due[next]].what == FaultKind::Restart
                {
                    self.due.remove(next);
                }
            }
            _ => {}
        }
    }

    fn begin(&mut self, at: Duration, place: usize) -> FaultStep {
        match self.faults[place].what {
            FaultKind::Freeze { lasts } => {
                self.ends.insert((at + lasts, place));
            }
            FaultKind::Impair { lasts: Some(lasts), .. } => {
                self.ends.insert((at + lasts, place));
            }
            FaultKind::Impair { lasts: None, .. } => self.lasting.push(place),
            FaultKind::Kill | FaultKind::Restart => {}
        }
        self.step(place, false)
    }

    fn step(&self, place: usize, is_end: bool) -> FaultStep {
        let Fault { what, target, .. } = &self.faults[place];
        let by = self.by_hand.get(&place).filter(|_| !is_end).cloned();
        let action = match what {
            FaultKind::Kill if is_end => FaultAction::Restart,
            FaultKind::Kill => FaultAction::Kill,
            FaultKind::Restart => FaultAction::Restart,
            FaultKind::Freeze { .. } if is_end => FaultAction::Thaw,
            FaultKind::Freeze { .. } => FaultAction::Freeze,
            FaultKind::Impair { other, what, .. } => {
                let way = ImpairedWay {
                    // A file has fewer.
                    id: u32::try_from(place).unwrap_or(u32::MAX),
                    seed: self.seed,
                    of: target.clone(),
                    other: other.clone(),
                    what: (!is_end).then_some(*what),
                };
                return FaultStep { by, place, what: FaultStepKind::Way(way) };
            }
        };
        let what = FaultStepKind::Machine { target: target.clone(), action };
        FaultStep { by, place, what }
    }

    /// No further fault happens; frozen machines go on at `at`, and impaired ways are healed.
    pub(crate) fn end(&mut self, at: Duration) {
        self.due.clear();
        let begun = std::mem::take(&mut self.ends).into_iter().map(|(_, place)| place);
        self.ends = begun.chain(self.lasting.drain(..)).map(|place| (at, place)).collect();
    }

    pub(crate) fn is_over(&self) -> bool {
        self.due.is_empty() && self.ends.is_empty()
    }

    /// Takes note of what became of a step.
    pub(crate) fn note(&mut self, at: Duration, step: &FaultStep, failed: Option<String>) {
        if failed.is_none() {
            self.note_power(step);
        }
        let what = step.action();
        let by = step.by.clone();
        let entry = match &step.what {
            FaultStepKind::Machine { target, .. } => FaultEntry {
                at,
                target: target.clone(),
                what,
                by,
                other: None,
                impairment: None,
                failed,
            },
            FaultStepKind::Way(ImpairedWay { of, other, what: impairment, .. }) => FaultEntry {
                at,
                target: of.clone(),
                what,
                by,
                other: other.clone(),
                impairment: impairment.map(|impairment| impairment.to_string()),
                failed,
            },
        };
        self.log.push(entry);
    }

    pub(crate) fn log(&self) -> &[FaultEntry] {
        &self.log
    }

    /// Faults that were not injected, a sentence each.
    pub(crate) fn shortfalls(&self) -> impl Iterator<Item = String> {
        self.log.iter().filter_map(|FaultEntry { target, what, failed, .. }| {
            Some(format!("fault not applied: {what} {target}: {}", failed.as_ref()?))
        })
    }
}
