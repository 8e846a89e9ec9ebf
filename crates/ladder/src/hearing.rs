//! What was heard: from the records of the two ends, as lines between them.

use std::collections::HashMap;

use media::{SoundVerdict, StreamReport};
use telemetry::{BoxKind, CallRecord};

use crate::columns::End;
use crate::story::{Column, Line, Story, What};

/// A line for each direction, when the talk begins; and one for media that stopped.
pub(crate) fn lines(story: &Story, records: &[CallRecord]) -> Vec<Line> {
    let end = |kind: BoxKind| {
        records.iter().rfind(|record| record.kind == kind && !record.media.is_empty())
    };
    let column_of =
        |record: &CallRecord| story.columns.iter().position(|column| column.name == record.node);
    let (caller, psap) = (end(BoxKind::Generator), end(BoxKind::Psap));
    let at = |us: u64| us.cast_signed().saturating_sub(story.start_us.cast_signed());
    let first = 0;
    let last = story.columns.len().saturating_sub(1);
    let mut lines = Vec::new();
    for (record, other, who) in [(caller, psap, "the caller"), (psap, caller, "the call taker")] {
        let Some((record, report)) = record.and_then(|it| Some((it, it.media.first()?))) else {
            continue;
        };
        let is_caller = record.kind == BoxKind::Generator;
        let (own, far) = if is_caller { (first, last) } else { (last, first) };
        let to = column_of(record).unwrap_or(own);
        let from = other.and_then(column_of).unwrap_or(far);
        let begin = record.ack_us.or(record.answer_us).unwrap_or(record.start_us);
        let (text, is_bad) = (format!("{who} {}", heard(report)), is_bad(report));
        if from == to {
            continue;
        }
        lines.push(Line { at_us: at(begin), what: What::Media { from, to, text, is_bad } });
        if let Some(stopped) = report.stopped_us.filter(|stopped| *stopped > 0) {
            let at_us = at(record.end_us.saturating_sub(stopped));
            let text = format!("{who} hears nothing any more");
            lines.push(Line { at_us, what: What::Media { from, to, text, is_bad: true } });
        }
    }
    lines
}

/// The column of an end of media: of a peer that is of no box the one whose SIP comes from there too.
pub(crate) fn column_of(columns: &[Column], of: &HashMap<End, usize>, end: End) -> Option<usize> {
    if let Some(column) = of.get(&end) {
        return Some(*column);
    }
    let End::Peer(address) = end else { return None };
    let is_there = |column: &Column| column.address.ip() == address.ip();
    // Where all share an address, who kept the call has told its ports, and this is none of them.
    let peer = columns.iter().position(|column| !column.has_kept && is_there(column));
    peer.or_else(|| columns.iter().position(is_there))
}

fn is_bad(report: &StreamReport) -> bool {
    report.received == 0
        || matches!(
            report.verdict,
            Some(SoundVerdict::Silent | SoundVerdict::Garbled | SoundVerdict::WrongParty)
        )
}

/// `heard the other: 500 of 502 packets, jitter 1.2 ms, MOS 4.4`.
fn heard(report: &StreamReport) -> String {
    let what = match report.verdict {
        Some(SoundVerdict::Silent) => "heard nothing",
        Some(SoundVerdict::Garbled) => "heard noise",
        Some(SoundVerdict::WrongParty) => "heard somebody else",
        Some(SoundVerdict::Heard) => "heard the other",
        _ if report.received == 0 => "got no RTP",
        _ => "got RTP",
    };
    let mut text = format!("{what}: {} of {} packets", report.received, report.expected);
    if report.lost > 0 {
        let share = report.lost as f64 / report.expected.max(1) as f64 * 100.0;
        text += &format!(", {share:.1} % lost, at most {} in a row", report.longest_loss);
    }
    if report.received > 0 {
        text += &format!(", jitter {:.1} ms", report.mean_jitter_us as f64 / 1e3);
    }
    if let Some(trip) = report.round_trip_us {
        text += &format!(", round trip {:.1} ms by RTCP", trip as f64 / 1e3);
    }
    if let Some(mos) = report.mos {
        text += &format!(", MOS {mos:.1}");
    }
    if !report.digits.is_empty() {
        text += &format!(", DTMF {}", report.digits);
    }
    text
}
