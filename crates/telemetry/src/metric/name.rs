//! Which metrics there are, and what they are called in files.

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
}

impl Quantile {
    /// Its name in files: `p50`, `max`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::Max => "max",
        }
    }

    /// From 0 to 1.
    #[must_use]
    pub const fn value(self) -> f64 {
        self.percent() as f64 / 100.0
    }

    const fn percent(self) -> u64 {
        match self {
            Self::P50 => 50,
            Self::P90 => 90,
            Self::P95 => 95,
            Self::P99 => 99,
            Self::Max => 100,
        }
    }

    /// Its place among so many sorted delays, from 0: the first that as many do not exceed. `None` of nothing.
    #[must_use]
    pub const fn place(self, count: u64) -> Option<u64> {
        let rank = (count as u128 * self.percent() as u128).div_ceil(100) as u64;
        rank.checked_sub(1)
    }
}

/// Every metric by its name in files.
pub const NAMES: [(&str, Metric); 32] = [
    ("heard_share", Metric::HeardShare),
    ("mos_p50", Metric::Mos(MosQuantile::P50)),
    ("mos_p5", Metric::Mos(MosQuantile::P5)),
    ("mos_p1", Metric::Mos(MosQuantile::P1)),
    ("mos_min", Metric::Mos(MosQuantile::Min)),
    ("answered_share", Metric::AnsweredShare),
    ("rejected_share", Metric::RejectedShare),
    ("abandoned_share", Metric::AbandonedShare),
    ("timed_out_share", Metric::TimedOutShare),
    ("lost_share", Metric::LostShare),
    ("failed_share", Metric::FailedShare),
    ("asr", Metric::Asr),
    ("ner", Metric::Ner),
    ("ser", Metric::Ser),
    ("seer", Metric::Seer),
    ("isa", Metric::Isa),
    ("scr", Metric::Scr),
    ("pdd_p50", Metric::Pdd(Quantile::P50)),
    ("pdd_p90", Metric::Pdd(Quantile::P90)),
    ("pdd_p95", Metric::Pdd(Quantile::P95)),
    ("pdd_p99", Metric::Pdd(Quantile::P99)),
    ("pdd_max", Metric::Pdd(Quantile::Max)),
    ("answer_delay_p50", Metric::AnswerDelay(Quantile::P50)),
    ("answer_delay_p90", Metric::AnswerDelay(Quantile::P90)),
    ("answer_delay_p95", Metric::AnswerDelay(Quantile::P95)),
    ("answer_delay_p99", Metric::AnswerDelay(Quantile::P99)),
    ("answer_delay_max", Metric::AnswerDelay(Quantile::Max)),
    ("sdd_p50", Metric::Sdd(Quantile::P50)),
    ("sdd_p90", Metric::Sdd(Quantile::P90)),
    ("sdd_p95", Metric::Sdd(Quantile::P95)),
    ("sdd_p99", Metric::Sdd(Quantile::P99)),
    ("sdd_max", Metric::Sdd(Quantile::Max)),
];
