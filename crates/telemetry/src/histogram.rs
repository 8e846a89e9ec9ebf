//! Delays counted in steps, for whoever must know them while calls go on: four significant digits of each.
//!
//! ```text
//!   microseconds   0 1 2 … 10,000   … 10,010 … 10,020 … 100,000   … 100,100 … 100,200 … 1,000,000   …
//!   edges every    1                10                            100
//! ```
//!
//! There is a step for each edge and one for what lies between two edges, so a bound of four digits or fewer has a step of its
//! own: whoever holds a quantile against it, from above or from below, is right. The longest delay and the sum are exact.

use std::borrow::Cow;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::metric::Quantile;
use crate::quantiles::Quantiles;
use crate::small_numbers::{read_number, write_number};
use crate::steps::Steps;

/// Up to here each microsecond has a step of its own.
const FINE: u64 = 10_000;
/// Edges of each further decade.
const DECADE: u64 = 9_000;
/// Steps up to the longest delay that there can be.
const STEPS: u64 = FINE + 2 * 16 * DECADE;

/// Counts delays so that any quantile can be asked for later, within 0.1 %.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LatencyHistogram {
    steps: Steps,
    count: u64,
    sum_us: u64,
    max_us: u64,
}

/// The step of a delay.
const fn step(micros: u64) -> u64 {
    let next = next_edge(micros);
    if next <= FINE {
        return next;
    }
    // What lies before an edge is one step less.
    FINE + 2 * (next - FINE) - (edge(next) != micros) as u64
}

/// The longest delay of a step.
const fn longest(step: u64) -> u64 {
    if step <= FINE {
        return step;
    }
    let place = step - FINE;
    edge(FINE + place.div_ceil(2)) - place % 2
}

/// The number of the first edge that a delay does not exceed.
const fn next_edge(micros: u64) -> u64 {
    if micros <= FINE {
        return micros;
    }
    // A power of ten ends its decade.
    let decade = (micros - 1).ilog10() - FINE.ilog10();
    let width = 10_u64.pow(decade + 1);
    FINE + decade as u64 * DECADE + micros.div_ceil(width) - FINE / 10
}

/// Where an edge is.
const fn edge(number: u64) -> u64 {
    if number <= FINE {
        return number;
    }
    let (decade, place) = ((number - FINE - 1) / DECADE, (number - FINE - 1) % DECADE);
    10_u64.pow(decade as u32 + 1).saturating_mul(FINE / 10 + 1 + place)
}

impl LatencyHistogram {
    /// Counts one delay.
    pub fn record(&mut self, delay: Duration) {
        self.record_us(u64::try_from(delay.as_micros()).unwrap_or(u64::MAX));
    }

    /// Counts one delay given in microseconds.
    pub fn record_us(&mut self, micros: u64) {
        self.add(step(micros), 1);
        self.sum_us = self.sum_us.saturating_add(micros);
        self.max_us = self.max_us.max(micros);
    }

    fn add(&mut self, step: u64, count: u64) {
        self.steps.add(step as usize, count);
        self.count = self.count.saturating_add(count);
    }

    /// Adds all delays of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (step, count) in other.steps.counted() {
            self.add(step, count);
        }
        self.sum_us = self.sum_us.saturating_add(other.sum_us);
        self.max_us = self.max_us.max(other.max_us);
    }

    /// The delays that were counted since it was `before`; nothing if it never was. The longest may be one that came before.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let Some(steps) = self.steps.since(&before.steps) else { return Self::default() };
        Self {
            count: steps.counted().fold(0, |sum, (_, count)| sum.saturating_add(count)),
            steps,
            sum_us: self.sum_us.saturating_sub(before.sum_us),
            max_us: self.max_us,
        }
    }

    /// The delay in microseconds that this part of the delays does not exceed; `None` when nothing was counted.
    #[must_use]
    pub fn at(&self, quantile: Quantile) -> Option<u64> {
        let place = quantile.place(self.count)?;
        let mut seen = 0;
        self.counts().find_map(|(micros, count)| {
            seen += count;
            (seen > place).then_some(micros)
        })
    }

    /// Each step with delays, by the longest that it may have in microseconds, and how many it has, from the shortest. The last
    /// one ends with the longest delay.
    pub fn counts(&self) -> impl Iterator<Item = (u64, u64)> {
        self.steps.counted().map(|(step, count)| (longest(step).min(self.max_us), count))
    }

    /// All delays together, in microseconds.
    #[must_use]
    pub const fn sum_us(&self) -> u64 {
        self.sum_us
    }

    /// The figures so far.
    #[must_use]
    pub fn quantiles(&self) -> Quantiles {
        Quantiles::of(self.count, |quantile| self.at(quantile))
    }
}

/// As base64 of small numbers: sum, longest delay, and for each step with delays how far it is from the one before and how
/// many it has. A process hands its histograms to another one while it measures: a list of numbers in text would take it
/// milliseconds.
impl Serialize for LatencyHistogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::new();
        write_number(&mut bytes, self.sum_us);
        write_number(&mut bytes, self.max_us);
        let mut last = 0;
        for (step, count) in self.steps.counted() {
            write_number(&mut bytes, step - last);
            write_number(&mut bytes, count);
            last = step;
        }
        serializer.serialize_str(&STANDARD.encode(&bytes))
    }
}

impl<'de> Deserialize<'de> for LatencyHistogram {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text.as_bytes()).map_err(de::Error::custom)?;
        Self::read(&bytes).ok_or_else(|| de::Error::custom("no histogram of delays"))
    }
}

