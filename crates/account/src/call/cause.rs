//! Why a call ended as it did, in a sentence or two.

use telemetry::BoxKind;

use super::known_call::{KnownAttempt, KnownEvent, KnownRecord};
use crate::text::{plain, seconds};

/// An event explains what follows it within this time, in microseconds; or what it precedes by as much, as clocks and
/// looks go.
const NEAR_US: i64 = 3_000_000;

/// The cause in plain words.
pub(super) fn cause(
    attempt: &KnownAttempt,
    views: &[KnownRecord],
    events: &[KnownEvent],
) -> String {
    let mut text = match &attempt.outcome[..] {
        "answered" => answered(attempt),
        "rejected" => rejected(attempt, views),
        "abandoned" => abandoned(attempt, views),
        "timed_out" => timed_out(attempt, views),
        _ => lost(attempt),
    };
    if attempt.outcome != "answered"
        && let Some(event) = explaining(attempt, views, events)
    {
        let before = attempt.end_us - event.at_us;
        let when = if before >= 0 { "before" } else { "after" };
        let site = event.site.as_deref().map_or_else(String::new, |site| format!("{site}: "));
        text += &format!(
            "\n{} s {when} its end: {} {site}{}",
            seconds(before.abs()),
            event.kind,
            plain(&event.what)
        );
    }
    if let Some(contradiction) = &attempt.contradiction {
        text += &format!("\nthe records contradict each other: {}", plain(contradiction));
    }
    text
}

fn place(attempt: &KnownAttempt) -> String {
    match (&attempt.psap, &attempt.site) {
        (Some(psap), Some(site)) => format!(" by {psap} through site {site}"),
        (Some(psap), None) => format!(" by {psap}"),
        _ => String::new(),
    }
}

fn answered(attempt: &KnownAttempt) -> String {
    let since = |us: i64| seconds(us - attempt.intended_us);
    let answer = attempt.answer_us.unwrap_or(attempt.end_us);
    let mut text = format!(
        "answered{} after {} s; they talked for {} s",
        place(attempt),
        since(answer),
        seconds(attempt.end_us - answer)
    );
    let heard =
        [("the caller", &attempt.heard_by_caller), ("the call taker", &attempt.heard_by_psap)];
    let bad: Vec<String> = heard
        .iter()
        .filter_map(|(who, heard)| match heard.as_deref()? {
            "silent" => Some(format!("{who} heard nothing")),
            "garbled" => Some(format!("{who} heard noise")),
            "wrong_party" => Some(format!("{who} heard somebody else")),
            _ => None,
        })
        .collect();
    let both = heard.iter().all(|(_, heard)| heard.as_deref() == Some("heard"));
    match (bad.is_empty(), both) {
        (true, true) => text += " and heard each other",
        (true, false) => {}
        (false, _) => text += &format!(", but {}", bad.join(", and ")),
    }
    text
}

/// Whoever refused first has the reason: those between it and the caller passed it on.
fn rejected(attempt: &KnownAttempt, views: &[KnownRecord]) -> String {
    let status = attempt.status.map_or_else(String::new, |status| format!(" with {status}"));
    // The first in time; of several at once, the one furthest from the caller.
    let behind = |view: &&KnownRecord| view.kind != BoxKind::Generator.to_string();
    let refused = |view: &&KnownRecord| view.outcome == "rejected";
    let told = views.iter().rev().filter(behind).filter(|view| view.reason.is_some());
    let first = told.filter(refused).min_by_key(|view| view.end_us);
    let Some(view) = first.or_else(|| views.iter().rev().filter(behind).find(refused)) else {
        let why =
            attempt.reason.as_deref().map_or_else(String::new, |why| format!(": {}", plain(why)));
        return format!("rejected{status}{why}; no box behind the caller has a record of it");
    };
    let own = view.status.filter(|own| Some(*own) != attempt.status);
    let own = own.map_or_else(String::new, |own| format!(" (there {own})"));
    let why = view.reason.as_deref().map_or_else(String::new, |why| format!(": {}", plain(why)));
    format!("rejected{status} by {} {}{own}{why}", view.kind, plain(&view.node))
}

