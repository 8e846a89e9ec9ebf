//! An attempt as one row: the columns of `calls.csv` and of the table `attempts`.

use std::borrow::Cow;

use media::SoundVerdict;
use operations::supervision::department;
use telemetry::{Attempt, Counted, Destination, Entry, Heard, Outcome};

use super::cell::{Cell, class_word, number, outcome_word, party_word, sound_word, word};
use crate::first_cause::{first_cause, site_of};
use crate::sound::{is_failure, is_too_short};

/// A column: its name, its type in SQLite, and what stands in it.
#[derive(Debug)]
pub struct Column {
    pub name: &'static str,
    pub(super) kind: &'static str,
    cell: CellOf,
}

type CellOf = for<'a> fn(&RowSource<'_, 'a>) -> Cell<'a>;

/// Every column. Times are microseconds since the start of the campaign; delays count from the intended start.
pub const COLUMNS: [Column; 36] = [
    column("attempt", "TEXT", |of| of.caller.attempt.clone().into()),
    column("caller", "INTEGER", |of| of.caller.caller.into()),
    column("nth", "INTEGER", |of| of.caller.attempt_of_caller.map(u64::from).into()),
    column("class", "TEXT", |of| word(of.caller.class.map(class_word))),
    column("number", "TEXT", |of| of.caller.number.clone().into()),
    column("commune", "TEXT", |of| of.caller.commune.clone().into()),
    column("department", "TEXT", |of| of.department()),
    column("trunk_group", "TEXT", |of| of.caller.trunk_group.clone().into()),
    column("site", "TEXT", |of| owned(of.site.as_ref())),
    column("psap", "TEXT", |of| word(of.reached.psap)),
    column("outcome", "TEXT", |of| word(Some(outcome_word(of.outcome)))),
    column("status", "INTEGER", |of| of.caller.status.map(u64::from).into()),
    column("cause", "INTEGER", |of| of.caller.cause.map(u64::from).into()),
    column("ended_by", "TEXT", |of| word(of.caller.ended_by.map(party_word))),
    column("reason", "TEXT", |of| of.caller.reason.clone().into()),
    column("why", "TEXT", |of| owned(of.why.as_ref())),
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
    column("contradiction", "TEXT", |of| of.contradiction()),
    column("heard_by_caller", "TEXT", |of| word(of.verdicts[0].map(sound_word))),
    column("heard_by_psap", "TEXT", |of| word(of.verdicts[1].map(sound_word))),
    column("mos_of_caller", "REAL", |of| of.mos(0)),
    column("mos_of_psap", "REAL", |of| of.mos(1)),
    column("lost_packets", "INTEGER", |of| of.lost_packets().into()),
    column("call_id", "TEXT", |of| of.caller.call_id.clone().into()),
    column("generator", "TEXT", |of| of.caller.node.clone().into()),
];

const fn column(name: &'static str, kind: &'static str, cell: CellOf) -> Column {
    Column { name, kind, cell }
}

/// An attempt of the campaign, ready to be written down.
#[derive(Debug)]
pub(super) struct AttemptRow<'a> {
    pub(super) cells: [Cell<'a>; COLUMNS.len()],
    /// Answered, not cut, heard both ways as far as that was judged, and no record contradicts another.
    pub(super) is_good: bool,
    /// The intended start, Unix microseconds.
    pub(super) due_us: u64,
}

impl<'a> AttemptRow<'a> {
    /// The row of an attempt; `None` if it is none of the campaign's. `campaign_start_us` is the start of the campaign.
    pub(super) fn of(attempt: &Attempt<'a>, campaign_start_us: u64) -> Option<Self> {
        let account = RowSource::of(attempt, attempt.caller()?, campaign_start_us);
        Some(Self {
            cells: COLUMNS.map(|column| (column.cell)(&account)),
            is_good: account.is_good(),
            due_us: account.caller.due_us(),
        })
    }
}

/// What a row is made of.
struct RowSource<'r, 'a> {
    caller: &'r Entry<'a>,
    reached: Destination<'a>,
    /// Where it ended up, or was tried last.
    site: Option<String>,
    /// The first cause of its failure.
    why: Option<String>,
    counted: Counted<'a>,
    outcome: Outcome,
    /// Of the caller and the PSAP.
    heard: [Option<Heard>; 2],
    verdicts: [Option<SoundVerdict>; 2],
    campaign_start_us: u64,
}

impl<'r, 'a> RowSource<'r, 'a> {
    fn of(attempt: &Attempt<'a>, caller: &'r Entry<'a>, campaign_start_us: u64) -> Self {
        let (counted, heard) = (attempt.counted(), attempt.heard());
        let talk_us = caller.talk_us();
        Self {
            caller,
            reached: attempt.reached(),
            site: site_of(attempt),
            why: first_cause(attempt, &counted),
            outcome: counted.outcome.unwrap_or(caller.outcome),
            counted,
            heard,
            verdicts: heard.map(|end| verdict(end, talk_us)),
            campaign_start_us,
        }
    }

    fn is_good(&self) -> bool {
        self.outcome == Outcome::Answered
            && self.counted.fault.is_none()
            && !self.verdicts.into_iter().flatten().any(is_failure)
    }

    fn at(&self, us: Option<u64>) -> Cell<'a> {
        us.map_or(Cell::Nothing, |us| number(i128::from(us) - i128::from(self.campaign_start_us)))
    }

    fn department(&self) -> Cell<'a> {
        let commune = self.caller.commune.as_deref();
        commune.map_or(Cell::Nothing, |commune| {
            Cell::Text(Cow::Owned(department(Some(commune)).to_owned()))
        })
    }

    fn contradiction(&self) -> Cell<'a> {
        let fault = self.counted.fault.clone();
        fault.map_or(Cell::Nothing, |fault| Cell::Text(Cow::Owned(fault)))
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

fn owned<'a>(text: Option<&String>) -> Cell<'a> {
    text.map_or(Cell::Nothing, |text| Cell::Text(Cow::Owned(text.clone())))
}

fn verdict(end: Option<Heard>, talk_us: Option<u64>) -> Option<SoundVerdict> {
    let verdict = end?.verdict?;
    Some(if is_too_short(talk_us) { SoundVerdict::Unjudged } else { verdict })
}
