//! What operators did to a network, and what supervision saw of it: what remains of its conductor when the run is over.

use std::time::Duration;

use operations::supervision::Alarm;
use operations::{CrisisReport, FaultEntry, LogEntry, Milestone, OrderResult};
use serde::{Deserialize, Serialize};

/// Everything by the time since the start of the campaign.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OperationsReport {
    /// What became of each command, with its operation.
    pub commands: Vec<(String, LogEntry)>,
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

    /// Commands without an answer.
    #[must_use]
    pub fn timed_out(&self) -> u64 {
        let silent = |(_, entry): &(&str, &LogEntry)| entry.result == OrderResult::TimedOut;
        self.log().filter(silent).count() as u64
    }
}
