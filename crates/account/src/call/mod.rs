//! Everything known of one call, in the order of time across all boxes.

mod cause;
mod find;
mod known_call;

use std::fmt::Write as _;
use std::path::PathBuf;

use campaign::utc::rfc3339;
use rusqlite::{Connection, OptionalExtension as _, Row};
use telemetry::{BoxKind, CallRecord, DialogRecord, find_records, visible_line};

use self::cause::cause;
use self::find::find;
use self::known_call::{KnownAttempt, KnownEvent, KnownRecord};
use crate::text::{counted, instant, plain, seconds};

/// What happened so long before or after a call may explain it, in seconds.
const AROUND_S: f64 = 5.0;

/// The life of a call of a network that is served by hand since `started_us`, from the files of its records alone.
pub fn tell_served(
    started_us: u64,
    record_files: &[PathBuf],
    word: &str,
) -> anyhow::Result<String> {
    let id = find(None, record_files, word)?;
    let records = find_records(record_files, &id);
    let started_us = started_us.cast_signed();
    let attempt = foreign(id, &records, started_us);
    let dialog = dialog_of(&records);
    let views = from_files(records, started_us);
    let at = attempt.intended_us.saturating_add(started_us).cast_unsigned();
    let mut text = head(&attempt);
    let _ = writeln!(text, "at {}", instant(&rfc3339(at)));
    text += &dialog_text(&dialog);
    let _ = writeln!(text, "{}\n", cause(&attempt, &views, &[]));
    text += &ladder(&attempt, &views, &[], &dialog, started_us);
    Ok(text)
}

/// The life of a call as text: from the database of a run and the files of its records.
pub fn tell(database: &Connection, record_files: &[PathBuf], word: &str) -> anyhow::Result<String> {
    let call = KnownCall::of_run(database, record_files, word)?;
    let KnownCall { attempt, is_foreign, views, events, started_us, records } = &call;
    let dialog = dialog_of(records);
    let mut text = head(attempt);
    if *is_foreign {
        text += "a call from outside the campaign\n";
    }
    text += &dialog_text(&dialog);
    let _ = writeln!(text, "{}\n", cause(attempt, views, events));
    text += &ladder(attempt, views, events, &dialog, *started_us);
    if views.is_empty() {
        text += "\nof calls that went well in virtual time no box's record is kept; tocsin run --records keeps all\n";
    }
    Ok(text)
}

/// What is known of a call beside its messages.
#[derive(Debug, Clone, PartialEq)]
pub struct CallAccount {
    /// The id of the attempt.
    pub attempt: String,
    /// Why it ended as it did, in plain words.
    pub cause: String,
    pub records: Vec<CallRecord>,
    /// What happened in the run while it lived, and just around it.
    pub events: Vec<CallEvent>,
}

/// Something that happened in the run of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallEvent {
    /// Unix microseconds.
    pub at_us: u64,
    pub kind: String,
    pub site: Option<String>,
    pub what: String,
}

/// What the database of a run and the files of its records know of a call.
pub fn account_of(
    database: &Connection,
    record_files: &[PathBuf],
    word: &str,
) -> anyhow::Result<CallAccount> {
    Ok(KnownCall::of_run(database, record_files, word)?.told())
}

/// What the records know of a call of a network that is served by hand since `started_us`.
pub fn served_account_of(
    started_us: u64,
    record_files: &[PathBuf],
    word: &str,
) -> anyhow::Result<CallAccount> {
    let id = find(None, record_files, word)?;
    let records = find_records(record_files, &id);
    let started_us = started_us.cast_signed();
    let attempt = foreign(id, &records, started_us);
    let views = from_files(records.clone(), started_us);
    let call =
        KnownCall { attempt, is_foreign: true, views, events: Vec::new(), records, started_us };
    Ok(call.told())
}

/// All that is known of a call.
#[derive(Debug)]
struct KnownCall {
    attempt: KnownAttempt,
    is_foreign: bool,
    views: Vec<KnownRecord>,
    events: Vec<KnownEvent>,
    records: Vec<CallRecord>,
    /// Unix microseconds of the start of the campaign.
    started_us: i64,
}

impl KnownCall {
    fn of_run(database: &Connection, record_files: &[PathBuf], word: &str) -> anyhow::Result<Self> {
        let id = find(Some(database), record_files, word)?;
        let started_us: i64 =
            database.query_row("SELECT value FROM run WHERE key = 'started_us'", [], |row| {
                row.get(0)
            })?;
        let records = find_records(record_files, &id);
        let known = "SELECT * FROM attempts WHERE attempt = ?";
        let known = database.query_row(known, [&id], read_attempt).optional()?;
        let is_foreign = known.is_none();
        let attempt = known.unwrap_or_else(|| foreign(id, &records, started_us));
        let mut views = from_files(records.clone(), started_us);
        if views.is_empty() {
            views = from_database(database, &attempt.id)?;
        }
        let events = events(database, &attempt)?;
        Ok(Self { attempt, is_foreign, views, events, records, started_us })
    }

