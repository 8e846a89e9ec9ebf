//! Messages become calls, and calls are found.

use bytes::Bytes;
use ladder::capture::{WireMessage, packets};
use ladder::watch::{CallList, CallState, Filter, FilterError, csv, story_of_wire};
use ladder::{NamedAddress, Told, join};
use sip_proto::Transport;
use telemetry::BoxKind;

use crate::calls::{
    ALPHA, BETA, CALLER, Named, PSAP, START, TRUNK, at, failover, request, response,
};

fn names() -> Vec<NamedAddress> {
    let named =
        |named: Named| NamedAddress { address: at(named), name: named.1.to_owned(), kind: named.0 };
    vec![named(CALLER), named(TRUNK), named(ALPHA), named(BETA), named(PSAP)]
}

fn wire() -> Vec<WireMessage> {
    let story = join(&failover().0, &Told { names: names(), ..Told::default() });
    packets(&story)
        .into_iter()
        .map(|it| WireMessage {
            at_us: it.at_us,
            from: it.from,
            to: it.to,
            transport: it.transport,
            bytes: it.bytes,
        })
        .collect()
}

fn message(ms: u64, text: &str) -> WireMessage {
    WireMessage {
        at_us: START + ms * 1_000,
        from: at(CALLER),
        to: at(TRUNK),
        transport: Transport::Udp,
        bytes: Bytes::from(text.replace('\n', "\r\n")),
    }
}

#[test]
fn both_legs_of_an_attempt_are_one_call() {
    let mut list = CallList::new(names(), 100);
    let wire = wire();
    for message in &wire {
        list.take(message.clone(), None);
        // A second agent saw it too.
        list.take(WireMessage { at_us: message.at_us + 900, ..message.clone() }, None);
    }
    let rows: Vec<_> = list.rows().collect();
    assert_eq!(rows.len(), 1);
    let (number, row) = rows[0];
    assert_eq!(row.call_ids, ["leg-1", "leg-2"]);
    assert_eq!(row.boxes, ["load-1", "mobile", "alpha", "beta", "samu-59"]);
    assert_eq!((row.state, row.status, row.messages), (CallState::InCall, Some(200), wire.len()));
    assert_eq!((&row.from[..], &row.number[..]), ("sip:+33320@tocsin.example", "112"));
    let story = story_of_wire(list.messages(number), list.names());
    let names: Vec<&str> = story.columns.iter().map(|column| &column.name[..]).collect();
    assert_eq!(names, ["load-1", "mobile", "alpha", "beta", "samu-59"]);
    assert_eq!(story.messages().count(), wire.len());
    assert!(story.messages().nth(1).unwrap().repeat.is_some());
    assert_eq!(story.findings[0].rule, "RFC 3261 §21.5.4");
}

#[test]
fn a_list_without_names_still_puts_the_callee_to_the_right() {
    let story = story_of_wire(&wire(), &[]);
    let names: Vec<&str> = story.columns.iter().map(|column| &column.name[..]).collect();
    assert_eq!(names, [CALLER.2, TRUNK.2, ALPHA.2, BETA.2, PSAP.2]);
    assert_eq!(story.columns[0].kind, None::<BoxKind>);
}

#[test]
fn calls_that_turn_out_to_be_one_are_merged_and_the_oldest_are_forgotten() {
    let plain = |leg: &str| {
        request("INVITE", leg, 1, "h;branch=z9hG4bKx", false, "").replace("Session-ID", "X-Session")
    };
    let mut list = CallList::new(Vec::new(), 2);
    let first = list.take(message(0, &plain("a")), None).unwrap();
    let second = list.take(message(1, &plain("b")), Some("one")).unwrap();
    assert_ne!(first, second);
    assert_eq!(
        list.take(
            message(2, &response("180 Ringing", "INVITE", "a", 1, "h;branch=z9hG4bKx", "")),
            Some("one")
        ),
        Some(first)
    );
    assert_eq!(
        list.rows().map(|(number, row)| (number, row.messages)).collect::<Vec<_>>(),
        [(first, 3)]
    );
    assert_eq!(list.row(first).unwrap().state, CallState::Ringing);
    for (ms, leg) in [(3, "c"), (4, "d"), (5, "e")] {
        list.take(message(ms, &plain(leg)), None);
    }
    let left: Vec<String> = list.rows().map(|(_, row)| row.call_ids.join(" ")).collect();
    assert_eq!(left, ["d", "e"]);
    assert!(list.row(first).is_none() && list.messages(first).is_empty());
    assert_eq!(list.take(message(6, "no SIP"), None), None);
    list.clear();
    assert_eq!(list.rows().count(), 0);
    assert!(list.take(message(7, &plain("e")), None).is_some());
}

