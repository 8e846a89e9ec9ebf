//! Deadlines whose keys keep the place of their own one, so that none is looked up.

use std::fmt::Debug;
use std::time::Instant;

use slab::Slab;

/// Who comes first of those that are due at the same instant.
pub trait TieBreak<K>: Default {
    /// The least comes first.
    type Rank: Copy + Ord + Debug;

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

impl<K: Copy + Ord + Debug> TieBreak<K> for ByKey {
    type Rank = K;

    fn rank(&mut self, key: K) -> K {
        key
    }
}

/// How many runs there are: one for each usual time, and some for what is out of order.
const RUNS: usize = 8;

/// Children of a node of the heap. Four halve its depth, and stand side by side.
const ARITY: usize = 4;

/// There is no such place.
const NOWHERE: u32 = u32::MAX;

/// Where a value stands in a list: memory ends long before 2^32 deadlines, of which thousands wait at a time.
pub(super) type Place = u32;

/// Deadlines, earliest first. A deadline that is moved or cleared leaves nothing behind.
#[derive(Debug)]
pub struct Queue<K, O: TieBreak<K> = BySetting> {
    pub(super) owners: Slab<Owner<K, O::Rank>>,
    pub(super) runs: [Option<Run<O::Rank>>; RUNS],
    pub(super) heap: Vec<Node<O::Rank>>,
    /// The earliest of all.
    first: Option<Node<O::Rank>>,
    tie_break: O,
}

/// The deadline of a key, which keeps it. It is over when [`Queue::pop_due`] has told the key.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    owner: Place,
    due: Instant,
}

impl Turn {
    pub(super) const fn place(self) -> Place {
        self.owner
    }
}

/// Deadlines in their order. Those between the first and the last are known by their owners.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<R> {
    first: Node<R>,
    last: Node<R>,
}

/// One deadline. No node of the heap is before its parent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<R> {
    due: Instant,
    rank: R,
    owner: Place,
}

impl<R: Ord> Node<R> {
    /// No two nodes have the same rank, so one of two is always before the other.
    fn is_before(&self, other: &Self) -> bool {
        self.due < other.due || (self.due == other.due && self.rank < other.rank)
    }
}

#[derive(Debug)]
pub(super) struct Owner<K, R> {
    key: K,
    due: Instant,
    rank: R,
    at: Wait,
}

impl<K, R: Copy> Owner<K, R> {
    const fn node(&self, owner: Place) -> Node<R> {
        Node { due: self.due, rank: self.rank, owner }
    }
}

/// Where a deadline waits.
#[derive(Debug, Clone, Copy)]
enum Wait {
    /// In a run, between two others or [`NOWHERE`].
    Run { run: u8, before: Place, after: Place },
    /// In the heap.
    Heap(Place),
}

impl<K, O: TieBreak<K>> Default for Queue<K, O> {
    fn default() -> Self {
        Self {
            owners: Slab::new(),
            runs: [const { None }; RUNS],
            heap: Vec::new(),
            first: None,
            tie_break: O::default(),
        }
    }
}

impl<K: Copy, O: TieBreak<K>> Queue<K, O> {
    /// The key whose deadline stands at `place`.
    pub(super) fn key(&self, place: Place) -> &K {
        &self.owners[place as usize].key
    }

    /// The deadline that stands at `place`.
    pub(super) fn turn(&self, place: Place) -> Turn {
        Turn { owner: place, due: self.owners[place as usize].due }
    }

    /// Where the earliest deadline stands that is due.
    pub(super) fn first_due(&self, now: Instant) -> Option<Place> {
        self.first.as_ref().filter(|first| first.due <= now).map(|first| first.owner)
    }

    /// Replaces the deadline of `key`, which is `turn`; with `None` it has none any more. One that is set to the same
    /// instant again keeps its turn.
    pub fn set(&mut self, turn: &mut Option<Turn>, key: K, due: Option<Instant>) {
        let Some(due) = due else { return self.clear(turn.take()) };
        let at = Wait::Heap(NOWHERE);
        let owner = match *turn {
            Some(turn) if turn.due == due => return,
            Some(Turn { owner, .. }) => {
                self.leave(owner);
                let rank = self.tie_break.rank(key);
                self.owners[owner as usize] = Owner { key, due, rank, at };
                owner
            }
            None => {
                let rank = self.tie_break.rank(key);
                self.owners.insert(Owner { key, due, rank, at }) as Place
            }
        };
        self.join(owner);
        *turn = Some(Turn { owner, due });
    }

