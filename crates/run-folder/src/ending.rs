//! The end of a run, in real or virtual time: from its records and its state to everything that its folder keeps.
//!
//! ```text
//!   campaign.toml, network.toml ┐
//!   state.json                  ├──► EndedRun ──► Attempts ──read──┬──► Rows ──┬──► calls.sqlite   (a thread)
//!   records/*.jsonl, or memory  ┘                                  │           └──► calls.csv      (a thread)
//!                                                                  └──► AttemptTallies and other readers
//! ```
//!
//! `tocsin report` takes the same way, so a run that was killed gets the same report as one that ended.

use std::path::Path;
use std::thread;
use std::time::Duration;

use account::ArrivalsByHalfHour;
use account::archive::{self, AttemptRows, Histograms, PartialDatabase, events};
use account::outcome::{BASE, Evidence, Goodput, RUN, VariantOutcome, measure};
use account::series::Series;
use account::summary::{CrisisTime, RecordIntake, Summary};
use campaign::{Campaign, Time};
use telemetry::{AttemptReader, Attempts, Ledger};
use topology::{Problems, Topology};

use crate::database::Database;
use crate::downtimes::downtimes;
use crate::folder::{ARRIVALS_CSV, CALLS, CALLS_CSV, Folder};
use crate::missing::Missing;
use crate::publish::{ClosedRun, Published, publish};
use crate::standing::Standing;
use crate::state::RunState;

/// What the report of a run against somebody else's network says first.
const ONE_SIDED: &str = "only the callers' side is known: no box of the target writes records here";

/// A run whose calls are over.
#[derive(Debug)]
pub struct EndedRun<'a> {
    pub campaign: &'a Campaign,
    pub topology: &'a Topology,
    /// `run`, `base`, or the name of a variant; and the same in words.
    pub name: String,
    pub title: String,
    pub state: RunState,
    /// With every record.
    pub intake: RecordIntake,
    /// Real time that it took.
    pub took: Duration,
    /// Where its attempts are written down; variants of a campaign leave figures only.
    pub archive: Option<&'a Folder>,
}

/// Compares the records, writes the attempts down, and judges the run by all but its figures, which other seeds may have too.
/// Nothing is told of it yet.
pub fn close(ending: EndedRun<'_>) -> ClosedRun {
    let EndedRun { campaign, topology, name, title, state, intake, took, archive } = ending;
    let mut run = state.run(campaign, topology);
    if !state.ended {
        // What it had started when it was killed, nobody told.
        run.generators.offered = run.generators.offered.max(intake.callers());
    }
    let campaign_start_us = state.started_us;
    let (mut tallies, attempts) = intake.into_tallies(&run);
    let mut evidence = Evidence::new(campaign, campaign_start_us);
    let mut goodput = Goodput::new(campaign.levels(), campaign_start_us);
    let mut arrivals =
        ArrivalsByHalfHour::new(campaign_start_us, campaign.begins, campaign.duration());
    let mut series = Series::new(campaign_start_us, campaign.duration());
    let (mut histograms, mut missing) = (Histograms::default(), Missing::default());
    let readers: &mut [&mut dyn AttemptReader] = &mut [
        &mut tallies,
        &mut evidence,
        &mut goodput,
        &mut histograms,
        &mut series,
        &mut arrivals,
    ];
    let (ledger, database) = match archive {
        None => (attempts.read(readers), None),
        Some(folder) => {
            let rows = AttemptRows::new(campaign_start_us);
            write_down(folder, &attempts, readers, rows, &mut missing)
        }
    };
    drop(attempts);
    if let Some(folder) = archive {
        missing.clear(folder);
        let written = histograms.write(&folder.path().join("histograms"));
        missing.note("histograms", written.map_err(Into::into));
        missing.note(ARRIVALS_CSV, folder.replace(ARRIVALS_CSV, &arrivals.csv()));
    }
    evidence.count_people(tallies.people());
    run.degraded.extend(missing.sentences);
    let mut summary = tallies.close(run, ledger);
    if let Some(place) = &state.target {
        annotate(&mut summary, place);
    }
    if let Some(crisis) = &state.operations.crisis {
        summary.crisis = crisis.milestones.iter().map(CrisisTime::from).collect();
    }
    let detection = topology.pool.detection();
    let downtimes = downtimes(topology, &state);
    let mut outcome = VariantOutcome {
        name,
        title,
        summary,
        operations: state.operations,
        evidence,
        goodput,
        series,
        restarts: state.restarts,
        hangs: state.hangs,
        downtimes,
        detections: state.detections,
        predicted: (*detection.start(), *detection.end()),
        took,
        figures: campaign.figures.clone(),
        seeds: Vec::new(),
        related: Vec::new(),
    };
    let figures = measure(campaign, &outcome);
    outcome.keep_figures(figures);
    let database = database.map(|file| {
        let events = events(&outcome, &state.losses);
        Database::new(file, campaign_start_us, events)
    });
    ClosedRun { outcome, database }
}

