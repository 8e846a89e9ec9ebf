//! The calls of a call server: found by name and by leg, woken when they are overdue.

use std::time::{Duration, Instant};

use hashbrown::HashMap;
use sip_proto::timer::Deadlines;
use sip_proto::user_agent::LegId;
use slab::Slab;

use super::call::{Awaited, Call, Deadline};
use super::side::Side;

/// How far ahead a deadline may stand in the queue.
const FAR: Duration = Duration::from_secs(60);

/// Names a call; the name of a call that is over never matches a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CallId {
    slot: usize,
    nonce: u64,
}

/// All calls, with their legs and deadlines.
#[derive(Debug, Default)]
pub(super) struct Calls {
    calls: Slab<(u64, Call)>,
    legs: HashMap<LegId, (CallId, Side)>,
    deadlines: Deadlines<CallId>,
    last_nonce: u64,
}

impl Calls {
    pub(super) fn insert(&mut self, call: Call) -> CallId {
        self.last_nonce += 1;
        let nonce = self.last_nonce;
        let (a, b) = (call.a, call.b);
        let id = CallId { slot: self.calls.insert((nonce, call)), nonce };
        self.legs.insert(a, (id, Side::A));
        if let Some(b) = b {
            self.legs.insert(b, (id, Side::B));
        }
        id
    }

    pub(super) fn get(&self, id: CallId) -> Option<&Call> {
        self.calls.get(id.slot).filter(|(nonce, _)| *nonce == id.nonce).map(|(_, call)| call)
    }

    pub(super) fn get_mut(&mut self, id: CallId) -> Option<&mut Call> {
        self.calls.get_mut(id.slot).filter(|(nonce, _)| *nonce == id.nonce).map(|(_, call)| call)
    }

    /// The call that a leg belongs to. A leg that was given up belongs to none.
    pub(super) fn find(&self, leg: LegId) -> Option<(CallId, Side)> {
        self.legs.get(&leg).copied()
    }

    /// The same, with the leg on the other side.
    pub(super) fn find_across(&self, leg: LegId) -> Option<(CallId, Side, Option<LegId>)> {
        let (id, side) = self.find(leg)?;
        Some((id, side, self.get(id).and_then(|call| call.leg(side.other()))))
    }

    /// An answering point is called: `b` is its leg.
    pub(super) fn set_b_leg(&mut self, id: CallId, b: LegId) {
        self.legs.insert(b, (id, Side::B));
        if let Some(call) = self.get_mut(id) {
            call.b = Some(b);
        }
    }

    /// The answering point is given up. What its leg still says is nobody's concern then.
    pub(super) fn take_b_leg(&mut self, id: CallId) -> Option<LegId> {
        let b = self.get_mut(id)?.b.take()?;
        self.legs.remove(&b);
        Some(b)
    }

    /// Forgets a call and its legs.
    pub(super) fn remove(&mut self, id: CallId) -> Option<Call> {
        self.get(id)?;
        let (_, call) = self.calls.remove(id.slot);
        for leg in call.legs() {
            self.legs.remove(&leg);
        }
        Some(call)
    }

    /// The names of all calls.
    pub(super) fn ids(&self) -> Vec<CallId> {
        self.ids_of(|_| true)
    }

    /// The names of those calls of which this is true.
    pub(super) fn ids_of(&self, is_meant: impl Fn(&Call) -> bool) -> Vec<CallId> {
        let meant = self.calls.iter().filter(|(_, (_, call))| is_meant(call));
        meant.map(|(slot, (nonce, _))| CallId { slot, nonce: *nonce }).collect()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Call> {
        self.calls.iter_mut().map(|(_, (_, call))| call)
    }

    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// From now on the call waits for `deadline`.
    pub(super) fn await_until(&mut self, now: Instant, id: CallId, deadline: Deadline) {
        if let Some(call) = self.get_mut(id) {
            call.deadline = Some(deadline);
        }
        // A far deadline is looked at now and then instead: most calls end long before theirs, and an
        // entry stays in the queue until its time.
        self.deadlines.push(deadline.due.min(now + FAR), id);
    }

    /// The next call whose deadline has passed, with what it has waited for.
    pub(super) fn pop_overdue(&mut self, now: Instant) -> Option<(CallId, Awaited)> {
        while let Some(id) = self.deadlines.pop_due(now) {
            match self.get(id).and_then(|call| call.deadline) {
                Some(deadline) if deadline.due <= now => return Some((id, deadline.awaited)),
                Some(deadline) => self.await_until(now, id, deadline),
                None => {}
            }
        }
        None
    }

    /// When a deadline passes next.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }
}
