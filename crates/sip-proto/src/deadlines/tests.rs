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
    assert_eq!((deadlines.len(), deadlines.next(), deadlines.queue.owners.len()), (0, None, 0));
    assert!(deadlines.queue.owners.capacity() < 64 && deadlines.queue.heap.capacity() < 64);
}

// What is set against its order finds no run, and waits in the heap.
#[test]
fn what_is_set_in_any_order_fires_in_order() {
    let start = Instant::now();
    let mut deadlines: Deadlines<u64> = Deadlines::default();
    for ms in (0..200).rev() {
        deadlines.set(ms, after(start, ms));
    }
    assert!(deadlines.queue.heap.len() > 100 && deadlines.queue.runs.iter().all(Option::is_some));
    for ms in (0..200).filter(|ms| ms % 3 == 0) {
        deadlines.clear(ms);
    }
    let late = after(start, 200);
    let fired: Vec<_> = std::iter::from_fn(|| Some(deadlines.pop_due(late)?.1)).collect();
    assert_eq!(fired, (0..200).filter(|ms| ms % 3 != 0).collect::<Vec<_>>());
    assert!(deadlines.queue.heap.is_empty() && deadlines.queue.runs.iter().all(Option::is_none));
}

// Each kind of timer is a fixed time after it is set, and so has a run of its own.
#[test]
fn timers_of_a_few_kinds_need_no_heap() {
    let start = Instant::now();
    let mut deadlines: Deadlines<u64> = Deadlines::default();
    for now in 0..1_000 {
        let kinds = [32_000, 500, 5_000, 200];
        let kind = kinds[usize::try_from(now % 4).unwrap()];
        deadlines.set(now, after(start, now + kind));
        if now % 3 == 0 {
            deadlines.set(now, after(start, now + 32_000));
        }
    }
    assert!(deadlines.queue.heap.is_empty());
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
        let places = (deadlines.queue.owners.len(), deadlines.by_key.len());
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
