//! Time in the protocol: the base values of RFC 3261, the timers of one machine, and the deadlines
//! of many.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

/// Base values (RFC 3261 §17.1.1.1, table 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timers {
    /// Round-trip estimate; every other timer follows from it.
    pub t1: Duration,
    /// Cap of the retransmission interval of non-INVITE requests and of responses.
    pub t2: Duration,
    /// How long a message may stay in the network.
    pub t4: Duration,
}

impl Timers {
    pub const RFC3261: Self = Self {
        t1: Duration::from_millis(500),
        t2: Duration::from_secs(4),
        t4: Duration::from_secs(5),
    };

    /// 64·T1: timers B, F, H, J, L and M, and how long a 2xx is retransmitted.
    #[must_use]
    pub const fn give_up(&self) -> Duration {
        self.t1.saturating_mul(64)
    }
}

impl Default for Timers {
    fn default() -> Self {
        Self::RFC3261
    }
}

/// The timers of one state machine: at most two run at a time, so they stand inline.
#[derive(Debug, Clone)]
pub(crate) struct Running<T> {
    slots: [Option<(T, Instant)>; 2],
}

impl<T> Default for Running<T> {
    fn default() -> Self {
        Self { slots: [None, None] }
    }
}

impl<T: Copy + PartialEq> Running<T> {
    /// Starts or restarts a timer.
    pub(crate) fn set(&mut self, timer: T, due: Instant) {
        let same = |slot: &Option<(T, Instant)>| matches!(slot, Some((have, _)) if *have == timer);
        let at = self
            .slots
            .iter()
            .position(same)
            .or_else(|| self.slots.iter().position(Option::is_none));
        let slot =
            at.and_then(|at| self.slots.get_mut(at)).expect("no state runs more than two timers");
        *slot = Some((timer, due));
    }

    pub(crate) fn clear(&mut self) {
        self.slots = [None, None];
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.slots.iter().flatten().map(|(_, due)| *due).min()
    }

    /// Takes one timer that is due, the earliest first.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<T> {
        let slot = self
            .slots
            .iter_mut()
            .filter(|slot| matches!(slot, Some((_, due)) if *due <= now))
            .min_by_key(|slot| slot.as_ref().map(|(_, due)| *due))?;
        slot.take().map(|(timer, _)| timer)
    }
}

/// The deadlines of many owners, earliest first and in the order they were set. Nothing is ever
/// removed from the middle: an owner whose deadline has moved is woken in vain and says so.
#[derive(Debug)]
pub struct Deadlines<K> {
    heap: BinaryHeap<Reverse<Entry<K>>>,
    sequence: u64,
}

#[derive(Debug)]
struct Entry<K> {
    due: Instant,
    sequence: u64,
    key: K,
}

impl<K> PartialEq for Entry<K> {
    fn eq(&self, other: &Self) -> bool {
        self.sequence == other.sequence
    }
}

impl<K> Eq for Entry<K> {}

impl<K> PartialOrd for Entry<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Entry<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.sequence).cmp(&(other.due, other.sequence))
    }
}

impl<K> Default for Deadlines<K> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), sequence: 0 }
    }
}

impl<K> Deadlines<K> {
    pub fn push(&mut self, due: Instant, key: K) {
        self.sequence += 1;
        self.heap.push(Reverse(Entry { due, sequence: self.sequence, key }));
    }

    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse(entry)| entry.due)
    }

    /// Takes the earliest key that is due.
    pub fn pop_due(&mut self, now: Instant) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_come_in_order_of_time_then_of_setting() {
        let now = Instant::now();
        let mut deadlines = Deadlines::default();
        for (ms, key) in [(30, 'c'), (10, 'a'), (10, 'b'), (40, 'd')] {
            deadlines.push(now + Duration::from_millis(ms), key);
        }
        let due = now + Duration::from_millis(30);
        let taken: String = std::iter::from_fn(|| deadlines.pop_due(due)).collect();
        assert_eq!(taken, "abc");
        assert_eq!(deadlines.next(), Some(now + Duration::from_millis(40)));
    }
}
