//! The ladder of a call of a run: from what its programs kept, also of a hundred thousand calls.

use std::fs;

use account::fixture::START;
use trace::{Direction, Entry, KeptCall, Seen, TraceWriter, TracedBox};

use crate::tests::{demo, desk, state};
use crate::{Folder, call_story};

/// What `process` kept of these calls, each an INVITE that alpha never answers.
fn keep(folder: &Folder, process: &str, attempts: impl Iterator<Item = u128>) {
    fs::create_dir_all(folder.path().join("trace")).expect("a folder");
    let file = fs::File::create(folder.path().join("trace").join(format!("{process}.trace")));
    let mut writer =
        TraceWriter::new(std::io::BufWriter::new(file.expect("a file"))).expect("a trace");
    for attempt in attempts {
        let bytes = format!(
            "INVITE sip:15@mobile SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.9;branch=z9hG4bK{attempt:x}\r\nCall-ID: {attempt:x}\r\n\
             CSeq: 1 INVITE\r\nX-Padding: {}\r\n\r\n",
            "x".repeat(600)
        );
        let seen = Seen::Message {
            direction: Direction::Sent,
            transport: sip_proto::Transport::Udp,
            peer: ([127, 0, 0, 21], 5060).into(),
            bytes: bytes::Bytes::from(bytes),
        };
        let seen_by = TracedBox {
            kind: telemetry::BoxKind::Generator,
            name: process.to_owned(),
            address: ([127, 0, 0, 9], 5060).into(),
        };
        let entries = vec![Entry { at_us: START, seen }];
        writer.write(&KeptCall { attempt, seen_by, is_cut: false, entries }).expect("a call");
    }
    writer.flush().expect("a file");
}

#[test]
fn the_ladder_of_a_call_needs_its_messages() {
    let (_desk, folder) = desk();
    demo(&folder, state(3));
    let told = |word: &str| call_story(folder.path(), word).map_err(|error| error.to_string());
    let id = format!("{:032x}", 1);
    let said = told(&id).expect_err("nothing was kept");
    assert!(said.contains("kept are ") && said.ends_with("run with --trace all"), "{said}");
    keep(&folder, "load-1", [1, 3].into_iter());
    let story = told(&id).expect("a story");
    assert_eq!((&story.attempt, &story.number[..]), (&id, "15"));
    assert!(story.cause.starts_with("answered"), "{}", story.cause);
    let said = told(&format!("{:032x}", 2)).expect_err("it was not kept");
    assert!(said.contains("kept are ") && said.ends_with("run with --trace all"), "{said}");
    let page = ladder::render::html(&story);
    assert!(page.contains("INVITE sip:15@mobile"), "{page}");
}

#[test]
fn a_call_is_found_among_a_hundred_thousand() {
    let (_desk, folder) = desk();
    demo(&folder, state(3));
    for process in ["load-1", "switch-1", "psap-1"] {
        keep(&folder, process, (0..100_000).map(|number| number << 64 | 0xbeef).chain([2]));
    }
    let story = call_story(folder.path(), &format!("{:032x}", 2)).expect("a story");
    assert_eq!(story.columns.len(), 4);
}
