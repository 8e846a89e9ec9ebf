//! Where failed attempts came to an end, by how far they got: the first thing to know of a failure.
//!
//! ```text
//!   caller ──INVITE──► … ──INVITE──► callee        never seen: 1
//!          ◄──200───── … ◄──200─────               200, no ACK, and the caller never had the 200: 2
//!          ───ACK────► … ───ACK────►               200, no ACK, though the caller has acknowledged: 3
//!          ◄═══════════ the call ══════════►       all was well, and then a timer ran out or a box fell: 4
//! ```

use serde::{Deserialize, Serialize};

use super::chain::{Chain, ChainFinding};
use super::compact_record::CompactRecord;
use crate::terms::{BoxKind, NO_ACK, Outcome};

/// The attempts that were rejected, timed out or lost. The sum of all fields is the number of these.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Failures {
    /// No PSAP has a record: the INVITE was refused, swallowed or lost before.
    pub callee_never_saw_invite: u64,
    /// A PSAP answered with 200 and got no ACK; the caller never had the 200.
    pub answered_without_ack: u64,
    /// A PSAP got no ACK although the caller had the 200 and acknowledged it.
    pub ack_not_seen: u64,
    /// A PSAP had the call, and it ended because a timer ran out or a box fell.
    pub lifecycle_timeout: u64,
    /// A PSAP refused it, such as with 486, or whoever is at the other end of a network that writes no records. Nothing is
    /// broken there.
    pub refused_by_callee: u64,
    /// A PSAP that writes no records, or was lost, may have had it.
    pub unknown: u64,
}

impl Failures {
    /// All failed attempts.
    #[must_use]
    pub const fn sum(&self) -> u64 {
        self.callee_never_saw_invite
            + self.answered_without_ack
            + self.ack_not_seen
            + self.lifecycle_timeout
            + self.refused_by_callee
            + self.unknown
    }

    /// Counts an attempt that counts as `finding`, if that is a failure.
    pub(super) fn count(&mut self, chain: &Chain<'_>, finding: &ChainFinding) {
        let refused = match finding {
            ChainFinding::Counted(Outcome::Rejected) => true,
            ChainFinding::Counted(Outcome::TimedOut) | ChainFinding::Lost { .. } => false,
            _ => return,
        };
        let of_psap = || chain.records.iter().filter(|record| record.kind == BoxKind::Psap);
        let no_ack = |record: &CompactRecord| chain.names.text(record.why) == NO_ACK;
        let caller = chain.records.iter().find(|record| record.kind == BoxKind::Generator);
        // RFC 3261 §21.4.18, §21.4.24, §21.6: a word of the callee, whoever that is.
        let is_callees = |record: &CompactRecord| record.has_status(&[480, 486, 600, 603]);
        let bucket = if of_psap().next().is_none() {
            match chain.may_be_untold() {
                true if refused && caller.is_some_and(is_callees) => &mut self.refused_by_callee,
                true => &mut self.unknown,
                false => &mut self.callee_never_saw_invite,
            }
        } else if of_psap().any(no_ack) {
            match caller.is_some_and(|record| record.established()) {
                true => &mut self.ack_not_seen,
                false => &mut self.answered_without_ack,
            }
        } else if refused && of_psap().any(|record| record.outcome == Outcome::Rejected) {
            &mut self.refused_by_callee
        } else {
            &mut self.lifecycle_timeout
        };
        *bucket += 1;
    }
}
