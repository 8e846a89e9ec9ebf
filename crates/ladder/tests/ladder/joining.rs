//! Parts become one story.

use ladder::{Fate, NamedAddress, RunEvent, Told, What, join};
use telemetry::BoxKind;

use crate::calls::{ALPHA, BETA, CALLER, PSAP, Parts, START, TRUNK, at, failover, request};

fn told() -> Told {
    let named = |(kind, name, _): (BoxKind, &str, &str), address| NamedAddress {
        address,
        name: name.to_owned(),
        kind,
    };
    let event = |ms: u64, site: Option<&str>, text: &str| RunEvent {
        at_us: START + ms * 1_000,
        kind: "command".to_owned(),
        site: site.map(str::to_owned),
        text: text.to_owned(),
    };
    Told {
        names: vec![named(PSAP, at(PSAP))],
        events: vec![
            event(400, Some("alpha"), "drain: takes no new calls"),
            event(450, Some("gamma"), "lock"),
            event(90_000, Some("alpha"), "unlock"),
        ],
        ..Told::default()
    }
}

#[test]
fn columns_stand_in_the_order_in_which_the_call_passes_them() {
    let story = join(&failover().0, &told());
    let names: Vec<&str> = story.columns.iter().map(|column| &column.name[..]).collect();
    assert_eq!(names, ["load-1", "mobile", "alpha", "beta", "samu-59"]);
    assert!(story.columns[..4].iter().all(|column| column.has_kept));
    assert!(!story.columns[4].has_kept);
    assert_eq!(story.number, "112");
    assert_eq!(story.gaps, ["of this call nothing was kept at samu-59"]);
    // Nobody's name is known: who was called by beta stands to its right, and who called to the left.
    let story = join(&failover().0[1..3], &Told::default());
    let names: Vec<&str> = story.columns.iter().map(|column| &column.name[..]).collect();
    assert_eq!(names, ["127.0.0.11:5060", "mobile", "alpha", "127.0.0.32:5060"]);
}

#[test]
fn a_message_is_one_arrow_with_both_instants() {
    let story = join(&failover().0, &told());
    let arrows: Vec<_> = story.messages().collect();
    assert!(arrows.iter().enumerate().all(|(at, arrow)| arrow.number as usize == at + 1));
    // The first INVITE was lost; the second is the one that came.
    assert_eq!((arrows[0].fate, arrows[0].received_us), (Fate::Lost, None));
    assert_eq!((arrows[1].fate, arrows[1].sent_us), (Fate::Arrived, Some(500_000)));
    assert_eq!(arrows[1].transit_us(), Some(1_000));
    let repeat = arrows[1].repeat.as_ref().unwrap();
    assert_eq!((repeat.of, repeat.times_before, repeat.after_us), (1, 1, 500_000));
    assert_eq!(repeat.why, "timer A, RFC 3261 §17.1.1.2");
    // Towards a box that kept nothing, and from it.
    let fates: Vec<Fate> =
        arrows.iter().filter(|arrow| arrow.from == 4 || arrow.to == 4).map(|it| it.fate).collect();
    assert_eq!(fates, [Fate::SentOnly, Fate::ReceivedOnly, Fate::ReceivedOnly]);
    let again: Vec<(&str, &str)> = arrows
        .iter()
        .filter_map(|arrow| Some((&arrow.label[..], &arrow.repeat.as_ref()?.why[..])))
        .collect();
    assert_eq!(
        again[1..],
        [
            ("200 OK", "no ACK for the 2xx, RFC 3261 §13.3.1.4"),
            ("200 OK", "no ACK for the 2xx, RFC 3261 §13.3.1.4"),
            ("ACK", "for a response that came again, RFC 3261 §13.2.2.4, §17.1.1.2"),
        ]
    );
}

#[test]
fn notes_and_events_stand_between_the_arrows_that_they_explain() {
    let story = join(&failover().0, &told());
    let said: Vec<(i64, String)> = story
        .lines
        .iter()
        .filter_map(|line| match &line.what {
            What::Note { column, text } => {
                Some((line.at_us, format!("{}: {text}", story.name(*column))))
            }
            What::Event { column, text, .. } => {
                Some((line.at_us, format!("*{}: {text}", story.name(column.unwrap()))))
            }
            What::Message(_) | What::Media { .. } | What::Report { .. } => None,
        })
        .collect();
    assert_eq!(
        said,
        [
            (400_000, "*alpha: drain: takes no new calls".to_owned()),
            (501_000, "mobile: seizes a circuit towards alpha".to_owned()),
            (505_000, "mobile: tries the next site".to_owned()),
        ]
    );
    assert!(story.lines.is_sorted_by_key(|line| line.at_us));
}

#[test]
fn the_standard_is_asked_about_what_is_seen() {
    let story = join(&failover().0, &told());
    let found: Vec<(&str, &str)> =
        story.findings.iter().map(|found| (&found.seen[..], &found.rule[..])).collect();
    assert_eq!(
        found,
        [
            ("alpha refuses mobile with 503 and Retry-After: 10", "RFC 3261 §21.5.4"),
            (
                "beta answers mobile with 200: no ACK came, and it was sent once more",
                "RFC 3261 §13.3.1.4"
            ),
            (
                "mobile answers load-1 with 200: all 2 ACKs of load-1 were lost",
                "RFC 3261 §13.3.1.4"
            ),
        ]
    );
}

#[test]
fn what_a_network_doubled_was_not_sent_again() {
    let mut parts = Parts::of(&[CALLER, TRUNK]);
    let invite = request("INVITE", "leg-1", 1, "127.0.0.11;branch=z9hG4bKc", false, "");
    parts.send(0, CALLER, TRUNK, Some(1), &invite);
    let seen = parts.0[1].entries[0].clone();
    parts.0[1].entries.push(trace::Entry { at_us: seen.at_us + 300, ..seen });
    let story = join(&parts.0, &Told::default());
    let fates: Vec<_> = story.messages().map(|arrow| (arrow.fate, arrow.repeat.clone())).collect();
    assert_eq!(fates, [(Fate::Arrived, None), (Fate::Doubled, None)]);
}

#[test]
fn a_connection_belongs_to_the_box_that_opened_it() {
    let mut parts = Parts::of(&[TRUNK, BETA]);
    let invite = request("INVITE", "leg-1", 1, "127.0.0.21;branch=z9hG4bKc", false, "")
        .replace("/UDP", "/TCP");
    parts.send(0, TRUNK, BETA, Some(1), &invite);
    for entry in &mut parts.0[1].entries {
        let trace::Seen::Message { peer, .. } = &mut entry.seen else { unreachable!() };
        peer.set_port(40_404);
    }
    parts.send(
        5,
        ALPHA,
        BETA,
        Some(1),
        &invite.replace("leg-1", "leg-7").replace("127.0.0.21;", "127.0.0.31:5060;"),
    );
    let trace::Seen::Message { peer, .. } = &mut parts.0[1].entries[1].seen else { unreachable!() };
    peer.set_port(40_405);
    let story = join(&parts.0, &Told::default());
    let names: Vec<&str> = story.columns.iter().map(|column| &column.name[..]).collect();
    assert_eq!(names, ["mobile", "127.0.0.31:5060", "beta"]);
    assert_eq!(
        story.messages().map(|arrow| arrow.fate).collect::<Vec<_>>(),
        [Fate::Arrived, Fate::ReceivedOnly]
    );
}
