//! An attempt as one row: the columns of `calls.csv` and of the table `attempts`.

use std::borrow::Cow;

use media::SoundVerdict;
use operations::supervision::department;
use telemetry::{Attempt, Counted, Destination, Entry, Heard, Outcome};

use super::cell::{
    Cell, any_text, class_word, number, outcome_word, party_word, sound_word, text, word,
};
use crate::first_cause::{first_cause, site_of};
use crate::sound::{is_failure, verdicts};

/// A column: its name, its type in SQLite, and what stands in it.
#[derive(Debug)]
pub struct Column {
    pub name: &'static str,
    pub(super) kind: &'static str,
    cell: CellOf,
}

type CellOf = for<'a> fn(&'a RowSource<'a>) -> Cell<'a>;

/// Every column. Times are microseconds since the start of the campaign; delays count from the intended start.
pub const COLUMNS: [Column; 36] = [
    column("attempt", "TEXT", |of| text(&of.caller.attempt)),
    column("caller", "INTEGER", |of| of.caller.caller.into()),
    column("nth", "INTEGER", |of| of.caller.attempt_of_caller.map(u64::from).into()),
    column("class", "TEXT", |of| word(of.caller.class.map(class_word))),
    column("number", "TEXT", |of| text(&of.caller.number)),
    column("commune", "TEXT", |of| any_text(of.caller.commune.as_ref())),
    column("department", "TEXT", |of| word(of.department())),
    column("trunk_group", "TEXT", |of| any_text(of.caller.trunk_group.as_ref())),
    column("site", "TEXT", |of| word(of.site.as_deref())),
    column("psap", "TEXT", |of| word(of.reached.psap)),
    column("outcome", "TEXT", |of| word(Some(outcome_word(of.outcome)))),
    column("status", "INTEGER", |of| of.caller.status.map(u64::from).into()),
    column("cause", "INTEGER", |of| of.caller.cause.map(u64::from).into()),
    column("ended_by", "TEXT", |of| word(of.caller.ended_by.map(party_word))),
    column("reason", "TEXT", |of| any_text(of.caller.reason.as_ref())),
    column("why", "TEXT", |of| word(of.why.as_deref())),
    column("intended_us", "INTEGER", |of| of.at(Some(of.caller.due_us()))),
    column("start_us", "INTEGER", |of| of.at(Some(of.caller.start_us))),
    column("ring_us", "INTEGER", |of| of.at(of.caller.ring_us)),
    column("answer_us", "INTEGER", |of| of.at(of.caller.answer_us)),
    column("end_us", "INTEGER", |of| of.at(Some(of.caller.end_us))),
    column("lag_us", "INTEGER", |of| Some(of.caller.lag_us()).into()),
    column("pdd_us", "INTEGER", |of| of.caller.post_dial_delay_us().into()),
    column("setup_us", "INTEGER", |of| of.caller.setup_us().into()),
    column("talk_us", "INTEGER", |of| of.caller.talk_us().into()),
    column("caller_saw", "TEXT", |of| word(Some(outcome_word(of.caller.outcome)))),
    column("lost_in", "TEXT", |of| word(of.counted.lost_in)),
    column("lost_why", "TEXT", |of| word(of.counted.why)),
    column("contradiction", "TEXT", |of| word(of.counted.fault)),
    column("heard_by_caller", "TEXT", |of| word(of.verdicts[0].map(sound_word))),
    column("heard_by_psap", "TEXT", |of| word(of.verdicts[1].map(sound_word))),
    column("mos_of_caller", "REAL", |of| of.mos(0)),
    column("mos_of_psap", "REAL", |of| of.mos(1)),
    column("lost_packets", "INTEGER", |of| of.lost_packets().into()),
    column("call_id", "TEXT", |of| text(&of.caller.call_id)),
    column("generator", "TEXT", |of| text(&of.caller.node)),
];

const fn column(name: &'static str, kind: &'static str, cell: CellOf) -> Column {
    Column { name, kind, cell }
}

/// What a row is made of.
pub(super) struct RowSource<'a> {
    caller: &'a Entry<'a>,
    reached: Destination<'a>,
    /// Where it ended up, or was tried last.
    site: Option<Cow<'a, str>>,
    /// The first cause of its failure.
    why: Option<String>,
    counted: &'a Counted<'a>,
    outcome: Outcome,
    /// Of the caller and the PSAP.
    heard: [Option<Heard>; 2],
    verdicts: [Option<SoundVerdict>; 2],
    campaign_start_us: u64,
}

impl<'a> RowSource<'a> {
    /// Of an attempt; `None` if it is none of the campaign's. `campaign_start_us` is the start of the campaign.
    pub(super) fn of(attempt: &'a Attempt<'a>, campaign_start_us: u64) -> Option<Self> {
        let caller = attempt.caller()?;
        let (counted, heard) = (attempt.counted(), attempt.heard());
        Some(Self {
            caller,
            reached: attempt.reached(),
            site: site_of(attempt),
            why: first_cause(attempt),
            outcome: counted.outcome.unwrap_or(caller.outcome),
            counted,
            heard,
            verdicts: verdicts(attempt),
            campaign_start_us,
        })
    }

    /// In the order of the columns.
    pub(super) fn cells(&'a self) -> impl Iterator<Item = Cell<'a>> {
        COLUMNS.iter().map(|column| (column.cell)(self))
    }

    /// The intended start, Unix microseconds.
    pub(super) fn due_us(&self) -> u64 {
        self.caller.due_us()
    }

    /// Answered, not cut, heard both ways as far as that was judged, and no record contradicts another.
    pub(super) fn is_good(&self) -> bool {
        self.outcome == Outcome::Answered
            && self.counted.fault.is_none()
            && !self.verdicts.into_iter().flatten().any(is_failure)
    }

    fn at(&self, us: Option<u64>) -> Cell<'a> {
        us.map_or(Cell::Nothing, |us| number(i128::from(us) - i128::from(self.campaign_start_us)))
    }

    fn department(&self) -> Option<&str> {
        self.caller.commune.as_deref().map(|commune| department(Some(commune)))
    }

    fn mos(&self, end: usize) -> Cell<'a> {
        let mos = self.heard[end].and_then(|end| end.mos());
        mos.map_or(Cell::Nothing, Cell::Real)
    }

    fn lost_packets(&self) -> Option<u64> {
        let lost = self.heard.iter().flatten().map(|end| u64::from(end.lost));
        lost.reduce(|one, other| one + other)
    }
}
