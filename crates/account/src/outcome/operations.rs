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

    /// The commands that somebody gave by hand, as a sentence: the figures of a run are those of a network that was commanded.
    #[must_use]
    pub fn by_hand(&self) -> Option<String> {
        let mut given: Vec<_> = self.log().filter(|(_, entry)| entry.by_hand).collect();
        given.sort_by_key(|(_, entry)| entry.given_at);
        let told = given.iter().take(MOST_TOLD).map(|(by, entry)| {
            let at = entry.given_at.unwrap_or(entry.at).as_secs_f64();
            format!("{at:.1} s {by}: {entry}")
        });
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
