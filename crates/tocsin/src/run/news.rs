//! What the processes of a run say, until the run takes note of it.
//!
//! ```text
//!   a process ──► tell ──► waiting ──► next ──► the fleet
//!                            ├ a state: takes the place of the state that the same process told last
//!                            └ anything else: waits for room, and while it does, its process is not read
//! ```
//!
//! So a run that is busy with something else for long holds no more than so much, and loses nothing but states that newer ones have
//! made old.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use contract::ProcessReport;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Reports that may wait, beside states: replies, ends and effects of commands.
const MOST: usize = 10_000;

/// What a child says, or what became of it; `index` is its place in the fleet.
#[derive(Debug)]
pub(crate) struct ChildEvent {
    pub(crate) index: usize,
    pub(crate) what: ChildEventKind,
}

#[derive(Debug)]
pub(crate) enum ChildEventKind {
    Said(ProcessReport),
    /// The process is gone, with this exit status in words.
    Gone {
        clean: bool,
        status: String,
    },
}

/// The end of a process, which tells.
#[derive(Debug, Clone)]
pub(crate) struct NewsSender(Arc<Shared>);

/// The end of the fleet, which listens.
#[derive(Debug)]
pub(crate) struct News(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    waiting: Mutex<Waiting>,
    arrived: Notify,
    room: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Waiting {
    events: VecDeque<(ChildEvent, Option<OwnedSemaphorePermit>)>,
    /// States that nobody saw, by process.
    unseen: BTreeMap<usize, u64>,
}

/// A queue without news.
pub(crate) fn queue() -> (NewsSender, News) {
    with_room(MOST)
}

fn with_room(most: usize) -> (NewsSender, News) {
    let (arrived, room) = (Notify::new(), Arc::new(Semaphore::new(most)));
    let shared = Arc::new(Shared { waiting: Mutex::default(), arrived, room });
    (NewsSender(Arc::clone(&shared)), News(shared))
}

impl NewsSender {
    /// Adds what a process has said, or what became of it, as soon as there is room for it.
    pub(crate) async fn tell(&self, event: ChildEvent) {
        let permit = match is_state(&event) {
            true => None,
            // Nobody closes it.
            false => Arc::clone(&self.0.room).acquire_owned().await.ok(),
        };
        self.0.waiting().add(event, permit);
        self.0.arrived.notify_one();
    }
}

impl News {
    /// The next event. Cancel safe.
    pub(crate) async fn next(&self) -> ChildEvent {
        loop {
            let next = self.0.waiting().events.pop_front();
            match next {
                Some((event, _)) => return event,
                None => self.0.arrived.notified().await,
            }
        }
    }

    /// States of a process that newer ones have replaced before anybody saw them.
    pub(crate) fn unseen(&self, index: usize) -> u64 {
        self.0.waiting().unseen.get(&index).copied().unwrap_or_default()
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn add(&mut self, event: ChildEvent, permit: Option<OwnedSemaphorePermit>) {
        // Only what it said last: an old process has gone, and a new one begun, in between.
        let last = self.events.iter_mut().rev().find(|(one, _)| one.index == event.index);
        match last {
            Some((last, _)) if is_state(last) && is_state(&event) => {
                *self.unseen.entry(event.index).or_default() += 1;
                *last = event;
            }
            _ => self.events.push_back((event, permit)),
        }
    }
}

fn is_state(event: &ChildEvent) -> bool {
    matches!(event.what, ChildEventKind::Said(ProcessReport::Snapshot { .. }))
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use contract::Usage;

    use super::*;

    fn state(index: usize, at_us: u64) -> ChildEvent {
        let (usage, boxes) = (Usage::default(), BTreeMap::new());
        let report = ProcessReport::Snapshot { at_us, usage, boxes };
        ChildEvent { index, what: ChildEventKind::Said(report) }
    }

    fn drained(index: usize) -> ChildEvent {
        let report = ProcessReport::Drained { complete: true };
        ChildEvent { index, what: ChildEventKind::Said(report) }
    }

    /// The time of a state, and nothing of anything else.
    fn shown(event: &ChildEvent) -> (usize, Option<u64>) {
        match &event.what {
            ChildEventKind::Said(ProcessReport::Snapshot { at_us, .. }) => {
                (event.index, Some(*at_us))
            }
            _ => (event.index, None),
        }
    }

    async fn taken(news: &News, count: usize) -> Vec<(usize, Option<u64>)> {
        let mut taken = Vec::new();
        while taken.len() < count {
            taken.push(shown(&news.next().await));
        }
        taken
    }

    #[tokio::test]
    async fn of_states_that_nobody_takes_the_newest_of_each_process_is_left() {
        let (sender, news) = queue();
        for at_us in 1..=1_000 {
            sender.tell(state(0, at_us)).await;
            sender.tell(state(1, at_us)).await;
        }
        assert_eq!(news.0.waiting().events.len(), 2);
        assert_eq!(taken(&news, 2).await, [(0, Some(1_000)), (1, Some(1_000))]);
        assert_eq!((news.unseen(0), news.unseen(1), news.unseen(2)), (999, 999, 0));
        sender.tell(state(0, 1_001)).await;
        assert_eq!(taken(&news, 1).await, [(0, Some(1_001))]);
    }

    #[tokio::test]
    async fn a_state_overtakes_nothing_of_its_own_process() {
        let (sender, news) = queue();
        for event in [state(0, 1), state(0, 2), drained(0), drained(1), state(0, 3), state(0, 4)] {
            sender.tell(event).await;
        }
        let expected = [(0, Some(2)), (0, None), (1, None), (0, Some(4))];
        assert_eq!(taken(&news, 4).await, expected);
    }

    #[tokio::test]
    async fn whatever_else_is_said_waits_for_room_and_is_not_lost() {
        let (sender, news) = with_room(2);
        sender.tell(drained(0)).await;
        sender.tell(drained(1)).await;
        let mut third = pin!(sender.tell(drained(2)));
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(third.as_mut().poll(&mut context), Poll::Pending);
        // A state needs none.
        sender.tell(state(3, 1)).await;
        assert_eq!(taken(&news, 1).await, [(0, None)]);
        third.await;
        assert_eq!(taken(&news, 3).await, [(1, None), (3, Some(1)), (2, None)]);
    }
}
