//! What must happen when: one deadline for each key, earliest first.
//!
//! ```text
//!                                  ┌─► run ──┐
//!   set(key, due) ──┐              ├─► run ──┤      ┌── next: when to come back
//!   clear(key) ─────┴─► keys ──────┤   ...   ├──────┴── pop_due: whose time has come
//!                                  └─► heap ─┘
//! ```
//!
//! Nearly all deadlines are a few fixed times away from the moment at which they are set, and time goes on: so those of one
//! kind are set in their order. A deadline goes behind the end of a run, if there is one that ends before it, and only
//! otherwise into a heap. A run is a list, so a deadline is added and taken away in a few steps, however many others wait.
//!
//! A deadline that is moved or cleared leaves nothing behind, so a queue is never longer than there are keys that wait.
//! Each change costs a look-up, and allocates only when the queue grows beyond its longest. Who can keep a [`Turn`] with what
//! waits needs no look-up: that is the [`Queue`].

mod queue;

use std::hash::{BuildHasher as _, Hash};
use std::time::{Duration, Instant};

use hashbrown::{DefaultHashBuilder, HashTable};

pub use queue::{ByKey, BySetting, Queue, TieBreak, Turn};

use queue::Place;

/// What is only to be forgotten is forgotten within this time of its deadline, by itself or with something else.
pub const FORGET_WITHIN: Duration = Duration::from_secs(4);

/// See the module's picture.
#[derive(Debug)]
pub struct Deadlines<K, O: TieBreak<K> = BySetting> {
    queue: Queue<K, O>,
    /// The turns by their keys, which stand in the queue.
    by_key: HashTable<Place>,
    hasher: DefaultHashBuilder,
}

impl<K, O: TieBreak<K>> Default for Deadlines<K, O> {
    fn default() -> Self {
        let hasher = DefaultHashBuilder::default();
        Self { queue: Queue::default(), by_key: HashTable::new(), hasher }
    }
}

impl<K: Copy + Eq + Hash, O: TieBreak<K>> Deadlines<K, O> {
    /// Replaces the deadline of `key`; with `None` it has none any more. One that is set to the same instant again keeps
    /// its turn.
    pub fn set(&mut self, key: K, due: impl Into<Option<Instant>>) {
        let Some(due) = due.into() else { return self.clear(key) };
        let Self { queue, by_key, hasher } = self;
        let hash = hasher.hash_one(key);
        let mut turn = by_key.find(hash, |at| *queue.key(*at) == key).map(|at| queue.turn(*at));
        let is_new = turn.is_none();
        queue.set(&mut turn, key, Some(due));
        if let Some(turn) = turn.filter(|_| is_new) {
            by_key.insert_unique(hash, turn.place(), |at| hasher.hash_one(*queue.key(*at)));
        }
    }

    /// Takes the deadline of `key` away, if it has one.
    pub fn clear(&mut self, key: K) {
        let Self { queue, by_key, hasher } = self;
        let found = by_key.find_entry(hasher.hash_one(key), |at| *queue.key(*at) == key);
        if let Ok(found) = found {
            let turn = queue.turn(found.remove().0);
            queue.clear(Some(turn));
        }
    }

    /// Whether `key` has a deadline.
    #[must_use]
    pub fn is_set(&self, key: K) -> bool {
        self.by_key.find(self.hasher.hash_one(key), |at| *self.queue.key(*at) == key).is_some()
    }

    /// The earliest deadline.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.queue.next()
    }

    /// Takes the earliest deadline that is due, with its key.
    pub fn pop_due(&mut self, now: Instant) -> Option<(Instant, K)> {
        let place = self.queue.first_due(now)?;
        let hash = self.hasher.hash_one(*self.queue.key(place));
        if let Ok(found) = self.by_key.find_entry(hash, |at| *at == place) {
            found.remove();
        }
        self.queue.pop_due(now)
    }

    /// How many keys have a deadline.
    #[must_use]
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

#[cfg(test)]
mod tests;
