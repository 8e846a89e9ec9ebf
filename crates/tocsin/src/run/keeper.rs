//! Keeps what is known of a run in its folder while it goes on.

use std::path::PathBuf;
use std::time::Duration;

use campaign::Time;
use run_folder::{Folder, State, environment};

use super::Prepared;
use super::clock_watch::ClockWatch;
use super::fleet::Fleet;
use super::live::Interruptions;
use super::target::Elsewhere;
use super::zero::Zero;
use crate::control_room::ControlRoom;

/// Between two states.
pub(crate) const EVERY: Duration = Duration::from_secs(1);

pub(crate) struct Keeper<'a> {
    prepared: &'a Prepared,
    folder: &'a Folder,
    zero: Zero,
    environment: Vec<(String, String)>,
    /// When each loss of a process was seen first.
    losses: Vec<(Duration, String)>,
    clock: ClockWatch,
    /// The disk refused a state, which was said once.
    has_complained: bool,
}

impl<'a> Keeper<'a> {
    pub(crate) fn new(prepared: &'a Prepared, folder: &'a Folder, zero: Zero) -> Self {
        Self {
            prepared,
            folder,
            zero,
            environment: environment(),
            losses: Vec::new(),
            clock: ClockWatch::start(),
            has_complained: false,
        }
    }

    /// By the clock of the run, since its start.
    fn elapsed(&self) -> Duration {
        self.zero.instant.elapsed().mul_f64(self.prepared.campaign.compression)
    }

    /// Writes the state as it is now.
    pub(crate) fn keep(
        &mut self,
        fleet: &Fleet,
        interruptions: &Interruptions,
        room: &ControlRoom,
        detections: &[(String, String, Duration)],
    ) {
        let state = self.state(fleet, interruptions, room, detections);
        if let Err(error) = state.keep(self.folder)
            && !std::mem::replace(&mut self.has_complained, true)
        {
            cli::complain!("! the state of the run cannot be kept: {error:#}");
        }
    }

    /// All that is known besides the records.
    pub(crate) fn state(
        &mut self,
        fleet: &Fleet,
        interruptions: &Interruptions,
        room: &ControlRoom,
        detections: &[(String, String, Duration)],
    ) -> State {
        self.clock.look();
        let elapsed = self.elapsed();
        let losses = fleet.losses();
        for loss in &losses {
            if !self.losses.iter().any(|(_, known)| known == loss) {
                self.losses.push((elapsed, loss.clone()));
            }
        }
        let mut degraded = losses;
        if interruptions.are_urgent() {
            degraded.push("a second interruption cut off the calls in progress".to_owned());
        }
        let why = || "restarted; its log says why".to_owned();
        let restarts = room.restarts().iter();
        State {
            time: Time::Real,
            ended: false,
            campaign: self.prepared.campaign.name.clone(),
            network: self.prepared.topology.name.clone(),
            set: self.prepared.args.set.clone(),
            copies: Folder::copies(&self.prepared.campaign),
            environment: self.environment.clone(),
            started_us: self.zero.us,
            elapsed,
            generators: fleet.generators(),
            processes: fleet.usage(),
            messages: fleet.messages(),
            refused_without_port: fleet.refused_without_port(),
            ledger_hash: None,
            interrupted: interruptions.seen(),
            lost: fleet.lost_boxes(),
            degraded,
            losses: self.losses.clone(),
            target: self.prepared.elsewhere.as_ref().map(Elsewhere::place),
            unrecorded: self
                .prepared
                .elsewhere
                .as_ref()
                .map_or_else(Vec::new, Elsewhere::unrecorded),
            busiest_cpu_share: fleet.busiest_generator(),
            clock_step: self.clock.largest_step(),
            operations: room.report(),
            restarts: restarts.map(|(at, site)| (*at, site.clone(), why())).collect(),
            detections: detections.to_vec(),
            record_files: self.record_files(fleet),
        }
    }

    fn record_files(&self, fleet: &Fleet) -> Vec<PathBuf> {
        let files = fleet.record_files(self.folder).into_iter();
        let inside = |file: PathBuf| file.strip_prefix(self.folder.path()).map(PathBuf::from).ok();
        files.filter_map(inside).collect()
    }
}
