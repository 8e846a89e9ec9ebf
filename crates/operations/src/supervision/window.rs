//! Counts of the last so many steps, by key.

use std::collections::{BTreeMap, HashMap, VecDeque};

use telemetry::metric::{AttemptCounts, Metric};

/// Keys beyond it are counted together: a caller may dial anything, and memory has an end.
const MOST_KEYS: usize = 4_096;

/// The key of whatever has none of its own.
const OTHER: &str = "other";

/// Counts of one step: attempts and how many of them were answered; arrivals and restarts count as attempts.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    step: u64,
    attempts: u64,
    answered: u64,
}

/// A sliding window.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// In the order of time; steps without attempts have none.
    buckets: VecDeque<Bucket>,
    pub(super) attempts: u64,
    pub(super) answered: u64,
    /// Attempts that left the window with the last [`Window::roll`].
    pub(super) left: u64,
    /// The step of the first attempt ever.
    pub(super) first: u64,
}

impl Window {
    fn add(&mut self, step: u64, answered: bool) {
        let answered = u64::from(answered);
        self.attempts += 1;
        self.answered += answered;
        // Reports of attempts come a little late at times, so the bucket may not be the last.
        let place = self.buckets.iter().rposition(|bucket| bucket.step <= step);
        match place {
            Some(place) if self.buckets[place].step == step => {
                self.buckets[place].attempts += 1;
                self.buckets[place].answered += answered;
            }
            place => {
                let bucket = Bucket { step, attempts: 1, answered };
                self.buckets.insert(place.map_or(0, |place| place + 1), bucket);
            }
        }
    }

    /// Forgets what lies before the step `from`.
    fn roll(&mut self, from: u64) {
        self.left = 0;
        while let Some(bucket) = self.buckets.front().filter(|bucket| bucket.step < from) {
            self.attempts -= bucket.attempts;
            self.answered -= bucket.answered;
            self.left += bucket.attempts;
            self.buckets.pop_front();
        }
    }

    /// Answer seizure ratio, once there are `least` attempts.
    pub(super) fn asr(&self, least: u32) -> Option<f64> {
        let enough = self.attempts >= u64::from(least.max(1));
        let counts = AttemptCounts {
            offered: self.attempts,
            established: self.answered,
            ..AttemptCounts::default()
        };
        Metric::Asr.ratio(&counts).filter(|_| enough)
    }
}

/// One window for each key.
#[derive(Debug, Default)]
pub(super) struct Windows {
    /// Found by hash for each attempt, walked in order at each step.
    found: HashMap<String, usize>,
    sorted: BTreeMap<String, usize>,
    windows: Vec<Window>,
}

impl Windows {
    pub(super) fn add(&mut self, key: &str, step: u64, answered: bool) {
        let place = match self.found.get(key) {
            Some(place) => *place,
            None => self.place(key, step),
        };
        self.windows[place].add(step, answered);
    }

    /// Gives `key` a window from the start, before anything is counted in it.
    pub(super) fn know(&mut self, key: &str) {
        self.place(key, 0);
    }

    pub(super) fn roll(&mut self, from: u64) {
        for window in &mut self.windows {
            window.roll(from);
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Window> {
        self.found.get(key).map(|place| &self.windows[*place])
    }

    /// Each key with a number that stays the same, and its window; sorted by key.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, usize, &Window)> {
        self.sorted.iter().map(|(key, place)| (&key[..], *place, &self.windows[*place]))
    }

    fn place(&mut self, key: &str, first: u64) -> usize {
        let key = if self.windows.len() >= MOST_KEYS { OTHER } else { key };
        if let Some(place) = self.found.get(key) {
            return *place;
        }
        let place = self.windows.len();
        self.windows.push(Window { first, ..Window::default() });
        self.found.insert(key.to_owned(), place);
        self.sorted.insert(key.to_owned(), place);
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_the_window_is_forgotten_and_late_reports_find_their_place() {
        let mut windows = Windows::default();
        for (step, answered) in [(0, true), (2, false), (1, true), (2, true)] {
            windows.add("15", step, answered);
        }
        let seen = |windows: &Windows| {
            let window = windows.get("15").expect("it was added");
            (window.attempts, window.answered, window.left)
        };
        assert_eq!(seen(&windows), (4, 3, 0));
        windows.roll(1);
        assert_eq!(seen(&windows), (3, 2, 1));
        windows.roll(2);
        assert_eq!(seen(&windows), (2, 1, 1));
        windows.roll(9);
        assert_eq!(seen(&windows), (0, 0, 2));
        assert_eq!(windows.get("15").expect("it was added").asr(0), None);
    }

    #[test]
    fn endless_new_keys_share_one_window() {
        let mut windows = Windows::default();
        for number in 0..100_000 {
            windows.add(&number.to_string(), 0, false);
        }
        assert_eq!(windows.iter().count(), MOST_KEYS + 1);
        let other = windows.get(OTHER).expect("the rest");
        assert_eq!(other.attempts, (100_000 - MOST_KEYS) as u64);
    }
}
