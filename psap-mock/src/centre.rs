//! The call centre: a queue in front of positions, without SIP and without time passing.
//!
//! It alone knows where a call is, so a call is in one place and leaves it once.

use std::collections::BTreeMap;
use std::time::Instant;

use contract::PositionCounts;

use crate::position::{PositionId, Positions, State};
use crate::queue::{Queue, Ticket};

/// Calls of type `C` that wait, ring or talk.
#[derive(Debug)]
pub(crate) struct CallCentre<C> {
    queue: Queue<C>,
    positions: Positions<C>,
    places: BTreeMap<C, CallPlace>,
}

#[derive(Debug, Clone, Copy)]
enum CallPlace {
    Waiting(Ticket),
    At(PositionId),
}

/// What becomes of the place of a call that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// Its place in the queue, or a position that is idle again: nobody had answered.
    Unanswered,
    /// A position that is now in wrap-up.
    WrapUp(PositionId),
}

impl<C: Ord + Copy> CallCentre<C> {
    pub(crate) fn new(positions: usize, queue_limit: usize) -> Self {
        Self {
            queue: Queue::new(queue_limit),
            positions: Positions::new(positions),
            places: BTreeMap::new(),
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.queue.is_full() && !self.positions.has_idle()
    }

    /// Takes a new call into the queue. `false` when the centre is full.
    #[must_use]
    pub(crate) fn admit(&mut self, call: C, now: Instant) -> bool {
        if self.is_full() {
            return false;
        }
        let ticket = self.queue.push(call, now);
        self.places.insert(call, CallPlace::Waiting(ticket));
        true
    }

    /// Takes the call that has waited longest to an idle position, which rings.
    pub(crate) fn ring_next(&mut self) -> Option<C> {
        if !self.positions.has_idle() {
            return None;
        }
        let call = self.queue.pop()?;
        let position = self.positions.ring(call)?;
        self.places.insert(call, CallPlace::At(position));
        Some(call)
    }

    /// It is in the queue: no call taker is rung for it yet.
    pub(crate) fn is_waiting(&self, call: C) -> bool {
        matches!(self.places.get(&call), Some(CallPlace::Waiting(_)))
    }

    /// The call taker who is rung picks up.
    pub(crate) fn answer(&mut self, call: C) {
        if let Some(CallPlace::At(position)) = self.places.get(&call) {
            self.positions.answer(*position);
        }
    }

    /// The call leaves the centre. `None` when it has left already.
    pub(crate) fn leave(&mut self, call: C) -> Option<Left> {
        match self.places.remove(&call)? {
            CallPlace::Waiting(ticket) => self.queue.remove(ticket),
            CallPlace::At(position) => {
                if let State::Talking(_) = self.positions.release(position) {
                    return Some(Left::WrapUp(position));
                }
            }
        }
        Some(Left::Unanswered)
    }

    pub(crate) fn end_wrap_up(&mut self, position: PositionId) {
        self.positions.end_wrap_up(position);
    }

    pub(crate) fn resize(&mut self, positions: usize) {
        self.positions.resize(positions);
    }

    pub(crate) fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Since when the first call in the queue has waited.
    pub(crate) fn oldest_waiting(&self) -> Option<Instant> {
        self.queue.oldest()
    }

    pub(crate) fn positions(&self) -> PositionCounts {
        self.positions.counts()
    }
}

#[cfg(test)]
mod tests;
