//! The delays of attempts, each kept once, whatever parts of a run it belongs to.
//!
//! ```text
//!   attempt   ring │ answer │ disconnect │ talk     site │ trunk group │ number │ département │ PSAP
//!             4 × 4 octets                          5 × 4 octets: the places of their names
//! ```
//!
//! Quantiles are those of the delays themselves, to the microsecond, so each of them is kept: 36 octets of an attempt.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use telemetry::{Delays, Quantiles};

/// Delays of an attempt: to the ring, to the answer, session disconnect, session duration.
pub(super) const MEASURES: usize = 4;
/// What attempts are grouped by.
pub(super) const KEYS: usize = 5;

/// In place of a delay: there is none, or it is elsewhere.
const NONE: u32 = u32::MAX;
const LONG: u32 = u32::MAX - 1;
/// Attempts that get memory together, so that none of it moves.
const PAGE: usize = 4_096;

#[derive(Debug)]
struct Row {
    delays: [u32; MEASURES],
    groups: [u32; KEYS],
}

/// The delays of a run.
#[derive(Debug, Default)]
pub(super) struct DelayTable {
    pages: Vec<Vec<Row>>,
    /// Those of more than 71 minutes, by attempt and measure.
    long: BTreeMap<(usize, usize), u64>,
}

impl DelayTable {
    /// Takes the delays of an attempt in microseconds, and the places of its groups.
    pub(super) fn add(&mut self, delays: [Option<u64>; MEASURES], groups: [u32; KEYS]) {
        if self.pages.last().is_none_or(|page| page.len() == PAGE) {
            self.pages.push(Vec::with_capacity(PAGE));
        }
        let attempt = (self.pages.len() - 1) * PAGE;
        let page = self.pages.last_mut().expect("one was put there above");
        let attempt = attempt + page.len();
        let mut kept = [NONE; MEASURES];
        for (measure, (kept, delay)) in kept.iter_mut().zip(delays).enumerate() {
            let Some(delay) = delay else { continue };
            *kept = u32::try_from(delay).unwrap_or(LONG).min(LONG);
            if *kept == LONG {
                self.long.insert((attempt, measure), delay);
            }
        }
        page.push(Row { delays: kept, groups });
    }

    /// The figures of all attempts.
    pub(super) fn whole(&self) -> [Quantiles; MEASURES] {
        let mut all = self.quantiles(1, |_| 0);
        all.pop().unwrap_or_default()
    }

    /// The figures of each of so many groups, by their places.
    pub(super) fn grouped(&self, key: usize, groups: usize) -> Vec<[Quantiles; MEASURES]> {
        self.quantiles(groups, |row| row.groups[key] as usize)
    }

    /// One measure after the other, so that only the delays of one are there twice.
    fn quantiles(
        &self,
        groups: usize,
        group: impl Fn(&Row) -> usize,
    ) -> Vec<[Quantiles; MEASURES]> {
        let mut figures = vec![[Quantiles::default(); MEASURES]; groups];
        for measure in 0..MEASURES {
            let mut delays = vec![Delays::default(); groups];
            for (attempt, row) in self.pages.iter().flatten().enumerate() {
                let micros = match row.delays[measure] {
                    NONE => continue,
                    LONG => self.long[&(attempt, measure)],
                    micros => u64::from(micros),
                };
                delays[group(row)].record_us(micros);
            }
            for (figures, delays) in figures.iter_mut().zip(&mut delays) {
                figures[measure] = delays.quantiles();
            }
        }
        figures
    }
}

/// Groups by their names, each with a place.
#[derive(Debug)]
pub(super) struct Groups<T> {
    places: HashMap<Box<str>, u32>,
    groups: Vec<T>,
}

impl<T> Default for Groups<T> {
    fn default() -> Self {
        Self { places: HashMap::new(), groups: Vec::new() }
    }
}

impl<T: Default> Groups<T> {
    /// The group of this name and its place. The name is nearly always there already.
    pub(super) fn of(&mut self, name: &str) -> (u32, &mut T) {
        let place = match self.places.get(name) {
            Some(place) => *place,
            None => {
                let place = u32::try_from(self.groups.len()).expect("fewer names than attempts");
                self.groups.push(T::default());
                self.places.insert(name.into(), place);
                place
            }
        };
        (place, &mut self.groups[place as usize])
    }

    pub(super) const fn len(&self) -> usize {
        self.groups.len()
    }

    /// Each with its name and place, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, usize, &T)> {
        self.places.iter().map(|(name, place)| {
            let place = *place as usize;
            (&**name, place, &self.groups[place])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_group_has_the_quantiles_of_its_own_delays() {
        let mut table = DelayTable::default();
        let two_hours = 7_200_000_000;
        for attempt in 0..3 * PAGE as u64 {
            let group = (attempt % 3) as u32;
            table.add([Some(attempt), None, None, Some(1)], [group, 0, 0, 0, 0]);
        }
        table.add([Some(two_hours), Some(u64::from(NONE)), None, None], [2, 0, 0, 0, 0]);
        let whole = table.whole();
        let count = 3 * PAGE as u64 + 1;
        assert_eq!((whole[0].count, whole[0].max), (count, Some(two_hours)));
        assert_eq!((whole[0].p50, whole[1].max), (Some(count / 2), Some(u64::from(NONE))));
        assert_eq!((whole[2], whole[3].max), (Quantiles::default(), Some(1)));
        let groups = table.grouped(0, 3);
        let last = 3 * PAGE as u64 - 3;
        assert_eq!(
            groups.iter().map(|group| group[0].max).collect::<Vec<_>>(),
            [Some(last), Some(last + 1), Some(two_hours)]
        );
        assert_eq!(table.grouped(1, 1)[0], whole);
        assert!(size_of::<Row>() <= 36);
    }
}
