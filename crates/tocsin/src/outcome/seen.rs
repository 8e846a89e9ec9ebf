//! What those who operated and watched a run have seen of it: what remains of a control room when the run is over.

use std::time::Duration;

use operations::supervision::Alarm;
use operations::{Crisis, CrisisReport, FaultEntry, LogEntry, Milestone, OrderResult};
use serde::{Deserialize, Serialize};

use crate::control_room::ControlRoom;

/// Everything by the time since the start of the campaign.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Seen {
    /// What became of each command, with its operation.
    commands: Vec<(String, LogEntry)>,
    alarms: Vec<Alarm>,
    milestones: Vec<(Duration, Milestone)>,
    crisis: Option<CrisisReport>,
    fault_at: Option<Duration>,
    faults: Vec<FaultEntry>,
    /// What did not hold before the first fault.
    pub(crate) unsteady: Vec<String>,
    /// The threshold that ended the campaign.
    pub(crate) aborted: Option<String>,
    /// Faults that were not applied, and what was not put back.
    pub(crate) shortfalls: Vec<String>,
}

impl Seen {
    pub(crate) fn of(room: &ControlRoom) -> Self {
        Self {
            commands: room.log().map(|(name, entry)| (name.to_owned(), entry.clone())).collect(),
            alarms: room.alarms().to_vec(),
            milestones: room.milestones().to_vec(),
            crisis: room.crisis().map(Crisis::report),
            fault_at: room.fault_at(),
            faults: room.faults().to_vec(),
            unsteady: room.unsteady().to_vec(),
            aborted: room.aborted().map(str::to_owned),
            shortfalls: room.shortfalls(),
        }
    }

    /// What became of each command, by the name of its operation.
    pub(crate) fn log(&self) -> impl Iterator<Item = (&str, &LogEntry)> {
        self.commands.iter().map(|(name, entry)| (&name[..], entry))
    }

    pub(crate) fn alarms(&self) -> &[Alarm] {
        &self.alarms
    }

    /// What was done to machines.
    pub(crate) fn faults(&self) -> &[FaultEntry] {
        &self.faults
    }

    pub(crate) fn milestones(&self) -> &[(Duration, Milestone)] {
        &self.milestones
    }

    pub(crate) const fn crisis(&self) -> Option<&CrisisReport> {
        self.crisis.as_ref()
    }

    /// The first command that touched a site, unless a milestone had to come first.
    pub(crate) const fn fault_at(&self) -> Option<Duration> {
        self.fault_at
    }

    pub(crate) fn timed_out(&self) -> u64 {
        let silent = |(_, entry): &(&str, &LogEntry)| entry.result == OrderResult::TimedOut;
        self.log().filter(silent).count() as u64
    }
}
