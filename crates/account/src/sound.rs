//! What the sound of a call proves.

use media::SoundVerdict;

/// A shorter talk proves nothing about what was heard, in microseconds.
const SHORT_TALK_US: u64 = 1_000_000;

/// Whether a talk of this length, `None` without an answer, proves nothing.
pub(crate) fn is_too_short(talk_us: Option<u64>) -> bool {
    talk_us.unwrap_or(0) < SHORT_TALK_US
}

/// Whether this end did not hear the other party.
pub(crate) const fn is_failure(verdict: SoundVerdict) -> bool {
    matches!(verdict, SoundVerdict::Silent | SoundVerdict::Garbled | SoundVerdict::WrongParty)
}
