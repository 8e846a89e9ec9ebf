//! An attempt as one row: the columns of `calls.csv` and of the table `attempts`.

use std::borrow::Cow;

use operations::supervision::department;
use telemetry::{Attempt, BoxKind, CallerClass, Counted, Entry, Heard, Outcome, Party};

/// A shorter talk proves nothing about what was heard, in microseconds.
const SHORT_TALK_US: u64 = 1_000_000;

/// Every column, with its type in SQLite. Times are microseconds since the start of the campaign; delays count from the
/// intended start.
pub const COLUMNS: [(&str, &str); 35] = [
    ("attempt", "TEXT"),
    ("caller", "INTEGER"),
    ("nth", "INTEGER"),
    ("class", "TEXT"),
    ("number", "TEXT"),
    ("commune", "TEXT"),
    ("department", "TEXT"),
    ("trunk_group", "TEXT"),
    ("site", "TEXT"),
    ("psap", "TEXT"),
    ("outcome", "TEXT"),
    ("status", "INTEGER"),
    ("cause", "INTEGER"),
    ("ended_by", "TEXT"),
    ("reason", "TEXT"),
    ("intended_us", "INTEGER"),
    ("start_us", "INTEGER"),
    ("ring_us", "INTEGER"),
    ("answer_us", "INTEGER"),
    ("end_us", "INTEGER"),
    ("lag_us", "INTEGER"),
    ("pdd_us", "INTEGER"),
    ("setup_us", "INTEGER"),
    ("talk_us", "INTEGER"),
    ("caller_saw", "TEXT"),
    ("lost_in", "TEXT"),
    ("lost_why", "TEXT"),
    ("contradiction", "TEXT"),
    ("heard_by_caller", "TEXT"),
    ("heard_by_psap", "TEXT"),
    ("mos_of_caller", "REAL"),
    ("mos_of_psap", "REAL"),
    ("lost_packets", "INTEGER"),
    ("call_id", "TEXT"),
    ("generator", "TEXT"),
];

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    Nothing,
    Number(i64),
    Real(f64),
    Text(Cow<'a, str>),
}

/// An attempt of the campaign, ready to be written down.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) cells: [Cell<'a>; COLUMNS.len()],
    /// Answered, not cut, heard both ways as far as that was judged, and no record contradicts another.
    pub(super) is_good: bool,
}

impl<'a> Row<'a> {
    /// The row of an attempt; `None` if it is none of the campaign's. `zero_us` is the start of the campaign.
    pub(super) fn of(attempt: &Attempt<'a>, zero_us: u64) -> Option<Self> {
        let caller = attempt.caller()?;
        let Counted { outcome, lost_in, why, fault } = attempt.counted();
        let outcome = outcome.unwrap_or(caller.outcome);
        let reached = attempt.destination();
        let at = |us: u64| number(i128::from(us) - i128::from(zero_us));
        let intended = caller.intended_us.unwrap_or(caller.start_us);
        let since = |us: u64| number(i128::from(us.saturating_sub(intended)));
        let talk = caller.answer_us.map(|answer| caller.end_us.saturating_sub(answer));
        let psap = reached.psap.and_then(|psap| heard_in(attempt, psap));
        let ends = [caller.heard, psap];
        let [by_caller, by_psap] = ends.map(|end| verdict(end, talk.unwrap_or(0)));
        let is_bad =
            |word: &Option<&str>| matches!(word, Some("silent" | "garbled" | "wrong_party"));
        let is_good = outcome == Outcome::Answered
            && fault.is_none()
            && !is_bad(&by_caller)
            && !is_bad(&by_psap);
        let mos =
            |end: &Option<Heard>| end.and_then(|end| end.mos).map_or(Cell::Nothing, Cell::Real);
        let lost = ends.iter().flatten().map(|end| end.lost).reduce(|one, other| one + other);
        let [mos_of_caller, mos_of_psap] = [mos(&ends[0]), mos(&ends[1])];
        let department =
            caller.commune.as_deref().map(|commune| department(Some(commune)).to_owned());
        let Entry { ring_us, answer_us, start_us, end_us, .. } = caller;
        let cells = [
            Cell::from(Cow::from(caller.attempt)),
            caller.caller.into(),
            caller.attempt_of_caller.map(u64::from).into(),
            word(caller.class.map(class)),
            Cell::from(Cow::from(caller.number)),
            caller.commune.map(Cow::from).into(),
            department.map(Cow::Owned).into(),
            caller.trunk_group.map(Cow::from).into(),
            word(reached.site),
            word(reached.psap),
            word(Some(outcome_word(outcome))),
            caller.status.map(u64::from).into(),
            caller.cause.map(u64::from).into(),
            word(caller.ended_by.map(party)),
            caller.reason.map(Cow::from).into(),
            at(intended),
            at(start_us),
            ring_us.map_or(Cell::Nothing, at),
            answer_us.map_or(Cell::Nothing, at),
            at(end_us),
            since(start_us),
            ring_us.or(answer_us).map_or(Cell::Nothing, since),
            answer_us.map_or(Cell::Nothing, since),
            talk.into(),
            word(Some(outcome_word(caller.outcome))),
            word(lost_in),
            word(why),
            fault.map(Cow::Owned).into(),
            word(by_caller),
            word(by_psap),
            mos_of_caller,
            mos_of_psap,
            lost.into(),
            Cell::from(Cow::from(caller.call_id)),
            Cell::from(Cow::from(caller.node)),
        ];
        Some(Self { cells, is_good })
    }

