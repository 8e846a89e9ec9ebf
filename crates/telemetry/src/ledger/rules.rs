//! What an audit is told besides the records.

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
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Callers outside the campaign (a softphone, SIPp) may place calls too.
    pub foreign_callers: bool,
    /// Boxes that write no records, such as a SIPp that plays a PSAP.
    pub unrecorded: Vec<String>,
}