    fn told(self) -> CallAccount {
        let cause = cause(&self.attempt, &self.views, &self.events);
        let event = |event: KnownEvent| CallEvent {
            at_us: event.at_us.saturating_add(self.started_us).cast_unsigned(),
            kind: event.kind,
            site: event.site,
            what: event.what,
        };
        let events = self.events.into_iter().map(event).collect();
        CallAccount { attempt: self.attempt.id, cause, records: self.records, events }
    }
}

fn read_attempt(row: &Row<'_>) -> rusqlite::Result<KnownAttempt> {
    Ok(KnownAttempt {
        id: row.get("attempt")?,
        number: row.get::<_, Option<String>>("number")?.unwrap_or_default(),
        commune: row.get("commune")?,
        nth: row.get("nth")?,
        site: row.get("site")?,
        psap: row.get("psap")?,
        outcome: row.get("outcome")?,
        caller_saw: row.get("caller_saw")?,
        status: row.get("status")?,
        reason: row.get("reason")?,
        lost_in: row.get("lost_in")?,
        why: row.get("why")?,
        contradiction: row.get("contradiction")?,
        heard_by_caller: row.get("heard_by_caller")?,
        heard_by_psap: row.get("heard_by_psap")?,
        intended_us: row.get("intended_us")?,
        ring_us: row.get("ring_us")?,
        answer_us: row.get("answer_us")?,
        end_us: row.get("end_us")?,
        call_id: row.get("call_id")?,
    })
}

/// What the boxes say of a call that the campaign did not make: the box nearest to its caller knows best how it ended.
fn foreign(id: String, records: &[CallRecord], campaign_start_us: i64) -> KnownAttempt {
    let at = |us: u64| us.cast_signed().saturating_sub(campaign_start_us);
    let Some(nearest) = records.iter().min_by_key(|record| (record.kind, record.start_us)) else {
        return KnownAttempt { id, ..KnownAttempt::default() };
    };
    let named = |name: fn(&CallRecord) -> Option<&String>| records.iter().find_map(name).cloned();
    let outcome = nearest.outcome.to_string().replace(' ', "_");
    KnownAttempt {
        id,
        number: nearest.number.clone(),
        commune: nearest.commune.clone(),
        site: named(|record| record.site.as_ref()),
        psap: named(|record| record.psap.as_ref()),
        caller_saw: outcome.clone(),
        outcome,
        status: nearest.status.map(i64::from),
        reason: nearest.reason.clone(),
        intended_us: at(nearest.start_us),
        ring_us: nearest.ring_us.map(at),
        answer_us: nearest.answer_us.map(at),
        end_us: at(nearest.end_us),
        call_id: Some(nearest.call_id.clone()).filter(|call_id| !call_id.is_empty()),
        ..KnownAttempt::default()
    }
}

/// The records themselves say most.
fn from_files(mut records: Vec<CallRecord>, campaign_start_us: i64) -> Vec<KnownRecord> {
    records.sort_by_key(|record| (record.kind, record.start_us));
    let at = |us: u64| us.cast_signed().saturating_sub(campaign_start_us);
    let view = |record: CallRecord| KnownRecord {
        kind: record.kind.to_string(),
        node: record.node,
        tried: record.tried.join(", "),
        start_us: at(record.start_us),
        ring_us: record.ring_us.map(at),
        answer_us: record.answer_us.map(at),
        end_us: at(record.end_us),
        outcome: record.outcome.to_string(),
        status: record.status.map(i64::from),
        reason: record.reason,
    };
    records.into_iter().map(view).collect()
}

fn from_database(database: &Connection, attempt: &str) -> rusqlite::Result<Vec<KnownRecord>> {
    let mut statement =
        database.prepare("SELECT * FROM records WHERE attempt = ? ORDER BY rowid")?;
    let view = |row: &Row<'_>| {
        Ok(KnownRecord {
            kind: row.get("kind")?,
            node: row.get("node")?,
            tried: row.get::<_, Option<String>>("tried")?.unwrap_or_default(),
            start_us: row.get("start_us")?,
            ring_us: row.get("ring_us")?,
            answer_us: row.get("answer_us")?,
            end_us: row.get("end_us")?,
            outcome: row.get::<_, String>("outcome")?.replace('_', " "),
            status: row.get("status")?,
            reason: row.get("reason")?,
        })
    };
    statement.query_map([attempt], view)?.collect()
}

/// What happened in the life of the call to its site, or to no site in particular.
fn events(database: &Connection, attempt: &KnownAttempt) -> rusqlite::Result<Vec<KnownEvent>> {
    let mut statement = database.prepare(
        "SELECT at_s, kind, site, what FROM events WHERE at_s BETWEEN ? AND ? ORDER BY at_s",
    )?;
    let second = |us: i64| us as f64 / 1e6;
    let span = [second(attempt.intended_us) - AROUND_S, second(attempt.end_us) + AROUND_S];
    let event = |row: &Row<'_>| {
        let at_s: f64 = row.get(0)?;
        Ok(KnownEvent {
            at_us: (at_s * 1e6) as i64,
            kind: row.get(1)?,
            site: row.get(2)?,
            what: row.get(3)?,
        })
    };
    statement.query_map(span, event)?.collect()
}

