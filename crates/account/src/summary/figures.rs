//! The figures of a run and of its parts, as they stand in `summary.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use telemetry::Quantiles;
use telemetry::metric::{AttemptCounts, Metric};

use campaign::Validity;
use contract::Signalling;

/// Quality of call set-up, by the names of the standards. What is in the catalogue of metrics is explained there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Metrics {
    #[serde(flatten)]
    pub ratios: Ratios,
    /// Registration request delay (RFC 6076 §4.1): always `null`, as these callers do not register.
    #[serde(default)]
    pub rrd: Option<Quantiles>,
    /// Attempts offered per second of load: of the campaign's phases, or until the run was ended early.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub calls_per_second: f64,
    /// SIP messages of the generators, per second of load: of the phases, or until the run was ended early.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub messages_sent_per_second: f64,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub messages_received_per_second: f64,
    /// Traffic: calls in progress on average, from INVITE to end, while there was load.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub erlang: f64,
    /// The same, of all circuits of all trunk groups.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub occupancy: Option<f64>,
    pub pdd: Quantiles,
    /// Failed session request delay (RFC 6076 §4.3.2): INVITE to a final response of 4xx, 5xx or 6xx.
    #[serde(default)]
    pub srd_failed: Quantiles,
    pub setup: Quantiles,
    #[serde(default)]
    pub sdd: Quantiles,
    /// Session duration time (RFC 6076 §4.5.1): 200 to BYE.
    #[serde(default)]
    pub sdt: Quantiles,
    /// Intended to actual start: the generator's own part in the delays above.
    pub lag: Quantiles,
    pub by_site: BTreeMap<String, GroupMetrics>,
    pub by_trunk_group: BTreeMap<String, GroupMetrics>,
    pub by_number: BTreeMap<String, GroupMetrics>,
    /// By the caller's département: `59`, `2A`, `971`, or `unknown`.
    #[serde(default)]
    pub by_department: BTreeMap<String, GroupMetrics>,
    pub by_psap: BTreeMap<String, GroupMetrics>,
    /// Attempts by the final status of their INVITE.
    pub by_status: BTreeMap<u16, u64>,
}

/// The ratios of the standards, from 0 to 1; [`Metric::definition`] says what each is made of. `None` without an attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Ratios {
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub asr: Option<f64>,
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub ner: Option<f64>,
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub ser: Option<f64>,
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub seer: Option<f64>,
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub isa: Option<f64>,
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub scr: Option<f64>,
}

impl Ratios {
    /// What `counts` come to.
    #[must_use]
    pub fn of(counts: &AttemptCounts) -> Self {
        Self {
            asr: Metric::Asr.ratio(counts),
            ner: Metric::Ner.ratio(counts),
            ser: Metric::Ser.ratio(counts),
            seer: Metric::Seer.ratio(counts),
            isa: Metric::Isa.ratio(counts),
            scr: Metric::Scr.ratio(counts),
        }
    }

    /// One of them; `None` also for what is none of them.
    #[must_use]
    pub const fn get(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::Asr => self.asr,
            Metric::Ner => self.ner,
            Metric::Ser => self.ser,
            Metric::Seer => self.seer,
            Metric::Isa => self.isa,
            Metric::Scr => self.scr,
            _ => None,
        }
    }
}

/// The attempts that one site, trunk group, number or PSAP had. Those that never reached one are
/// under `unreached`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GroupMetrics {
    pub offered: u64,
    pub answered: u64,
    /// Rejected, timed out or lost.
    pub failed: u64,
    /// Of all attempts offered in the run.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub share: f64,
    #[serde(flatten)]
    pub ratios: Ratios,
    /// Calls in progress on average, while there was load.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub erlang: f64,
    /// Of the circuits of a trunk group, or of those towards a site.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub occupancy: Option<f64>,
    pub pdd: Quantiles,
    #[serde(default)]
    pub setup: Quantiles,
    #[serde(default)]
    pub sdd: Quantiles,
    #[serde(default)]
    pub sdt: Quantiles,
}

/// How a PSAP served its callers, by its own records.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PsapFigures {
    /// Calls that reached it, also those that it refused.
    pub received: u64,
    pub answered: u64,
    pub abandoned: u64,
    /// Calls answered within [`target_s`](Self::target_s), of those answered or abandoned. Refused
    /// calls never waited and do not count.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub service_level: Option<f64>,
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub target_s: f64,
    /// From INVITE to answer.
    pub wait: Quantiles,
}

/// The generators' judgement of themselves.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GeneratorFigures {
    pub lag: Quantiles,
    pub late_starts: u64,
    pub not_started: u64,
    /// Calls that were due when the feed had no row left. They are not offered.
    #[serde(default)]
    pub feed_exhausted: u64,
    /// Datagrams that its own sockets lost: the kernel dropped them unread, or they were not sent.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(!default))]
    pub socket_losses: u64,
    /// RTP packets of callers that went out more than 20 ms late, or were left out, of all that were due.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(!default, range(min = 0)))]
    pub late_media_share: f64,
    /// Calls placed without media because no port was left for it.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(!default))]
    pub without_port: u64,
    /// Of those, calls for whose port no file could be opened.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(!default))]
    pub without_file: u64,
    /// Seconds of CPU, user and system.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub cpu_s: f64,
    /// Share of one core that the generator used in its busiest second or more; `null` in virtual time.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub busiest_cpu_share: Option<f64>,
    /// Its SIP messages, and those sent again: because the peer was silent, or because it was late itself.
    #[serde(default)]
    pub signalling: Signalling,
    /// The largest step of the machine's clock against its monotonic one during the run, in microseconds.
    #[serde(default)]
    pub clock_step_us: u64,
    /// The machine in its busiest two seconds or more; absent in virtual time, and where the system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<MachineFigures>,
    /// Beyond these the run is invalid.
    #[serde(default)]
    pub limits: Validity,
}

/// How busy a machine was, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MachineFigures {
    pub cores: u64,
    /// Share of all cores that somebody used.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub busy_share: f64,
    /// Share of all cores that programs outside of the run used.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub others_share: f64,
}

/// What one process used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProcessUsage {
    pub name: String,
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub user_s: f64,
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub system_s: f64,
    /// Peak resident memory.
    pub max_rss_kib: u64,
    /// Call records that found no place on the disk.
    #[serde(default)]
    pub records_dropped: u64,
    /// Parts of calls, one for each box, whose messages were to be kept and found no room.
    #[serde(default)]
    pub messages_dropped: u64,
}
