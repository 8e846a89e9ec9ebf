//! What a person sees, and what keys do.

use std::net::UdpSocket;

use bytes::Bytes;
use ladder::capture::{CapturedPacket, WireMessage, read, write_pcapng};
use ladder::hep::{HepKind, HepPacket, encode};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use sip_proto::Transport;

use super::*;
use crate::watch::desk::{Input, Page};

fn message(ms: u64, from: u8, to: u8, text: &str) -> WireMessage {
    WireMessage {
        at_us: 1_700_000_000_000_000 + ms * 1_000,
        from: ([192, 0, 2, from], 5060).into(),
        to: ([192, 0, 2, to], 5060).into(),
        transport: Transport::Udp,
        bytes: Bytes::from(text.replace('\n', "\r\n")),
    }
}

/// Two calls: one through a box in the middle, refused; one that rings.
fn messages() -> Vec<WireMessage> {
    let text = |first: &str, leg: &str, branch: &str, more: &str| {
        format!(
            "{first}\nVia: SIP/2.0/UDP h;branch={branch}\nFrom: <sip:anna@example.com>;tag=a\nTo: <sip:112@example.com>\n\
             Call-ID: {leg}\nCSeq: 1 INVITE\n{more}Content-Length: 0\n\n"
        )
    };
    let invite = "INVITE sip:112@example.com SIP/2.0";
    let id =
        "Session-ID: 0123456789abcdef0123456789abcdef;remote=00000000000000000000000000000000\n";
    vec![
        message(0, 1, 2, &text(invite, "a", "1", id)),
        message(3, 2, 3, &text(invite, "b", "2", id)),
        message(5, 3, 2, &text("SIP/2.0 503 Service Unavailable", "b", "2", "Retry-After: 5\n")),
        message(6, 2, 1, &text("SIP/2.0 503 Service Unavailable", "a", "1", "")),
        message(900, 1, 2, &text(invite, "c\u{1b}[2J", "3", "")),
        message(990, 2, 1, &text("SIP/2.0 180 Ringing", "c\u{1b}[2J", "3", "")),
    ]
}

fn desk() -> Desk {
    let mut desk = Desk::new(Vec::new(), 100, Origin::File("calls.pcap".into()));
    for message in messages() {
        desk.take(Arrival::Message(message, None));
    }
    desk
}

fn press(desk: &mut Desk, keys: &[KeyCode]) {
    for key in keys {
        assert!(!desk.press(KeyEvent::new(*key, KeyModifiers::NONE)), "{key:?} ends it");
    }
}

fn type_in(desk: &mut Desk, text: &str) {
    press(desk, &text.chars().map(KeyCode::Char).collect::<Vec<_>>());
}

fn seen(desk: &Desk, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw::draw(frame, desk)).unwrap();
    terminal.backend().to_string()
}

#[test]
fn the_list_leads_to_ladder_message_and_difference() {
    use KeyCode::{Char, Down, Enter, Esc, F};
    let mut desk = desk();
    insta::assert_snapshot!("list", seen(&desk, 100, 6));
    press(&mut desk, &[Enter]);
    insta::assert_snapshot!("ladder", seen(&desk, 100, 20));
    press(&mut desk, &[Down, Down, Enter]);
    let shown = seen(&desk, 80, 20);
    assert!(
        shown.contains("SIP/2.0 503 Service Unavailable") && shown.contains("Retry-After: 5"),
        "{shown}"
    );
    // The first and the second leg.
    press(&mut desk, &[Esc, KeyCode::Home, Char(' '), Down, Char(' ')]);
    let shown = seen(&desk, 80, 20);
    assert!(shown.contains("~ Call-ID: a") && shown.contains("→ b"), "{shown}");
    press(&mut desk, &[Esc, Esc, F(1)]);
    assert!(seen(&desk, 80, 20).contains("In the list"));
    press(&mut desk, &[Esc]);
    assert_eq!(desk.page(), &Page::List);
    assert!(desk.press(KeyEvent::new(Char('q'), KeyModifiers::NONE)));
}

