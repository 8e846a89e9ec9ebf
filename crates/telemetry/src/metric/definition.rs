//! The rows of the catalogue.

use super::name::Metric;

/// What is known of a metric before anything is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// In thresholds; of a distribution without its quantile: `asr`, `pdd`.
    pub key: &'static str,
    /// In `summary.json` and `calls.sqlite`, where that is another word.
    pub field: &'static str,
    /// In tables: `ASR`.
    pub short: &'static str,
    /// In sentences: `answer-seizure ratio`.
    pub title: &'static str,
    /// Where it is defined: `ITU-T E.425`; empty when it is the project's own.
    pub standard: &'static str,
    pub unit: Unit,
    /// What it is made of, in words.
    pub formula: &'static str,
    /// Whether it is known while the calls run.
    pub is_live: bool,
    /// Whether the attempts of one site, trunk group, number, département or PSAP have it.
    pub is_of_a_part: bool,
    pub better: Better,
}

/// The unit of a metric and of its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// From 0 to 1.
    Share,
    Seconds,
    /// From 1 to 4.5 (ITU-T G.107).
    MeanOpinionScore,
}

/// In which direction a metric gets better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    More,
    Less,
    /// Neither way: whether it is good depends on what was asked of the network.
    Neither,
}

/// A ratio of attempts that only the records of the whole run can tell; most are.
const RATIO: Definition = Definition {
    key: "",
    field: "",
    short: "",
    title: "",
    standard: "",
    unit: Unit::Share,
    formula: "",
    is_live: false,
    is_of_a_part: true,
    better: Better::More,
};

/// A share of all attempts by their outcome.
const SHARE: Definition = Definition { is_live: true, is_of_a_part: false, ..RATIO };

/// A distribution of delays.
const DELAY: Definition = Definition { unit: Unit::Seconds, better: Better::Less, ..RATIO };

const ANSWERED_SHARE: Definition = Definition {
    key: "answered_share",
    field: "answered_share",
    short: "answered",
    title: "share of attempts that were answered and ended well",
    formula: "answered / offered",
    is_of_a_part: true,
    ..SHARE
};

const REJECTED_SHARE: Definition = Definition {
    key: "rejected_share",
    field: "rejected_share",
    short: "rejected",
    title: "share of attempts that were refused",
    formula: "rejected / offered",
    better: Better::Less,
    ..SHARE
};

const ABANDONED_SHARE: Definition = Definition {
    key: "abandoned_share",
    field: "abandoned_share",
    short: "abandoned",
    title: "share of attempts that their callers gave up before the answer",
    formula: "abandoned / offered",
    better: Better::Neither,
    ..SHARE
};

const TIMED_OUT_SHARE: Definition = Definition {
    key: "timed_out_share",
    field: "timed_out_share",
    short: "timed out",
    title: "share of attempts without a final response",
    formula: "timed out / offered",
    better: Better::Less,
    ..SHARE
};

const LOST_SHARE: Definition = Definition {
    key: "lost_share",
    field: "lost_share",
    short: "lost",
    title: "share of attempts that were answered and died without a BYE",
    formula: "lost / offered",
    better: Better::Less,
    ..SHARE
};

const FAILED_SHARE: Definition = Definition {
    key: "failed_share",
    field: "failed_share",
    short: "failed",
    title: "share of attempts that were neither answered nor given up by the caller",
    formula: "(rejected + timed out + lost) / offered",
    is_of_a_part: true,
    better: Better::Less,
    ..SHARE
};

const ASR: Definition = Definition {
    key: "asr",
    field: "asr",
    short: "ASR",
    title: "answer-seizure ratio",
    standard: "ITU-T E.425",
    formula: "INVITEs with 200 / attempts",
    is_live: true,
    ..RATIO
};

