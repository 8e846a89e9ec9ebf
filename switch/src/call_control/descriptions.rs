//! The session description that each side of a call has agreed to last: what another call server must offer to the other
//! side if it takes the call over.

use bytes::Bytes;

use super::side::Side;

/// A longer description is not kept.
const LONGEST: usize = 8_000;

/// The descriptions of both sides, as they wrote them.
#[derive(Debug, Clone, Default)]
pub(super) struct Descriptions {
    /// `None` before the first: in most pools none are kept.
    kept: Option<Box<Kept>>,
}

#[derive(Debug, Clone, Default)]
struct Kept {
    said: [Option<Bytes>; 2],
    /// What each side offers inside the call, until the other side accepts.
    offered: [Option<Bytes>; 2],
}

impl Descriptions {
    /// What was agreed on elsewhere.
    pub(super) fn agreed(said: [Option<String>; 2]) -> Self {
        let said = said.map(|text| text.map(Bytes::from));
        Self { kept: Some(Box::new(Kept { said, ..Kept::default() })) }
    }

    /// `from` has sent a description. `tentative`: it comes into force only when it is accepted.
    pub(super) fn note(&mut self, from: Side, tentative: bool, description: &[u8]) {
        // A copy, so that the message around it, which is much longer, is freed.
        let kept = (description.len() <= LONGEST).then(|| Bytes::copy_from_slice(description));
        let all = self.kept.get_or_insert_default();
        match tentative {
            true => all.offered[from.index()] = kept,
            false => all.said[from.index()] = kept,
        }
    }

    /// What `from` has offered was accepted, or was not.
    pub(super) fn settle(&mut self, from: Side, accepted: bool) {
        let Some(kept) = &mut self.kept else { return };
        if let Some(offered) = kept.offered[from.index()].take().filter(|_| accepted) {
            kept.said[from.index()] = Some(offered);
        }
    }

    /// Another answering point is tried.
    pub(super) fn forget(&mut self, side: Side) {
        if let Some(kept) = &mut self.kept {
            kept.said[side.index()] = None;
        }
    }

    /// What `side` has agreed to.
    pub(super) fn of(&self, side: Side) -> Option<&Bytes> {
        self.kept.as_ref()?.said[side.index()].as_ref()
    }

    /// Both, to be written down.
    pub(super) fn texts(&self) -> [Option<String>; 2] {
        [Side::A, Side::B].map(|side| String::from_utf8(self.of(side)?.to_vec()).ok())
    }
}
