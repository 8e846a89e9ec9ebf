//! What one box said of an attempt, as one row: the columns of the table `records`.

use telemetry::Entry;

use super::cell::{Cell, any_text, outcome_word, party_word, text, word};

/// Columns of the table.
pub(super) const RECORD_COLUMNS: usize = 16;

/// Hands the cells of a record to `put`, in the order of the columns. `campaign_start_us` is the start of the campaign.
pub(super) fn put(entry: &Entry<'_>, campaign_start_us: u64, put: impl FnMut(Cell<'_>)) {
    let at = |us: Option<u64>| match us {
        None => Cell::Nothing,
        Some(us) => Cell::Number(us.saturating_sub(campaign_start_us).cast_signed()),
    };
    let tried: Vec<&str> = entry.tried.iter().rev().collect();
    let (kind, tried) = (entry.kind.to_string(), tried.join(", "));
    let cells: [Cell<'_>; RECORD_COLUMNS] = [
        text(&entry.attempt),
        Cell::Text(&kind),
        text(&entry.node),
        any_text(entry.trunk_group.as_ref()),
        any_text(entry.site.as_ref()),
        any_text(entry.psap.as_ref()),
        word(Some(&tried[..]).filter(|tried| !tried.is_empty())),
        at(Some(entry.start_us)),
        at(entry.ring_us),
        at(entry.answer_us),
        at(Some(entry.end_us)),
        word(Some(outcome_word(entry.outcome))),
        entry.status.map(u64::from).into(),
        entry.cause.map(u64::from).into(),
        word(entry.ended_by.map(party_word)),
        any_text(entry.reason.as_ref()),
    ];
    cells.into_iter().for_each(put);
}