impl LatencyHistogram {
    fn read(mut bytes: &[u8]) -> Option<Self> {
        let sum_us = read_number(&mut bytes)?;
        let max_us = read_number(&mut bytes)?;
        let mut histogram = Self { sum_us, max_us, ..Self::default() };
        let mut last = 0_u64;
        while !bytes.is_empty() {
            last = last.checked_add(read_number(&mut bytes)?).filter(|step| *step <= STEPS)?;
            histogram.add(last, read_number(&mut bytes)?);
        }
        Some(histogram)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(actual: Option<u64>, wanted: u64) -> bool {
        actual.is_some_and(|actual| actual.abs_diff(wanted) <= wanted / 500)
    }

    #[test]
    fn a_delay_of_four_digits_is_told_as_it_is_and_others_within_a_thousandth() {
        for micros in [0, 1, 999, 9_999, 10_000, 30_000, 30_010, 99_990, 100_000, 1_234_000] {
            assert_eq!(longest(step(micros)), micros);
        }
        let mut last = 0;
        for micros in (0..40_000).chain((0..64).map(|bit| 1 << bit)).chain([u64::MAX]) {
            let told = longest(step(micros));
            assert!(told >= micros && told - micros <= micros / 1_000, "{micros}: {told}");
            assert!(step(micros) >= last || micros < 40_000, "{micros}");
            last = step(micros);
        }
        assert!(step(u64::MAX) <= STEPS);
    }

    #[test]
    fn what_keeps_within_a_bound_is_in_the_steps_up_to_it() {
        let mut histogram = LatencyHistogram::default();
        [30_000, 30_000, 30_001].iter().for_each(|micros| histogram.record_us(*micros));
        assert_eq!(
            (histogram.at(Quantile::P50), histogram.at(Quantile::Max)),
            (Some(30_000), Some(30_001))
        );
        assert_eq!(histogram.counts().collect::<Vec<_>>(), [(30_000, 2), (30_001, 1)]);
        assert_eq!(histogram.sum_us(), 90_001);
        // And what does not reach it is not.
        let mut histogram = LatencyHistogram::default();
        [29_999, 30_001, 40_000].iter().for_each(|micros| histogram.record_us(*micros));
        assert_eq!(histogram.counts().map(|(longest, _)| longest).next(), Some(29_999));
        assert_eq!(histogram.at(Quantile::P50), Some(30_009));
    }

    #[test]
    fn quantiles_of_one_to_a_thousand_milliseconds() {
        let mut histogram = LatencyHistogram::default();
        for ms in 1..=1_000 {
            histogram.record(Duration::from_millis(ms));
        }
        let q = histogram.quantiles();
        assert_eq!(q.count, 1_000);
        assert!(near(q.p50, 500_000) && near(q.p90, 900_000) && near(q.p99, 990_000), "{q:?}");
        assert_eq!(q.max, Some(1_000_000));
    }

    #[test]
    fn merging_equals_counting_in_one_place() {
        let (mut all, mut odd, mut even) =
            (LatencyHistogram::default(), LatencyHistogram::default(), LatencyHistogram::default());
        for us in 1..5_000 {
            all.record_us(us * 7);
            if us % 2 == 0 { even.record_us(us * 7) } else { odd.record_us(us * 7) }
        }
        odd.merge(&even);
        assert_eq!(odd, all);
    }

    #[test]
    fn a_histogram_survives_the_way_through_json() {
        let mut histogram = LatencyHistogram::default();
        (1..5_000).for_each(|n| histogram.record_us(n * n));
        let json = serde_json::to_string(&histogram).unwrap();
        let back: LatencyHistogram = serde_json::from_str(&json).unwrap();
        assert_eq!(back, histogram);
        let empty = serde_json::to_string(&LatencyHistogram::default()).unwrap();
        let back: LatencyHistogram = serde_json::from_str(&empty).unwrap();
        assert_eq!(back.quantiles(), Quantiles::default());
        // No step is so far out, and no number so long.
        let far = format!("\"{}\"", STANDARD.encode([0, 0, 0xFF, 0xFF, 0xFF, 0x7F, 1]));
        let long = format!("\"{}\"", STANDARD.encode([0xFF; 12]));
        for nonsense in ["\"\"", "\"AA==\"", "\"AAAA\"", "\"?\"", "[]", "7", &far, &long] {
            assert!(serde_json::from_str::<LatencyHistogram>(nonsense).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn delays_since_a_moment_are_those_counted_after_it() {
        let mut histogram = LatencyHistogram::default();
        (1..100).for_each(|us| histogram.record_us(us));
        let before = histogram.clone();
        assert_eq!(histogram.since(&before).at(Quantile::P50), None);
        (0..10).for_each(|_| histogram.record_us(5_000));
        let since = histogram.since(&before).quantiles();
        assert_eq!((since.count, since.p50, since.max), (10, Some(5_000), Some(5_000)));
        assert_eq!(before.since(&histogram).at(Quantile::P50), None, "it was never so");
    }

    #[test]
    fn delays_of_no_time_and_of_ages_count() {
        let mut histogram = LatencyHistogram::default();
        assert_eq!(histogram.quantiles(), Quantiles::default());
        histogram.record(Duration::ZERO);
        histogram.record(Duration::MAX);
        let q = histogram.quantiles();
        assert_eq!((q.count, q.p50, q.max), (2, Some(0), Some(u64::MAX)));
    }
}
