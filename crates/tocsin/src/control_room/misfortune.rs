//! The faults of a campaign: when each machine is killed, frozen and thawed, and how that went.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use operations::{Fault, FaultEntry, FaultKind};

use super::Deed;

#[derive(Debug)]
pub(super) struct Misfortune {
    /// By their time.
    due: VecDeque<Fault>,
    thaws: BTreeSet<(Duration, String)>,
    log: Vec<FaultEntry>,
}

impl Misfortune {
    pub(super) fn new(faults: &[Fault]) -> Self {
        let mut due = faults.to_vec();
        due.sort_by_key(|fault| fault.at);
        Self { due: due.into(), thaws: BTreeSet::new(), log: Vec::new() }
    }

    pub(super) fn next_due(&self) -> Option<Duration> {
        let fault = self.due.front().map(|fault| fault.at);
        fault.into_iter().chain(self.thaws.first().map(|(at, _)| *at)).min()
    }

    /// The next thing to do to a machine.
    pub(super) fn poll(&mut self, at: Duration) -> Option<Deed> {
        if self.thaws.first().is_some_and(|(due, _)| *due <= at) {
            return self.thaws.pop_first().map(|(_, target)| Deed::Thaw { target });
        }
        let fault = self.due.pop_front_if(|fault| fault.at <= at)?;
        let target = fault.target;
        Some(match fault.what {
            FaultKind::Kill => Deed::Kill { target },
            FaultKind::Freeze { lasts } => {
                self.thaws.insert((at + lasts, target.clone()));
                Deed::Freeze { target }
            }
        })
    }

    /// No further fault happens, and frozen machines go on at `at`.
    pub(super) fn end(&mut self, at: Duration) {
        self.due.clear();
        self.thaws = std::mem::take(&mut self.thaws).into_iter().map(|(_, it)| (at, it)).collect();
    }

    pub(super) fn is_over(&self) -> bool {
        self.due.is_empty() && self.thaws.is_empty()
    }

    pub(super) fn note(&mut self, entry: FaultEntry) {
        self.log.push(entry);
    }

    pub(super) fn log(&self) -> &[FaultEntry] {
        &self.log
    }
}
