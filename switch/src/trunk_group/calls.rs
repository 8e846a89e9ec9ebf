//! The calls through a trunk group: found by name, and by the dialog that a request is inside of.

use hashbrown::HashMap;
use sip_proto::arena::Arena;

use super::call::{Call, CallId};

/// All calls.
#[derive(Debug, Default)]
pub(super) struct Calls {
    calls: Arena<CallId, Call>,
    by_caller: HashMap<Box<str>, CallId>,
}

impl Calls {
    pub(super) fn insert(&mut self, call: Call) -> CallId {
        let key = call.key.clone();
        let id = self.calls.insert(call);
        self.by_caller.insert(key, id);
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
        self.by_caller.get(key(call_id, caller_tag).as_str()).copied()
    }

    pub(super) fn remove(&mut self, id: CallId) -> Option<Call> {
        let call = self.calls.remove(id)?;
        self.by_caller.remove(&call.key);
        Some(call)
    }

    /// The names of those calls of which this is true.
    pub(super) fn ids_of(&self, is_meant: impl Fn(&Call) -> bool) -> Vec<CallId> {
        self.calls.iter().filter(|(_, call)| is_meant(call)).map(|(id, _)| id).collect()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Call> {
        self.calls.iter_mut().map(|(_, call)| call)
    }

    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }
}

/// What identifies a call of a caller.
pub(super) fn key(call_id: &str, caller_tag: &str) -> String {
    [call_id, "\n", caller_tag].concat()
}
