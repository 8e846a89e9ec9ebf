//! What must happen when: one deadline for each key, earliest first.
//!
//! ```text
//!   set(key, due) ──┐                      ┌── next: when to come back
//!   clear(key) ─────┴─► keys ──► heap ─────┴── pop_due: whose time has come
//! ```
//!
//! A deadline that is moved or cleared leaves nothing behind, so a queue is never longer than there are keys that wait.
//! Each change costs a look-up and O(log n) steps, and allocates only when the queue grows beyond its longest.

use std::hash::Hash;
use std::time::Instant;

use hashbrown::HashMap;
use slab::Slab;

/// Who comes first of those that are due at the same instant.
pub trait TieBreak<K>: Default {
    /// The least comes first.
    type Rank: Copy + Ord;

    /// The rank of a deadline that is being set.
    fn rank(&mut self, key: K) -> Self::Rank;
}

/// Whoever was set first.
#[derive(Debug, Default)]
pub struct BySetting(u64);

impl<K> TieBreak<K> for BySetting {
    type Rank = u64;

    fn rank(&mut self, _: K) -> u64 {
        self.0 += 1;
        self.0
    }
}

/// The least key.
#[derive(Debug, Default)]
pub struct ByKey;

impl<K: Copy + Ord> TieBreak<K> for ByKey {
    type Rank = K;

    fn rank(&mut self, key: K) -> K {
        key
    }
}

/// Children of a node of the heap. Four halve its depth, and stand side by side.
const ARITY: usize = 4;

/// See the module's picture.
#[derive(Debug)]
pub struct Deadlines<K, O: TieBreak<K> = BySetting> {
    heap: Vec<Node<O::Rank>>,
    owners: Slab<Owner<K>>,
    /// The place of each key in `owners`.
    by_key: HashMap<K, usize>,
    tie_break: O,
}

/// No node of the heap is before its parent.
#[derive(Debug, Clone, Copy)]
struct Node<R> {
    due: Instant,
    rank: R,
    owner: usize,
}

impl<R: Ord> Node<R> {
    /// No two nodes have the same rank, so one of two is always before the other.
    fn is_before(&self, other: &Self) -> bool {
        self.due < other.due || (self.due == other.due && self.rank < other.rank)
    }
}

#[derive(Debug)]
struct Owner<K> {
    key: K,
    /// The place of its node in the heap.
    at: usize,
}

impl<K, O: TieBreak<K>> Default for Deadlines<K, O> {
    fn default() -> Self {
        Self {
            heap: Vec::new(),
            owners: Slab::new(),
            by_key: HashMap::new(),
            tie_break: O::default(),
        }
    }
}

impl<K: Copy + Eq + Hash, O: TieBreak<K>> Deadlines<K, O> {
    /// Replaces the deadline of `key`; with `None` it has none any more. One that is set to the same instant again keeps
    /// its turn.
    pub fn set(&mut self, key: K, due: impl Into<Option<Instant>>) {
        let Some(due) = due.into() else { return self.clear(key) };
        let Some(&owner) = self.by_key.get(&key) else {
            let at = self.heap.len();
            let owner = self.owners.insert(Owner { key, at });
            self.by_key.insert(key, owner);
            self.heap.push(Node { due, rank: self.tie_break.rank(key), owner });
            return self.rise(at);
        };
        let at = self.owners[owner].at;
        let before = self.heap[at];
        if due != before.due {
            let node = Node { due, rank: self.tie_break.rank(key), owner };
            self.heap[at] = node;
            if node.is_before(&before) { self.rise(at) } else { self.sink(at) }
        }
    }

    /// Takes the deadline of `key` away, if it has one.
    pub fn clear(&mut self, key: K) {
        if let Some(owner) = self.by_key.remove(&key) {
            self.take(owner);
        }
    }

    /// Whether `key` has a deadline.
    #[must_use]
    pub fn is_set(&self, key: K) -> bool {
        self.by_key.contains_key(&key)
    }

