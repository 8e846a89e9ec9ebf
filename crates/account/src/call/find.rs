//! Which call a word means. What is whole comes before what is a part, and an id before a Call-ID.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::bail;
use rusqlite::{Connection, Params};
use telemetry::{CallRecord, search_records};

use crate::text::plain;

/// Ids that a refusal lists.
const IDS_LISTED: usize = 5;

/// The id of the call that `word` means: by its id, the beginning of one, a Call-ID of any of its dialogs, or a part of one.
/// Calls from outside the campaign stand in the records alone.
pub(super) fn find(
    database: Option<&Connection>,
    files: &[PathBuf],
    word: &str,
) -> anyhow::Result<String> {
    let lower = word.to_ascii_lowercase();
    let is_hexadecimal = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let whole = ids(database, "attempt = ?1 OR call_id = ?2", [&lower[..], word])?;
    if let Some(id) = one(&whole, "have the Call-ID", word)? {
        return Ok(id);
    }
    let has = |record: &CallRecord, is_meant: &dyn Fn(&str) -> bool| {
        is_meant(&record.call_id) || record.legs.iter().any(|leg| is_meant(&leg.call_id))
    };
    let whole = in_records(files, word, |record| {
        record.attempt == lower || has(record, &|call_id| call_id == word)
    });
    if let Some(id) = one(&whole, "have the Call-ID", word)? {
        return Ok(id);
    }
    if is_hexadecimal {
        // 'g' comes after every hexadecimal digit.
        let span = [lower.clone(), format!("{lower}g")];
        let mut begun = ids(database, "attempt >= ? AND attempt < ?", span)?;
        begun.extend(in_records(files, &lower, |record| record.attempt.starts_with(&lower)));
        if let Some(id) = one(&begun, "have an id that begins with", word)? {
            return Ok(id);
        }
    }
    if !word.is_empty() {
        let mut parts = ids(database, "instr(call_id, ?) > 0", [word])?;
        parts.extend(in_records(files, word, |record| {
            has(record, &|call_id| call_id.contains(word))
        }));
        if let Some(id) = one(&parts, "have a Call-ID with", word)? {
            return Ok(id);
        }
    }
    let list = if database.is_some() { "tocsin show RUN --failed" } else { "tocsin show RUN" };
    bail!("no attempt has the id or Call-ID {word:?}; {list} lists attempts")
}

fn ids<P: Params>(
    database: Option<&Connection>,
    condition: &str,
    values: P,
) -> rusqlite::Result<BTreeSet<String>> {
    let Some(database) = database else { return Ok(BTreeSet::new()) };
    let mut statement =
        database.prepare(&format!("SELECT attempt FROM attempts WHERE {condition}"))?;
    statement.query_map(values, |row| row.get(0))?.collect()
}

fn in_records(
    files: &[PathBuf],
    word: &str,
    is_meant: impl Fn(&CallRecord) -> bool + Sync,
) -> BTreeSet<String> {
    let pick = |record: CallRecord| is_meant(&record).then_some(record.attempt);
    search_records(files, word, pick).into_iter().collect()
}

/// The only one of them, if there is any.
fn one(ids: &BTreeSet<String>, what: &str, word: &str) -> anyhow::Result<Option<String>> {
    let mut listed = ids.iter();
    match (listed.next(), ids.len()) {
        (first, 0 | 1) => Ok(first.cloned()),
        (_, count) => {
            let some: Vec<String> = ids.iter().take(IDS_LISTED).map(|id| plain(id)).collect();
            let more = if count > IDS_LISTED { " …" } else { "" };
            bail!("{count} calls {what} {word:?}: say more, or an id: {}{more}", some.join(", "))
        }
    }
}
