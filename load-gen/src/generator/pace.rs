//! How many of the calls that the campaign has are placed, as somebody wishes while it runs: none, fewer, all, or more.
//!
//! ```text
//!  per mille      0      500        1000     2000
//!  of ten calls   none   each other all      each, and one more beside it
//! ```

use crate::pacer::{ScheduledCall, Shard};

/// Calls that the campaign does not have are numbered from here on: no campaign has so many.
const FURTHER: u64 = 1 << 48;

/// As many calls as the campaign has.
const ALL: u32 = 1_000;

/// What becomes of the calls of the schedule.
#[derive(Debug)]
pub(super) struct Pace {
    shard: Shard,
    per_mille: u32,
    /// Thousandths of a call that are still to be placed.
    credit: u32,
    /// Further calls so far.
    further: u64,
    /// The call beside which further ones are placed.
    beside: Option<ScheduledCall>,
}

impl Pace {
    pub(super) const fn new(shard: Shard) -> Self {
        Self { shard, per_mille: ALL, credit: 0, further: 0, beside: None }
    }

    pub(super) const fn set(&mut self, per_mille: u32) {
        (self.per_mille, self.credit, self.beside) = (per_mille, 0, None);
    }

    /// Whether nobody calls.
    pub(super) const fn is_paused(&self) -> bool {
        self.per_mille == 0
    }

    /// Whether a call of the schedule is placed. Further ones may be placed beside it.
    pub(super) const fn admits(&mut self, call: ScheduledCall) -> bool {
        self.credit += self.per_mille;
        if self.credit < ALL {
            return false;
        }
        self.credit -= ALL;
        self.beside = if self.credit >= ALL { Some(call) } else { None };
        true
    }

    /// A further call that is due, beside the last one.
    pub(super) fn further(&mut self) -> Option<ScheduledCall> {
        let beside = self.beside?;
        self.credit -= ALL;
        if self.credit < ALL {
            self.beside = None;
        }
        let number = self.further * u64::from(self.shard.of.max(1)) + u64::from(self.shard.index);
        self.further += 1;
        Some(ScheduledCall { index: FURTHER + number, ..beside })
    }

    /// The call beside which a further one is due.
    pub(super) const fn due(&self) -> Option<ScheduledCall> {
        self.beside
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// How many of ten calls are placed, and how many further ones.
    fn placed(per_mille: u32) -> (usize, usize) {
        let mut pace = Pace::new(Shard { index: 1, of: 2 });
        pace.set(per_mille);
        let (mut own, mut further) = (0, Vec::new());
        for index in 0..10 {
            let call = ScheduledCall { index, at: Duration::from_secs(index), hint: None };
            own += usize::from(pace.admits(call));
            further.extend(std::iter::from_fn(|| pace.further()));
        }
        assert!(further.iter().all(|call| call.index > FURTHER && call.index % 2 == 1));
        assert!(further.is_sorted_by(|one, other| one.index < other.index), "each is another one");
        (own, further.len())
    }

    #[test]
    fn as_many_calls_as_wanted_are_placed() {
        assert_eq!(placed(ALL), (10, 0));
        assert_eq!(placed(0), (0, 0));
        assert_eq!(placed(500), (5, 0));
        assert_eq!(placed(2_000), (10, 10));
        assert_eq!(placed(2_500), (10, 15));
    }
}
