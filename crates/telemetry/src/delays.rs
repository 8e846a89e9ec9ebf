//! Delays as they were measured: what bounds are judged on.

use std::time::Duration;

use crate::quantiles::Quantiles;

/// Keeps each delay, in four bytes unless it exceeds 71 minutes. Every quantile is one of them, to the microsecond.
#[derive(Debug, Clone, Default)]
pub struct Delays {
    micros: Vec<u32>,
    /// Those that do not fit there, all of them longer.
    long: Vec<u64>,
}

impl Delays {
    pub fn record(&mut self, delay: Duration) {
        self.record_us(u64::try_from(delay.as_micros()).unwrap_or(u64::MAX));
    }

    /// Counts one delay given in microseconds.
    pub fn record_us(&mut self, micros: u64) {
        match u32::try_from(micros) {
            Ok(micros) => self.micros.push(micros),
            Err(_) => self.long.push(micros),
        }
    }

    /// Adds all delays of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.micros.extend_from_slice(&other.micros);
        self.long.extend_from_slice(&other.long);
    }

    /// The figures so far. Only what is asked for is put in its place: shorter delays are before it, longer ones behind.
    #[must_use]
    pub fn quantiles(&mut self) -> Quantiles {
        let Self { micros, long } = self;
        long.sort_unstable();
        let count = (micros.len() + long.len()) as u64;
        let mut placed = 0;
        Quantiles::of(count, |quantile| {
            let place = usize::try_from(quantile.place(count)?).ok()?;
            if let Some(beyond) = place.checked_sub(micros.len()) {
                return long.get(beyond).copied();
            }
            let (_, found, _) = micros[placed..].select_nth_unstable(place - placed);
            placed = place;
            Some(u64::from(*found))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(delays: impl IntoIterator<Item = u64>) -> Quantiles {
        let mut all = Delays::default();
        delays.into_iter().for_each(|micros| all.record_us(micros));
        all.quantiles()
    }

    #[test]
    fn every_quantile_is_one_of_the_delays() {
        let found = of((1..=1_000).rev().map(|n| n * 30_001));
        let wanted = [500, 900, 950, 990, 1_000].map(|n| Some(n * 30_001));
        assert_eq!([found.p50, found.p90, found.p95, found.p99, found.max], wanted);
        assert_eq!(of([30_000]).p50, Some(30_000));
        assert_eq!(of([0, 0]).max, Some(0));
    }

    #[test]
    fn merged_delays_are_those_of_both() {
        let mut one = Delays::default();
        [5, u64::MAX].iter().for_each(|micros| one.record_us(*micros));
        let mut other = Delays::default();
        other.record_us(3);
        other.merge(&one);
        let found = other.quantiles();
        assert_eq!((found.count, found.p50, found.max), (3, Some(5), Some(u64::MAX)));
    }

    #[test]
    fn a_delay_of_hours_is_told_as_it_was() {
        let hour = 3_600_000_000;
        let found = of([3 * hour, 5, 2 * hour + 1]);
        assert_eq!((found.count, found.p50, found.max), (3, Some(2 * hour + 1), Some(3 * hour)));
        assert_eq!(of([u64::MAX]).max, Some(u64::MAX));
    }

    #[test]
    fn without_a_delay_there_is_no_figure() {
        assert_eq!(of([]), Quantiles::default());
        assert_eq!(of([]).max, None);
    }
}
