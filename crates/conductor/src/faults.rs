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
    /// Who injected those that are by hand, by their places in `faults`.
    by_hand: BTreeMap<usize, String>,
    log: Vec<FaultEntry>,
}

/// What is to be done to a machine or to its ways, and who does it if it is by hand.
#[derive(Debug)]
pub(crate) struct FaultStep {
    by: Option<String>,
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
                return FaultStep { by, what: FaultStepKind::Way(way) };
            }
        };
        let what = FaultStepKind::Machine { target: target.clone(), action };
        FaultStep { by, what }
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

    /// The ways that are impaired now.
    pub(crate) fn impaired(&self) -> impl Iterator<Item = &Fault> {
        let places = self.ends.iter().map(|(_, place)| place).chain(&self.lasting);
        places.map(|place| &self.faults[*place])
    }

    /// Takes note of what became of a step.
    pub(crate) fn note(&mut self, at: Duration, step: &FaultStep, failed: Option<String>) {
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
