//! How a run shows itself while it goes on: not at all, in lines, or on a screen.

use std::time::Duration;

use account::summary::GeneratorFigures;
use campaign::Campaign;
use conductor::{Conductor, Stage as _};
use contract::Snapshot;
use load_gen::Progress;
use topology::Topology;

use super::fleet::Fleet;
use super::plan::Tier;
use super::prepared::Prepared;
use super::stage::Processes;
use crate::screen::{self, Key, Notes, PsapRow, Rates, RunStatus, Scene, Screen, SiteRow};
use cli::say;

#[derive(Debug)]
pub(crate) enum Display {
    Nothing,
    Lines(Progress),
    Screen(Box<ScreenDisplay>),
}

/// A screen, and what it needs to know of before.
#[derive(Debug)]
pub(crate) struct ScreenDisplay {
    screen: Screen,
    title: String,
    ending: RunStatus,
    rates: Rates,
    notes: Notes,
}

impl Display {
    /// A screen where there is a terminal for it, else lines, else nothing.
    pub(crate) fn open(prepared: &Prepared, quiet: bool, no_screen: bool) -> Self {
        if quiet {
            return Self::Nothing;
        }
        if !no_screen && screen::is_wanted() {
            match Screen::start() {
                Ok(screen) => return Self::Screen(Box::new(ScreenDisplay::new(screen, prepared))),
                Err(error) => cli::complain!("no screen: {error}"),
            }
        }
        let ours = prepared.topology.sites.iter().filter(|_| prepared.target.is_none());
        let progress = Progress::new(ours.map(|site| site.name.clone()).collect());
        say(progress.header());
        Self::Lines(progress)
    }

    /// How often to show something new.
    pub(crate) fn interval(&self, prepared: &Prepared) -> Duration {
        match self {
            Self::Screen(_) => screen::REFRESH,
            _ => prepared.campaign.progress_interval.max(Duration::from_millis(100)),
        }
    }

    /// Waits for a key. Cancel safe.
    pub(crate) async fn key(&mut self) -> Key {
        match self {
            Self::Screen(screen) => screen.screen.key().await,
            _ => std::future::pending().await,
        }
    }

    /// Somebody wants the run to end.
    pub(crate) fn interrupted(&mut self, urgent: bool) {
        match self {
            Self::Nothing => {}
            Self::Lines(_) => {
                let what = if urgent {
                    "stopping at once"
                } else {
                    "draining; Ctrl-C again stops at once"
                };
                say(format_args!("interrupted: {what}"));
            }
            Self::Screen(screen) => {
                screen.ending = if urgent { RunStatus::Stopping } else { RunStatus::Draining };
            }
        }
    }

    /// Shows a run as it is now.
    pub(crate) fn show(&mut self, stage: &Processes<'_>, conductor: &Conductor) {
        match self {
            Self::Nothing => {}
            Self::Lines(progress) => {
                let Processes { fleet, .. } = stage;
                say(progress.line(stage.time(), &fleet.generators(), &fleet.calls_by_site()));
            }
            Self::Screen(screen) => screen.show(stage, conductor),
        }
    }
}

impl ScreenDisplay {
    fn new(screen: Screen, prepared: &Prepared) -> Self {
        let network = match &prepared.target {
            Some(target) => target.place(),
            None => prepared.topology.name.clone(),
        };
        let title = format!("{} on {network}", prepared.campaign.name);
        let (ending, rates, notes) = (RunStatus::Running, Rates::default(), Notes::default());
        Self { screen, title, ending, rates, notes }
    }

    fn show(&mut self, stage: &Processes<'_>, conductor: &Conductor) {
        let (at, Processes { prepared, fleet, .. }) = (stage.time(), stage);
        let Prepared { campaign, topology, target, .. } = prepared;
        let losses = fleet.losses();
        self.notes.take(at, conductor, &losses, stage.detections());
        let (sites, psaps) = match target {
            None => (sites(topology, fleet), psaps(fleet)),
            Some(_) => (Vec::new(), Vec::new()),
        };
        let callers = fleet.generators();
        let counts = self.rates.update(at, &callers);
        let mut against = against_generator(fleet, campaign);
        against.extend(losses);
        self.screen.show(Scene {
            title: self.title.clone(),
            phase: screen::phase(campaign, at),
            elapsed: at,
            length: campaign.duration(),
            ending: self.ending,
            counts,
            against,
            thresholds: screen::standing(&campaign.thresholds, &callers),
            history: self.rates.history(),
            sites,
            psaps,
            notes: self.notes.latest(),
        });
    }
}

/// What the generator has against itself so far.
pub(super) fn against_generator(fleet: &Fleet, campaign: &Campaign) -> Vec<String> {
    let messages = fleet.messages().remove("load").unwrap_or_default();
    let figures = GeneratorFigures::of(&fleet.generators(), &messages, campaign.validity);
    let broken = figures.checks(campaign.compression).into_iter().filter(|check| !check.holds);
    broken.map(|check| check.short).collect()
}

fn sites(topology: &Topology, fleet: &Fleet) -> Vec<SiteRow> {
    let gone = fleet.gone();
    let row = |site: &topology::Site| {
        let mut row = SiteRow { name: site.name.clone(), state: "up", ..SiteRow::default() };
        for one in &site.call_servers {
            let shown = fleet.shown(Tier::Sites).find(|(name, _)| **name == one.name);
            if let Some(snapshot) = shown.and_then(|(_, shown)| shown.call_server()) {
                row.calls += snapshot.calls as u64;
                row.offered += snapshot.counts.offered;
                row.restarts += u64::from(snapshot.restarts);
                // The worst of the call servers of a site is its state.
                let states = [
                    (snapshot.starting, "starting"),
                    (snapshot.hung, "hung"),
                    (snapshot.isolated, "isolated"),
                    (snapshot.locked, "locked"),
                    (snapshot.draining, "draining"),
                    (snapshot.shedding, "shedding"),
                ];
                if let Some((_, state)) = states.into_iter().find(|(is, _)| *is) {
                    row.state = state;
                }
            }
            if gone.contains(&&one.name[..]) {
                (row.state, row.calls) = ("gone", 0);
            }
        }
        row
    };
    topology.sites.iter().map(row).collect()
}

fn psaps(fleet: &Fleet) -> Vec<PsapRow> {
    let row = |(name, shown): (&String, &Snapshot)| {
        let psap = shown.psap()?;
        let positions = psap.positions;
        let busy = (positions.ringing + positions.talking + positions.wrap_up) as u64;
        Some(PsapRow {
            name: name.clone(),
            waiting: psap.waiting as u64,
            busy,
            positions: busy + positions.idle as u64,
            answered: psap.service.answered,
        })
    };
    fleet.shown(Tier::Psaps).filter_map(row).collect()
}
