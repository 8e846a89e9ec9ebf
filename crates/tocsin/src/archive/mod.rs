//! The end of a run, in either world: from its records and its state to everything that its folder keeps.
//!
//! ```text
//!   campaign.toml, network.toml ┐
//!   state.json                  ├──► Ending ──► Balance ──► Attempts ──┬──► calls.sqlite   (a thread)
//!   records/*.jsonl, or memory  ┘                                      ├──► calls.csv      (a thread)
//!                                                                      └──► tallies: Summary, Evidence, Goodput, Histograms
//! ```
//!
//! `tocsin report` takes the same way, so a run that was killed is told as one that ended.

mod calls_csv;
mod events;
mod histograms;
mod host;
mod publish;
mod receipt;
mod row;
mod sqlite;
mod state;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use load_gen::campaign::Campaign;
use load_gen::summary::{Books, Summary, Verdict};
use topology::Topology;

use crate::outcome::{Evidence, Goodput, Outcome};
use crate::page::Series;
use crate::run::{Folder, annotate};
use events::events;
use histograms::Histograms;
pub(crate) use publish::publish;
pub(crate) use receipt::{Receipt, command_line};
pub(crate) use row::COLUMNS;
pub(crate) use sqlite::open as open_calls;
pub(crate) use state::{State, Untold, World, environment};

/// The name of a run on real sockets, and that of a campaign among its variants.
const RUN: &str = "run";
pub(crate) const BASE: &str = "base";

pub(crate) const CALLS: &str = "calls.sqlite";
const CALLS_CSV: &str = "calls.csv";

/// A run whose calls are over.
pub(crate) struct Ending<'a> {
    pub(crate) campaign: &'a Campaign,
    pub(crate) topology: &'a Topology,
    /// `run`, `base`, or the name of a variant; and the same in words.
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) state: State,
    /// With every record.
    pub(crate) books: Books,
    /// Real time that it took.
    pub(crate) took: Duration,
    /// Where its attempts are written down; variants of a campaign leave figures only.
    pub(crate) archive: Option<&'a Folder>,
}

/// Compares the records, writes the attempts down, and judges the run.
pub(crate) fn close(ending: Ending<'_>) -> Outcome {
    let Ending { campaign, topology, name, title, state, books, took, archive } = ending;
    let mut run = state.run(campaign, topology);
    if !state.ended {
        // What it had started when it was killed, nobody told.
        run.generators.offered = run.generators.offered.max(books.callers());
    }
    let zero_us = state.started_us;
    let mut balance = books.balance(&run);
    let attempts = balance.attempts();
    let database = archive.map(|folder| {
        let (attempts, path) = (Arc::clone(&attempts), folder.path().join(CALLS));
        thread::spawn(move || sqlite::write(&path, &attempts, zero_us))
    });
    let lines = archive.map(|folder| {
        let (attempts, path) = (Arc::clone(&attempts), folder.path().join(CALLS_CSV));
        thread::spawn(move || calls_csv::write(&path, &attempts, zero_us))
    });
    drop(attempts);

    let mut evidence = Evidence::new(&campaign.figures, zero_us, campaign.duration());
    let mut goodput = Goodput::new(campaign.levels(), zero_us);
    let mut histograms = Histograms::default();
    let mut series = Series::new(zero_us, campaign.duration());
    // Every caller's record passes here once, with where the attempt ended up.
    balance.tally(|record, reached| {
        evidence.add(record);
        goodput.add(record);
        histograms.add(record, reached);
        series.add(record, reached.site);
    });

    let mut trouble = Trouble::default();
    let database = database.and_then(|thread| trouble.note(CALLS, joined(thread)));
    lines.and_then(|thread| trouble.note(CALLS_CSV, joined(thread)));
    if let Some(folder) = archive {
        let written = histograms.write(&folder.path().join("histograms"));
        trouble.note("histograms", written.map_err(Into::into));
    }
    run.degraded.extend(trouble.sentences);
    let mut summary = balance.close(run);
    if let Some(place) = &state.target {
        annotate(&mut summary, place);
    }
    let detection = topology.pool.detection();
    let mut outcome = Outcome {
        name,
        title,
        summary,
        room: state.seen,
        evidence,
        goodput,
        series,
        restarts: state.restarts,
        detections: state.detections,
        predicted: (*detection.start(), *detection.end()),
        took,
    };
    if let (Some(folder), Some(unnamed)) = (archive, database) {
        let facts = facts(&outcome.summary, zero_us);
        let events = events(&outcome, &state.losses);
        let closed = sqlite::close(unnamed, &folder.path().join(CALLS), &facts, &events);
        if let Err(error) = closed {
            degrade(&mut outcome.summary, unwritten(CALLS, &error));
        }
    }
    outcome
}