#[test]
fn a_filter_is_typed_and_a_wrong_one_is_told() {
    use KeyCode::{Backspace, Enter, Esc, F};
    let mut desk = desk();
    press(&mut desk, &[F(3)]);
    type_in(&mut desk, "status >= 500x");
    press(&mut desk, &[Enter]);
    assert!(desk.note.contains("status is a number"), "{}", desk.note);
    press(&mut desk, &[Backspace, Enter]);
    assert_eq!((desk.shown().count(), &desk.input), (1, &None));
    let shown = seen(&desk, 100, 6);
    assert!(shown.contains("1 of 2 calls, filter: status >= 500"), "{shown}");
    press(&mut desk, &[F(7), Esc]);
    assert_eq!(desk.filter_text, "status >= 500");
    press(&mut desk, &[F(5)]);
    assert_eq!(desk.list.rows().count(), 0);
    press(&mut desk, &[KeyCode::Char('p')]);
    assert_eq!(desk.take(Arrival::Message(messages().remove(0), None)), None);
    press(&mut desk, &[Enter, KeyCode::Down]);
    assert!(seen(&desk, 20, 3).contains("tocsin"));
}

#[test]
fn what_is_shown_is_saved_in_the_form_of_its_name_and_nothing_is_overwritten() {
    use KeyCode::{Enter, Esc, F};
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let mut desk = desk();
    let save = |desk: &mut Desk, name: &str| {
        press(desk, &[F(2)]);
        desk.input = Some(Input::Save(path(name)));
        press(desk, &[Enter]);
        desk.note.clone()
    };
    assert!(save(&mut desk, "all.pcapng").starts_with("6 messages in"));
    assert_eq!(read(&std::fs::read(path("all.pcapng")).unwrap()).unwrap().messages, messages());
    press(&mut desk, &[KeyCode::Char(' ')]);
    assert!(save(&mut desk, "one.csv").starts_with("1 call in"));
    assert_eq!(std::fs::read_to_string(path("one.csv")).unwrap().lines().count(), 2);
    assert!(save(&mut desk, "one.csv").contains("cannot write"));
    press(&mut desk, &[Esc]);
    assert!(save(&mut desk, "one.docx").contains("ends in .pcapng or .csv"));
    press(&mut desk, &[Esc, Enter]);
    for ending in ["txt", "md", "mmd", "svg", "html", "json", "pcapng"] {
        assert!(save(&mut desk, &format!("ladder.{ending}")).contains("in "), "{}", desk.note);
        assert!(std::fs::metadata(path(&format!("ladder.{ending}"))).unwrap().len() > 100);
    }
}

#[test]
fn a_hostile_call_id_moves_no_cursor() {
    let mut desk = desk();
    press(&mut desk, &[KeyCode::Down, KeyCode::Enter]);
    for width in [20, 80, 160] {
        assert!(!seen(&desk, width, 12).contains('\u{1b}'));
    }
    press(&mut desk, &[KeyCode::Enter]);
    assert!(seen(&desk, 80, 20).contains("c\\u001b[2J"));
}

#[test]
fn a_file_is_opened_or_refused_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("calls.pcapng");
    let mut packets: Vec<CapturedPacket> = messages().iter().map(Into::into).collect();
    write_pcapng(std::fs::File::create(&file).unwrap(), &mut packets, &[]).unwrap();
    let origin = Origin::of(&file.display().to_string(), folder.path()).unwrap();
    let (_, arrivals) = origin.open().unwrap();
    assert_eq!(arrivals.iter().count(), 6);
    std::fs::write(&file, "no capture").unwrap();
    let said = format!("{:#}", origin.open().unwrap_err());
    assert!(said.contains("is no capture: it is neither pcap nor pcapng"), "{said}");
    let said = format!("{:#}", Origin::of("missing.pcap", folder.path()).unwrap_err());
    assert!(said.contains("there is no file missing.pcap"), "{said}");
}

#[test]
fn packets_of_hep_agents_become_calls() {
    let free = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (_, arrivals) = Origin::Hep(free).open().unwrap();
    let agent = UdpSocket::bind("127.0.0.1:0").unwrap();
    agent.send_to(b"no HEP", free).unwrap();
    for message in messages() {
        let packet = HepPacket {
            from: message.from,
            to: message.to,
            transport: message.transport,
            at_us: message.at_us,
            kind: HepKind::SIP,
            agent: 1,
            node_name: None,
            auth_key: None,
            correlation_id: Some("one".to_owned()),
            payload: message.bytes,
        };
        let mut bytes = Vec::new();
        encode(&packet, &mut bytes);
        agent.send_to(&bytes, free).unwrap();
    }
    let mut desk = Desk::new(Vec::new(), 100, Origin::Hep(free));
    for arrival in arrivals.iter().take(7) {
        desk.take(arrival);
    }
    // What the agent says joins them all.
    assert_eq!(desk.list.rows().map(|(_, row)| row.messages).collect::<Vec<_>>(), [6]);
    assert!(desk.remarks[0].contains("1 packets were no HEP"), "{:?}", desk.remarks);
}
