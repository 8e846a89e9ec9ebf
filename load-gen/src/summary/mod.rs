//! What a run measured: `summary.json`, the contract with scripts.
//!
//! ```text
//!  record files ──1st pass──► Audit ──► Ledger, Destinations
//!               ──2nd pass──► Tally ──► Metrics, by site, trunk group, number and PSAP
//!                         └──► CallerTally ──► people: who was reached, and how soon
//!  generators, processes ──────────┐
//!  thresholds ─────────────────────┴──► verdict and reasons
//! ```
//!
//! Fields are added, never renamed. Shares and ratios are from 0 to 1; delays are in microseconds
//! unless the name says `_s`. A ratio without a denominator is `null`.

mod callers;
mod media;
mod tally;
mod verdict;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use telemetry::{
    Audit, BoxKind, CallRecord, Destinations, Ledger, LostNode, MessageFigures, Quantiles,
    ReadError, Rules, read_records,
};

use crate::campaign::Campaign;
use crate::snapshot::Snapshot;
use crate::utc::rfc3339;

pub use callers::{CallerTally, CallersFigures, ClassFigures};
pub use media::{MediaFigures, MediaGroup, MosFigures, WorstCall, word};
pub use tally::{Tally, UNREACHED};
pub use verdict::Verdict;

/// Version of the shape of `summary.json`.
pub const SCHEMA_VERSION: u32 = 1;
/// Unreadable lines of record files that are named; the others are only counted.
const UNREADABLE_KEPT: usize = 20;

/// The result of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub schema_version: u32,
    pub verdict: Verdict,
    /// One sentence for each thing that kept the run from passing.
    pub reasons: Vec<String>,
    /// Sentences without which the figures would be read wrongly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    pub campaign: String,
    pub network: String,
    pub seed: u64,
    /// RFC 3339, UTC.
    pub started_at: String,
    pub duration_s: f64,
    pub ledger: Ledger,
    pub metrics: Metrics,
    pub psaps: BTreeMap<String, PsapFigures>,
    /// `null` when no call had media.
    #[serde(default)]
    pub media: Option<MediaFigures>,
    /// The people behind the attempts.
    #[serde(default)]
    pub callers: CallersFigures,
    pub generator: GeneratorFigures,
    pub processes: Vec<ProcessUsage>,
    /// Messages that came to nothing, by process.
    #[serde(default)]
    pub messages: BTreeMap<String, MessageFigures>,
    /// In virtual time: the hash of all records in the order in which they were written. The same campaign with the same
    /// seed gives the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger_hash: Option<String>,
    /// The tester ended the campaign before its time. Its thresholds are not judged then.
    #[serde(default)]
    pub interrupted: bool,
    /// Record files that end in half a line, as after a kill.
    pub truncated_files: u64,
}

/// Quality of call set-up, by the names of the standards.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Answer-seizure ratio (ITU-T E.425): answered / seizures. Each attempt is one seizure.
    pub asr: Option<f64>,
    /// Network effectiveness ratio (ITU-T E.425): answered, busy, no answer or refused by the
    /// callee / seizures. What people do does not lower it.
    pub ner: Option<f64>,
    /// Session establishment ratio (RFC 6076 §4.6): INVITEs with 200 / INVITEs without 3xx.
    pub ser: Option<f64>,
    /// Session establishment effectiveness ratio (RFC 6076 §4.7): INVITEs with 200, 480, 486, 600
    /// or 603 / INVITEs without 3xx.
    pub seer: Option<f64>,
    /// Attempts offered per second of the campaign's phases.
    pub calls_per_second: f64,
    /// Post-dial delay, the successful session request delay of RFC 6076 §4.3.1: intended start
    /// to the first of 18x and 200.
    pub pdd: Quantiles,
    /// Intended start to 200.
    pub setup: Quantiles,
    /// Intended to actual start: the generator's own part in the delays above.
    pub lag: Quantiles,
    pub by_site: BTreeMap<String, GroupMetrics>,
    pub by_trunk_group: BTreeMap<String, GroupMetrics>,
    pub by_number: BTreeMap<String, GroupMetrics>,
    pub by_psap: BTreeMap<String, GroupMetrics>,
    /// Attempts by the final status of their INVITE.
    pub by_status: BTreeMap<u16, u64>,
}

