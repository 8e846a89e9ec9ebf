//! The catalogue of metrics: what each is called, which standard defines it, its unit, what it is made of, and whether it
//! is known while the calls run. Thresholds, the summary, the page, comparisons, the screen, schemas and documents take it
//! from here.
//!
//! ```text
//!  records, counters ──► AttemptCounts ──► Metric::ratio        one formula for each ratio
//!                                          Metric::definition   one sentence for each metric
//! ```

mod catalogue;
mod counts;

pub use catalogue::{Better, Definition, NAMES, Unit};
pub use counts::AttemptCounts;

/// What a run measures of its calls and a threshold may bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    AnsweredShare,
    RejectedShare,
    AbandonedShare,
    TimedOutShare,
    LostShare,
    FailedShare,
    Asr,
    Ner,
    Ser,
    Seer,
    Isa,
    Scr,
    Pdd(Quantile),
    AnswerDelay(Quantile),
    Sdd(Quantile),
    HeardShare,
    Mos(MosQuantile),
}

/// A point of a distribution of delays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantile {
    P50,
    P90,
    P95,
    P99,
    Max,
}

/// A point of the distribution of scores, from the bad end: 95 % of the streams are at least as good as `P5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MosQuantile {
    P50,
    P5,
    P1,
    Min,
}

impl Metric {
    /// The name of this metric in files and reports: `asr`, `pdd_p99`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        let named = NAMES.iter().find(|(_, metric)| *metric == self);
        named.map(|(name, _)| *name).expect("the table names every metric")
    }

    /// Whether this is a delay in seconds.
    #[must_use]
    pub fn is_delay(self) -> bool {
        self.definition().unit == Unit::Seconds
    }

    /// The ratio that `counts` come to, from 0 to 1. `None` without a denominator, and for what is no ratio of attempts.
    #[must_use]
    pub fn ratio(self, counts: &AttemptCounts) -> Option<f64> {
        let attempts = counts.offered;
        // RFC 6076 leaves redirected INVITEs out of most ratios.
        let sessions = attempts.saturating_sub(counts.redirected);
        let (part, whole) = match self {
            Self::AnsweredShare => (counts.answered, attempts),
            Self::RejectedShare => (counts.rejected, attempts),
            Self::AbandonedShare => (counts.abandoned, attempts),
            Self::TimedOutShare => (counts.timed_out, attempts),
            Self::LostShare => (counts.lost, attempts),
            Self::FailedShare => (counts.failed(), attempts),
            Self::Asr => (counts.established, attempts),
            Self::Ner => (counts.established + counts.callee_failed, attempts),
            Self::Ser => (counts.established, sessions),
            Self::Seer => (counts.established + counts.callee_status, sessions),
            Self::Isa => (counts.ineffective, attempts),
            Self::Scr => (counts.answered, sessions),
            Self::Pdd(_) | Self::AnswerDelay(_) | Self::Sdd(_) => return None,
            Self::HeardShare | Self::Mos(_) => return None,
        };
        share(part, whole)
    }
}

impl Quantile {
    /// From 0 to 1.
    #[must_use]
    pub const fn value(self) -> f64 {
        match self {
            Self::P50 => 0.50,
            Self::P90 => 0.90,
            Self::P95 => 0.95,
            Self::P99 => 0.99,
            Self::Max => 1.0,
        }
    }
}

/// `part` of `whole`, from 0 to 1; `None` when there is no whole.
#[must_use]
pub fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests;
