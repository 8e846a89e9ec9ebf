//! What a network that is served by hand tells of its calls: no verdict, since nothing was demanded of it.
//!
//! The boxes' records are all there is. Of the records of a call, that of the box nearest to its caller leads.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;
use std::path::PathBuf;

use campaign::utc::rfc3339;
use telemetry::{CallRecord, DialogRecord, Outcome, Party, search_records, visible_line};

use crate::spreadsheet;
use crate::text::{counted, or_dash, table};

/// Characters of an attempt's id that a list shows: `tocsin show RUN ID` takes them.
const ID_SHOWN: usize = 12;
/// Characters of a text from elsewhere in a list.
const WIDEST: usize = 32;

/// One call, as the boxes of the network have it.
#[derive(Debug, Clone, PartialEq)]
pub struct ServedCall {
    /// The record of the box nearest to the caller.
    record: CallRecord,
    site: Option<String>,
    psap: Option<String>,
    /// DTMF that the answering point has heard.
    digits: String,
    /// Why it failed: by the box that said so first.
    why: Option<String>,
}

impl ServedCall {
    /// From the records of one attempt, in any order.
    fn of(mut records: Vec<CallRecord>) -> Option<Self> {
        records.sort_by_key(|record| (record.kind, record.start_us));
        let named = |name: fn(&CallRecord) -> Option<&String>| records.iter().find_map(name);
        let heard = records.iter().flat_map(|record| &record.media);
        let told = records.iter().filter(|record| record.reason.is_some());
        let first = told.rev().min_by_key(|record| record.end_us);
        Some(Self {
            site: named(|record| record.site.as_ref()).cloned(),
            psap: named(|record| record.psap.as_ref()).cloned(),
            digits: heard
                .map(|heard| &heard.digits[..])
                .find(|it| !it.is_empty())
                .unwrap_or_default()
                .to_owned(),
            why: first.and_then(|record| record.reason.clone()),
            record: records.into_iter().next()?,
        })
    }

    const fn dialog(&self) -> Option<&DialogRecord> {
        match &self.record.dialog {
            Some(dialog) => Some(dialog),
            None => None,
        }
    }

    fn from(&self) -> Option<&str> {
        self.dialog().map(|dialog| &dialog.from[..])
    }

    fn user_agent(&self) -> Option<&str> {
        self.dialog()?.user_agent.as_deref()
    }

    /// Answering point and site.
    fn place(&self) -> String {
        [&self.psap, &self.site].into_iter().flatten().cloned().collect::<Vec<_>>().join(" by ")
    }

    fn has_failed(&self) -> bool {
        matches!(self.record.outcome, Outcome::Rejected | Outcome::TimedOut | Outcome::Lost)
    }

    fn rang_after_us(&self) -> Option<u64> {
        let first = self.record.ring_us.or(self.record.answer_us)?;
        Some(first.saturating_sub(self.record.start_us))
    }

    fn talked_us(&self) -> Option<u64> {
        Some(self.record.end_us.saturating_sub(self.record.answer_us?))
    }

    fn cells(&self) -> Vec<String> {
        let record = &self.record;
        let seconds = |us: Option<u64>| or_dash(us.map(|us| format!("{:.1}", us as f64 / 1e6)));
        let (from, client) = (self.from().map(who), self.user_agent().map(narrow));
        vec![
            clock(record.start_us),
            record.attempt.chars().take(ID_SHOWN).collect(),
            or_dash(from),
            narrow(&record.number),
            or_dash(client),
            or_dash(Some(self.place()).filter(|place| !place.is_empty())),
            record.outcome.to_string(),
            or_dash(record.status.map(|status| status.to_string())),
            seconds(self.rang_after_us()),
            seconds(self.talked_us()),
            self.why.as_deref().map(narrow).unwrap_or_default(),
        ]
    }
}

/// Which calls of a network are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServedChoice {
    All,
    /// Rejected, timed out or lost.
    Failed,
    /// Those that waited longest for the first ring.
    Slowest,
}

