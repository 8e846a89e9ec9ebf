//! What must happen when: at most one instant per key, in order.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// Deadlines that can be moved and cleared without a scan; 10,000 calls each have some.
#[derive(Debug)]
pub(crate) struct Deadlines<K> {
    by_time: BTreeSet<(Instant, K)>,
    by_key: BTreeMap<K, Instant>,
}

impl<K: Ord + Copy> Deadlines<K> {
    pub(crate) const fn new() -> Self {
        Self { by_time: BTreeSet::new(), by_key: BTreeMap::new() }
    }

    /// Replaces the deadline of `key`, if it has one.
    pub(crate) fn set(&mut self, key: K, at: Instant) {
        self.clear(key);
        self.by_key.insert(key, at);
        self.by_time.insert((at, key));
    }

    pub(crate) fn clear(&mut self, key: K) {
        if let Some(at) = self.by_key.remove(&key) {
            self.by_time.remove(&(at, key));
        }
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes the earliest deadline that is due at `now`.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<K> {
        let (at, key) = *self.by_time.first()?;
        if at > now {
            return None;
        }
        self.clear(key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn moved_deadline_fires_once_at_its_new_time() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut deadlines = Deadlines::new();
        deadlines.set('a', after(1));
        deadlines.set('b', after(2));
        deadlines.set('a', after(3));
        assert_eq!(deadlines.next(), Some(after(2)));
        assert_eq!(deadlines.pop_due(after(1)), None);
        assert_eq!(deadlines.pop_due(after(3)), Some('b'));
        assert_eq!(deadlines.pop_due(after(3)), Some('a'));
        assert_eq!((deadlines.pop_due(after(9)), deadlines.next()), (None, None));
    }
}
