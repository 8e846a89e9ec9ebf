//! Positions: the desks of a call centre, each with one call taker.
//!
//! ```text
//!            ring             answer            release            end_wrap_up
//!    Idle ──────────► Ringing ──────► Talking ──────────► WrapUp ──────────────► Idle
//!                        │ release                                                ▲
//!                        └────────────────────────────────────────────────────────┘
//! ```
//!
//! A position that is to close while its call taker is in a call closes after that call.

use std::collections::VecDeque;

use contract::PositionCounts;

/// Which position, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PositionId(usize);

/// All positions of a call centre. The one idle for longest gets the next call.
#[derive(Debug)]
pub(crate) struct Positions<C> {
    /// How many should be open.
    staffed: usize,
    positions: Vec<State<C>>,
    idle: VecDeque<PositionId>,
    closed: Vec<PositionId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State<C> {
    Closed,
    Idle,
    Ringing(C),
    Talking(C),
    WrapUp,
}

impl<C: Copy> Positions<C> {
    pub(crate) fn new(staffed: usize) -> Self {
        let mut positions =
            Self { staffed: 0, positions: Vec::new(), idle: VecDeque::new(), closed: Vec::new() };
        positions.resize(staffed);
        positions
    }

    /// Opens or closes positions. Those in use close when they are free.
    pub(crate) fn resize(&mut self, staffed: usize) {
        self.staffed = staffed;
        while self.open() > staffed {
            let Some(id) = self.idle.pop_back() else {
                break;
            };
            self.close(id);
        }
        while self.open() < staffed {
            let id = self.closed.pop().unwrap_or_else(|| {
                self.positions.push(State::Closed);
                PositionId(self.positions.len() - 1)
            });
            self.open_idle(id);
        }
    }

    pub(crate) fn has_idle(&self) -> bool {
        !self.idle.is_empty()
    }

    /// Lets the position ring that has been idle for longest. `None` if none is idle.
    pub(crate) fn ring(&mut self, call: C) -> Option<PositionId> {
        let id = self.idle.pop_front()?;
        self.positions[id.0] = State::Ringing(call);
        Some(id)
    }

    /// The call taker picks up.
    pub(crate) fn answer(&mut self, id: PositionId) {
        if let State::Ringing(call) = self.positions[id.0] {
            self.positions[id.0] = State::Talking(call);
        }
    }

    /// The call is over. Returns the state that the position was in. After `Talking` it is in wrap-up until
    /// [`end_wrap_up`](Self::end_wrap_up).
    pub(crate) fn release(&mut self, id: PositionId) -> State<C> {
        let state = self.positions[id.0];
        match state {
            State::Ringing(_) => self.free(id),
            State::Talking(_) => self.positions[id.0] = State::WrapUp,
            State::Closed | State::Idle | State::WrapUp => {}
        }
        state
    }

    pub(crate) fn end_wrap_up(&mut self, id: PositionId) {
        if matches!(self.positions[id.0], State::WrapUp) {
            self.free(id);
        }
    }

    /// How many positions are in each state. Goes through all of them, which a console asks for once a second.
    pub(crate) fn counts(&self) -> PositionCounts {
        let mut counts = PositionCounts::default();
        for state in &self.positions {
            match state {
                State::Closed => {}
                State::Idle => counts.idle += 1,
                State::Ringing(_) => counts.ringing += 1,
                State::Talking(_) => counts.talking += 1,
                State::WrapUp => counts.wrap_up += 1,
            }
        }
        counts
    }

    fn free(&mut self, id: PositionId) {
        if self.open() > self.staffed {
            self.close(id);
        } else {
            self.open_idle(id);
        }
    }

    fn open_idle(&mut self, id: PositionId) {
        self.positions[id.0] = State::Idle;
        self.idle.push_back(id);
    }

    fn close(&mut self, id: PositionId) {
        self.positions[id.0] = State::Closed;
        self.closed.push(id);
    }

    fn open(&self) -> usize {
        self.positions.len() - self.closed.len()
    }
}
