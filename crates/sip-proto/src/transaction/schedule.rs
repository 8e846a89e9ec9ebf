//! When the machines of transactions run.
//!
//! Most transactions of an honest peer are over within a second, and then wait for half a minute to be forgotten. Nothing
//! depends on the moment, so nobody is woken for each: it is done whenever something else is done, and a node without
//! anything else to do is woken for all that are due within [`FORGET_WITHIN`].

use std::time::Instant;

use crate::deadlines::{FORGET_WITHIN, Queue, Turn};

/// When the machine of one transaction runs; the transaction keeps it.
#[derive(Debug, Default)]
pub(super) struct Turns {
    turn: Option<Turn>,
    /// It is a turn to be forgotten.
    is_over: bool,
}

/// See the module's text. `K` tells whose machine it is.
#[derive(Debug)]
pub(super) struct Schedule<K> {
    run: Queue<K>,
    forget: Queue<K>,
}

impl<K> Default for Schedule<K> {
    fn default() -> Self {
        Self { run: Queue::default(), forget: Queue::default() }
    }
}

impl<K: Copy> Schedule<K> {
    /// The machine of `owner` must run at `due`; if it `is_over`, it may run somewhat later.
    pub(super) fn set(&mut self, turns: &mut Turns, owner: K, due: Option<Instant>, is_over: bool) {
        if turns.is_over != is_over {
            self.clear(std::mem::take(turns));
            turns.is_over = is_over;
        }
        self.queue(is_over).set(&mut turns.turn, owner, due);
    }

    fn queue(&mut self, is_over: bool) -> &mut Queue<K> {
        if is_over { &mut self.forget } else { &mut self.run }
    }

    /// The transaction with these turns is gone.
    pub(super) fn clear(&mut self, turns: Turns) {
        self.queue(turns.is_over).clear(turns.turn);
    }

    /// When to come back.
    pub(super) fn next(&self) -> Option<Instant> {
        let forget = self.forget.next().map(|due| due + FORGET_WITHIN);
        [self.run.next(), forget].into_iter().flatten().min()
    }

    /// Takes a machine that must run by now, with the instant at which it should have. Its turns are over.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<(Instant, K)> {
        self.run.pop_due(now)
    }

    /// Takes a machine that only waits to be forgotten, if that is due.
    pub(super) fn pop_over(&mut self, now: Instant) -> Option<(Instant, K)> {
        self.forget.pop_due(now)
    }
}
