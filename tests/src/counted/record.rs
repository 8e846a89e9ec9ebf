//! Counted instructions, held against those that are on record.

use std::collections::{BTreeMap, BTreeSet};

/// Instructions of each subject by its name, in one build profile.
pub type Counts = BTreeMap<String, u64>;

/// What has become of a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is on record, and within a tenth of it.
    Kept,
    /// More than a tenth above: somebody has to say that this is meant.
    Risen,
    /// More than a tenth below: worth a new record.
    Fallen,
    /// It is not on record.
    Unrecorded,
    /// It is on record, and nothing of that name was counted.
    Gone,
}

/// A count, and what it is held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    pub name: String,
    pub recorded: Option<u64>,
    pub counted: Option<u64>,
    pub change: Change,
}

impl Change {
    /// Whether nobody has to do anything.
    #[must_use]
    pub const fn is_passable(self) -> bool {
        matches!(self, Self::Kept | Self::Fallen)
    }
}

impl Comparison {
    fn of(name: &str, recorded: Option<u64>, counted: Option<u64>) -> Self {
        let change = match (recorded, counted) {
            (Some(recorded), Some(counted)) if counted * 10 > recorded * 11 => Change::Risen,
            (Some(recorded), Some(counted)) if counted * 10 < recorded * 9 => Change::Fallen,
            (Some(_), Some(_)) => Change::Kept,
            (None, _) => Change::Unrecorded,
            (Some(_), None) => Change::Gone,
        };
        Self { name: name.to_owned(), recorded, counted, change }
    }

    /// By how much the count differs from the record, such as `+12.5 %`.
    #[must_use]
    pub fn difference(&self) -> String {
        match (self.recorded, self.counted) {
            (Some(recorded), Some(counted)) if recorded > 0 => {
                format!("{:+.1} %", (counted as f64 / recorded as f64 - 1.0) * 100.0)
            }
            _ => String::new(),
        }
    }
}

/// Holds each count against the record, by name.
#[must_use]
pub fn compare(recorded: &Counts, counted: &Counts) -> Vec<Comparison> {
    let names: BTreeSet<&String> = recorded.keys().chain(counted.keys()).collect();
    let compare = |name: &String| {
        Comparison::of(name, recorded.get(name).copied(), counted.get(name).copied())
    };
    names.into_iter().map(compare).collect()
}

/// What Callgrind says at its end: `==7== Collected : 123456`.
#[must_use]
pub fn collected(words: &str) -> Option<u64> {
    let line = words.lines().find_map(|line| line.split_once("Collected :"));
    line?.1.trim().parse().ok()
}

/// The same call with a flight recorder beside its box has this behind its name.
const RECORDED: &str = ", recorded";

/// A call that is recorded should take no more than so much more than one that is not.
pub const MOST_FOR_RECORDING: f64 = 0.1;

/// What recording adds to each call that was counted with and without, as a share of it.
#[must_use]
pub fn cost_of_recording(counted: &Counts) -> Vec<(String, f64)> {
    let share = |(name, with): (&String, &u64)| {
        let bare = name.strip_suffix(RECORDED)?;
        let without = *counted.get(bare)?;
        Some((bare.to_owned(), *with as f64 / without as f64 - 1.0))
    };
    counted.iter().filter_map(share).collect()
}
