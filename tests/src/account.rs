//! What boxes count, against the records that they wrote.

use std::collections::BTreeMap;

use telemetry::{CallRecord, Outcome};

/// The records of a simulation by box and outcome, and what does not agree with them.
#[derive(Debug)]
pub(crate) struct Account<'a> {
    written: BTreeMap<(&'a str, Outcome), u64>,
    wrong: Vec<String>,
}

impl<'a> Account<'a> {
    pub(crate) fn new(records: &'a [CallRecord]) -> Self {
        let mut written = BTreeMap::new();
        for record in records {
            *written.entry((record.node.as_str(), record.outcome)).or_default() += 1;
        }
        Self { written, wrong: Vec::new() }
    }

    /// The law of conservation: every call that came has ended in one outcome, or goes on.
    pub(crate) fn expect_all(&mut self, name: &'a str, offered: u64, in_progress: u64) {
        let outcomes = [
            Outcome::Answered,
            Outcome::Rejected,
            Outcome::Abandoned,
            Outcome::TimedOut,
            Outcome::Lost,
        ];
        let ended: u64 = outcomes.into_iter().map(|outcome| self.written(name, outcome)).sum();
        if offered != ended + in_progress {
            self.wrong.push(format!(
                "{name}: {offered} offered, but {ended} ended and {in_progress} in progress"
            ));
        }
    }

    /// A counter of a box says what its records say.
    pub(crate) fn expect(&mut self, name: &'a str, outcome: Outcome, counted: u64) {
        let written = self.written(name, outcome);
        if counted != written {
            self.wrong.push(format!("{name}: {counted} {outcome}, but {written} such records"));
        }
    }

    /// Circuits are held by calls, at most one by each.
    pub(crate) fn expect_circuits(&mut self, name: &'a str, seized: u64, calls: u64) {
        if seized > calls {
            self.wrong.push(format!("{name}: {seized} circuits for {calls} calls"));
        }
    }

    /// One sentence for each mistake.
    pub(crate) fn mistakes(self) -> Vec<String> {
        self.wrong
    }

    fn written(&self, name: &'a str, outcome: Outcome) -> u64 {
        self.written.get(&(name, outcome)).copied().unwrap_or_default()
    }
}