    /// Takes a deadline away, if there is one.
    pub fn clear(&mut self, turn: Option<Turn>) {
        if let Some(Turn { owner, .. }) = turn {
            self.leave(owner);
            self.owners.remove(owner as usize);
        }
    }

    /// The earliest deadline.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.first.as_ref().map(|first| first.due)
    }

    /// Takes the earliest deadline that is due, with its key, whose turn is over.
    pub fn pop_due(&mut self, now: Instant) -> Option<(Instant, K)> {
        let Node { due, owner, .. } = self.first.filter(|first| first.due <= now)?;
        self.leave(owner);
        let Owner { key, .. } = self.owners.remove(owner as usize);
        Some((due, key))
    }

    /// How many deadlines there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.owners.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }

    /// Puts a deadline where it waits.
    fn join(&mut self, owner: Place) {
        let node = self.owners[owner as usize].node(owner);
        if self.first.as_ref().is_none_or(|first| node.is_before(first)) {
            self.first = Some(node);
        }
        match self.run_for(&node) {
            Some(at) => {
                let run = &mut self.runs[at];
                let before = run.as_ref().map_or(NOWHERE, |run| run.last.owner);
                match run {
                    Some(run) => run.last = node,
                    None => *run = Some(Run { first: node, last: node }),
                }
                self.owners[owner as usize].at =
                    Wait::Run { run: at as u8, before, after: NOWHERE };
                if let Some(Owner { at: Wait::Run { after, .. }, .. }) =
                    self.owners.get_mut(before as usize)
                {
                    *after = owner;
                }
            }
            None => {
                self.heap.push(node);
                self.rise(self.heap.len() - 1);
            }
        }
    }

    /// The first run that ends before `node`, or is empty. Runs that are filled in this way end the earlier the later they
    /// stand, so it is also the one that ends the least time before.
    fn run_for(&self, node: &Node<O::Rank>) -> Option<usize> {
        self.runs.iter().position(|run| run.as_ref().is_none_or(|run| run.last.is_before(node)))
    }

    /// Takes a deadline from where it waits; its owner stays.
    fn leave(&mut self, owner: Place) {
        match self.owners[owner as usize].at {
            Wait::Run { run, before, after } => self.leave_run(run.into(), before, after),
            Wait::Heap(at) => {
                let at = at as usize;
                let taken = self.heap.swap_remove(at);
                if let Some(&last) = self.heap.get(at) {
                    if last.is_before(&taken) { self.rise(at) } else { self.sink(at) }
                }
            }
        }
        if self.first.is_some_and(|first| first.owner == owner) {
            let runs = self.runs.iter().flatten().map(|run| &run.first);
            let least = runs.chain(self.heap.first());
            self.first =
                least.reduce(|one, other| if other.is_before(one) { other } else { one }).copied();
        }
    }

    fn leave_run(&mut self, at: usize, before: Place, after: Place) {
        let neighbour = |owners: &mut Slab<Owner<K, O::Rank>>, owner: Place, is_before: bool| {
            let place = owners.get_mut(owner as usize)?;
            if let Wait::Run { before: theirs_before, after: theirs_after, .. } = &mut place.at {
                match is_before {
                    true => *theirs_after = after,
                    false => *theirs_before = before,
                }
            }
            Some(place.node(owner))
        };
        let previous = neighbour(&mut self.owners, before, true);
        let next = neighbour(&mut self.owners, after, false);
        match (&mut self.runs[at], previous, next) {
            (_, Some(_), Some(_)) => {}
            (Some(run), Some(previous), None) => run.last = previous,
            (Some(run), None, Some(next)) => run.first = next,
            (run, ..) => *run = None,
        }
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
        self.owners[node.owner as usize].at = Wait::Heap(at as Place);
    }
}