/// What could not be written, one sentence each.
#[derive(Debug, Default)]
struct Trouble {
    sentences: Vec<String>,
}

impl Trouble {
    fn note<T>(&mut self, file: &str, result: anyhow::Result<T>) -> Option<T> {
        result.map_err(|error| self.sentences.push(unwritten(file, &error))).ok()
    }
}

fn unwritten(file: &str, error: &anyhow::Error) -> String {
    format!("{file} could not be written: {error:#}; make room and run tocsin report")
}

/// A run of which something is missing.
pub(crate) fn degrade(summary: &mut Summary, why: String) {
    if summary.verdict != Verdict::Invalid {
        summary.verdict = Verdict::Degraded;
    }
    summary.reasons.push(why);
}

fn joined<T>(thread: thread::JoinHandle<anyhow::Result<T>>) -> anyhow::Result<T> {
    thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("its writer panicked")))
}

/// What the database knows of the run as a whole.
fn facts(summary: &Summary, started_us: u64) -> Vec<(&'static str, String)> {
    let ledger = &summary.ledger;
    vec![
        ("campaign", summary.campaign.clone()),
        ("network", summary.network.clone()),
        ("seed", summary.seed.to_string()),
        ("verdict", summary.verdict.as_str().to_owned()),
        ("reasons", summary.reasons.join("\n")),
        ("started_at", summary.started_at.clone()),
        ("started_us", started_us.to_string()),
        ("duration_s", summary.duration_s.to_string()),
        ("offered", ledger.offered.to_string()),
        ("answered", ledger.answered.to_string()),
        ("rejected", ledger.rejected.to_string()),
        ("abandoned", ledger.abandoned.to_string()),
        ("timed_out", ledger.timed_out.to_string()),
        ("lost", ledger.lost.to_string()),
        ("in_progress", ledger.in_progress.to_string()),
        ("balanced", ledger.balanced.to_string()),
        ("tocsin", env!("CARGO_PKG_VERSION").to_owned()),
    ]
}

/// Tells a run again from what its folder holds.
pub(crate) fn retell(folder: &Path) -> Result<Told, Untold> {
    let folder = Folder::open(folder);
    let mut state = State::load(folder.path()).map_err(Untold::Broken)?;
    let (campaign, topology) = state.inputs(folder.path()).map_err(Untold::Inputs)?;
    if !state.ended {
        let seconds = state.elapsed.as_secs_f64();
        state.degraded.push(format!(
            "the run did not come to its end: what it had measured until it was killed, {seconds:.1} s after its \
             start or a second later, is kept"
        ));
    }
    if state.record_files.is_empty() {
        return Err(Untold::Broken(anyhow::anyhow!(
            "{} has no records: in virtual time they are kept with tocsin run --records",
            folder.path().display()
        )));
    }
    Ok(finish(&folder, &campaign, &topology, state))
}

/// Ends a run whose records are in its folder: the last step of a run on real sockets, and of one that is told again.
pub(crate) fn finish(
    folder: &Folder,
    campaign: &Campaign,
    topology: &Topology,
    state: State,
) -> Told {
    let files: Vec<_> = state.record_files.iter().map(|file| folder.path().join(file)).collect();
    let mut books = Books::open(state.rules(campaign));
    books.read(&files);
    let (name, title) = match state.world {
        World::Real => (RUN, "on real sockets"),
        World::Virtual => (BASE, &campaign.title[..]),
    };
    let (world, zero, took) = (state.world, Duration::from_micros(state.started_us), state.elapsed);
    let outcome = close(Ending {
        campaign,
        topology,
        name: name.to_owned(),
        title: title.to_owned(),
        state,
        books,
        took,
        archive: Some(folder),
    });
    publish(folder, campaign, &mut [outcome], world, zero)
}

/// The report of a run, and the exit code that it comes to.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) text: String,
    pub(crate) exit_code: u8,
}
