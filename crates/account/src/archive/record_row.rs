//! What one box said of an attempt, as one row: the columns of the table `records`.

use std::borrow::Cow;

use telemetry::Entry;

use super::cell::{Cell, outcome_word, party_word, word};

/// Columns of the table.
pub(super) const RECORD_COLUMNS: usize = 16;

pub(super) type RecordRow<'a> = [Cell<'a>; RECORD_COLUMNS];

/// `campaign_start_us` is the start of the campaign.
pub(super) fn of(entry: Entry<'_>, campaign_start_us: u64) -> RecordRow<'_> {
    let at = |us: Option<u64>| match us {
        None => Cell::Nothing,
        Some(us) => Cell::Number(us.saturating_sub(campaign_start_us).cast_signed()),
    };
    let owned = |text: String| match &text[..] {
        "" => Cell::Nothing,
        _ => Cell::Text(Cow::Owned(text)),
    };
    let tried: Vec<&str> = entry.tried.iter().rev().collect();
    let tried = tried.join(", ");
    [
        entry.attempt.into(),
        owned(entry.kind.to_string()),
        entry.node.into(),
        entry.trunk_group.into(),
        entry.site.into(),
        entry.psap.into(),
        owned(tried),
        at(Some(entry.start_us)),
        at(entry.ring_us),
        at(entry.answer_us),
        at(Some(entry.end_us)),
        word(Some(outcome_word(entry.outcome))),
        entry.status.map(u64::from).into(),
        entry.cause.map(u64::from).into(),
        word(entry.ended_by.map(party_word)),
        entry.reason.into(),
    ]
}
