use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

/// What may happen to a call centre. Numbers choose among the calls that exist.
#[derive(Debug, Clone)]
enum Step {
    Offer,
    RingNext,
    Answer(usize),
    /// Also of calls that have left: a BYE may cross a BYE.
    Leave(usize),
    EndWrapUp,
    Resize(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Offer),
        4 => Just(Step::RingNext),
        3 => any::<usize>().prop_map(Step::Answer),
        3 => any::<usize>().prop_map(Step::Leave),
        2 => Just(Step::EndWrapUp),
        1 => (0..6_usize).prop_map(Step::Resize),
    ];
    prop::collection::vec(step, 0..200)
}

/// The same call centre as five lists.
#[derive(Debug)]
struct Model {
    centre: CallCentre<usize>,
    limit: usize,
    staffed: usize,
    offered: usize,
    refused: usize,
    waiting: VecDeque<usize>,
    ringing: Vec<usize>,
    talking: Vec<usize>,
    wrap_up: Vec<PositionId>,
    left: usize,
}

impl Model {
    fn new(staffed: usize, limit: usize) -> Self {
        Self {
            centre: CallCentre::new(staffed, limit),
            limit,
            staffed,
            offered: 0,
            refused: 0,
            waiting: VecDeque::new(),
            ringing: Vec::new(),
            talking: Vec::new(),
            wrap_up: Vec::new(),
            left: 0,
        }
    }

    fn in_use(&self) -> usize {
        self.ringing.len() + self.talking.len() + self.wrap_up.len()
    }

    fn take(&mut self, step: &Step, now: Instant) {
        match *step {
            Step::Offer => self.offer(now),
            Step::RingNext => {
                let rung = self.centre.ring_next();
                let free = self.in_use() < self.staffed;
                // First in, first out.
                assert_eq!(rung, self.waiting.front().copied().filter(|_| free));
                self.ringing.extend(rung);
                self.waiting.drain(..usize::from(rung.is_some()));
            }
            Step::Answer(n) if !self.ringing.is_empty() => {
                let call = self.ringing.remove(n % self.ringing.len());
                self.centre.answer(call);
                self.talking.push(call);
            }
            Step::Leave(n) if self.offered > 0 => self.leave(n % self.offered),
            Step::EndWrapUp => {
                if let Some(position) = self.wrap_up.pop() {
                    self.centre.end_wrap_up(position);
                    self.centre.end_wrap_up(position);
                }
            }
            Step::Resize(staffed) => {
                self.centre.resize(staffed);
                self.staffed = staffed;
            }
            Step::Answer(_) | Step::Leave(_) => {}
        }
    }

    fn offer(&mut self, now: Instant) {
        let room = self.waiting.len() < self.limit || self.in_use() < self.staffed;
        let call = self.offered;
        self.offered += 1;
        assert_eq!(self.centre.admit(call, now), room);
        if room {
            self.waiting.push_back(call);
        } else {
            self.refused += 1;
        }
    }

    fn leave(&mut self, call: usize) {
        let unanswered = self.waiting.contains(&call) || self.ringing.contains(&call);
        let talking = self.talking.contains(&call);
        match self.centre.leave(call) {
            Some(Left::Unanswered) => assert!(unanswered),
            Some(Left::WrapUp(position)) => {
                assert!(talking);
                self.wrap_up.push(position);
            }
            None => assert!(!unanswered && !talking),
        }
        self.left += usize::from(unanswered || talking);
        self.waiting.retain(|other| *other != call);
        self.ringing.retain(|other| *other != call);
        self.talking.retain(|other| *other != call);
    }

    fn check(&self) {
        let counts = self.centre.positions();
        assert_eq!(counts.ringing, self.ringing.len());
        assert_eq!(counts.talking, self.talking.len());
        assert_eq!(counts.wrap_up, self.wrap_up.len());
        // In use + idle = staffed, but for call takers who finish after they were sent home.
        let in_use = counts.ringing + counts.talking + counts.wrap_up;
        assert_eq!(in_use + counts.idle, self.staffed.max(in_use));
        assert_eq!(self.centre.waiting(), self.waiting.len());
        // Every call is in one place, was refused or has left once.
        let inside = self.waiting.len() + counts.ringing + counts.talking;
        assert_eq!(self.offered, self.refused + self.left + inside);
    }
}

proptest! {
    #[test]
    fn calls_are_conserved_and_served_in_order(
        staffed in 0..5_usize,
        limit in 0..5_usize,
        steps in steps(),
    ) {
        let now = Instant::now();
        let mut model = Model::new(staffed, limit);
        for step in &steps {
            model.take(step, now);
            model.check();
        }
    }
}

#[test]
fn idle_position_takes_a_call_even_without_a_queue() {
    let now = Instant::now();
    let mut centre = CallCentre::new(1, 0);
    assert!(centre.admit('a', now));
    assert_eq!(centre.ring_next(), Some('a'));
    assert!(!centre.admit('b', now));
}

#[test]
fn call_taker_who_is_sent_home_finishes_the_call() {
    let now = Instant::now();
    let mut centre = CallCentre::new(1, 1);
    assert!(centre.admit('a', now));
    centre.ring_next();
    centre.answer('a');
    centre.resize(0);
    assert_eq!(centre.positions().talking, 1);
    let Some(Left::WrapUp(position)) = centre.leave('a') else {
        panic!("the call was answered");
    };
    centre.end_wrap_up(position);
    assert_eq!(centre.positions(), PositionCounts::default());
}

#[test]
fn oldest_call_tells_since_when_it_waits() {
    let start = Instant::now();
    let later = start + std::time::Duration::from_secs(5);
    let mut centre = CallCentre::new(0, 2);
    assert!(centre.admit('a', start) && centre.admit('b', later));
    assert_eq!(centre.oldest_waiting(), Some(start));
    assert_eq!(centre.leave('a'), Some(Left::Unanswered));
    assert_eq!(centre.oldest_waiting(), Some(later));
}
