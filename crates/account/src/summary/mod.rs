//! What a run measured: `summary.json`, the contract with scripts.
//!
//! ```text
//!  record files ──once──► Audit ──► Ledger
//!                                └► Attempts ──once──► Tally ──► Metrics, by site, trunk group, number and PSAP
//!                                                  ├─► People ──► who was reached, and how soon
//!                                                  ├─► HarmTally ──► what it did to emergency callers
//!                                                  ├─► MediaTally ──► what was heard
//!                                                  └─► whoever else reads them: archive, page
//!  generators, processes ──────────┐
//!  thresholds ─────────────────────┴──► verdict and reasons
//! ```

mod callers;
mod compared;
mod crisis;
mod degrade;
mod delay_table;
mod figures;
mod group;
mod harm;
mod live;
mod measured;
mod media;
mod people;
mod sensitivity;
mod tally;
mod thresholds;
mod validity;
mod verdict;
pub mod words;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use telemetry::{
    Attempt, AttemptReader, Attempts, Audit, CallRecord, Ledger, LostNode, MessageFigures, Rules,
};

use campaign::Campaign;
use campaign::utc::rfc3339;
use contract::GeneratorSnapshot;

use crate::text::counted;
use harm::HarmTally;

pub use callers::{CallersFigures, ClassFigures};
pub use compared::{FigureResult, SeedResult, Spread, VariantSaving};
pub use crisis::CrisisTime;
pub use figures::{
    GeneratorFigures, GroupMetrics, MachineFigures, Metrics, ProcessUsage, PsapFigures, Ratios,
};
pub use harm::{HalfHour, HarmCounts, HarmFigures};
pub use live::measured_so_far;
pub use media::{MediaFigures, MediaGroup, MosFigures, WorstCall, word};
pub use people::{Caller, People};
pub use sensitivity::{KeyEffect, SensitivityFigures, Trial};
pub use tally::{Capacity, Tally, UNREACHED};
pub use thresholds::ThresholdResult;
pub use validity::{Amount, ValidityCheck};
pub use verdict::RunVerdict;

/// Version of the shape of `summary.json`.
pub const SCHEMA_VERSION: u32 = 1;

/// `summary.json` in a run folder: the result of one run. Fields are added, never renamed. Shares and ratios are from 0 to 1; a
/// ratio without a denominator is `null`. Delays are in microseconds unless the name says `_s`, and count from the moment at
/// which the call was due. What is not required is absent in summaries of earlier versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(title = "Tocsin summary"))]
pub struct Summary {
    #[cfg_attr(feature = "schema", schemars(extend("const" = SCHEMA_VERSION)))]
    pub schema_version: u32,
    pub verdict: RunVerdict,
    /// One sentence for each thing that kept the run from passing.
    pub reasons: Vec<String>,
    /// How each threshold came out, in the order of the campaign.
    #[serde(default)]
    pub thresholds: Vec<ThresholdResult>,
    /// What went wrong with the run itself, a sentence each; they are among the reasons too.
    #[serde(default)]
    pub degraded: Vec<String>,
    /// Sentences without which the figures would be read wrongly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    pub campaign: String,
    pub network: String,
    pub seed: u64,
    /// The same in digits: JavaScript and jq round numbers beyond 2^53. Empty in summaries of earlier versions.
    #[serde(default)]
    pub seed_text: String,
    /// RFC 3339, UTC.
    #[cfg_attr(
        feature = "schema",
        schemars(regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$"))
    )]
    pub started_at: String,
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub duration_s: f64,
    pub ledger: Ledger,
    pub metrics: Metrics,
    pub psaps: BTreeMap<String, PsapFigures>,
    /// `null` when no call had media.
    pub media: Option<MediaFigures>,
    /// The people behind the attempts.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(!default))]
    pub callers: CallersFigures,
    /// What it did to emergency callers; absent where nobody called an emergency number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harm: Option<HarmFigures>,
    /// The figures that the campaign compares.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<FigureResult>,
    /// What each seed came to, where there was more than one; all other figures are of the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seeds: Vec<SeedResult>,
    /// What each variant would have saved, most first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub savings: Vec<VariantSaving>,
    /// How much hangs on what was assumed, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitivity: Option<SensitivityFigures>,
    pub generator: GeneratorFigures,
    pub processes: Vec<ProcessUsage>,
    /// Messages that came to nothing, by process.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(!default))]
    pub messages: BTreeMap<String, MessageFigures>,
    /// In virtual time: the hash of all records in the order in which they were written. The same campaign with the same
    /// seed gives the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^[0-9a-f]{64}$")))]
    pub ledger_hash: Option<String>,
    /// The tester ended the campaign before its time. Its thresholds are not judged then, and the verdict is `interrupted` unless
    /// something graver was found.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(!default))]
    pub interrupted: bool,
    /// When people knew what, and did what; empty without a section `[crisis]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crisis: Vec<CrisisTime>,
    /// Record files that end in half a line, as after a kill.
    pub truncated_files: u64,
}