/// The attempts that one site, trunk group, number or PSAP had. Those that never reached one are
/// under [`UNREACHED`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupMetrics {
    pub offered: u64,
    pub answered: u64,
    /// Rejected, timed out or lost.
    pub failed: u64,
    /// Of all attempts offered in the run.
    pub share: f64,
    pub pdd: Quantiles,
}

/// How a PSAP served its callers, by its own records.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PsapFigures {
    /// Calls that reached it, also those that it refused.
    pub received: u64,
    pub answered: u64,
    pub abandoned: u64,
    /// Calls answered within [`target_s`](Self::target_s), of those answered or abandoned. Refused
    /// calls never waited and do not count.
    pub service_level: Option<f64>,
    pub target_s: f64,
    /// From INVITE to answer.
    pub wait: Quantiles,
}

/// The generators' judgement of themselves.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GeneratorFigures {
    pub lag: Quantiles,
    pub late_starts: u64,
    pub not_started: u64,
    /// Datagrams that its own sockets lost: the kernel dropped them unread, or they were not sent.
    #[serde(default)]
    pub socket_losses: u64,
    /// RTP packets of callers that went out more than 20 ms late, or were left out, of all that were due.
    #[serde(default)]
    pub late_media_share: f64,
    /// Calls placed without media because no port was left for it.
    #[serde(default)]
    pub without_port: u64,
    /// Seconds of CPU, user and system.
    pub cpu_s: f64,
}

/// What one process used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcessUsage {
    pub name: String,
    pub user_s: f64,
    pub system_s: f64,
    /// Peak resident memory.
    pub max_rss_kib: u64,
}

/// What is known of a run besides its records.
#[derive(Debug)]
pub struct Run<'a> {
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
    pub generators: Snapshot,
    /// Seconds of CPU that the generators used.
    pub generator_cpu_s: f64,
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
    /// stop.
    pub degraded: Vec<String>,
}

/// Exit code after an interrupted run with nothing else to say against it: its drain was clean,
/// its ledger balances.
const INTERRUPTED: u8 = 130;

impl Summary {
    /// Exit code of a program that ends with this summary.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.verdict {
            Verdict::Pass if self.interrupted => INTERRUPTED,
            verdict => verdict.exit_code(),
        }
    }

    /// Reads the records of all boxes and judges the run.
    ///
    /// A file or line that cannot be read makes the run fail, with its name; the rest is still
    /// used.
    #[must_use]
    pub fn of(run: Run<'_>, record_files: &[PathBuf]) -> Self {
        let mut books = Books::open(run.rules.clone());
        let mut unreadable = Vec::new();
        let truncated_files =
            read_all(record_files, &mut unreadable, |record| books.add_first(&record));
        let mut balance = books.balance(&run);
        read_all(record_files, &mut Vec::new(), |record| balance.add_second(&record));
        balance.close(run, &unreadable, truncated_files)
    }
}

/// The records of a run on their way into its summary. Each is needed twice: the second time, all are known.
#[derive(Debug)]
pub struct Books {
    audit: Audit,
    media: media::MediaTally,
}

/// [`Books`] that have had every record once.
#[derive(Debug)]
pub struct Balance {
    ledger: Ledger,
    destinations: Destinations,
    media: media::MediaTally,
    tally: Tally,
    callers: CallerTally,
}

impl Books {
    #[must_use]
    pub fn open(rules: Rules) -> Self {
        Self { audit: Audit::new(rules), media: media::MediaTally::default() }
    }

    /// Takes a record of any box.
    pub fn add_first(&mut self, record: &CallRecord) {
        self.audit.add(record);
        if record.kind == BoxKind::Psap {
            self.media.add_psap(record);
        }
    }

