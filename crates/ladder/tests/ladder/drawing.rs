//! One story in each form, and hostile texts in all of them.

use ladder::render::{Screen, difference, html, json, markdown, mermaid, message, svg, text};
use ladder::{NamedAddress, RunEvent, Story, Told, join};
use telemetry::BoxKind;

use crate::calls::{ALPHA, CALLER, PSAP, Parts, START, TRUNK, at, failover, request};

const WIDE: Screen = Screen { width: 120, has_colours: false };

fn story() -> Story {
    let named = NamedAddress { address: at(PSAP), name: "samu-59".to_owned(), kind: BoxKind::Psap };
    let event = RunEvent {
        at_us: START + 400_000,
        kind: "command".to_owned(),
        site: Some("alpha".to_owned()),
        text: "ctl (kim): drain: takes no new calls".to_owned(),
    };
    let cause = "lost: no ACK came for the 200".to_owned();
    join(&failover().0, &Told { names: vec![named], events: vec![event], cause, ..Told::default() })
}

#[test]
fn a_terminal_shows_the_ladder() {
    insta::assert_snapshot!("text", text(&story(), WIDE));
    let narrow = text(&story(), Screen { width: 60, has_colours: false });
    insta::assert_snapshot!("narrow", narrow);
    assert!(narrow.lines().all(|line| line.chars().count() <= 60), "{narrow}");
    let coloured = text(&story(), Screen { has_colours: true, ..WIDE });
    let plain: String = coloured
        .split('\u{1b}')
        .enumerate()
        .map(|(place, part)| match place {
            0 => part,
            _ => part.split_once('m').unwrap().1,
        })
        .collect();
    assert_eq!(plain, text(&story(), WIDE));
}

#[test]
fn documents_have_it_as_markdown_or_mermaid() {
    insta::assert_snapshot!("markdown", markdown(&story()));
    insta::assert_snapshot!("mermaid", mermaid(&story()));
}

#[test]
fn programs_have_it_as_json() {
    let json: serde_json::Value = serde_json::from_str(&json(&story())).unwrap();
    assert_eq!(json["columns"][2]["name"], "alpha");
    assert_eq!(json["columns"][2]["kind"], "call_server");
    let first = &json["lines"][0];
    assert_eq!(
        (&first["what"], &first["number"], &first["fate"]),
        (&"message".into(), &1.into(), &"lost".into())
    );
    assert!(first["text"].as_str().unwrap().starts_with("INVITE sip:112@"));
}

#[test]
fn pages_have_it_as_a_picture_with_its_messages_behind_a_click() {
    let story = story();
    let picture = svg(&story);
    let document = roxmltree::Document::parse(&picture).unwrap();
    let links = document
        .descendants()
        .filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "a")))
        .count();
    assert_eq!(links, story.messages().count());
    let page = html(&story);
    assert_eq!(page.matches("<details>").count(), links);
    assert!(page.contains("default-src 'none'") && !page.contains("<script"), "{page}");
    assert!(page.contains("id=\"m12\"") && page.contains("href=\"#m12\""));
}

#[test]
fn a_message_is_shown_as_on_the_wire_and_two_are_compared() {
    let story = story();
    insta::assert_snapshot!("message", message(&story, story.message(2).unwrap()));
    let of = |label: &str, from: usize| {
        story.messages().find(|arrow| arrow.label == label && arrow.from == from).unwrap()
    };
    // What beta changed between its two legs.
    insta::assert_snapshot!("difference", difference(&story, of("INVITE", 1), of("INVITE", 3)));
    let same = of("INVITE", 1);
    assert!(difference(&story, same, same).contains("the same body\n10 lines are the same"));
}

#[test]
fn hostile_texts_stay_texts_in_every_form() {
    const EVIL: &str = "\u{1b}]0;x\u{7}<script>alert(1)</script>\"'&|`;#\u{202e}\u{85}end";
    let mut parts = Parts::of(&[CALLER, TRUNK, ALPHA]);
    parts.0[1].seen_by.name = format!("trunk{EVIL}");
    parts.send(
        0,
        CALLER,
        ALPHA,
        Some(1),
        &request("INVITE", EVIL, 1, EVIL, false, &format!("X: {EVIL}\n")),
    );
    parts.send(5, CALLER, ALPHA, None, &format!("SIP/2.0 500 {EVIL}\nCall-ID: 1\n\n"));
    parts.send(6, CALLER, ALPHA, None, "no message at all");
    parts.0[2]
        .entries
        .push(trace::Entry { at_us: START + 7_000, seen: trace::Seen::Note(EVIL.to_owned()) });
    let event =
        RunEvent { at_us: START + 3, kind: EVIL.to_owned(), site: None, text: EVIL.to_owned() };
    let told = Told { events: vec![event], cause: EVIL.to_owned(), ..Told::default() };
    let story = join(&parts.0, &told);
    let picture = svg(&story);
    roxmltree::Document::parse(&picture).unwrap();
    let first = story.message(1).unwrap();
    for form in [
        text(&story, WIDE),
        text(&story, Screen { width: 20, ..WIDE }),
        markdown(&story),
        mermaid(&story),
        picture,
        html(&story),
        json(&story),
        message(&story, first),
        difference(&story, first, story.message(2).unwrap()),
    ] {
        let is_hidden = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!form.contains(is_hidden), "{form:?}");
    }
    for form in [svg(&story), html(&story), markdown(&story), mermaid(&story)] {
        assert!(!form.contains("<script"), "{form}");
    }
}
