//! Rows of a CSV file, each with what it says of one call: for `[feed]`, and for phases that replay a recording.
//!
//! Of a row nothing is kept but its values: 24 bytes, and 8 more for its time; words that occur again are kept once. Five million
//! rows and a hundred thousand words are the most that a file may have, so none takes more than 170 MB.

mod reading;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

use super::place::Commune;

pub(super) use self::reading::{Columns, line_of, open};

/// What is given of a call. What is absent is left to the mix.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallRow<'r> {
    /// What is dialled.
    pub number: Option<&'r str>,
    /// Where the caller is.
    pub commune: Option<Commune>,
    /// The trunk group that is called.
    pub trunk_group: Option<&'r str>,
    /// From answer to the caller's BYE; the caller hangs up this call.
    pub talk: Option<Duration>,
    /// How long the caller waits for an answer.
    pub patience: Option<Duration>,
}

impl CallRow<'_> {
    /// This row, and `other` for what it leaves open.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            number: self.number.or(other.number),
            commune: self.commune.or(other.commune),
            trunk_group: self.trunk_group.or(other.trunk_group),
            talk: self.talk.or(other.talk),
            patience: self.patience.or(other.patience),
        }
    }
}

/// The rows of one file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CallRows {
    packed: Vec<Packed>,
    /// Of each row, in microseconds from the first instant of the recording; rising. Empty without a column `at`.
    at_us: Vec<u64>,
    numbers: Words,
    trunk_groups: Words,
}

/// A row as it is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Packed {
    number: Option<Word>,
    trunk_group: Option<Word>,
    commune: Option<Commune>,
    talk: Option<Millis>,
    patience: Option<Millis>,
}

/// A word of [`Words`], counted from 1.
type Word = NonZeroU32;

/// A duration in milliseconds, one more than it is: no duration is also a value.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Millis(NonZeroU32);

/// Words that occur in many rows, each kept once.
#[derive(Debug, Clone, Default, PartialEq)]
struct Words {
    /// With the line on which each occurs first.
    words: Vec<(String, u64)>,
    /// Only while a file is read.
    places: HashMap<String, Word>,
}

/// More different words than there are numbers kept for fiction.
const MOST_WORDS: usize = 100_000;

impl CallRows {
    /// How many calls the file has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.packed.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packed.is_empty()
    }

    /// A row, counted from 0. Beyond the last one nothing is given.
    #[must_use]
    pub fn row(&self, index: usize) -> CallRow<'_> {
        let packed = self.packed.get(index).copied().unwrap_or_default();
        CallRow {
            number: packed.number.and_then(|word| self.numbers.get(word)),
            commune: packed.commune,
            trunk_group: packed.trunk_group.and_then(|word| self.trunk_groups.get(word)),
            talk: packed.talk.map(Millis::get),
            patience: packed.patience.map(Millis::get),
        }
    }

    /// When row `index` of a recording called, from the start of the recording. `None` beyond the last one.
    #[must_use]
    pub fn at(&self, index: usize) -> Option<Duration> {
        self.at_us.get(index).copied().map(Duration::from_micros)
    }

    /// How many rows of a recording are at times of which `holds` is true, which must be the first ones.
    pub(super) fn count_while(&self, holds: impl Fn(Duration) -> bool) -> usize {
        self.at_us.partition_point(|at| holds(Duration::from_micros(*at)))
    }

    /// The numbers that are dialled in it, each once.
    pub fn numbers(&self) -> impl Iterator<Item = &str> {
        self.numbers.words.iter().map(|(word, _)| &word[..])
    }

    /// The communes of its rows, row by row.
    pub fn communes(&self) -> impl Iterator<Item = Commune> {
        self.packed.iter().filter_map(|row| row.commune)
    }

    /// The names of trunk groups in it, each with the line on which it stands first.
    pub fn trunk_groups(&self) -> impl Iterator<Item = (&str, u64)> {
        self.trunk_groups.words.iter().map(|(word, line)| (&word[..], *line))
    }

    /// Ends the reading: brings a recording into the order of time, and lets it begin with its first call if its times are `instants`, and not
    /// counted from a start of its own.
    fn finish(&mut self, instants: bool) {
        self.numbers.places = HashMap::new();
        self.trunk_groups.places = HashMap::new();
        if !self.at_us.is_sorted() {
            let mut places: Vec<u32> = (0..).take(self.at_us.len()).collect();
            // Stable: calls of the same moment stay in the order of the file.
            places.sort_by_key(|place| self.at_us.get(*place as usize));
            self.packed = places.iter().map(|place| self.packed[*place as usize]).collect();
            self.at_us.sort_unstable();
        }
        if let Some(first) = self.at_us.first().copied().filter(|_| instants) {
            self.at_us.iter_mut().for_each(|at| *at -= first);
        }
    }
}

impl Millis {
    fn new(duration: Duration) -> Self {
        let millis = u32::try_from(duration.as_millis()).unwrap_or(u32::MAX - 1);
        Self(NonZeroU32::MIN.saturating_add(millis))
    }

    const fn get(self) -> Duration {
        Duration::from_millis(self.0.get() as u64 - 1)
    }
}

impl Words {
    /// The place of `word`, which stands on `line`. `None`: there are too many words.
    fn place(&mut self, word: &str, line: impl FnOnce() -> u64) -> Option<Word> {
        if let Some(place) = self.places.get(word) {
            return Some(*place);
        }
        if self.words.len() == MOST_WORDS {
            return None;
        }
        self.words.push((word.to_owned(), line()));
        let place = u32::try_from(self.words.len()).ok().and_then(Word::new)?;
        self.places.insert(word.to_owned(), place);
        Some(place)
    }

    fn get(&self, place: Word) -> Option<&str> {
        self.words.get(place.get() as usize - 1).map(|(word, _)| &word[..])
    }
}
