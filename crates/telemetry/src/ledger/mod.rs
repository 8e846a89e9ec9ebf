//! The accounting of attempts: does every box tell the same story?
//!
//! ```text
//!  offered = answered + rejected + abandoned + timed out + lost(where, why)   [+ in progress]
//!
//!  answered for the caller ──► answered in the trunk group it called
//!                          ──► answered in the site that the trunk group names
//!                          ──► answered in the PSAP that the call server names
//! ```
//!
//! The caller's view decides what an attempt counts as. The records of the other boxes must support
//! it; each one that does not is a fault, told as a sentence. A box that was lost (killed, or its
//! process died) cannot testify, so what it held is lost with its name, not a fault.
//!
//! A call that another site takes over counts as what it is for its caller. Its trunk group names the last site, whose
//! record must support it; the site that fell says that it lost the call, or nothing.

mod attempts;
mod audit;
mod chain;
mod failures;
mod pages;
mod slip;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::record::BoxKind;

pub use attempts::{Attempt, Attempts, Counted, Destination};
pub use audit::Audit;
pub use failures::Failures;

/// Fault sentences kept; the others are only counted.
const FAULTS_KEPT: usize = 20;

/// The result of an [`Audit`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// True when the sum is right, nothing is in progress and there is no fault.
    pub balanced: bool,
    /// Where the lost attempts were, most first.
    pub lost_at: Vec<LostAt>,
    /// Attempts by callers outside the campaign, when the rules allow them.
    pub foreign: u64,
    /// How far those got that were rejected, timed out or lost.
    #[serde(default)]
    pub failures: Failures,
    pub fault_count: u64,
    /// The first faults, one sentence each.
    pub faults: Vec<String>,
}

/// A group of attempts that were lost in the same place for the same reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostAt {
    /// Name of the box.
    pub node: String,
    pub why: String,
    pub attempts: u64,
}

/// A box whose records are incomplete because it, or its process, was lost during the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostNode {
    pub kind: BoxKind,
    /// Name of the box, as other boxes call it in their records.
    pub node: String,
    /// What happened to it, for example `killed by an operator command`.
    pub why: String,
}

/// What the audit takes as normal.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Callers outside the campaign (a softphone, SIPp) may place calls too.
    pub foreign_callers: bool,
    /// Boxes that write no records, such as a SIPp that plays a PSAP.
    pub unrecorded: Vec<String>,
    /// How long a callee may believe in a call that its caller gave up: the CANCEL crossed the
    /// 200, and the BYE follows at once (RFC 3261 §9.1, §15.1.1). Covers three lost BYEs (0.5 s,
    /// 1 s, 2 s).
    pub crossing: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            foreign_callers: false,
            unrecorded: Vec::new(),
            crossing: Duration::from_millis(3_900),
        }
    }
}
