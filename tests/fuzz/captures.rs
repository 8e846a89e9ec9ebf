//! Captures, HEP packets, filters, and whatever a ladder may have to draw.

use bytes::Bytes;
use ladder::capture::{CapturedPacket, WireMessage, is_sip, packets, read, write_pcapng};
use ladder::hep::{decode, encode};
use ladder::render::{Screen, difference, html, json, markdown, mermaid, message, svg, text};
use ladder::watch::{CallList, Filter, csv, story_of_wire};
use sip_proto::Transport;

use crate::seeds::assert_sentence;

/// What is read of a capture is SIP, and the same when it has been written and read again.
pub(crate) fn capture(input: &[u8]) {
    let reading = match read(input) {
        Ok(reading) => reading,
        Err(error) => return assert_sentence(&error.to_string()),
    };
    reading.remarks.iter().for_each(|remark| assert_sentence(remark));
    assert!(reading.messages.iter().all(|message| is_sip(&message.bytes)));
    let mut again: Vec<CapturedPacket> = reading.messages.iter().map(Into::into).collect();
    let mut file = Vec::new();
    // Times of a capture may be any; those of a file that is written end in the year 586524.
    again.iter_mut().for_each(|packet| packet.at_us %= 1 << 60);
    write_pcapng(&mut file, &mut again, &[]).expect("memory takes it");
    let read = read(&file).expect("it was just written");
    let udp = |bytes: &Bytes| bytes.len() <= 65_507;
    let count = |transport| {
        let of = |it: &&WireMessage| it.transport == transport && udp(&it.bytes);
        (reading.messages.iter().filter(of).count(), read.messages.iter().filter(of).count())
    };
    let (before, after) = count(Transport::Udp);
    assert_eq!(before, after);
}

/// A HEP packet says the same once written and read again.
pub(crate) fn hep(input: &[u8]) {
    let packet = match decode(&Bytes::copy_from_slice(input)) {
        Ok(packet) => packet,
        Err(error) => return assert_sentence(&error.to_string()),
    };
    let mut bytes = Vec::new();
    encode(&packet, &mut bytes);
    let again = decode(&bytes.into()).expect("it was just written");
    assert_eq!((again.at_us, again.kind, again.agent), (packet.at_us, packet.kind, packet.agent));
    assert_eq!(again.from.ip().to_canonical(), packet.from.ip().to_canonical());
    assert!(packet.payload.starts_with(&again.payload));
}

/// Whatever stands in messages, every form of their ladder is text without anything hidden; and any text is a filter or is refused.
pub(crate) fn ladder(input: &[u8]) {
    let half = input.len() / 2;
    let mut list = CallList::new(Vec::new(), 4);
    for (number, bytes) in [input, &input[..half], &input[half..], input].into_iter().enumerate() {
        let message = WireMessage {
            at_us: number as u64 * 600_000,
            from: ([127, 0, 0, 1], 5060).into(),
            to: ([127, 0, 0, 2 + (number % 2) as u8], 5060).into(),
            transport: if number % 2 == 0 { Transport::Udp } else { Transport::Tcp },
            bytes: Bytes::copy_from_slice(bytes),
        };
        list.take(message, None);
    }
    let rows = csv(list.rows().map(|(_, row)| row));
    assert_eq!(rows.lines().count(), 1 + list.rows().count());
    for (number, row) in list.rows() {
        let story = story_of_wire(list.messages(number), &[]);
        assert_eq!(story.messages().count(), row.messages);
        let screen = Screen { width: 80, has_colours: false };
        let first = story.message(1).expect("a call has a message");
        let last = story.messages().last().expect("a call has a message");
        let forms = [
            text(&story, screen),
            markdown(&story),
            mermaid(&story),
            svg(&story),
            html(&story),
            json(&story),
            message(&story, first),
            difference(&story, first, last),
        ];
        assert!(
            forms
                .iter()
                .all(|form| !form.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t')))
        );
        assert!(forms[3..5].iter().all(|form| !form.contains("<script")));
        assert_eq!(packets(&story).len(), row.messages);
    }
    if let Err(error) = Filter::parse(&String::from_utf8_lossy(input)) {
        assert!(!error.to_string().trim().is_empty());
    }
}
