//! What a campaign is compared with: published figures, and variants of itself; and how that is shown.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use topology::reader::{Raw, Table, kind};

/// One figure of a comparison: a column of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparedFigure {
    /// The head of the column: a few characters.
    pub name: String,
    pub measure: Measure,
    /// Only attempts by these trunk groups count; empty: all of them.
    pub trunk_groups: Vec<String>,
    /// What public reports say, in their words.
    pub published: Option<String>,
    /// Where they say so.
    pub source: Option<String>,
    /// What the run must keep within to pass: shares from 0 to 1, times in seconds, rates per second. A variant may set
    /// bounds of its own.
    pub min: Option<f64>,
    pub max: Option<f64>,
}

/// What a run can be asked for. Attempts are those of emergency callers; an attempt is routed when it rang or was answered
/// at an answering point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    Attempts,
    Unrouted,
    UnroutedShare,
    /// Share of attempts that were routed in the hour in which it was least.
    WorstHourRouted,
    /// Answered calls that the network lost.
    Cut,
    /// Restarts of call servers.
    Restarts,
    /// Call servers that restarted.
    SitesRestarted,
    /// Operator commands that got no answer.
    CommandsTimedOut,
    /// Time, in steps of five minutes, in which fewer than 97 % of the attempts were routed.
    Disturbed,
    /// From the first command to the first alarm.
    Detected,
    /// From the first command until all was well for good.
    Recovered,
    /// Share of emergency callers who spoke to somebody in the end.
    CallersReached,
    /// The same of all other callers.
    OrdinaryReached,
    /// Answered calls in a second of the phase, or step, in which they were most.
    MostGoodput,
    /// The same of the phase, or step, in which most was offered.
    PeakGoodput,
}

const MEASURES: [(&str, Measure); 15] = [
    ("attempts", Measure::Attempts),
    ("unrouted", Measure::Unrouted),
    ("unrouted_share", Measure::UnroutedShare),
    ("worst_hour_routed", Measure::WorstHourRouted),
    ("cut", Measure::Cut),
    ("restarts", Measure::Restarts),
    ("sites_restarted", Measure::SitesRestarted),
    ("commands_timed_out", Measure::CommandsTimedOut),
    ("disturbed", Measure::Disturbed),
    ("detected", Measure::Detected),
    ("recovered", Measure::Recovered),
    ("callers_reached", Measure::CallersReached),
    ("ordinary_reached", Measure::OrdinaryReached),
    ("most_goodput", Measure::MostGoodput),
    ("peak_goodput", Measure::PeakGoodput),
];

/// The campaign with something changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    pub name: String,
    /// What is other than in the campaign, in words.
    pub title: String,
    /// Keys and values as `--set` takes them.
    pub set: Vec<(String, String)>,
}

/// In which time a campaign runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Time {
    /// On real sockets.
    #[default]
    Real,
    /// On the simulated network, as fast as it goes.
    Virtual,
}

impl Time {
    pub(super) const WORDS: [(&'static str, Self); 2] =
        [("real", Self::Real), ("virtual", Self::Virtual)];
}

/// A picture of a run and its variants, written into the run folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlotKind {
    /// Emergency attempts and their share that was routed, over time.
    Timeline,
    /// Answered calls over offered calls, phase by phase.
    Goodput,
}

impl PlotKind {
    pub(super) const WORDS: [(&'static str, Self); 2] =
        [("timeline", Self::Timeline), ("goodput", Self::Goodput)];
}

impl ComparedFigure {
    pub(super) fn read(table: &Table<'_>) -> Self {
        Self {
            name: table.required("name", kind::text, String::new()),
            measure: table.required("measure", kind::choice(&MEASURES), Measure::Attempts),
            trunk_groups: table.list("trunk_groups", kind::name),
            published: table.optional("published", kind::text),
            source: table.optional("source", kind::text),
            min: table.optional("min", kind::number(0.0..=1e12)),
            max: table.optional("max", kind::number(0.0..=1e12)),
        }
    }
}

impl Variant {
    pub(super) fn read(table: &Table<'_>) -> Self {
        Self {
            name: table.required("name", kind::name, String::new()),
            title: table.required("title", kind::text, String::new()),
            set: table.required_list("set", key_and_value),
        }
    }
}

fn key_and_value(raw: Raw<'_>) -> Result<(String, String), String> {
    let text = kind::text(raw)?;
    let (key, value) =
        text.split_once('=').ok_or_else(|| format!("must be \"KEY=VALUE\", got {raw}"))?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

/// `16:40` since midnight.
pub(super) fn time_of_day(text: &str) -> Option<Duration> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str, limit: u64| text.parse::<u64>().ok().filter(|number| *number < limit);
    let (hours, minutes) = (number(hours, 24)?, number(minutes, 60)?);
    Some(Duration::from_secs(hours * 3_600 + minutes * 60))
}

/// A value that is a [`time_of_day`].
pub(super) fn begins(raw: Raw<'_>) -> Result<Duration, String> {
    let time = kind::text(raw).ok().and_then(|text| time_of_day(&text));
    time.ok_or_else(|| format!("must be a time of day such as \"16:40\", got {raw}"))
}
