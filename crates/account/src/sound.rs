//! What the sound of a call proves.

use media::SoundVerdict;
use telemetry::{Attempt, Heard};

/// A shorter talk proves nothing about what was heard, in microseconds.
const SHORT_TALK_US: u64 = 1_000_000;

/// Whether a talk of this length, `None` without an answer, proves nothing.
pub(crate) fn is_too_short(talk_us: Option<u64>) -> bool {
    talk_us.unwrap_or(0) < SHORT_TALK_US
}

/// What the two ends of an attempt heard of each other, as far as that proves anything. Where not one packet came of a call that
/// fell with a box on its way, it fell before there was anything to hear.
pub(crate) fn verdicts(attempt: &Attempt<'_>) -> [Option<SoundVerdict>; 2] {
    let is_short = is_too_short(attempt.caller().and_then(|caller| caller.talk_us()));
    attempt.heard().map(|end: Option<Heard>| {
        let end = end?;
        let is_no_proof = is_short || (end.received == 0 && attempt.fell_with_a_box());
        if is_no_proof { end.verdict.map(|_| SoundVerdict::Unjudged) } else { end.verdict }
    })
}

/// Whether this end did not hear the other party.
pub(crate) const fn is_failure(verdict: SoundVerdict) -> bool {
    matches!(verdict, SoundVerdict::Silent | SoundVerdict::Garbled | SoundVerdict::WrongParty)
}
