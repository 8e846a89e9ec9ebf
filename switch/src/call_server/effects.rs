//! Commands that take their time: the ticket of each, and its end.

use std::collections::VecDeque;

use contract::{Effect, EffectEnd};

/// Numbers commands, and keeps the ends of them until they are told.
#[derive(Debug, Default)]
pub(super) struct Effects {
    given: u64,
    over: VecDeque<Effect>,
}

impl Effects {
    /// A ticket for the next command.
    pub(super) const fn ticket(&mut self) -> u64 {
        self.given += 1;
        self.given
    }

    /// The effect of a command is there.
    pub(super) fn done(&mut self, ticket: u64, text: String) {
        self.over.push_back(Effect { ticket, end: EffectEnd::Done(text) });
    }

    /// A command was cut short.
    pub(super) fn aborted(&mut self, ticket: u64, why: String) {
        self.over.push_back(Effect { ticket, end: EffectEnd::Aborted(why) });
    }

    pub(super) fn poll(&mut self) -> Option<Effect> {
        self.over.pop_front()
    }
}