    /// The earliest deadline.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.heap.first().map(|node| node.due)
    }

    /// Takes the earliest deadline that is due, with its key.
    pub fn pop_due(&mut self, now: Instant) -> Option<(Instant, K)> {
        let Node { due, owner, .. } = *self.heap.first().filter(|node| node.due <= now)?;
        let key = self.take(owner);
        self.by_key.remove(&key);
        Some((due, key))
    }

    /// How many keys have a deadline.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    fn take(&mut self, owner: usize) -> K {
        let Owner { key, at } = self.owners.remove(owner);
        let taken = self.heap.swap_remove(at);
        if let Some(&last) = self.heap.get(at) {
            if last.is_before(&taken) { self.rise(at) } else { self.sink(at) }
        }
        key
    }

    /// Moves the node at `at` up to where it belongs.
    fn rise(&mut self, mut at: usize) {
        let node = self.heap[at];
        while at > 0 {
            let above = (at - 1) / ARITY;
            if !node.is_before(&self.heap[above]) {
                break;
            }
            self.put(at, self.heap[above]);
            at = above;
        }
        self.put(at, node);
    }

    /// Moves the node at `at` down to where it belongs.
    fn sink(&mut self, mut at: usize) {
        let node = self.heap[at];
        loop {
            let first = at * ARITY + 1;
            let end = self.heap.len().min(first + ARITY);
            let below = self.heap.get(first..end).unwrap_or_default().iter().zip(first..);
            let least =
                below.reduce(|one, other| if other.0.is_before(one.0) { other } else { one });
            let Some((&before, least)) = least.filter(|(least, _)| least.is_before(&node)) else {
                break;
            };
            self.put(at, before);
            at = least;
        }
        self.put(at, node);
    }

    fn put(&mut self, at: usize, node: Node<O::Rank>) {
        self.heap[at] = node;
        self.owners[node.owner].at = at;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn after(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    #[test]
    fn deadlines_come_in_order_of_time_then_of_setting() {
        let start = Instant::now();
        let mut deadlines: Deadlines<char> = Deadlines::default();
        for (ms, key) in [(30, 'c'), (10, 'b'), (10, 'a'), (40, 'd')] {
            deadlines.set(key, after(start, ms));
        }
        let due = after(start, 30);
        let taken: String = std::iter::from_fn(|| Some(deadlines.pop_due(due)?.1)).collect();
        assert_eq!(taken, "bac");
        assert_eq!(deadlines.next(), Some(after(start, 40)));
    }

    #[test]
    fn deadlines_come_in_order_of_time_then_of_key() {
        let start = Instant::now();
        let mut deadlines: Deadlines<char, ByKey> = Deadlines::default();
        for (ms, key) in [(10, 'c'), (10, 'a'), (5, 'd'), (10, 'b')] {
            deadlines.set(key, after(start, ms));
        }
        let due = after(start, 10);
        let taken: String = std::iter::from_fn(|| Some(deadlines.pop_due(due)?.1)).collect();
        assert_eq!(taken, "dabc");
    }

    #[test]
    fn a_moved_deadline_fires_once_at_its_new_time() {
        let start = Instant::now();
        let mut deadlines: Deadlines<char> = Deadlines::default();
        deadlines.set('a', after(start, 1));
        deadlines.set('b', after(start, 2));
        deadlines.set('a', after(start, 3));
        assert_eq!(deadlines.next(), Some(after(start, 2)));
        assert_eq!(deadlines.pop_due(after(start, 1)), None);
        let late = after(start, 9);
        assert_eq!(deadlines.pop_due(late), Some((after(start, 2), 'b')));
        assert_eq!(deadlines.pop_due(late), Some((after(start, 3), 'a')));
        assert_eq!((deadlines.pop_due(late), deadlines.next()), (None, None));
    }

    #[test]
    fn a_deadline_set_to_the_same_time_again_keeps_its_turn() {
        let start = Instant::now();
        let mut deadlines: Deadlines<char> = Deadlines::default();
        for key in ['a', 'b', 'a'] {
            deadlines.set(key, after(start, 1));
        }
        assert_eq!(deadlines.pop_due(after(start, 1)), Some((after(start, 1), 'a')));
        assert_eq!(deadlines.len(), 1);
    }

    #[test]
    fn what_is_cleared_leaves_nothing_behind() {
        let start = Instant::now();
        let mut deadlines: Deadlines<u32> = Deadlines::default();
        for round in 0..100 {
            for key in 0..10 {
                deadlines.set(key + 10 * round, after(start, u64::from(32_000 + key)));
            }
            for key in 0..10 {
                deadlines.set(key + 10 * round, None);
            }
        }
        assert_eq!((deadlines.len(), deadlines.next(), deadlines.owners.len()), (0, None, 0));
        assert!(deadlines.owners.capacity() < 64 && deadlines.heap.capacity() < 64);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Set(u8, u8),
        Clear(u8),
        Fire(u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0_u8..40, 0_u8..30).prop_map(|(key, ms)| Step::Set(key, ms)),
            1 => (0_u8..40).prop_map(Step::Clear),
            1 => (0_u8..10).prop_map(Step::Fire),
        ]
    }

    /// A list of what is set, and a search through all of it.
    #[derive(Default)]
    struct Naive<O: TieBreak<u8>> {
        set: Vec<(Instant, O::Rank, u8)>,
        tie_break: O,
    }

    impl<O: TieBreak<u8>> Naive<O> {
        fn set(&mut self, key: u8, due: Instant) {
            if !self.set.iter().any(|(have, _, of)| (*have, *of) == (due, key)) {
                self.clear(key);
                self.set.push((due, self.tie_break.rank(key), key));
            }
        }

        fn clear(&mut self, key: u8) {
            self.set.retain(|(_, _, of)| *of != key);
        }

        fn pop_due(&mut self, now: Instant) -> Option<(Instant, u8)> {
            let (due, _, key) = *self.set.iter().filter(|(due, ..)| *due <= now).min()?;
            self.clear(key);
            Some((due, key))
        }
    }

    fn agrees_with_the_naive_queue<O: TieBreak<u8>>(steps: &[Step]) -> Result<(), TestCaseError> {
        let mut now = Instant::now();
        let (mut deadlines, mut naive) =
            (Deadlines::<u8, O>::default(), Naive { set: Vec::new(), tie_break: O::default() });
        for step in steps {
            match *step {
                Step::Set(key, ms) => {
                    let due = after(now, ms.into());
                    deadlines.set(key, due);
                    naive.set(key, due);
                }
                Step::Clear(key) => {
                    deadlines.clear(key);
                    naive.clear(key);
                }
                Step::Fire(ms) => {
                    now = after(now, ms.into());
                    while let Some(fired) = naive.pop_due(now) {
                        prop_assert_eq!(deadlines.pop_due(now), Some(fired));
                    }
                    prop_assert_eq!(deadlines.pop_due(now), None);
                }
            }
            prop_assert_eq!(deadlines.next(), naive.set.iter().map(|(due, ..)| *due).min());
            prop_assert_eq!(deadlines.len(), naive.set.len());
            let places = (deadlines.owners.len(), deadlines.by_key.len());
            prop_assert_eq!(places, (naive.set.len(), naive.set.len()));
        }
        Ok(())
    }

    proptest! {
        // Whatever is set, moved, cleared and fired in whatever order, the queue does what a search through a list does.
        #[test]
        fn it_fires_what_a_naive_queue_fires(steps in prop::collection::vec(step(), 0..300)) {
            agrees_with_the_naive_queue::<BySetting>(&steps)?;
            agrees_with_the_naive_queue::<ByKey>(&steps)?;
        }
    }
}
