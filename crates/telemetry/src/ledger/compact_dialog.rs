//! What only boxes with a dialog towards the caller say, compact: when they were acknowledged, and which calls they placed.

use super::compact_record::{NEVER, NOTHING, after};
use crate::record::{Entry, LegEntry};
use crate::small_numbers::{read_all, read_word, write_all};

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
    pub(super) legs: u32,
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

/// A delay so that "never" is the smallest number.
fn packed(after: u32) -> u64 {
    after.wrapping_add(1).into()
}

fn unpacked(number: u64) -> Option<u32> {
    u32::try_from(number).ok().map(|number| number.wrapping_sub(1))
}

impl CompactAnswerer {
    pub(super) const NOBODY: Self = Self { ack_after: NEVER, bye_after: NEVER, heard: NOTHING };

    /// What it heard has no place yet.
    pub(super) fn new(entry: &Entry<'_>) -> Self {
        Self {
            ack_after: after(entry.start_us, entry.ack_us),
            bye_after: after(entry.start_us, entry.bye_us),
            heard: NOTHING,
        }
    }

    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        write_all(bytes, [packed(self.ack_after), packed(self.bye_after)]);
    }

    pub(super) fn read(bytes: &mut &[u8]) -> Option<Self> {
        let [ack, bye] = read_all(bytes)?;
        Some(Self { ack_after: unpacked(ack)?, bye_after: unpacked(bye)?, heard: NOTHING })
    }

    pub(super) const fn ack_after(&self) -> Option<u64> {
        known(self.ack_after)
    }

    pub(super) const fn bye_after(&self) -> Option<u64> {
        known(self.bye_after)
    }
}

impl CompactServer {
    /// Its legs have no place yet.
    pub(super) fn new(entry: &Entry<'_>) -> Self {
        let legs = u32::try_from(entry.legs.len()).expect("a line is shorter than 4 GiB");
        Self { ack_after: after(entry.start_us, entry.ack_us), first_leg: NOTHING, legs }
    }

    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        write_all(bytes, [packed(self.ack_after), self.legs.into()]);
    }

    pub(super) fn read(bytes: &mut &[u8]) -> Option<Self> {
        let [ack, legs] = read_all(bytes)?;
        let legs = u32::try_from(legs).ok()?;
        Some(Self { ack_after: unpacked(ack)?, first_leg: NOTHING, legs })
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
    pub(super) fn new(start_us: u64, leg: &LegEntry<'_>) -> Self {
        Self {
            call: super::compact_record::hash(&leg.call_id),
            start_after: after(start_us, Some(leg.start_us)),
            end_after: after(start_us, leg.end_us),
            status: leg.status.unwrap_or(0),
        }
    }

    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.call.to_le_bytes());
        let Self { start_after, end_after, status, .. } = *self;
        write_all(bytes, [packed(start_after), packed(end_after), status.into()]);
    }

    pub(super) fn read(bytes: &mut &[u8]) -> Option<Self> {
        let call = read_word(bytes)?;
        let [start, end, status] = read_all(bytes)?;
        Some(Self {
            call,
            start_after: unpacked(start)?,
            end_after: unpacked(end)?,
            status: u16::try_from(status).ok()?,
        })
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
