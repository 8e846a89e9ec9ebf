//! What was sent again, and which timer made the box do so.

use std::collections::HashMap;

use crate::glance::{Glance, StartLine};
use crate::story::{Arrow, Fate, Repeat, Story, What};

/// A box answers a repeated request at once, so long after it came.
const AT_ONCE_US: i64 = 20_000;

/// By what a message is known again on its way: the bytes, or method or status, CSeq and branch.
type Likeness = (usize, usize, String);

/// Marks each message that was sent before on the same way.
pub(crate) fn mark(story: &mut Story) {
    let mut first: HashMap<Likeness, (u32, i64, u32)> = HashMap::new();
    // When a request came again, by its ends, branch and CSeq.
    let mut asked_again: HashMap<Likeness, i64> = HashMap::new();
    for line in &mut story.lines {
        let What::Message(arrow) = &mut line.what else { continue };
        let Some(glance) = Glance::of(&arrow.bytes) else { continue };
        let at_us = arrow.at_us();
        let likeness = (arrow.from, arrow.to, likeness(&glance));
        let Some((of, first_us, times)) = first.get_mut(&likeness) else {
            first.insert(likeness, (arrow.number, at_us, 0));
            continue;
        };
        if arrow.fate == Fate::Doubled {
            continue;
        }
        *times += 1;
        if glance.status().is_none() {
            asked_again.insert((arrow.from, arrow.to, transaction(&glance)), at_us);
        }
        let asked = asked_again.get(&(arrow.to, arrow.from, transaction(&glance)));
        let is_reply = asked.is_some_and(|asked| (0..AT_ONCE_US).contains(&(at_us - asked)));
        arrow.repeat = Some(Repeat {
            of: *of,
            times_before: *times,
            after_us: at_us - *first_us,
            why: why(arrow, &glance, is_reply),
        });
    }
}

fn likeness(glance: &Glance) -> String {
    let start = match &glance.start {
        StartLine::Request { method, .. } => method.clone(),
        StartLine::Response { status, .. } => status.to_string(),
    };
    // Reliable provisional responses of one transaction differ in RSeq (RFC 3262 §3).
    format!("{start} {} {}", transaction(glance), glance.field("RSeq").unwrap_or_default())
}

fn transaction(glance: &Glance) -> String {
    let (number, method) = glance.cseq();
    format!("{} {} {number:?} {method}", glance.call_id(), glance.branch())
}

fn why(arrow: &Arrow, glance: &Glance, is_reply: bool) -> String {
    let why = match (&glance.start, glance.cseq().1) {
        (StartLine::Request { method, .. }, _) if arrow.transport.is_reliable() => {
            return format!("{method} again, although {} is reliable", arrow.transport.token());
        }
        (StartLine::Request { method, .. }, _) => match &method[..] {
            "INVITE" => "timer A, RFC 3261 §17.1.1.2",
            "ACK" => "for a response that came again, RFC 3261 §13.2.2.4, §17.1.1.2",
            _ => "timer E, RFC 3261 §17.1.2.2",
        },
        (StartLine::Response { .. }, _) if is_reply => {
            "the request came again, RFC 3261 §17.2.1, §17.2.2"
        }
        (StartLine::Response { status: 100..=199, .. }, _) if glance.field("RSeq").is_some() => {
            "no PRACK, RFC 3262 §3"
        }
        (StartLine::Response { status: 100..=199, .. }, _) => {
            "so that nobody gives up, RFC 3261 §13.3.1.1"
        }
        (StartLine::Response { status: 200..=299, .. }, "INVITE") => {
            "no ACK for the 2xx, RFC 3261 §13.3.1.4"
        }
        (StartLine::Response { .. }, "INVITE") => "timer G, no ACK, RFC 3261 §17.2.1",
        (StartLine::Response { .. }, _) => "the request came again, RFC 3261 §17.2.2",
    };
    why.to_owned()
}
