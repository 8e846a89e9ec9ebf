//! Delays as an HDR histogram: 1 µs to 1 hour, three significant digits.

use std::borrow::Cow;
use std::time::Duration;

use base64::Engine as _;
use base64::display::Base64Display;
use base64::prelude::BASE64_STANDARD as STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer as HdrDeserializer, Serializer as _, V2Serializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use crate::metric::Quantile;

const HOUR_US: u64 = 3_600_000_000;

/// Counts delays so that any quantile can be asked for later, within 0.1 %.
#[derive(Debug, Clone, PartialEq)]
pub struct LatencyHistogram(Histogram<u64>);

/// The figures that a report shows, in microseconds. All zero when nothing was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Quantiles {
    pub count: u64,
    pub p50: u64,
    pub p90: u64,
    pub p95: u64,
    pub p99: u64,
    pub max: u64,
}

impl Quantiles {
    /// One of them.
    #[must_use]
    pub const fn at(&self, quantile: Quantile) -> u64 {
        match quantile {
            Quantile::P50 => self.p50,
            Quantile::P90 => self.p90,
            Quantile::P95 => self.p95,
            Quantile::P99 => self.p99,
            Quantile::Max => self.max,
        }
    }
}

impl LatencyHistogram {
    /// Counts one delay. Less than 1 µs counts as 1 µs, more than an hour as an hour.
    pub fn record(&mut self, delay: Duration) {
        self.record_us(u64::try_from(delay.as_micros()).unwrap_or(u64::MAX));
    }

    /// Counts one delay given in microseconds.
    pub fn record_us(&mut self, micros: u64) {
        self.0.saturating_record(micros.clamp(1, HOUR_US));
    }

    /// Adds all delays of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.0.add(&other.0).expect("all histograms have the same bounds");
    }

    /// The delay in microseconds that this share of the delays, from 0 to 1, does not exceed; `None` when nothing was
    /// counted.
    #[must_use]
    pub fn at(&self, share: f64) -> Option<u64> {
        (!self.0.is_empty()).then(|| self.0.value_at_quantile(share))
    }

    /// Each delay that was counted, in microseconds, and how often, from the shortest.
    pub fn counts(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value()))
    }

    /// The figures so far. The maximum is exact to three digits, like the others.
    #[must_use]
    pub fn quantiles(&self) -> Quantiles {
        if self.0.is_empty() {
            return Quantiles::default();
        }
        Quantiles {
            count: self.0.len(),
            p50: self.0.value_at_quantile(0.50),
            p90: self.0.value_at_quantile(0.90),
            p95: self.0.value_at_quantile(0.95),
            p99: self.0.value_at_quantile(0.99),
            max: self.0.max(),
        }
    }
}

/// A row of a percentile table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PercentileStep {
    /// No more than `count` delays are longer.
    pub value_us: u64,
    /// From 0 to 1.
    pub quantile: f64,
    /// Delays up to this one.
    pub count: u64,
}

/// What the percentile tables of HdrHistogram hold.
impl LatencyHistogram {
    /// The percentile distribution, five rows for each halving of the distance to 100 %.
    pub fn percentiles(&self) -> impl Iterator<Item = PercentileStep> {
        let mut count = 0;
        self.0.iter_quantiles(5).map(move |step| {
            count += step.count_since_last_iteration();
            PercentileStep {
                value_us: step.value_iterated_to(),
                quantile: step.quantile_iterated_to(),
                count,
            }
        })
    }

    /// In microseconds.
    #[must_use]
    pub fn mean_and_deviation_us(&self) -> (f64, f64) {
        (self.0.mean(), self.0.stdev())
    }
}

/// As HdrHistogram's own encoding (V2) in base64, which its tools read too. A process hands its histograms to another one
/// while it measures: a list of numbers would take it milliseconds.
impl Serialize for LatencyHistogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::new();
        V2Serializer::new().serialize(&self.0, &mut bytes).map_err(ser::Error::custom)?;
        serializer.collect_str(&Base64Display::new(&bytes, &STANDARD))
    }
}

impl<'de> Deserialize<'de> for LatencyHistogram {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text.as_bytes()).map_err(de::Error::custom)?;
        let read: Histogram<u64> =
            HdrDeserializer::new().deserialize(&mut &bytes[..]).map_err(de::Error::custom)?;
        // Into bounds of our own: those that were written may be any.
        let mut histogram = Self::default();
        histogram.0.add(&read).map_err(de::Error::custom)?;
        Ok(histogram)
    }
}

impl Default for LatencyHistogram {
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, HOUR_US, 3).expect("the bounds are valid constants"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(actual: u64, wanted: u64) -> bool {
        actual.abs_diff(wanted) <= wanted / 500
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
        assert!(near(q.max, 1_000_000), "{q:?}");
    }

    #[test]
    fn merging_equals_counting_in_one_place() {
        let (mut all, mut odd, mut even) =
            (LatencyHistogram::default(), LatencyHistogram::default(), LatencyHistogram::default());
        for us in 1..5_000 {
            all.record_us(us);
            if us % 2 == 0 { even.record_us(us) } else { odd.record_us(us) }
        }
        odd.merge(&even);
        assert_eq!(odd.quantiles(), all.quantiles());
    }

    #[test]
    fn a_histogram_survives_the_way_through_json() {
        let mut histogram = LatencyHistogram::default();
        (1..5_000).for_each(|n| histogram.record_us(n * n));
        let json = serde_json::to_string(&histogram).unwrap();
        let back: LatencyHistogram = serde_json::from_str(&json).unwrap();
        assert_eq!(back.quantiles(), histogram.quantiles());
        let empty = serde_json::to_string(&LatencyHistogram::default()).unwrap();
        let back: LatencyHistogram = serde_json::from_str(&empty).unwrap();
        assert_eq!(back.quantiles(), Quantiles::default());
        for nonsense in ["\"\"", "\"AAAA\"", "\"?\"", "[]", "7"] {
            assert!(serde_json::from_str::<LatencyHistogram>(nonsense).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn out_of_range_delays_count_at_the_edge() {
        let mut histogram = LatencyHistogram::default();
        assert_eq!(histogram.quantiles(), Quantiles::default());
        histogram.record(Duration::ZERO);
        histogram.record(Duration::MAX);
        let q = histogram.quantiles();
        assert_eq!((q.count, q.p50), (2, 1));
        assert!(near(q.max, HOUR_US));
    }
}
