//! What a standard says of what is seen in a ladder: what happened, what was expected, and where that is written.

use std::collections::BTreeMap;

use crate::glance::Glance;
use crate::story::{Arrow, Fate, Finding, Story};

/// 64·T1 with the T1 of RFC 3261 §17.1.1.1: a shorter story says nothing of what would have come.
const GIVE_UP_US: i64 = 32_000_000;

/// A transaction as its two ends saw it: one hop.
#[derive(Debug)]
struct Hop<'a> {
    from: usize,
    to: usize,
    method: String,
    requests: Vec<&'a Arrow>,
    responses: Vec<(u16, &'a Arrow, Glance)>,
    branch: String,
    call_id: String,
    cseq: Option<u32>,
}

impl Hop<'_> {
    fn last_status(&self) -> Option<u16> {
        self.responses.iter().map(|(status, ..)| *status).rfind(|status| *status >= 200)
    }

    fn first_number(&self) -> u32 {
        self.requests.first().map_or(0, |arrow| arrow.number)
    }
}

/// All findings, in the order of the messages that show them.
pub(crate) fn findings(story: &Story) -> Vec<Finding> {
    let messages: Vec<(&Arrow, Glance)> =
        story.messages().filter_map(|arrow| Some((arrow, Glance::of(&arrow.bytes)?))).collect();
    let hops = hops(&messages);
    let last_us = story.lines.last().map_or(0, |line| line.at_us);
    let mut found = Vec::new();
    for hop in &hops {
        let (from, to) = (story.name(hop.from), story.name(hop.to));
        match &hop.method[..] {
            "INVITE" => {
                found.extend(no_final(hop, &hops, from, to, last_us));
                found.extend(refusal(hop, from, to));
                found.extend(no_ack(hop, &messages, from, to));
            }
            "CANCEL" => found.extend(cancelled(hop, &hops, from, to)),
            "ACK" => {}
            _ => found.extend(plain(hop, from, to, last_us)),
        }
    }
    found.sort_by_key(|finding| finding.messages.first().copied());
    found
}

fn hops<'a>(messages: &[(&'a Arrow, Glance)]) -> Vec<Hop<'a>> {
    let mut hops: Vec<Hop<'a>> = Vec::new();
    let mut known: BTreeMap<(usize, usize, String), usize> = BTreeMap::new();
    for (arrow, glance) in messages {
        let (cseq, method) = glance.cseq();
        let key = format!("{} {} {cseq:?} {method}", glance.call_id(), glance.branch());
        match glance.status() {
            None => {
                let at = *known.entry((arrow.from, arrow.to, key)).or_insert_with(|| {
                    hops.push(Hop {
                        from: arrow.from,
                        to: arrow.to,
                        method: glance.method().to_owned(),
                        requests: Vec::new(),
                        responses: Vec::new(),
                        branch: glance.branch().to_owned(),
                        call_id: glance.call_id().to_owned(),
                        cseq,
                    });
                    hops.len() - 1
                });
                hops[at].requests.push(arrow);
            }
            Some(status) => {
                if let Some(at) = known.get(&(arrow.to, arrow.from, key)) {
                    hops[*at].responses.push((status, arrow, glance.clone()));
                }
            }
        }
    }
    hops
}

fn finding(messages: Vec<u32>, seen: String, expected: &str, rule: &str) -> Option<Finding> {
    Some(Finding { messages, seen, expected: expected.to_owned(), rule: rule.to_owned() })
}

