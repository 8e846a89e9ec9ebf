//! What a box leaves for the recorder: what happened to a call inside.

use std::borrow::Cow;

use crate::call_key::CallKey;

/// A thing that happened to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The call, by the Call-ID of any of its legs.
    pub call: CallKey,
    /// A phrase without its subject: `seizes a circuit towards alpha`.
    pub text: Cow<'static, str>,
}

/// Where a box puts its notes; whoever drives it takes them. Nothing is noted before they were taken for the first time: nobody
/// might want them.
#[derive(Debug, Default)]
pub struct Notes {
    are_wanted: bool,
    notes: Vec<Note>,
}

impl Notes {
    /// Notes what happened to the call with this Call-ID; `text` is made only if somebody wants it.
    pub fn note<T: Into<Cow<'static, str>>>(&mut self, call_id: &str, text: impl FnOnce() -> T) {
        if self.are_wanted {
            self.notes.push(Note { call: CallKey::of(call_id), text: text().into() });
        }
    }

    /// The key of a call of which is to be noted later; any key if nobody wants notes.
    #[must_use]
    pub fn key(&self, call_id: &str) -> CallKey {
        if self.are_wanted { CallKey::of(call_id) } else { CallKey::of_number(0) }
    }

    /// The same as [`note`](Self::note), of the call with this key.
    pub fn note_of<T: Into<Cow<'static, str>>>(&mut self, call: CallKey, text: impl FnOnce() -> T) {
        if self.are_wanted {
            self.notes.push(Note { call, text: text().into() });
        }
    }

    /// The same, of the call that a message belongs to.
    pub fn note_message<T: Into<Cow<'static, str>>>(
        &mut self,
        message: &[u8],
        text: impl FnOnce() -> T,
    ) {
        if self.are_wanted
            && let Some(call) = CallKey::of_message(message)
        {
            self.notes.push(Note { call, text: text().into() });
        }
    }

    /// All since the last time.
    pub fn take(&mut self) -> impl Iterator<Item = Note> + '_ {
        self.are_wanted = true;
        self.notes.drain(..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_noted_for_nobody() {
        let mut notes = Notes::default();
        notes.note("a", || -> &'static str { unreachable!("nobody wants it") });
        assert_eq!(notes.key("a"), CallKey::of_number(0));
        assert_eq!(notes.take().count(), 0);
        let key = notes.key("a");
        notes.note_of(key, || "rings");
        let taken: Vec<Note> = notes.take().collect();
        assert_eq!(taken, [Note { call: CallKey::of("a"), text: "rings".into() }]);
        assert_eq!(notes.take().count(), 0);
    }
}
