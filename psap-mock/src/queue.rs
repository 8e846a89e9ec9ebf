//! The waiting queue of a call centre: first in, first out, with a limit.

use std::collections::BTreeMap;
use std::time::Instant;

/// Calls that wait for a call taker. A caller may hang up anywhere in the queue, so places are kept
/// by ticket and not by index.
#[derive(Debug)]
pub(crate) struct Queue<C> {
    limit: usize,
    waiting: BTreeMap<Ticket, Waiting<C>>,
    next_ticket: u64,
}

/// A place in the queue. Lower tickets are served first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

#[derive(Debug)]
struct Waiting<C> {
    call: C,
    since: Instant,
}

impl<C: Copy> Queue<C> {
    pub(crate) const fn new(limit: usize) -> Self {
        Self { limit, waiting: BTreeMap::new(), next_ticket: 0 }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= self.limit
    }

    /// Puts a call at the end, whatever the limit: a call for an idle position passes through here
    /// too.
    pub(crate) fn push(&mut self, call: C, now: Instant) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.waiting.insert(ticket, Waiting { call, since: now });
        ticket
    }

    /// Takes the call that has waited longest.
    pub(crate) fn pop(&mut self) -> Option<C> {
        self.waiting.pop_first().map(|(_, waiting)| waiting.call)
    }

    /// Takes out the call of a caller who gave up.
    pub(crate) fn remove(&mut self, ticket: Ticket) {
        self.waiting.remove(&ticket);
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Since when the first call has waited.
    pub(crate) fn oldest(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|(_, waiting)| waiting.since)
    }
}
