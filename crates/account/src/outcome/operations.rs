//! What operators did to a network, and what supervision saw of it: what remains of its conductor when the run is over.

use std::time::Duration;

use operations::supervision::Alarm;
use operations::{CrisisReport, FaultEntry, LogEntry, Milestone, OperationNote, OrderResult};
use serde::{Deserialize, Serialize};

/// Commands by hand that the sentence about them tells.
const MOST_TOLD: usize = 4;

/// Everything by the time since the start of the campaign.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OperationsReport {
    /// What became of each command, with its operation.
    pub commands: Vec<(String, LogEntry)>,
    /// What is to be told of operations beside that, with the operation.
    pub notes: Vec<(String, OperationNote)>,
    pub alarms: Vec<Alarm>,
    pub milestones: Vec<(Duration, Milestone)>,
    pub crisis: Option<CrisisReport>,
    /// The first command that touched a site, unless a milestone had to come first.
    pub fault_at: Option<Duration>,
    /// What was done to machines.
    pub faults: Vec<FaultEntry>,
    /// What did not hold before the first fault.
    pub unsteady: Vec<String>,
    /// The threshold that ended the campaign.
    pub aborted: Option<String>,
    /// Faults that were not applied, and what was not put back.
    pub shortfalls: Vec<String>,
}

impl OperationsReport {
    /// What became of each command, by the name of its operation.
    pub fn log(&self) -> impl Iterator<Item = (&str, &LogEntry)> {
        self.commands.iter().map(|(name, entry)| (&name[..], entry))
    }

    /// What somebody commanded or injected by hand, as a sentence: the figures of a run are those of a network to which that was
    /// done.
    #[must_use]
    pub fn by_hand(&self) -> Option<String> {
        let commands = self.log().filter(|(_, entry)| entry.by_hand);
        let commands = commands
            .map(|(by, entry)| (entry.given_at.unwrap_or(entry.at), format!("{by}: {entry}")));
        let faults = self.faults.iter().filter(|fault| fault.by.is_some());
        let faults = faults.map(|fault| (fault.at, fault.to_string()));
        let notes = self.notes.iter().filter(|(_, note)| note.by_hand);
        let notes = notes.map(|(by, note)| (note.at, format!("{by}: {}", note.text)));
        let mut given: Vec<_> = commands.chain(faults).chain(notes).collect();
        given.sort_by_key(|(at, _)| *at);
        let told = given.iter().take(MOST_TOLD);
        let told = told.map(|(at, what)| format!("{:.1} s {what}", at.as_secs_f64()));
        let mut told = told.collect::<Vec<_>>().join("; ");
        match given.len() {
            0 => return None,
            1..=MOST_TOLD => {}
            more => told += &format!("; and {} more in chronicle.json", more - MOST_TOLD),
        }
        Some(format!("commanded by hand while it ran: {told}"))
    }

    /// Commands without an answer.
    #[must_use]
    pub fn timed_out(&self) -> u64 {
        let silent = |(_, entry): &(&str, &LogEntry)| entry.result == OrderResult::TimedOut;
        self.log().filter(silent).count() as u64
    }
}