/// Every call of these record files that is over, in the order of their beginnings.
#[must_use]
pub fn served_calls(files: &[PathBuf]) -> Vec<ServedCall> {
    let mut of_attempt: BTreeMap<String, Vec<CallRecord>> = BTreeMap::new();
    for record in search_records(files, "", Some) {
        of_attempt.entry(record.attempt.clone()).or_default().push(record);
    }
    let mut calls: Vec<_> = of_attempt.into_values().filter_map(ServedCall::of).collect();
    calls.sort_by_key(|call| call.record.start_us);
    calls
}

/// How many calls have ended, and how.
#[must_use]
pub fn served_counts(calls: &[ServedCall]) -> String {
    let mut text = counted(calls.len() as u64, "call", "calls");
    let all = [
        Outcome::Answered,
        Outcome::Rejected,
        Outcome::Abandoned,
        Outcome::TimedOut,
        Outcome::Lost,
    ];
    let of = |wanted| calls.iter().filter(|call| call.record.outcome == wanted).count();
    let parts = all.map(|outcome| (of(outcome), outcome));
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<_> = parts.map(|(count, outcome)| format!("{count} {outcome}")).collect();
    if !parts.is_empty() {
        text += &format!(" over: {}", parts.join(", "));
    }
    text
}

/// A line for each call that is chosen: the newest `limit`, or the slowest.
#[must_use]
pub fn served_table(calls: &[ServedCall], choice: ServedChoice, limit: usize) -> String {
    let mut chosen: Vec<&ServedCall> = calls
        .iter()
        .filter(|call| match choice {
            ServedChoice::All => true,
            ServedChoice::Failed => call.has_failed(),
            ServedChoice::Slowest => call.rang_after_us().is_some(),
        })
        .collect();
    let count = chosen.len();
    if choice == ServedChoice::Slowest {
        chosen.sort_by_key(|call| std::cmp::Reverse(call.rang_after_us()));
        chosen.truncate(limit);
    } else {
        chosen.drain(..count.saturating_sub(limit));
    }
    if chosen.is_empty() {
        return "no such call is over\n".to_owned();
    }
    let head = [
        "UTC", "call", "from", "dialled", "client", "reached", "outcome", "status", "rang s",
        "talked s", "why",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(chosen.iter().map(|call| call.cells()));
    let mut text = table(&rows, &[7, 8, 9]);
    if choice != ServedChoice::Slowest && chosen.len() < count {
        let _ = writeln!(text, "… the last {} of {count}; --limit shows more", chosen.len());
    }
    text
}

/// Every call as a line of CSV; times are UTC, and what a spreadsheet would take for a formula is marked as text.
///
/// # Errors
/// It cannot be written.
pub fn write_served_csv(out: impl Write, calls: &[ServedCall]) -> anyhow::Result<()> {
    let mut file = csv::Writer::from_writer(out);
    file.write_record([
        "attempt",
        "call_id",
        "from",
        "to",
        "user_agent",
        "source",
        "transport",
        "number",
        "commune",
        "trunk_group",
        "site",
        "psap",
        "outcome",
        "status",
        "cause",
        "ended_by",
        "reason",
        "start_at",
        "ring_at",
        "answer_at",
        "end_at",
        "offered",
        "answered",
        "digits",
        "events",
    ])?;
    for call in calls {
        let (record, dialog) = (&call.record, call.dialog());
        let at = |us: Option<u64>| us.map(rfc3339).unwrap_or_default();
        let of = |text: fn(&DialogRecord) -> Option<String>| dialog.and_then(text);
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let number = |number: Option<u16>| number.map(|it| it.to_string()).unwrap_or_default();
        let fields = [
            record.attempt.clone(),
            record.call_id.clone(),
            of(|dialog| Some(dialog.from.clone())).unwrap_or_default(),
            of(|dialog| Some(dialog.to.clone())).unwrap_or_default(),
            of(|dialog| dialog.user_agent.clone()).unwrap_or_default(),
            of(|dialog| Some(dialog.source.to_string())).unwrap_or_default(),
            of(|dialog| Some(dialog.transport.token().to_owned())).unwrap_or_default(),
            record.number.clone(),
            text(&record.commune),
            text(&record.trunk_group),
            text(&call.site),
            text(&call.psap),
            record.outcome.to_string().replace(' ', "_"),
            number(record.status),
            number(record.cause),
            record.ended_by.map(ended_by).unwrap_or_default().to_owned(),
            text(&call.why),
            at(Some(record.start_us)),
            at(record.ring_us),
            at(record.answer_us),
            at(Some(record.end_us)),
            of(|dialog| dialog.offered.clone()).unwrap_or_default(),
            of(|dialog| dialog.answered.clone()).unwrap_or_default(),
            call.digits.clone(),
            of(|dialog| {
                let what: Vec<_> = dialog.events.iter().map(|event| &event.what[..]).collect();
                Some(what.join("; "))
            })
            .unwrap_or_default(),
        ];
        file.write_record(fields.iter().map(|field| spreadsheet::text(field).into_owned()))?;
    }
    file.flush()?;
    Ok(())
}

const fn ended_by(party: Party) -> &'static str {
    match party {
        Party::Caller => "caller",
        Party::Callee => "callee",
        Party::Network => "network",
    }
}

