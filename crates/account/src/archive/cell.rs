//! A value of a row, and the words that stand for what is known.

use std::borrow::Cow;

use media::SoundVerdict;
use telemetry::{CallerClass, Outcome, Party, Text};

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    Nothing,
    Number(i64),
    Real(f64),
    Text(Cow<'a, str>),
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
    text.map_or(Cell::Nothing, |text| Cell::Text(Cow::Borrowed(text)))
}

/// SQLite knows no greater numbers.
pub(super) fn number<'a>(value: i128) -> Cell<'a> {
    let most = i128::from(i64::MAX);
    Cell::Number(i64::try_from(value.clamp(-most, most)).unwrap_or(i64::MAX))
}

impl<'a> From<Text<'a>> for Cell<'a> {
    fn from(text: Text<'a>) -> Self {
        if text.is_empty() { Self::Nothing } else { Self::Text(text.into()) }
    }
}

impl<'a> From<Option<Text<'a>>> for Cell<'a> {
    fn from(text: Option<Text<'a>>) -> Self {
        text.map_or(Self::Nothing, Self::from)
    }
}

impl From<Option<u64>> for Cell<'_> {
    fn from(value: Option<u64>) -> Self {
        value.map_or(Self::Nothing, |value| number(value.into()))
    }
}
