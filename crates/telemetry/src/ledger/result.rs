//! What comes of an audit.

use serde::{Deserialize, Serialize};

use super::failures::Failures;

/// What became of the attempts of a run, by the records of all boxes: the result of an [`Audit`](crate::Audit).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Ledger {
    /// Attempts started: every INVITE of a caller.
    pub offered: u64,
    pub answered: u64,
    pub rejected: u64,
    pub abandoned: u64,
    pub timed_out: u64,
    pub lost: u64,
    /// Started, but without a record when the run ended.
    pub in_progress: u64,
    /// True when the sum is right, nothing is in progress and there is no contradiction.
    pub balanced: bool,
    /// Where the lost attempts were, most first.
    pub lost_at: Vec<LostAt>,
    /// Attempts by callers outside the campaign, when the rules allow them.
    pub foreign: u64,
    /// How far those got that were rejected, timed out or lost.
    #[serde(default)]
    pub failures: Failures,
    pub fault_count: u64,
    /// The first contradictions, one sentence each.
    pub faults: Vec<String>,
}

impl Ledger {
    /// Rejected, timed out or lost.
    #[must_use]
    pub const fn failed(&self) -> u64 {
        self.rejected + self.timed_out + self.lost
    }

    /// What became of the attempts, as the sum that the offered ones must come to.
    #[must_use]
    pub fn sum_in_words(&self) -> String {
        let Self { answered, rejected, abandoned, timed_out, lost, .. } = self;
        format!(
            "{answered} answered + {rejected} rejected + {abandoned} abandoned + {timed_out} timed out + {lost} lost"
        )
    }
}

/// A group of attempts that were lost in the same place for the same reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LostAt {
    /// Name of the box.
    pub node: String,
    pub why: String,
    pub attempts: u64,
}
