//! The calls through a trunk group: found by name, and by the dialog that a request is inside of.

use std::hash::BuildHasher as _;

use contract::{CallPicker, OpenCall};
use hashbrown::{DefaultHashBuilder, HashTable};
use sip_proto::arena::{Arena, Key};

use super::call::{Call, CallId};

/// All calls.
#[derive(Debug, Default)]
pub(super) struct Calls {
    calls: Arena<CallId, Call>,
    /// The slots of all calls, by Call-ID and the caller's tag.
    by_caller: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Calls {
    pub(super) fn insert(&mut self, call: Call) -> CallId {
        let id = self.calls.insert(call);
        let Self { calls, by_caller, hasher } = self;
        let key = |slot: &u32| calls.at(*slot).map(|(_, call)| key_of(call));
        let hash = |slot: &u32| hasher.hash_one(key(slot).unwrap_or_default());
        let slot = Key::from(id).slot();
        by_caller.insert_unique(hash(&slot), slot, hash);
        id
    }

    pub(super) fn get(&self, id: CallId) -> Option<&Call> {
        self.calls.get(id)
    }

    pub(super) fn get_mut(&mut self, id: CallId) -> Option<&mut Call> {
        self.calls.get_mut(id)
    }

    /// The call with this Call-ID whose caller has this tag.
    pub(super) fn find(&self, call_id: &str, caller_tag: &str) -> Option<CallId> {
        let key = (call_id, caller_tag);
        let is_it = |(_, call): &(CallId, &Call)| key_of(call) == key;
        let found = |slot: &u32| self.calls.at(*slot).filter(is_it);
        let slot = self.by_caller.find(self.hasher.hash_one(key), |slot| found(slot).is_some())?;
        found(slot).map(|(id, _)| id)
    }

    pub(super) fn remove(&mut self, id: CallId) -> Option<Call> {
        let call = self.calls.remove(id)?;
        let (hash, slot) = (self.hasher.hash_one(key_of(&call)), Key::from(id).slot());
        if let Ok(found) = self.by_caller.find_entry(hash, |one| *one == slot) {
            found.remove();
        }
        Some(call)
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
            picker.show(&record.attempt, record.start_us, || {
                OpenCall::of_record(record, call.is_cancelled())
            });
        }
    }

    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }
}

/// What identifies a call of a caller: Call-ID and the caller's tag.
fn key_of(call: &Call) -> (&str, &str) {
    (&call.record.call_id, &call.caller_tag)
}
