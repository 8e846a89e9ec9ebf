//! What the two sides of a call that is taken over have answered.

use super::side::Side;

/// The answers to our two re-INVITEs.
#[derive(Debug, Default)]
pub(super) struct TakeoverReplies {
    sides: [TakeoverReply; 2],
}

/// The answer of one side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum TakeoverReply {
    #[default]
    Awaited,
    Accepted,
    /// It does not know the call.
    Gone,
}

impl TakeoverReplies {
    /// `side` has answered. Returns what is known of the other one.
    pub(super) fn note(&mut self, side: Side, reply: TakeoverReply) -> TakeoverReply {
        self.sides[side.index()] = reply;
        self.sides[side.other().index()]
    }
}
