//! How far the generator may fall behind before a run measures it and not the network: `[validity]`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use topology::reader::{Table, kind};

/// Beyond any of these a run is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Validity {
    /// The 99th percentile of its lag, by the machine's clock.
    #[serde(rename = "lag_p99_us", with = "micros")]
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub lag_p99: Duration,
    /// Share of its core that it may use in its busiest five seconds.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub cpu: f64,
    /// Share of its messages that it may send again by timers that it served late.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub late_retransmissions: f64,
    /// Share of its RTP packets that may go out over 20 ms late.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub late_rtp: f64,
    /// The largest step of the machine's clock.
    #[serde(rename = "clock_step_us", with = "micros")]
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub clock_step: Duration,
}

impl Default for Validity {
    fn default() -> Self {
        Self {
            lag_p99: Duration::from_millis(50),
            // It is one thread: above this share of a core it measures itself.
            cpu: 0.9,
            late_retransmissions: 0.01,
            late_rtp: 0.05,
            // NTP slews less than this unnoticed.
            clock_step: Duration::from_millis(100),
        }
    }
}

impl Validity {
    pub(super) fn read(table: &Table<'_>) -> Self {
        let usual = Self::default();
        let duration = || kind::duration(Duration::from_millis(1));
        Self {
            lag_p99: table.or("lag_p99", duration(), usual.lag_p99),
            cpu: table.or("cpu", kind::share, usual.cpu),
            late_retransmissions: table.or(
                "late_retransmissions",
                kind::share,
                usual.late_retransmissions,
            ),
            late_rtp: table.or("late_rtp", kind::share, usual.late_rtp),
            clock_step: table.or("clock_step", duration(), usual.clock_step),
        }
    }

    /// What a reader must know before believing a run that was allowed more than usual.
    pub fn note(&self) -> Option<String> {
        let usual = Self::default();
        let percent = |share: f64| format!("{} %", (share * 1_000.0).round() / 10.0);
        let limits = [
            ("lag_p99", self.lag_p99 > usual.lag_p99, topology::format_duration(self.lag_p99)),
            ("cpu", self.cpu > usual.cpu, percent(self.cpu)),
            (
                "late_retransmissions",
                self.late_retransmissions > usual.late_retransmissions,
                percent(self.late_retransmissions),
            ),
            ("late_rtp", self.late_rtp > usual.late_rtp, percent(self.late_rtp)),
            (
                "clock_step",
                self.clock_step > usual.clock_step,
                topology::format_duration(self.clock_step),
            ),
        ];
        let raised = limits.iter().filter(|(_, is_raised, _)| *is_raised);
        let raised: Vec<String> = raised.map(|(key, _, value)| format!("{key} {value}")).collect();
        (!raised.is_empty())
            .then(|| format!("the generator was allowed more than usual: {}", raised.join(", ")))
    }
}

mod micros {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(span: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(span.as_micros()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_limit_that_was_raised_is_told() {
        assert_eq!(Validity::default().note(), None);
        let strict = Validity { lag_p99: Duration::from_millis(5), ..Validity::default() };
        assert_eq!(strict.note(), None);
        let lax = Validity { lag_p99: Duration::from_secs(2), late_rtp: 0.125, ..strict };
        let note = lax.note().expect("a note");
        assert_eq!(note, "the generator was allowed more than usual: lag_p99 2s, late_rtp 12.5 %");
    }
}