#[test]
fn a_state_says_how_far_a_call_is() {
    let via = "h;branch=z9hG4bKx";
    let invite = request("INVITE", "a", 1, via, false, "");
    let answer = |status: &str| response(status, "INVITE", "a", 1, via, "");
    for (texts, state) in [
        (vec![invite.clone()], CallState::Calling),
        (vec![invite.clone(), answer("183 Session Progress")], CallState::Ringing),
        (vec![invite.clone(), answer("486 Busy Here")], CallState::Busy),
        (vec![invite.clone(), answer("503 Service Unavailable")], CallState::Rejected),
        (vec![invite.clone(), answer("302 Moved")], CallState::Diverted),
        (
            vec![invite.clone(), answer("200 OK"), request("BYE", "a", 2, via, true, "")],
            CallState::Completed,
        ),
        (
            vec![
                invite.clone(),
                request("CANCEL", "a", 1, via, false, ""),
                answer("487 Request Terminated"),
            ],
            CallState::Cancelled,
        ),
        (vec![request("OPTIONS", "a", 1, via, false, "")], CallState::Asked),
        (
            vec![
                request("OPTIONS", "a", 1, via, false, ""),
                response("200 OK", "OPTIONS", "a", 1, via, ""),
            ],
            CallState::Answered,
        ),
    ] {
        let mut list = CallList::new(Vec::new(), 10);
        for (ms, text) in (0..).zip(&texts) {
            list.take(message(ms * 1_000, text), None);
        }
        assert_eq!(list.rows().next().unwrap().1.state, state, "{texts:?}");
    }
}

#[test]
fn an_answer_outlives_the_refusal_of_another_leg() {
    let mut list = CallList::new(Vec::new(), 10);
    let (one, two) = ("h;branch=z9hG4bKx", "h;branch=z9hG4bKy");
    for (ms, text) in [
        request("INVITE", "a", 1, one, false, ""),
        request("CANCEL", "a", 1, one, false, ""),
        request("INVITE", "a", 1, two, false, ""),
        response("200 OK", "INVITE", "a", 1, two, ""),
        response("487 Request Terminated", "INVITE", "a", 1, one, ""),
    ]
    .iter()
    .enumerate()
    {
        list.take(message(ms as u64, text), None);
    }
    let row = list.rows().next().unwrap().1;
    assert_eq!((row.state, row.status, row.messages), (CallState::InCall, Some(200), 5));
}

#[test]
fn filters_find_calls_and_refuse_nonsense_in_a_sentence() {
    let mut list = CallList::new(names(), 10);
    wire().into_iter().for_each(|message| {
        list.take(message, None);
    });
    let row = list.rows().next().unwrap().1;
    for (text, shows) in [
        ("", true),
        ("site = beta and status = 200", true),
        ("site = gamma and status >= 500", false),
        ("site=gamma or not status>=500", true),
        ("(state = 'in call' or state = busy) and method = invite", true),
        ("messages > 3 and duration < 5 and number = 112", true),
        ("call_id ~ LEG-2", true),
        ("psap != samu-59", false),
        ("samu", true),
        ("not samu", false),
        ("\"in call\"", true),
        ("from ~ anna", false),
    ] {
        assert_eq!(Filter::parse(text).unwrap().shows(row), shows, "{text}");
    }
    for (text, said) in [
        ("colour = red", "there is no field \"colour\": the fields are number, site"),
        ("status = many", "status is a number, and \"many\" is none"),
        ("site > alpha", "site is a text: compare it with"),
        ("status >=", "after \">=\" something is missing"),
        ("(status = 1", "after \"(\" something is missing"),
        (
            "status = 1 site = b",
            "\"site\" was not expected there; between two conditions write and",
        ),
        ("and", "\"and\" was not expected"),
        ("'open", "a quotation mark is not closed"),
    ] {
        let error = Filter::parse(text).unwrap_err().to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
    assert_eq!(Filter::parse(&"(".repeat(1_000)), Err(FilterError::Deep));
    assert_eq!(Filter::parse(&"a ".repeat(10_000)), Err(FilterError::Long));
    assert_eq!(Filter::parse(&"not ".repeat(1_000)), Err(FilterError::Deep));
}

#[test]
fn a_list_as_csv_holds_no_formula() {
    let mut list = CallList::new(names(), 10);
    let invite = request("INVITE", "=1+1,\"x\"", 1, "h", false, "");
    list.take(message(0, &invite), None);
    let text = csv(list.rows().map(|(_, row)| row));
    let mut lines = text.lines();
    assert_eq!(lines.next().unwrap().split(',').count(), 11);
    let wanted = "1700000000000000,INVITE,sip:+33320@tocsin.example,sip:112@tocsin.example,112,calling,,1,0,load-1 mobile,\"'=1+1,\"\"x\"\"\"";
    assert_eq!(lines.next(), Some(wanted));
}
