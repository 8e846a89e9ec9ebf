//! The calls of a call server: found by name and by leg, and taken in turn when they are overdue.

use std::hash::BuildHasher as _;
use std::time::Instant;

use contract::{CallPicker, OpenCall};
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use sip_proto::arena::{Arena, Key};
use sip_proto::deadlines::Deadlines;
use sip_proto::user_agent::LegId;

use super::call::{Awaited, Call};
use super::side::Side;

sip_proto::key_type! {
    /// Names a call; the name of a call that is over never matches a new one.
    pub(super) struct CallId;
}

/// All calls, with their legs and deadlines.
#[derive(Debug, Default)]
pub(super) struct Calls {
    calls: Arena<CallId, Call>,
    /// The slot of the call of each leg, by the leg, which stands in the call.
    legs: HashTable<(u32, Side)>,
    hasher: DefaultHashBuilder,
    /// Answering points that were given up, until their legs are over: the call, and the place in its record.
    given_up: HashMap<LegId, (CallId, usize)>,
    deadlines: Deadlines<CallId>,
}

impl Calls {
    pub(super) fn insert(&mut self, call: Call) -> CallId {
        let id = self.calls.insert(call);
        self.note_leg(id, Side::A);
        self.note_leg(id, Side::B);
        id
    }

    /// Lets the leg of this side be found, if there is one.
    fn note_leg(&mut self, id: CallId, side: Side) {
        let Self { calls, legs, hasher, .. } = self;
        let leg =
            |(slot, side): &(u32, Side)| calls.at(*slot).and_then(|(_, call)| call.leg(*side));
        let place = (Key::from(id).slot(), side);
        if leg(&place).is_some() {
            let hash = |place: &(u32, Side)| hasher.hash_one(leg(place));
            legs.insert_unique(hash(&place), place, hash);
        }
    }

    /// The leg of this side of a call is not found any more.
    fn forget_leg(&mut self, id: CallId, side: Side, leg: LegId) {
        let (place, hash) = ((Key::from(id).slot(), side), self.hasher.hash_one(Some(leg)));
        if let Ok(found) = self.legs.find_entry(hash, |one| *one == place) {
            found.remove();
        }
    }

    pub(super) fn get(&self, id: CallId) -> Option<&Call> {
        self.calls.get(id)
    }

    pub(super) fn get_mut(&mut self, id: CallId) -> Option<&mut Call> {
        self.calls.get_mut(id)
    }

    /// The call that a leg belongs to. A leg that was given up belongs to none.
    pub(super) fn find(&self, leg: LegId) -> Option<(CallId, Side)> {
        let call = |place: &(u32, Side)| {
            let (id, call) = self.calls.at(place.0)?;
            (call.leg(place.1) == Some(leg)).then_some((id, place.1))
        };
        let hash = self.hasher.hash_one(Some(leg));
        self.legs.find(hash, |place| call(place).is_some()).and_then(call)
    }

    /// The same, with the leg on the other side.
    pub(super) fn find_across(&self, leg: LegId) -> Option<(CallId, Side, Option<LegId>)> {
        let (id, side) = self.find(leg)?;
        Some((id, side, self.get(id).and_then(|call| call.leg(side.other()))))
    }

    /// An answering point is called: `b` is its leg.
    pub(super) fn set_b_leg(&mut self, id: CallId, b: LegId) {
        self.take_b_leg(id);
        if let Some(call) = self.get_mut(id) {
            call.b = Some(b);
        }
        self.note_leg(id, Side::B);
    }

    /// The answering point is given up. What comes on its leg after that is ignored.
    pub(super) fn take_b_leg(&mut self, id: CallId) -> Option<LegId> {
        let b = self.get_mut(id)?.b.take()?;
        self.forget_leg(id, Side::B, b);
        Some(b)
    }

    /// A leg was given up that stands at this place in the record of its call.
    pub(super) fn await_end(&mut self, leg: LegId, id: CallId, place: usize) {
        self.given_up.insert(leg, (id, place));
    }

    /// A leg that was given up is over. Returns its call, if that goes on, and the place of the leg in its record.
    pub(super) fn take_awaited(&mut self, leg: LegId) -> Option<(&mut Call, usize)> {
        let (id, place) = self.given_up.remove(&leg)?;
        Some((self.calls.get_mut(id)?, place))
    }

    /// Forgets a call, its legs and its deadline.
    pub(super) fn remove(&mut self, id: CallId) -> Option<Call> {
        let call = self.calls.remove(id)?;
        for side in [Side::A, Side::B] {
            if let Some(leg) = call.leg(side) {
                self.forget_leg(id, side, leg);
            }
        }
        self.deadlines.clear(id);
        Some(call)
    }

    /// The names of all calls.
    pub(super) fn ids(&self) -> Vec<CallId> {
        self.ids_of(|_| true)
    }

    /// The names of those calls of which this is true.
    pub(super) fn ids_of(&self, is_meant: impl Fn(&Call) -> bool) -> Vec<CallId> {
        self.calls.iter().filter(|(_, call)| is_meant(call)).map(|(id, _)| id).collect()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Call> {
        self.calls.iter_mut().map(|(_, call)| call)
    }

    /// Shows all of them.
    pub(super) fn show(&self, picker: &mut CallPicker) {
        for (_, call) in self.calls.iter() {
            let record = &call.record;
            picker.show(&record.attempt, record.start_us, || OpenCall::of_record(record, false));
        }
    }

    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// From now on the call waits for this, until `due`.
    pub(super) fn await_until(&mut self, id: CallId, awaited: Awaited, due: Instant) {
        if let Some(call) = self.get_mut(id) {
            call.awaited = Some(awaited);
            self.deadlines.set(id, due);
        }
    }

    /// The next call whose deadline has passed, with what it has waited for.
    pub(super) fn pop_overdue(&mut self, now: Instant) -> Option<(CallId, Awaited)> {
        let (_, id) = self.deadlines.pop_due(now)?;
        let call = self.get(id).expect("a call takes its deadline with it");
        Some((id, call.awaited.expect("a call with a deadline waits for something")))
    }

    /// When a deadline passes next.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use telemetry::{BoxKind, CallRecord};

    use super::*;

    #[test]
    fn nothing_is_left_of_a_call_that_is_over() {
        let mut legs: Arena<LegId, ()> = Arena::default();
        let (a, b, now) = (legs.insert(()), legs.insert(()), Instant::now());
        let record = CallRecord::open(BoxKind::CallServer, "alpha", String::new(), 0);
        let mut calls = Calls::default();
        let old = calls.insert(Call::new(a, None, record.clone()));
        calls.set_b_leg(old, b);
        calls.await_until(old, Awaited::End, now + Duration::from_hours(2));
        assert!(calls.remove(old).is_some());
        assert_eq!((calls.find(a), calls.find(b)), (None, None));
        assert_eq!(calls.next_deadline(), None);
        let new = calls.insert(Call::new(a, None, record));
        calls.await_until(old, Awaited::End, now);
        assert!(calls.get(old).is_none() && calls.pop_overdue(now).is_none());
        assert!(calls.get(new).is_some());
    }
}