const NER: Definition = Definition {
    key: "ner",
    field: "ner",
    short: "NER",
    title: "network effectiveness ratio",
    standard: "ITU-T E.425",
    formula: "(INVITEs with 200 + busy, not answered or refused by the callee) / attempts",
    ..RATIO
};

const SER: Definition = Definition {
    key: "ser",
    field: "ser",
    short: "SER",
    title: "session establishment ratio",
    standard: "RFC 6076 §4.6",
    formula: "INVITEs with 200 / INVITEs without 3xx",
    ..RATIO
};

const SEER: Definition = Definition {
    key: "seer",
    field: "seer",
    short: "SEER",
    title: "session establishment effectiveness ratio",
    standard: "RFC 6076 §4.7",
    formula: "INVITEs with 200, 480, 486, 600 or 603 / INVITEs without 3xx",
    ..RATIO
};

const ISA: Definition = Definition {
    key: "isa",
    field: "isa",
    short: "ISA",
    title: "ineffective session attempts",
    standard: "RFC 6076 §4.8",
    formula: "INVITEs with 408, 500, 503, 504 or no final response / INVITEs",
    better: Better::Less,
    ..RATIO
};

const SCR: Definition = Definition {
    key: "scr",
    field: "scr",
    short: "SCR",
    title: "session completion ratio",
    standard: "RFC 6076 §4.9",
    formula: "answered and ended well / INVITEs without 3xx",
    ..RATIO
};

const PDD: Definition = Definition {
    key: "pdd",
    field: "pdd",
    short: "post-dial delay",
    title: "post-dial delay, the session request delay of successful calls",
    standard: "RFC 6076 §4.3.1",
    formula: "intended start to the first of 180, 183 and 200",
    is_live: true,
    ..DELAY
};

const ANSWER_DELAY: Definition = Definition {
    key: "answer_delay",
    field: "setup",
    short: "set-up, to the 200",
    title: "time to the answer",
    formula: "intended start to 200",
    is_live: true,
    ..DELAY
};

const SDD: Definition = Definition {
    key: "sdd",
    field: "sdd",
    short: "disconnect, to its 200",
    title: "session disconnect delay",
    standard: "RFC 6076 §4.4",
    formula: "BYE of the caller to its response",
    ..DELAY
};

const HEARD_SHARE: Definition = Definition {
    key: "heard_share",
    field: "heard_share",
    short: "heard both ways",
    title: "share of calls whose both ends heard each other",
    formula: "calls heard both ways / calls with media that could be judged",
    is_of_a_part: false,
    ..RATIO
};

const MOS: Definition = Definition {
    key: "mos",
    field: "mos",
    short: "MOS",
    title: "mean opinion score of the streams",
    standard: "ITU-T G.107",
    unit: Unit::MeanOpinionScore,
    formula: "E-model, of each stream at its end",
    is_of_a_part: false,
    better: Better::Neither,
    ..RATIO
};

impl Metric {
    /// The row of the catalogue.
    #[must_use]
    pub const fn definition(self) -> Definition {
        match self {
            Self::AnsweredShare => ANSWERED_SHARE,
            Self::RejectedShare => REJECTED_SHARE,
            Self::AbandonedShare => ABANDONED_SHARE,
            Self::TimedOutShare => TIMED_OUT_SHARE,
            Self::LostShare => LOST_SHARE,
            Self::FailedShare => FAILED_SHARE,
            Self::Asr => ASR,
            Self::Ner => NER,
            Self::Ser => SER,
            Self::Seer => SEER,
            Self::Isa => ISA,
            Self::Scr => SCR,
            Self::Pdd(_) => PDD,
            Self::AnswerDelay(_) => ANSWER_DELAY,
            Self::Sdd(_) => SDD,
            Self::HeardShare => HEARD_SHARE,
            Self::Mos(_) => MOS,
        }
    }

    /// Whether this is a delay in seconds.
    #[must_use]
    pub fn is_delay(self) -> bool {
        self.definition().unit == Unit::Seconds
    }
}