    /// The intended start, Unix microseconds.
    pub(super) fn intended_us(&self, zero_us: u64) -> u64 {
        match self.cells[15] {
            Cell::Number(us) => zero_us.saturating_add_signed(us),
            _ => zero_us,
        }
    }
}

/// What the PSAP that talked with the caller heard.
fn heard_in(attempt: &Attempt<'_>, psap: &str) -> Option<Heard> {
    let talked = |entry: &Entry<'_>| entry.outcome == Outcome::Answered && &*entry.node == psap;
    attempt.of(BoxKind::Psap).find(talked)?.heard
}

fn verdict(end: Option<Heard>, talk_us: u64) -> Option<&'static str> {
    let verdict = end?.verdict?;
    Some(match verdict {
        _ if talk_us < SHORT_TALK_US => "unjudged",
        media::Verdict::Heard => "heard",
        media::Verdict::Silent => "silent",
        media::Verdict::Garbled => "garbled",
        media::Verdict::WrongParty => "wrong_party",
        media::Verdict::Unjudged => "unjudged",
    })
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

pub(super) const fn party(party: Party) -> &'static str {
    match party {
        Party::Caller => "caller",
        Party::Callee => "callee",
        Party::Network => "network",
    }
}

const fn class(class: CallerClass) -> &'static str {
    match class {
        CallerClass::Emergency => "emergency",
        CallerClass::Ordinary => "ordinary",
    }
}

fn word(text: Option<&str>) -> Cell<'_> {
    text.map_or(Cell::Nothing, |text| Cell::Text(Cow::Borrowed(text)))
}

/// SQLite knows no greater numbers.
fn number<'a>(value: i128) -> Cell<'a> {
    let most = i128::from(i64::MAX);
    Cell::Number(i64::try_from(value.clamp(-most, most)).unwrap_or(i64::MAX))
}

impl<'a> From<Cow<'a, str>> for Cell<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        if text.is_empty() { Self::Nothing } else { Self::Text(text) }
    }
}

impl<'a> From<Option<Cow<'a, str>>> for Cell<'a> {
    fn from(text: Option<Cow<'a, str>>) -> Self {
        text.map_or(Self::Nothing, Self::from)
    }
}

impl From<Option<u64>> for Cell<'_> {
    fn from(value: Option<u64>) -> Self {
        value.map_or(Self::Nothing, |value| number(value.into()))
    }
}
