//! What only boxes with a dialog towards the caller say, compact: when they were acknowledged, and which calls they placed.

use super::compact_record::{NEVER, NOTHING, after};
use crate::record::{Entry, LegEntry};

/// Of a PSAP. Times are microseconds since the start of its record.
#[derive(Debug, Clone, Copy)]
pub(super) struct CompactAnswerer {
    ack_after: u32,
    bye_after: u32,
    /// Where what it heard is.
    pub(super) heard: u32,
}

/// Of a call server.
#[derive(Debug, Clone, Copy)]
pub(super) struct CompactServer {
    ack_after: u32,
    /// Where its legs begin, and how many there are.
    pub(super) first_leg: u32,
    legs: u32,
}

/// A call that a call server placed. Times are microseconds since the start of its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CompactLeg {
    /// Hash of its Call-ID.
    pub(super) call: u32,
    pub(super) start_after: u32,
    end_after: u32,
    /// Final status of its INVITE; zero if none is known.
    status: u16,
}

/// A delay that is known: not one that was too long to be kept.
const fn known(after: u32) -> Option<u64> {
    if after >= NEVER - 1 { None } else { Some(after as u64) }
}

impl CompactAnswerer {
    pub(super) const NOBODY: Self = Self { ack_after: NEVER, bye_after: NEVER, heard: NOTHING };

    pub(super) fn new(entry: &Entry<'_>, heard: u32) -> Self {
        Self {
            ack_after: after(entry.start_us, entry.ack_us),
            bye_after: after(entry.start_us, entry.bye_us),
            heard,
        }
    }

    pub(super) const fn ack_after(&self) -> Option<u64> {
        known(self.ack_after)
    }

    pub(super) const fn bye_after(&self) -> Option<u64> {
        known(self.bye_after)
    }
}

impl CompactServer {
    /// Puts its legs at the end of `legs`.
    pub(super) fn new(entry: &Entry<'_>, legs: &mut Vec<CompactLeg>) -> Self {
        let first_leg = u32::try_from(legs.len()).unwrap_or(NOTHING);
        legs.extend(entry.legs.iter().map(|leg| CompactLeg::new(entry.start_us, leg)));
        let count = u32::try_from(entry.legs.len()).unwrap_or(0);
        Self { ack_after: after(entry.start_us, entry.ack_us), first_leg, legs: count }
    }

    pub(super) const fn ack_after(&self) -> Option<u64> {
        known(self.ack_after)
    }

    pub(super) fn legs<'a>(&self, all: &'a [CompactLeg]) -> &'a [CompactLeg] {
        let first = self.first_leg as usize;
        all.get(first..first + self.legs as usize).unwrap_or_default()
    }
}

impl CompactLeg {
    fn new(start_us: u64, leg: &LegEntry<'_>) -> Self {
        Self {
            call: super::compact_record::hash(&leg.call_id),
            start_after: after(start_us, Some(leg.start_us)),
            end_after: after(start_us, leg.end_us),
            status: leg.status.unwrap_or(0),
        }
    }

    /// What the final response to its INVITE said: `true`, that it was answered. `None`: none is known to have come.
    pub(super) const fn was_answered(&self) -> Option<bool> {
        match self.status {
            0 => None,
            status => Some(status < 300),
        }
    }

    /// Its peer ended it like a call that it had: not by a refusal that may be one of its SIP stack alone.
    pub(super) const fn was_heard_of(&self) -> bool {
        self.lasted().is_some() && matches!(self.status, 0 | 200..=299 | 487)
    }

    /// When its peer had said that it is over, since the start of the record.
    pub(super) const fn ended_after(&self) -> Option<u64> {
        known(self.end_after)
    }

    /// From its INVITE until its peer had said that it is over, if it did.
    pub(super) const fn lasted(&self) -> Option<u64> {
        match known(self.end_after) {
            Some(end) => Some(end.saturating_sub(self.start_after as u64)),
            None => None,
        }
    }

    /// The same, from this moment of the record on.
    pub(super) const fn lasted_since(&self, moment_after: u64) -> Option<u64> {
        match known(self.end_after) {
            Some(end) => Some(end.saturating_sub(moment_after)),
            None => None,
        }
    }
}