fn head(attempt: &KnownAttempt) -> String {
    let mut text = format!("attempt {}\n", attempt.id);
    let nth = attempt.nth.filter(|nth| *nth > 1);
    let nth = nth.map_or_else(String::new, |nth| format!(", call {nth} of this person"));
    let from =
        attempt.commune.as_deref().map_or_else(String::new, |commune| format!(" from {commune}"));
    let _ = writeln!(
        text,
        "{}{from}{nth}, {} s after the start",
        plain(&attempt.number),
        seconds(attempt.intended_us)
    );
    if let Some(call_id) = &attempt.call_id {
        let _ = writeln!(text, "Call-ID {}", plain(call_id));
    }
    text
}

/// What is known of a telephone: what the box nearest to it tells, and the digits that anybody has heard.
#[derive(Debug, Default)]
struct Telephone {
    dialog: Option<DialogRecord>,
    digits: Option<String>,
}

fn dialog_of(records: &[CallRecord]) -> Telephone {
    let with = records.iter().filter(|record| record.dialog.is_some());
    let nearest = with.min_by_key(|record| (record.kind, record.start_us));
    let mut heard = records.iter().flat_map(|record| &record.media).map(|heard| &heard.digits);
    Telephone {
        dialog: nearest.and_then(|record| record.dialog.as_deref().cloned()),
        digits: heard.find(|digits| !digits.is_empty()).cloned(),
    }
}

fn dialog_text(Telephone { dialog, digits }: &Telephone) -> String {
    let mut text = String::new();
    let mut line = |name: &str, what: &str| {
        let _ = writeln!(text, "{name:<8} {}", visible_line(what));
    };
    if let Some(dialog) = dialog {
        let nothing = "no session description";
        line("From", &dialog.from);
        line("To", &dialog.to);
        line("client", dialog.user_agent.as_deref().unwrap_or("does not say (no User-Agent)"));
        line("source", &format!("{} over {}", dialog.source, dialog.transport.token()));
        line("offered", dialog.offered.as_deref().unwrap_or(nothing));
        line("answered", dialog.answered.as_deref().unwrap_or(nothing));
    }
    if let Some(digits) = digits {
        line("DTMF", digits);
    }
    text
}

/// Times since the call was due.
fn ladder(
    attempt: &KnownAttempt,
    views: &[KnownRecord],
    events: &[KnownEvent],
    telephone: &Telephone,
    campaign_start_us: i64,
) -> String {
    let mut lines: Vec<(i64, usize, String)> =
        vec![(attempt.intended_us, 0, "the call is due".to_owned())];
    for (place, view) in views.iter().enumerate() {
        let is_caller = view.kind == BoxKind::Generator.to_string();
        let who = format!("{} {}", view.kind, plain(&view.node));
        let mut line =
            |at: i64, what: String| lines.push((at, place + 1, format!("{who}: {what}")));
        let tried = match &view.tried[..] {
            "" => String::new(),
            tried => format!(", tries {tried}"),
        };
        let did = if is_caller { "sends the INVITE" } else { "gets the INVITE" };
        line(view.start_us, format!("{did}{tried}"));
        view.ring_us.into_iter().for_each(|at| line(at, "it rings".to_owned()));
        view.answer_us.into_iter().for_each(|at| line(at, "answered".to_owned()));
        let status = view.status.map_or_else(String::new, |status| format!(" ({status})"));
        let reason =
            view.reason.as_deref().map_or_else(String::new, |why| format!(": {}", plain(why)));
        line(view.end_us, format!("over, {}{status}{reason}", view.outcome));
    }
    for event in events {
        let site = event.site.as_deref().map_or_else(String::new, |site| format!("{site}: "));
        lines.push((
            event.at_us,
            usize::MAX,
            format!("*** {} {site}{}", event.kind, plain(&event.what)),
        ));
    }
    for event in telephone.dialog.iter().flat_map(|dialog| &dialog.events) {
        let at = event.at_us.cast_signed().saturating_sub(campaign_start_us);
        lines.push((at, 0, format!("  {}", visible_line(&event.what))));
    }
    lines.sort_by_key(|(at, place, _)| (*at, *place));
    let mut text = String::new();
    for (at, _, what) in lines {
        let _ = writeln!(text, "{:>+10.3} s  {what}", (at - attempt.intended_us) as f64 / 1e6);
    }
    if let Some(more) = telephone.dialog.as_ref().map(|it| it.events_left_out).filter(|it| *it > 0)
    {
        let _ = writeln!(
            text,
            "and {} in the dialog",
            counted(more.into(), "more event", "more events")
        );
    }
    text
}