/// The URI of a From, without what is around it.
fn who(from: &str) -> String {
    let uri = from.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(uri, _)| uri);
    let uri = uri.unwrap_or(from);
    narrow(uri.strip_prefix("sip:").unwrap_or(uri))
}

/// On one line, and not too wide.
fn narrow(text: &str) -> String {
    let text = visible_line(text);
    match text.char_indices().nth(WIDEST) {
        None => text.into_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// `19:22:04` of a day's time in UTC.
fn clock(us: u64) -> String {
    let stamp = rfc3339(us);
    let time = stamp.split_once('T').map_or("", |(_, time)| time);
    time.split(['.', 'Z']).next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::answered;

    fn call() -> ServedCall {
        ServedCall::of(answered(7)).expect("a call")
    }

    #[test]
    fn a_call_is_told_by_the_box_nearest_to_its_caller() {
        let (call, all) = (call(), answered(7));
        let nearest = all.iter().min_by_key(|record| record.kind).expect("records");
        assert_eq!(&call.record, nearest);
        assert_eq!(call.psap.as_deref(), Some("samu-59"));
        assert_eq!(ServedCall::of(Vec::new()), None);
    }

    #[test]
    fn what_a_telephone_writes_of_itself_moves_no_cursor() {
        assert_eq!(
            who("\"Anna\" <sip:anna@192.0.2.7;transport=tcp>"),
            "anna@192.0.2.7;transport=tcp"
        );
        assert_eq!(who("sip:anna@\u{1b}[2J"), "anna@\\u001b[2J");
        assert_eq!(narrow(&"é".repeat(100)).chars().count(), WIDEST + 1);
        assert_eq!(clock(1_622_637_900_250_000), "12:45:00");
    }

    #[test]
    fn lists_are_chosen_and_cut() {
        let mut failed = call();
        failed.record.outcome = Outcome::Rejected;
        let calls = [call(), failed, call()];
        let lines = |choice, limit| served_table(&calls, choice, limit).lines().count();
        assert_eq!(served_counts(&calls), "3 calls over: 2 answered, 1 rejected");
        assert_eq!((lines(ServedChoice::All, 9), lines(ServedChoice::Failed, 9)), (4, 2));
        assert!(served_table(&calls, ServedChoice::All, 2).contains("the last 2 of 3"));
        assert_eq!(served_table(&[], ServedChoice::All, 2), "no such call is over\n");
        assert_eq!(served_counts(&[]), "0 calls");
        let mut csv = Vec::new();
        write_served_csv(&mut csv, &calls).expect("room in memory");
        assert_eq!(String::from_utf8(csv).expect("UTF-8").lines().count(), 4);
    }
}