/// An INVITE that nobody answered to the end.
fn no_final(
    hop: &Hop<'_>,
    hops: &[Hop<'_>],
    from: &str,
    to: &str,
    last_us: i64,
) -> Option<Finding> {
    let is_cancelled = || {
        hops.iter().any(|other| {
            other.method == "CANCEL" && other.branch == hop.branch && other.to == hop.to
        })
    };
    if hop.last_status().is_some() {
        return None;
    }
    let numbers = vec![hop.first_number()];
    let sent = hop.requests.first()?;
    let waited = last_us - sent.at_us();
    if hop.responses.is_empty() {
        let lost = hop.requests.iter().filter(|arrow| arrow.fate == Fate::Lost).count();
        let times = hop.requests.len();
        let lost = if lost > 0 {
            format!("; {lost} of {times} were lost on the way")
        } else {
            String::new()
        };
        let gave_up = if waited >= GIVE_UP_US { "" } else { "; the story ends before" };
        return finding(
            numbers,
            format!("{to} answers the INVITE of {from} with nothing at all{lost}{gave_up}"),
            "sent again after T1, 2·T1 … (timer A), given up after 64·T1 (timer B), which counts as 408",
            "RFC 3261 §17.1.1.2",
        );
    }
    if is_cancelled() {
        return None;
    }
    finding(
        numbers,
        format!("{to} answers the INVITE of {from} with no final response"),
        "a proxy waits for timer C, more than three minutes after the last provisional response, and then cancels",
        "RFC 3261 §16.6, §16.8",
    )
}

/// What a refusal means, where the standard gives it a consequence.
fn refusal(hop: &Hop<'_>, from: &str, to: &str) -> Option<Finding> {
    let (status, arrow, glance) =
        hop.responses.iter().find(|(status, ..)| (300..700).contains(status))?;
    let retry = glance.field("Retry-After");
    let (expected, rule) = match (*status, retry) {
        (503, Some(_)) => (
            "nothing more is sent there for that long; a proxy tries another place",
            "RFC 3261 §21.5.4",
        ),
        (503, None) => (
            "without Retry-After it counts as 500; a proxy tries another place",
            "RFC 3261 §21.5.4",
        ),
        (500, _) => {
            ("the request may be tried again, after Retry-After if it is there", "RFC 3261 §21.5.1")
        }
        (408, _) => (
            "nobody answered in time; the same request may be sent again later",
            "RFC 3261 §21.4.9",
        ),
        (404, _) => (
            "the number is known to nobody there: it is wrong, or the route is",
            "RFC 3261 §21.4.5",
        ),
        (407 | 401, _) => ("the INVITE comes again with credentials", "RFC 3261 §22.2, §22.3"),
        (420, _) => ("the INVITE comes again without what Unsupported names", "RFC 3261 §21.4.15"),
        (422, _) => ("the INVITE comes again with a longer Session-Expires", "RFC 4028 §7.3"),
        (480, _) => ("reached, and nobody can take the call at present", "RFC 3261 §21.4.18"),
        (481, _) => (
            "there is no such dialog any more: whoever sent it ends the dialog",
            "RFC 3261 §12.2.1.2",
        ),
        (482 | 483, _) => ("the request went round: a route leads back", "RFC 3261 §16.3"),
        (486 | 600, _) => ("called, and busy", "RFC 3261 §21.4.24, §21.6.1"),
        (488, _) => {
            ("the offer has nothing that the other side can do", "RFC 3261 §21.4.26, RFC 3264 §6")
        }
        (491, _) => {
            ("both sides changed the session at once: again after a random time", "RFC 3261 §14.1")
        }
        (300..=399, _) => {
            ("the INVITE is sent to the Contacts of the response", "RFC 3261 §8.1.3.4")
        }
        _ => return None,
    };
    let retry = retry.map_or_else(String::new, |retry| format!(" and Retry-After: {retry}"));
    finding(vec![arrow.number], format!("{to} refuses {from} with {status}{retry}"), expected, rule)
}

/// A final response whose ACK never came, or came too late to stop its repetition.
fn no_ack(hop: &Hop<'_>, messages: &[(&Arrow, Glance)], from: &str, to: &str) -> Option<Finding> {
    let (status, first, _) = hop.responses.iter().find(|(status, ..)| *status >= 200)?;
    let repeats = hop.responses.iter().filter(|(again, ..)| again == status).count() - 1;
    let acks: Vec<&Arrow> = messages
        .iter()
        .filter(|(_, glance)| {
            glance.is_request("ACK")
                && glance.call_id() == hop.call_id
                && glance.cseq().0 == hop.cseq
        })
        .map(|(arrow, _)| *arrow)
        .filter(|arrow| arrow.from == hop.from && arrow.to == hop.to)
        .collect();
    let arrived = acks.iter().any(|arrow| arrow.fate != Fate::Lost);
    // A 2xx is for the two ends: between them a box may be passed by (RFC 3261 §13.2.2.4).
    let passed_by = (200..300).contains(status) && repeats == 0;
    if arrived || (acks.is_empty() && passed_by) {
        return None;
    }
    let sent = match (acks.len(), repeats) {
        (0, 0) => "no ACK came".to_owned(),
        (0, 1) => "no ACK came, and it was sent once more".to_owned(),
        (0, _) => format!("no ACK came, and it was sent {repeats} times more"),
        (1, _) => format!("the ACK of {from} was lost"),
        (acks, _) => format!("all {acks} ACKs of {from} were lost"),
    };
    let numbers = std::iter::once(first.number).chain(acks.iter().map(|ack| ack.number)).collect();
    let seen = format!("{to} answers {from} with {status}: {sent}");
    if (200..300).contains(status) {
        return finding(
            numbers,
            seen,
            "the 2xx is sent again until an ACK comes; without one for 64·T1 the callee ends the session with BYE",
            "RFC 3261 §13.3.1.4",
        );
    }
    finding(
        numbers,
        seen,
        "each hop acknowledges a refusal; until then it is sent again (timer G), for 64·T1 (timer H)",
        "RFC 3261 §17.2.1",
    )
}

/// A CANCEL is answered, and so is what it cancels.
fn cancelled(hop: &Hop<'_>, hops: &[Hop<'_>], from: &str, to: &str) -> Option<Finding> {
    let invite = hops.iter().find(|other| {
        other.method == "INVITE"
            && other.branch == hop.branch
            && other.from == hop.from
            && other.to == hop.to
    });
    let numbers = vec![hop.first_number()];
    if hop.responses.is_empty() {
        return finding(
            numbers,
            format!("{to} does not answer the CANCEL of {from}"),
            "200 for a CANCEL that matches a transaction, 481 for one that does not",
            "RFC 3261 §9.2",
        );
    }
    match invite.and_then(Hop::last_status) {
        Some(487) => finding(
            numbers,
            format!("{from} gives up: {to} ends the INVITE with 487"),
            "200 for the CANCEL, 487 for the INVITE",
            "RFC 3261 §9.2",
        ),
        Some(status) if (200..300).contains(&status) => finding(
            numbers,
            format!("{from} gives up too late: {to} had answered with {status}"),
            "a CANCEL has no effect on what has its final response; the caller sends ACK and BYE",
            "RFC 3261 §9.1, §15",
        ),
        Some(_) => None,
        None => finding(
            numbers,
            format!("{from} gives up, and {to} never ends the INVITE"),
            "487 for the INVITE; after 64·T1 the caller takes it for cancelled",
            "RFC 3261 §9.1, §9.2",
        ),
    }
}

/// Requests inside the dialog, and whatever else is no INVITE.
fn plain(hop: &Hop<'_>, from: &str, to: &str, last_us: i64) -> Option<Finding> {
    let numbers = vec![hop.first_number()];
    let sent = hop.requests.first()?.at_us();
    match hop.last_status() {
        None => {
            let gave_up = if last_us - sent >= GIVE_UP_US { "" } else { "; the story ends before" };
            let lost = hop.requests.iter().filter(|arrow| arrow.fate == Fate::Lost).count();
            let lost = match lost {
                0 => String::new(),
                lost => format!("; {lost} of {} were lost on the way", hop.requests.len()),
            };
            finding(
                numbers,
                format!("{to} does not answer the {} of {from}{lost}{gave_up}", hop.method),
                "sent again (timer E), given up after 64·T1 (timer F)",
                "RFC 3261 §17.1.2.2",
            )
        }
        Some(481) if hop.method != "CANCEL" => finding(
            numbers,
            format!("{to} knows nothing of the dialog in which {from} sends {}", hop.method),
            "whoever gets 481 takes the dialog for ended",
            "RFC 3261 §12.2.1.2",
        ),
        Some(_) => None,
    }
}