/// What is known of a run besides its records.
#[derive(Debug)]
pub struct RunFacts<'a> {
    pub campaign: &'a Campaign,
    /// Name of the network.
    pub network: &'a str,
    /// Service level of each PSAP: answer within this time.
    pub service_levels: BTreeMap<String, Duration>,
    /// Unix microseconds.
    pub started_us: u64,
    /// From the first start to the last end.
    pub duration: Duration,
    /// The last counts of all generators together.
    pub generators: GeneratorSnapshot,
    /// Seconds of CPU that the generators used.
    pub generator_cpu_s: f64,
    /// See [`GeneratorFigures::busiest_cpu_share`].
    pub busiest_cpu_share: Option<f64>,
    /// See [`GeneratorFigures::clock_step_us`].
    pub clock_step_us: u64,
    /// See [`GeneratorFigures::machine`].
    pub machine: Option<MachineFigures>,
    /// Circuits of the network.
    pub capacity: Capacity,
    /// Messages of the generators that came to nothing.
    pub generator_messages: MessageFigures,
    pub processes: Vec<ProcessUsage>,
    pub messages: BTreeMap<String, MessageFigures>,
    /// Calls that each process refused because it had no port or no file left for their media.
    pub refused_without_port: BTreeMap<String, u64>,
    /// See [`Summary::ledger_hash`].
    pub ledger_hash: Option<String>,
    pub interrupted: bool,
    /// How much faster than the wall's the clock of the run went; 1 unless it was compressed, or virtual.
    pub compression: f64,
    pub rules: Rules,
    pub lost: Vec<LostNode>,
    /// Sentences about what went wrong with the run itself: a process lost without being told to
    /// stop, a fault that was not applied or not taken back.
    pub degraded: Vec<String>,
    /// What did not hold before the first fault: nothing was injected, and the campaign ended.
    pub unsteady: Vec<String>,
    /// The threshold that ended the campaign before its time, as a sentence.
    pub aborted: Option<String>,
    /// What somebody commanded by hand while it ran, as a sentence.
    pub by_hand: Option<String>,
}

impl<'a> RunFacts<'a> {
    /// Of a run that came to its end, nothing besides being known of it.
    #[must_use]
    pub fn new(campaign: &'a Campaign, network: &'a str, generators: GeneratorSnapshot) -> Self {
        Self {
            campaign,
            network,
            service_levels: BTreeMap::new(),
            started_us: 0,
            duration: Duration::ZERO,
            generators,
            generator_cpu_s: 0.0,
            busiest_cpu_share: None,
            clock_step_us: 0,
            machine: None,
            capacity: Capacity::default(),
            generator_messages: MessageFigures::default(),
            processes: Vec::new(),
            messages: BTreeMap::new(),
            refused_without_port: BTreeMap::new(),
            ledger_hash: None,
            interrupted: false,
            compression: 1.0,
            rules: campaign.rules(),
            lost: Vec::new(),
            degraded: Vec::new(),
            unsteady: Vec::new(),
            aborted: None,
            by_hand: None,
        }
    }
}

impl Summary {
    /// The verdict in a word for people. A run that nothing was demanded of has not passed anything.
    #[must_use]
    pub fn headline(&self) -> &'static str {
        if self.has_no_bounds() { "NO BOUNDS" } else { self.verdict.as_str() }
    }

    /// Nothing is to be said against the run, and nothing was demanded of it either.
    #[must_use]
    pub fn has_no_bounds(&self) -> bool {
        self.verdict == RunVerdict::Pass && self.thresholds.is_empty()
    }

    /// Exit code of a program that ends with this summary.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        self.verdict.exit_code()
    }

    /// Reads the records of all boxes and judges the run.
    ///
    /// A file or line that cannot be read makes the run fail, with its name; the rest is still
    /// used.
    #[must_use]
    pub fn of(run: RunFacts<'_>, record_files: &[PathBuf]) -> Self {
        let mut intake = RecordIntake::open(run.rules.clone());
        intake.read(record_files);
        let (mut tallies, attempts) = intake.into_tallies(&run);
        let ledger = attempts.read(&mut [&mut tallies]);
        tallies.close(run, ledger)
    }
}

/// The records of a run on their way into its summary. Each is taken once.
#[derive(Debug)]
pub struct RecordIntake {
    audit: Audit,
    unreadable: Vec<String>,
    truncated_files: u64,
}

/// The tallies of the summary, which read the attempts of a [`RecordIntake`] that has had every record.
#[derive(Debug)]
pub struct AttemptTallies {
    media: media::MediaTally,
    tally: Tally,
    people: People,
    harm: HarmTally,
    unreadable: Vec<String>,
    truncated_files: u64,
}

impl RecordIntake {
    #[must_use]
    pub fn open(rules: Rules) -> Self {
        Self { audit: Audit::new(rules), unreadable: Vec::new(), truncated_files: 0 }
    }

    /// Lets it put into `folder` what is more than a little, so that memory does not grow with the run. Nothing is left of it.
    #[must_use]
    pub fn putting_aside_in(self, folder: &Path) -> Self {
        Self { audit: self.audit.putting_aside_in(folder), ..self }
    }

