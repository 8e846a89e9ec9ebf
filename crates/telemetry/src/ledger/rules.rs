//! What an audit is told besides the records.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::terms::BoxKind;

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
