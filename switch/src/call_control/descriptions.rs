//! The session description that each side of a call has agreed to last: what another call server must offer to the other
//! side if it takes the call over.

use bytes::Bytes;

use super::side::Side;

/// A longer description is not kept.
const LONGEST: usize = 8_000;

/// The descriptions of both sides, as they wrote them.
#[derive(Debug, Clone, Default)]
pub(super) struct Descriptions {
    said: [Option<Bytes>; 2],
    /// What each side offers inside the call, until the other side accepts.
    offered: [Option<Bytes>; 2],
}

impl Descriptions {
    /// What was agreed on elsewhere.
    pub(super) fn agreed(said: [Option<String>; 2]) -> Self {
        Self { said: said.map(|text| text.map(Bytes::from)), ..Self::default() }
    }

    /// `from` has sent a description. `tentative`: it comes into force only when it is accepted.
    pub(super) fn note(&mut self, from: Side, tentative: bool, description: &[u8]) {
        // A copy, so that the message around it, which is much longer, is freed.
        let kept = (description.len() <= LONGEST).then(|| Bytes::copy_from_slice(description));
        match tentative {
            true => self.offered[from.index()] = kept,
            false => self.said[from.index()] = kept,
        }
    }

    /// What `from` has offered was accepted, or was not.
    pub(super) fn settle(&mut self, from: Side, accepted: bool) {
        if let Some(offered) = self.offered[from.index()].take().filter(|_| accepted) {
            self.said[from.index()] = Some(offered);
        }
    }

    /// Another answering point is tried.
    pub(super) fn forget(&mut self, side: Side) {
        self.said[side.index()] = None;
    }

    /// What `side` has agreed to.
    pub(super) fn of(&self, side: Side) -> Option<&Bytes> {
        self.said[side.index()].as_ref()
    }

    /// Both, to be written down.
    pub(super) fn texts(&self) -> [Option<String>; 2] {
        self.said.clone().map(|said| String::from_utf8(said?.to_vec()).ok())
    }
}