    /// Takes a record of any box.
    pub fn add(&mut self, record: &CallRecord) {
        self.audit.add(record);
    }

    /// Takes all records of files.
    pub fn read(&mut self, files: &[PathBuf]) {
        let misread = self.audit.read(files);
        self.unreadable.extend(misread.sentences);
        self.truncated_files += misread.truncated;
    }

    /// Records of callers so far.
    #[must_use]
    pub fn callers(&self) -> u64 {
        self.audit.callers()
    }

    /// All records are there. The tallies have still to read the attempts, together with whoever else does.
    #[must_use]
    pub fn into_tallies(self, run: &RunFacts<'_>) -> (AttemptTallies, Attempts) {
        let attempts = self.audit.close(run.generators.offered, &run.lost);
        let tallies = AttemptTallies {
            media: media::MediaTally::default(),
            tally: Tally::new(&run.service_levels).during(run.load()),
            people: People::default(),
            harm: HarmTally::new(run.started_us, run.campaign.begins),
            unreadable: self.unreadable,
            truncated_files: self.truncated_files,
        };
        (tallies, attempts)
    }
}

impl RunFacts<'_> {
    /// How long there was load: the phases, or until the callers were told to place no more calls.
    fn loaded(&self) -> Duration {
        let stopped = self.generators.stopped_after.unwrap_or(self.duration);
        stopped.min(self.duration).min(self.campaign.duration())
    }

    /// The same, in Unix microseconds.
    fn load(&self) -> Range<u64> {
        let lasted = u64::try_from(self.loaded().as_micros()).unwrap_or(u64::MAX);
        self.started_us..self.started_us.saturating_add(lasted)
    }
}

impl AttemptReader for AttemptTallies {
    fn add(&mut self, attempt: &Attempt<'_>) {
        self.media.add(attempt);
        self.tally.add(attempt);
        self.people.add(attempt);
        self.harm.add(attempt);
    }
}

impl AttemptTallies {
    /// Those who called.
    #[must_use]
    pub const fn people(&self) -> &People {
        &self.people
    }

    /// Judges the run, by what the comparison of its records came to too.
    #[must_use]
    pub fn close(self, run: RunFacts<'_>, ledger: Ledger) -> Summary {
        let Self { media, mut tally, people, harm, unreadable, truncated_files } = self;
        let capacity = Capacity { loaded: run.loaded(), ..run.capacity };
        let metrics = tally.metrics(&capacity, run.generators.signalling);
        let media = media.close(run.refused_without_port);
        let generator = GeneratorFigures {
            cpu_s: run.generator_cpu_s,
            busiest_cpu_share: run.busiest_cpu_share,
            clock_step_us: run.clock_step_us,
            machine: run.machine,
            ..GeneratorFigures::of(&run.generators, &run.generator_messages, run.campaign.validity)
        };
        let judged = verdict::Evidence {
            ledger: &ledger,
            metrics: &metrics,
            media: media.as_ref(),
            generator: &generator,
            thresholds: &run.campaign.thresholds,
            degraded: &run.degraded,
            unreadable: &unreadable,
            unsteady: &run.unsteady,
            aborted: run.aborted.as_deref(),
            interrupted: run.interrupted,
            compression: run.compression,
        };
        let (verdict, reasons) = judged.verdict();
        let thresholds = judged.thresholds();
        Summary {
            schema_version: SCHEMA_VERSION,
            verdict,
            reasons,
            thresholds,
            degraded: run.degraded,
            notes: [run.campaign.validity.note(), run.by_hand, unkept(&run.processes)]
                .into_iter()
                .flatten()
                .collect(),
            campaign: run.campaign.name.clone(),
            network: run.network.to_owned(),
            seed: run.campaign.seed,
            seed_text: run.campaign.seed.to_string(),
            started_at: rfc3339(run.started_us),
            duration_s: run.duration.as_secs_f64(),
            ledger,
            metrics,
            psaps: tally.psaps(),
            media,
            callers: people.figures(&run.generators, run.campaign.callers.redial.is_some()),
            harm: harm.close(&people),
            figures: Vec::new(),
            seeds: Vec::new(),
            savings: Vec::new(),
            sensitivity: None,
            generator,
            processes: run.processes,
            messages: run.messages,
            ledger_hash: run.ledger_hash,
            interrupted: run.interrupted,
            crisis: Vec::new(),
            truncated_files,
        }
    }
}

/// That messages of calls are missing which were to be kept, as a sentence.
fn unkept(processes: &[ProcessUsage]) -> Option<String> {
    let parts: u64 = processes.iter().map(|process| process.messages_dropped).sum();
    let who = processes.iter().filter(|process| process.messages_dropped > 0);
    let who: Vec<&str> = who.map(|process| &process.name[..]).collect();
    (parts > 0).then(|| {
        format!(
            "the disk had no room for all messages of calls that were to be kept: {} of {} are missing in ladders; the run went on",
            counted(parts, "part", "parts"),
            who.join(", ")
        )
    })
}

#[cfg(test)]
pub mod tests;