    /// All records have been seen once.
    #[must_use]
    pub fn balance(self, run: &Run<'_>) -> Balance {
        let (ledger, destinations) = self.audit.close(run.generators.offered, &run.lost);
        Balance {
            ledger,
            destinations,
            media: self.media,
            tally: Tally::new(&run.service_levels),
            callers: CallerTally::default(),
        }
    }
}

impl Balance {
    /// Takes a record for the second time. Only those of generators and PSAPs are needed again.
    pub fn add_second(&mut self, record: &CallRecord) {
        match record.kind {
            BoxKind::Generator => {
                let key = record.attempt_key().unwrap_or_default();
                let reached = self.destinations.find(key);
                self.tally.add_caller(record, reached);
                self.callers.add(record);
                self.media.add_caller(record, reached.site, reached.psap);
            }
            BoxKind::Psap => self.tally.add_psap(record),
            BoxKind::TrunkGroup | BoxKind::CallServer => {}
        }
    }

    /// Judges the run.
    #[must_use]
    pub fn close(self, run: Run<'_>, unreadable: &[String], truncated_files: u64) -> Summary {
        let Self { ledger, media, tally, callers, .. } = self;
        let loaded = run.duration.min(run.campaign.duration());
        let metrics = tally.metrics(loaded);
        let media = media.close(run.refused_without_port);
        let generator = GeneratorFigures {
            lag: run.generators.lag_quantiles(),
            late_starts: run.generators.late_starts,
            not_started: run.generators.not_started,
            socket_losses: run.generator_messages.kernel_drops + run.generator_messages.unsent,
            late_media_share: late_share(&run.generators.media),
            without_port: run.generators.without_port,
            cpu_s: run.generator_cpu_s,
        };
        let judged = verdict::Evidence {
            ledger: &ledger,
            metrics: &metrics,
            media: media.as_ref(),
            generator: &generator,
            thresholds: &run.campaign.thresholds,
            degraded: &run.degraded,
            unreadable,
            interrupted: run.interrupted,
            compression: run.compression,
        };
        let (verdict, reasons) = judged.verdict();
        Summary {
            schema_version: SCHEMA_VERSION,
            verdict,
            reasons,
            notes: Vec::new(),
            campaign: run.campaign.name.clone(),
            network: run.network.to_owned(),
            seed: run.campaign.seed,
            started_at: rfc3339(run.started_us),
            duration_s: run.duration.as_secs_f64(),
            ledger,
            metrics,
            psaps: tally.psaps(),
            media,
            callers: callers.figures(&run.generators, run.campaign.callers.redial.is_some()),
            generator,
            processes: run.processes,
            messages: run.messages,
            ledger_hash: run.ledger_hash,
            interrupted: run.interrupted,
            truncated_files,
        }
    }
}

fn late_share(media: &::media::PlaneCounts) -> f64 {
    let due = media.sent + media.skipped;
    if due == 0 { 0.0 } else { (media.late + media.skipped) as f64 / due as f64 }
}

/// Gives every record of all files to `take`, and returns how many files end in half a line.
fn read_all(
    files: &[PathBuf],
    unreadable: &mut Vec<String>,
    mut take: impl FnMut(CallRecord),
) -> u64 {
    let mut complain = |error: ReadError| {
        if unreadable.len() < UNREADABLE_KEPT {
            unreadable.push(error.to_string());
        }
    };
    let mut truncated = 0;
    for file in files {
        match read_records(file) {
            Ok(mut records) => {
                for record in records.by_ref() {
                    match record {
                        Ok(record) => take(record),
                        // A disk that fails would fail again on every line.
                        Err(error @ ReadError::File { .. }) => {
                            complain(error);
                            break;
                        }
                        Err(error) => complain(error),
                    }
                }
                truncated += records.truncated();
            }
            Err(error) => complain(error),
        }
    }
    truncated
}

#[cfg(test)]
pub(crate) mod tests;
