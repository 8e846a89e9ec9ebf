//! A value of a row, and the words that stand for what is known.

use media::SoundVerdict;
use telemetry::{CallerClass, Outcome, Party, Text};

/// A value of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell<'a> {
    Nothing,
    Number(i64),
    Real(f64),
    Text(&'a str),
}

pub(super) const fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Answered => "answered",
        Outcome::Rejected => "rejected",
        Outcome::Abandoned => "abandoned",
        Outcome::TimedOut => "timed_out",
        Outcome::Lost => "lost",
    }
}

pub(super) const fn party_word(party: Party) -> &'static str {
    match party {
        Party::Caller => "caller",
        Party::Callee => "callee",
        Party::Network => "network",
    }
}

pub(super) const fn class_word(class: CallerClass) -> &'static str {
    match class {
        CallerClass::Emergency => "emergency",
        CallerClass::Ordinary => "ordinary",
    }
}

pub(super) const fn sound_word(verdict: SoundVerdict) -> &'static str {
    match verdict {
        SoundVerdict::Heard => "heard",
        SoundVerdict::Silent => "silent",
        SoundVerdict::Garbled => "garbled",
        SoundVerdict::WrongParty => "wrong_party",
        SoundVerdict::Unjudged => "unjudged",
    }
}

pub(super) fn word(text: Option<&str>) -> Cell<'_> {
    text.map_or(Cell::Nothing, Cell::Text)
}

/// SQLite knows no greater numbers.
pub(super) fn number<'a>(value: i128) -> Cell<'a> {
    let most = i128::from(i64::MAX);
    Cell::Number(i64::try_from(value.clamp(-most, most)).unwrap_or(i64::MAX))
}

/// Nothing of an empty text.
pub(super) fn text<'a>(text: &'a Text<'_>) -> Cell<'a> {
    if text.is_empty() { Cell::Nothing } else { Cell::Text(text) }
}

pub(super) fn any_text<'a>(any: Option<&'a Text<'_>>) -> Cell<'a> {
    any.map_or(Cell::Nothing, text)
}

impl From<Option<u64>> for Cell<'_> {
    fn from(value: Option<u64>) -> Self {
        value.map_or(Self::Nothing, |value| number(value.into()))
    }
}
