//! The faults of a campaign: when each machine is killed, frozen and thawed, and how that went.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use operations::{Fault, FaultAction, FaultEntry, FaultKind};

/// Faults that are still to come, and what became of the others.
#[derive(Debug)]
pub(crate) struct FaultSchedule {
    /// By their time.
    due: VecDeque<Fault>,
    thaws: BTreeSet<(Duration, String)>,
    log: Vec<FaultEntry>,
}

impl FaultSchedule {
    pub(crate) fn new(faults: &[Fault]) -> Self {
        let mut due = faults.to_vec();
        due.sort_by_key(|fault| fault.at);
        Self { due: due.into(), thaws: BTreeSet::new(), log: Vec::new() }
    }

    pub(crate) fn next_due(&self) -> Option<Duration> {
        let fault = self.due.front().map(|fault| fault.at);
        fault.into_iter().chain(self.thaws.first().map(|(at, _)| *at)).min()
    }

    /// The next thing to do to a machine, and its name.
    pub(crate) fn poll(&mut self, at: Duration) -> Option<(String, FaultAction)> {
        if self.thaws.first().is_some_and(|(due, _)| *due <= at) {
            return self.thaws.pop_first().map(|(_, target)| (target, FaultAction::Thaw));
        }
        let fault = self.due.pop_front_if(|fault| fault.at <= at)?;
        let action = match fault.what {
            FaultKind::Kill => FaultAction::Kill,
            FaultKind::Freeze { lasts } => {
                self.thaws.insert((at + lasts, fault.target.clone()));
                FaultAction::Freeze
            }
        };
        Some((fault.target, action))
    }

    /// No further fault happens, and frozen machines go on at `at`.
    pub(crate) fn end(&mut self, at: Duration) {
        self.due.clear();
        self.thaws = std::mem::take(&mut self.thaws).into_iter().map(|(_, it)| (at, it)).collect();
    }

    pub(crate) fn is_over(&self) -> bool {
        self.due.is_empty() && self.thaws.is_empty()
    }

    pub(crate) fn note(&mut self, entry: FaultEntry) {
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