fn abandoned(attempt: &KnownAttempt, views: &[KnownRecord]) -> String {
    let waited = seconds(attempt.end_us - attempt.intended_us);
    match attempt.ring_us {
        Some(ring) => format!(
            "the caller gave up after {waited} s; it had rung for {} s{}",
            seconds(attempt.end_us - ring),
            attempt.psap.as_deref().map_or_else(String::new, |psap| format!(" at {psap}"))
        ),
        None => format!("the caller gave up after {waited} s without a ring{}", furthest(views)),
    }
}

fn timed_out(attempt: &KnownAttempt, views: &[KnownRecord]) -> String {
    let why = attempt.why.as_deref().or(attempt.reason.as_deref()).unwrap_or("no final response");
    format!(
        "{} within {} s{}",
        plain(why),
        seconds(attempt.end_us - attempt.intended_us),
        furthest(views)
    )
}

fn furthest(views: &[KnownRecord]) -> String {
    let mut others = views.iter().filter(|view| view.kind != BoxKind::Generator.to_string());
    match others.next_back() {
        Some(view) => format!("; it came as far as {} {}", view.kind, plain(&view.node)),
        None if views.is_empty() => String::new(),
        None => "; no box behind the caller has a record of it".to_owned(),
    }
}

fn lost(attempt: &KnownAttempt) -> String {
    let place =
        attempt.lost_in.as_deref().map_or_else(String::new, |node| format!(" in {}", plain(node)));
    let why = attempt.why.as_deref().or(attempt.reason.as_deref());
    let why = why.map_or_else(String::new, |why| format!(": {}", plain(why)));
    let talked = attempt.answer_us.map_or_else(String::new, |answer| {
        format!(", {} s after the answer", seconds(attempt.end_us - answer))
    });
    let saw = match &attempt.caller_saw[..] {
        "answered" => "; the caller hung up without having noticed",
        _ => "",
    };
    format!("lost{place}{why}{talked}{saw}")
}

/// What an operator may do to a site without hurting a call, and the end of a fault.
const HARMLESS: [&str; 9] = [
    "lock: ",
    "unlock: ",
    "drain: ",
    "show: ",
    "reconnect: ",
    "reconnect ",
    "rejoin: ",
    "refused, ",
    "not given, ",
];

