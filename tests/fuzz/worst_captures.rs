//! Captures of 64 KiB that cost a careless reader most: what is small, many, far away, or never complete.

use bytes::Bytes;
use ladder::capture::read;
use ladder::hep::decode;
use ladder::watch::{CallList, Filter, story_of_wire};
use ladder::{Glance, capture::WireMessage};
use sip_proto::Transport;

/// Octets of each input.
const LENGTH: usize = 64 * 1024;

/// What a test of the cost gives to a reader, with a name.
pub(crate) fn inputs() -> Vec<(String, Box<dyn FnMut()>)> {
    let mut all: Vec<(String, Box<dyn FnMut()>)> = Vec::new();
    for (name, file) in files() {
        all.push((format!("capture of {name}"), Box::new(move || drop(read(&file)))));
    }
    let chunks: Bytes = filled(b"HEP3\xff\xfc", |_| b"\0\0\0\x63\0\x06".to_vec(), 65_532).into();
    all.push(("HEP of chunks".to_owned(), Box::new(move || drop(decode(&chunks)))));
    for (name, piece) in [("words", "a and "), ("brackets", "("), ("signs", "= "), ("nots", "not ")]
    {
        let text = piece.repeat(LENGTH / piece.len());
        all.push((format!("filter of {name}"), Box::new(move || drop(Filter::parse(&text)))));
    }
    let head = "OPTIONS sip:a SIP/2.0\r\n";
    for (name, piece) in [
        ("fields", "a:\r\n"),
        ("folds", "\r\n "),
        ("colons", ":"),
        ("parameters", "v:;a=b"),
        ("lines", "\n"),
    ] {
        let text =
            Bytes::from(head.to_owned() + &piece.repeat((LENGTH - head.len()) / piece.len()));
        all.push((format!("glance at {name}"), Box::new(move || drop(Glance::of(&text)))));
    }
    let messages: Vec<WireMessage> = (0..500).map(wire).collect();
    all.push((
        "file: ladder of 500 messages".to_owned(),
        Box::new(move || {
            let mut list = CallList::new(Vec::new(), 10);
            for message in &messages {
                list.take(message.clone(), None);
            }
            drop(story_of_wire(list.messages(0), &[]));
        }),
    ));
    all
}

/// Of one call, each from another address.
fn wire(number: u16) -> WireMessage {
    let text = format!(
        "INVITE sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h;branch={number}\r\nCall-ID: one\r\nCSeq: {number} INVITE\r\n\r\n"
    );
    WireMessage {
        at_us: u64::from(number),
        from: ([127, 0, 0, 1], number).into(),
        to: ([127, 0, 0, 2], number).into(),
        transport: Transport::Udp,
        bytes: text.into(),
    }
}

/// `head`, and pieces as long as there is room.
fn filled(head: &[u8], piece: impl Fn(usize) -> Vec<u8>, length: usize) -> Vec<u8> {
    let mut bytes = head.to_vec();
    for number in 0.. {
        let piece = piece(number);
        if bytes.len() + piece.len() > length {
            break;
        }
        bytes.extend_from_slice(&piece);
    }
    bytes
}

/// The head of a pcap of IP packets.
const PCAP: &[u8] = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x65\0\0\0";

fn files() -> Vec<(&'static str, Vec<u8>)> {
    let pcap =
        |bytes: &dyn Fn(usize) -> Vec<u8>| filled(PCAP, |number| packet(&bytes(number)), LENGTH);
    let section = block(0x0a0d_0d0a, b"\x4d\x3c\x2b\x1a\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff");
    let pcapng = |kind, body: &[u8]| filled(&section, |_| block(kind, body), LENGTH);
    let link = [1, 0, 0, 0, 0, 0, 0, 0];
    let options = filled(&link, |_| b"\x01\0\0\0".to_vec(), LENGTH - 64);
    let flags = |number: usize| 0x2000 | (number * 3 % 8_000) as u16;
    vec![
        ("nothing", pcap(&|_| Vec::new())),
        ("single octets", pcap(&|_| b"\x45".to_vec())),
        ("fragments that lie far away", pcap(&|number| ip(17, number, 0x3ffe, b"12345678"))),
        ("fragments of one packet", pcap(&|number| ip(17, 1, flags(number), b"12345678"))),
        ("segments that came too early", pcap(&early)),
        ("segments of a message without an end", pcap(&endless)),
        ("connections", pcap(&|number| ip(6, number, 0, &segment(number as u16, 1, b"x")))),
        ("interfaces", pcapng(1, &link)),
        ("sections", filled(b"", |_| section.clone(), LENGTH)),
        ("blocks that nobody knows", pcapng(0x0bad, b"")),
        ("blocks that are damaged", pcapng(6, b"\xff\xff\xff\xff")),
        ("options", [section.clone(), block(1, &options)].concat()),
    ]
}

fn early(number: usize) -> Vec<u8> {
    let sequence = (1 << 20) | ((number as u32 * 7_919) % 100_000);
    ip(6, number, 0, &segment(5060, sequence, b"x"))
}

fn endless(number: usize) -> Vec<u8> {
    let first = b"OPTIONS sip:a SIP/2.0\r\n";
    let Some(before) = number.checked_sub(1) else { return ip(6, 0, 0, &segment(5060, 0, first)) };
    let sequence = (first.len() + 5 * before) as u32;
    ip(6, number, 0, &segment(5060, sequence, b"a:b\r\n"))
}

fn packet(bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u32).to_le_bytes();
    [&[0; 8][..], &length, &length, bytes].concat()
}

fn ip(protocol: u8, number: usize, flags: u16, payload: &[u8]) -> Vec<u8> {
    let length = (20 + payload.len() as u16).to_be_bytes();
    let (number, flags) = ((number as u16).to_be_bytes(), flags.to_be_bytes());
    let ends = [64, protocol, 0, 0, 127, 0, 0, 1, 127, 0, 0, 2];
    [&[0x45, 0][..], &length, &number, &flags, &ends, payload].concat()
}

fn segment(from: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let rest = [0, 0, 0, 1, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0];
    [&from.to_be_bytes()[..], &[0x13, 0xc4], &sequence.to_be_bytes(), &rest, payload].concat()
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let length = (12 + body.len() as u32).to_le_bytes();
    [&kind.to_le_bytes()[..], &length, body, &length].concat()
}
