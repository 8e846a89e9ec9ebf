//! Collects what is known of a run on real sockets, at any time of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use account::summary::ProcessUsage;
use campaign::Time;
use conductor::{Conductor, Stage as _};
use run_folder::{Folder, RunState, environment};

use super::campaign_start::CampaignStart;
use super::clock_watch::ClockWatch;
use super::fleet::Fleet;
use super::interruptions::Interruptions;
use super::machine_watch::MachineWatch;
use super::plan::Tier;
use super::prepared::Prepared;
use super::stage::Processes;
use super::target::TargetNetwork;

/// What is known only by looking again and again, beside the fleet and the conductor.
pub(super) struct StateCollector<'a> {
    prepared: &'a Prepared,
    folder: &'a Folder,
    start: CampaignStart,
    environment: Vec<(String, String)>,
    /// When each loss of a process was seen first.
    losses: Vec<(Duration, String)>,
    /// When restarts of call servers were seen, and how many of each.
    restarts: Vec<(Duration, String, String)>,
    restarts_of: BTreeMap<String, u32>,
    /// The same of their hangs.
    hangs: Vec<(Duration, String, String)>,
    hangs_of: BTreeMap<String, u32>,
    clock: ClockWatch,
    machine: MachineWatch,
}

impl<'a> StateCollector<'a> {
    pub(super) fn new(prepared: &'a Prepared, folder: &'a Folder, start: CampaignStart) -> Self {
        Self {
            prepared,
            folder,
            start,
            environment: environment(),
            losses: Vec::new(),
            restarts: Vec::new(),
            restarts_of: BTreeMap::new(),
            hangs: Vec::new(),
            hangs_of: BTreeMap::new(),
            clock: ClockWatch::start(),
            machine: MachineWatch::start(),
        }
    }

    /// All that is known besides the records.
    pub(super) fn state(
        &mut self,
        stage: &Processes<'_>,
        interruptions: &Interruptions,
        conductor: &Conductor,
    ) -> RunState {
        let fleet = &stage.fleet;
        self.clock.look();
        self.machine.look(fleet.cpu() + node::usage().cpu());
        let elapsed = stage.time();
        let losses = fleet.losses();
        for loss in &losses {
            if !self.losses.iter().any(|(_, known)| known == loss) {
                self.losses.push((elapsed, loss.clone()));
            }
        }
        let mut degraded = losses;
        degraded.extend(without_files(fleet));
        degraded.extend(without_records(fleet));
        if interruptions.are_urgent() {
            degraded.push("a second interruption cut off the calls in progress".to_owned());
        }
        self.note_restarts(fleet, elapsed);
        RunState {
            time: Time::Real,
            ended: false,
            campaign: self.prepared.campaign.name.clone(),
            network: self.prepared.topology.name.clone(),
            set: self.prepared.args.set.clone(),
            copies: Folder::copies(&self.prepared.campaign),
            environment: self.environment.clone(),
            started_us: self.start.us,
            elapsed,
            generators: fleet.generators(),
            processes: fleet.usage(),
            messages: fleet.messages(),
            refused_without_port: fleet
                .counted(|shown| shown.media().map_or(0, |media| media.refused)),
            ledger_hash: None,
            interrupted: interruptions.seen(),
            lost: fleet.lost_boxes(),
            degraded,
            losses: self.losses.clone(),
            target: self.prepared.target.as_ref().map(TargetNetwork::place),
            unrecorded: self
                .prepared
                .target
                .as_ref()
                .map_or_else(Vec::new, TargetNetwork::unrecorded),
            busiest_cpu_share: fleet.busiest_generator(),
            clock_step: self.clock.largest_step(),
            machine: self.machine.busiest(),
            operations: conductor.report(),
            restarts: self.restarts.clone(),
            hangs: self.hangs.clone(),
            detections: stage.detections().to_vec(),
            record_files: self.record_files(fleet),
        }
    }

    /// Takes note of call servers that have hung or started anew since the last time, whether anybody supervises them or not.
    fn note_restarts(&mut self, fleet: &Fleet, elapsed: Duration) {
        for (name, shown) in fleet.shown(Tier::Sites) {
            let Some(one) = shown.call_server() else { continue };
            let known = self.restarts_of.insert(name.clone(), one.restarts).unwrap_or_default();
            let new = known..one.restarts;
            let why = || "restarted; its log says why".to_owned();
            self.restarts.extend(new.map(|_| (elapsed, name.clone(), why())));
            let known = self.hangs_of.insert(name.clone(), one.hangs).unwrap_or_default();
            let why = || "its log says why".to_owned();
            self.hangs.extend((known..one.hangs).map(|_| (elapsed, name.clone(), why())));
        }
    }

    fn record_files(&self, fleet: &Fleet) -> Vec<PathBuf> {
        let files = fleet.record_files(self.folder).into_iter();
        let inside = |file: PathBuf| file.strip_prefix(self.folder.path()).map(PathBuf::from).ok();
        files.filter_map(inside).collect()
    }
}

/// A sentence for each process that could open no file for the media of calls.
fn without_files(fleet: &Fleet) -> Vec<String> {
    let calls = fleet.counted(|shown| shown.media().map_or(0, |media| media.without_file));
    let what = "calls: raise the limit of open files (ulimit -n)";
    let sentence =
        |(name, calls)| format!("{name} could open no file for the media of {calls} {what}");
    calls.into_iter().map(sentence).collect()
}

/// A sentence for each process that could not keep all records of its calls.
fn without_records(fleet: &Fleet) -> Vec<String> {
    let usage = fleet.usage().into_iter().filter(|process| process.records_dropped > 0);
    let what = "call records for want of room on the disk; its log says which";
    usage
        .map(|ProcessUsage { name, records_dropped, .. }| {
            format!("{name} dropped {records_dropped} {what}")
        })
        .collect()
}