/// The first event that can explain the end of a call: after the last that went well, it touched the site of the call, or one
/// that was tried. Those that follow are what became of it.
fn explaining<'a>(
    attempt: &KnownAttempt,
    views: &[KnownRecord],
    events: &'a [KnownEvent],
) -> Option<&'a KnownEvent> {
    let site_part = |node: &str| node.split('.').next().unwrap_or_default().to_owned();
    let tried = views.iter().flat_map(|view| view.tried.split(", "));
    let own = [&attempt.site, &attempt.lost_in].into_iter().flatten().map(String::as_str);
    let sites: Vec<String> = own.chain(tried).map(site_part).collect();
    let went_well = attempt.answer_us.or(attempt.ring_us).unwrap_or(attempt.intended_us);
    let can_explain = |event: &&KnownEvent| {
        ["command", "hang", "restart", "process", "fault"].contains(&&event.kind[..])
            && event.site.as_deref().is_some_and(|site| sites.contains(&site_part(site)))
            && (went_well - NEAR_US..=attempt.end_us + NEAR_US).contains(&event.at_us)
            && !event.what.starts_with("thaw")
            && !(event.kind == "command"
                && HARMLESS.iter().any(|word| event.what.contains(&format!(": {word}"))))
    };
    events.iter().filter(can_explain).min_by_key(|event| event.at_us)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(outcome: &str) -> KnownAttempt {
        KnownAttempt {
            outcome: outcome.to_owned(),
            caller_saw: outcome.to_owned(),
            site: Some("alpha".to_owned()),
            psap: Some("samu-59".to_owned()),
            intended_us: 10_000_000,
            end_us: 14_000_000,
            ..KnownAttempt::default()
        }
    }

    fn view(kind: BoxKind, node: &str, outcome: &str) -> KnownRecord {
        KnownRecord {
            kind: kind.to_string(),
            node: node.to_owned(),
            outcome: outcome.to_owned(),
            ..KnownRecord::default()
        }
    }

    fn event(at_us: i64, site: &str) -> KnownEvent {
        let (kind, what) = ("restart".to_owned(), "restarts: out of contexts".to_owned());
        KnownEvent { at_us, kind, site: Some(site.to_owned()), what }
    }

    #[test]
    fn a_lost_call_names_the_place_and_what_happened_there() {
        let lost = KnownAttempt {
            answer_us: Some(11_000_000),
            lost_in: Some("alpha".to_owned()),
            why: Some("restarted".to_owned()),
            ..attempt("lost")
        };
        let events =
            [event(1_000_000, "alpha"), event(13_500_000, "beta"), event(13_800_000, "alpha")];
        let text = cause(&lost, &[], &events);
        assert!(text.starts_with("lost in alpha: restarted, 3.000 s after the answer"), "{text}");
        assert!(
            text.contains("0.200 s before its end: restart alpha: restarts: out of contexts"),
            "{text}"
        );
        assert!(!cause(&lost, &[], &events[..2]).contains("restarts:"));
        // The command is the first cause, the restart what became of it; a lock hurts nobody, and what is refused nothing.
        let command = |at_us: i64, what: &str| KnownEvent {
            kind: "command".to_owned(),
            what: what.to_owned(),
            ..event(at_us, "alpha")
        };
        let events = [
            command(11_500_000, "ctl (kim): lock: takes no new calls"),
            command(12_000_000, "ctl (kim): rollback: refused, there is none"),
            command(12_500_000, "ctl (kim): restart: starts again within 5s"),
            event(12_600_000, "alpha"),
        ];
        let text = cause(&lost, &[], &events);
        assert!(
            text.contains("1.500 s before its end: command alpha: ctl (kim): restart"),
            "{text}"
        );
        // What happened in the middle of a long talk is found at its end.
        let long = KnownAttempt { end_us: 90_000_000, ..lost };
        let text = cause(&long, &[], &events);
        assert!(text.contains("77.500 s before its end: command alpha"), "{text}");
    }

    #[test]
    fn a_refusal_is_put_down_to_the_box_that_refused() {
        let refused = KnownRecord {
            status: Some(503),
            reason: Some("no circuit is free".to_owned()),
            ..view(BoxKind::CallServer, "alpha", "rejected")
        };
        // The one that refused last is only the last.
        let later = KnownRecord { end_us: 5, node: "beta".to_owned(), ..refused.clone() };
        let views = [
            view(BoxKind::Generator, "load-1", "rejected"),
            view(BoxKind::TrunkGroup, "mobile", "rejected"),
            refused,
            later,
        ];
        let rejected = KnownAttempt { status: Some(500), ..attempt("rejected") };
        let text = cause(&rejected, &views, &[]);
        assert_eq!(text, "rejected with 500 by call server alpha (there 503): no circuit is free");
        assert!(cause(&rejected, &views[..1], &[]).contains("no box behind the caller"));
    }

    #[test]
    fn calls_without_an_answer_say_how_far_they_came() {
        let views = [
            view(BoxKind::Generator, "load-1", "timed out"),
            view(BoxKind::TrunkGroup, "mobile", "timed out"),
        ];
        assert_eq!(
            cause(&attempt("timed_out"), &views, &[]),
            "no final response within 4.000 s; it came as far as trunk group mobile"
        );
        let rang = KnownAttempt { ring_us: Some(11_000_000), ..attempt("abandoned") };
        assert_eq!(
            cause(&rang, &views, &[]),
            "the caller gave up after 4.000 s; it had rung for 3.000 s at samu-59"
        );
        let silent = KnownAttempt {
            answer_us: Some(11_500_000),
            heard_by_caller: Some("silent".to_owned()),
            heard_by_psap: Some("heard".to_owned()),
            ..attempt("answered")
        };
        let text = cause(&silent, &[], &[]);
        assert_eq!(
            text,
            "answered by samu-59 through site alpha after 1.500 s; they talked for 2.500 s, but the caller heard nothing"
        );
    }
}