/// Shows every attempt to all readers, once, and has its row written into database and table meanwhile.
fn write_down(
    folder: &Folder,
    attempts: &Attempts,
    readers: &mut [&mut dyn AttemptReader],
    mut rows: AttemptRows,
    missing: &mut Missing,
) -> (Ledger, Option<PartialDatabase>) {
    let (to_database, to_table) = (rows.subscribe(), rows.subscribe());
    let path = |name| folder.path().join(name);
    thread::scope(|scope| {
        let database = scope.spawn(|| archive::write_database(&path(CALLS), to_database));
        let table = scope.spawn(|| archive::write_csv(&path(CALLS_CSV), to_table));
        let mut all: Vec<&mut dyn AttemptReader> = Vec::new();
        for reader in readers {
            all.push(&mut **reader);
        }
        all.push(&mut rows);
        let ledger = attempts.read(&mut all);
        rows.finish();
        let database = missing.note(CALLS, joined(database));
        missing.note(CALLS_CSV, joined(table));
        (ledger, database)
    })
}

fn joined<T>(thread: thread::ScopedJoinHandle<'_, anyhow::Result<T>>) -> anyhow::Result<T> {
    thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("its writer panicked")))
}

/// Why the report of a run cannot be made again.
#[derive(Debug)]
pub enum RebuildError {
    Broken(anyhow::Error),
    /// The copies of campaign and network in its folder.
    Inputs(Problems),
}

/// Makes everything that a run reports again, from what its folder holds. In a folder that takes no file nothing is changed.
pub fn rebuild(folder: &Path) -> Result<Published, RebuildError> {
    let folder = Folder::open(folder);
    if Standing::of(folder.path()).goes_on() {
        return Err(RebuildError::Broken(anyhow::anyhow!(
            "the run in {} goes on: its report comes at its end",
            folder.path().display()
        )));
    }
    folder.check_writable().map_err(RebuildError::Broken)?;
    let mut state = RunState::load(folder.path()).map_err(RebuildError::Broken)?;
    let (campaign, topology) = state.inputs(folder.path()).map_err(RebuildError::Inputs)?;
    if !state.ended {
        let seconds = state.elapsed.as_secs_f64();
        state.degraded.push(format!(
            "the run did not come to its end: what it had measured until it was killed, {seconds:.1} s after its \
             start or a second later, is kept"
        ));
    }
    if state.record_files.is_empty() {
        return Err(RebuildError::Broken(anyhow::anyhow!(
            "{} has no records: in virtual time they are kept with tocsin run --records",
            folder.path().display()
        )));
    }
    Ok(finish(&folder, &campaign, &topology, state))
}

/// Ends a run whose records are in its folder: the last step of a run on real sockets, and of a report that is made again.
pub fn finish(
    folder: &Folder,
    campaign: &Campaign,
    topology: &Topology,
    state: RunState,
) -> Published {
    let files: Vec<_> = state.record_files.iter().map(|file| folder.path().join(file)).collect();
    let mut intake = RecordIntake::open(state.rules(campaign)).putting_aside_in(folder.path());
    intake.read(&files);
    let (name, title) = match state.time {
        Time::Real => (RUN, "on real sockets"),
        Time::Virtual => (BASE, &campaign.title[..]),
    };
    let (time, campaign_start, took) =
        (state.time, Duration::from_micros(state.started_us), state.elapsed);
    let run = close(EndedRun {
        campaign,
        topology,
        name: name.to_owned(),
        title: title.to_owned(),
        state,
        intake,
        took,
        archive: Some(folder),
    });
    publish(folder, campaign, vec![run], time, campaign_start)
}

/// Says in the summary of a run against `place` what nobody here can know.
fn annotate(summary: &mut Summary, place: &str) {
    summary.notes.push(ONE_SIDED.to_owned());
    summary.network = format!("{place} (by --target)");
    summary.metrics.by_site.clear();
    summary.metrics.by_psap.clear();
    summary.psaps.clear();
    if let Some(media) = &mut summary.media {
        media.by_site.clear();
    }
}
