//! The lag of a generator as a histogram of Prometheus.

use telemetry::LatencyHistogram;

/// Upper bounds in seconds; the last one takes everything.
const BOUNDS: [f64; 11] =
    [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, f64::INFINITY];

/// Sum in seconds, count, and how many are in each bucket and in none before it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lag {
    pub(super) sum: f64,
    pub(super) count: u64,
    pub(super) buckets: Vec<(f64, u64)>,
}

impl Lag {
    /// The histogram that a generator shows.
    pub(super) fn of(shown: &LatencyHistogram) -> Self {
        let sum = shown.sum_us() as f64 / 1e6;
        let mut lag = Self { sum, count: 0, buckets: BOUNDS.map(|bound| (bound, 0)).into() };
        for (micros, count) in shown.counts() {
            let seconds = micros as f64 / 1e6;
            lag.count += count;
            if let Some((_, bucket)) = lag.buckets.iter_mut().find(|(bound, _)| seconds <= *bound) {
                *bucket += count;
            }
        }
        lag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_delay_is_in_the_first_bucket_that_holds_it() {
        let mut shown = LatencyHistogram::default();
        for (micros, count) in [(1_000, 2), (1_001, 3), (20_000, 1), (20_001, 1), (5_000_000, 1)] {
            (0..count).for_each(|_| shown.record_us(micros));
        }
        let lag = Lag::of(&shown);
        let filled: Vec<_> = lag.buckets.iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(filled, [&(0.001, 2), &(0.002, 3), &(0.02, 1), &(0.05, 1), &(f64::INFINITY, 1)]);
        assert_eq!((lag.count, lag.sum), (8, 5.045_004));
    }
}
