//! Captures are written and read again; other people's links, fragments and streams are read.

use std::net::SocketAddr;

use bytes::Bytes;
use etherparse::{IpFragOffset, IpNumber, Ipv4Header, PacketBuilder};
use ladder::capture::{CaptureError, CapturedPacket, WireMessage, packets, read, write_pcapng};
use ladder::{Told, join};
use pcap_file::DataLink;
use pcap_file::pcap::{PcapHeader, PcapPacket, PcapWriter};
use sip_proto::Transport;

use crate::calls::{START, failover, request};

fn written(packets: &mut [CapturedPacket]) -> Vec<u8> {
    let mut file = Vec::new();
    let names = [("127.0.0.21".parse().unwrap(), "mobile".to_owned())];
    write_pcapng(&mut file, packets, &names).unwrap();
    file
}

#[test]
fn a_capture_holds_each_message_once_with_what_is_known_of_it() {
    let story = join(&failover().0, &Told::default());
    let mut wanted = packets(&story);
    assert_eq!(wanted.len(), story.messages().count());
    assert_eq!(
        wanted[1].comments,
        [
            "load-1 > mobile, attempt 0123456789abcdef0123456789abcdef, 1.0 ms on its way",
            "again, 0.500 s after 1: timer A, RFC 3261 §17.1.1.2"
        ]
    );
    assert!(wanted[2].comments.contains(&"mobile: seizes a circuit towards alpha".to_owned()));
    let reading = read(&written(&mut wanted)).unwrap();
    assert_eq!(reading.remarks, [""; 0]);
    assert_eq!(reading.messages.len(), wanted.len());
    for (message, packet) in reading.messages.iter().zip(&wanted) {
        assert_eq!((message.at_us, &message.bytes), (packet.at_us, &packet.bytes));
        assert_eq!(message.from.port(), packet.from.port());
        // The PSAP has an address of IPv6, and beta one of IPv4.
        assert_eq!(message.from.ip().to_canonical(), packet.from.ip());
    }
    // A long message over TCP comes in segments.
    let long = request(
        "INVITE",
        "leg-1",
        1,
        "127.0.0.11;branch=z9hG4bKc",
        false,
        &format!("X: {}\n", "x".repeat(60_000)),
    );
    let long = Bytes::from(long.replace('\n', "\r\n"));
    let packet = |at_us: u64| CapturedPacket {
        at_us,
        interface: "mobile".to_owned(),
        from: addr("127.0.0.21:5060"),
        to: addr("[2001:db8::1]:5060"),
        transport: Transport::Tcp,
        bytes: long.clone(),
        comments: Vec::new(),
    };
    let reading = read(&written(&mut [packet(START + 1), packet(START)])).unwrap();
    assert_eq!(reading.packets, 4);
    let read: Vec<(u64, &Bytes)> =
        reading.messages.iter().map(|it| (it.at_us, &it.bytes)).collect();
    assert_eq!(read, [(START, &long), (START + 1, &long)]);
}

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A pcap of these frames.
fn pcap(link: DataLink, frames: &[Vec<u8>]) -> Vec<u8> {
    let header = PcapHeader { datalink: link, ..PcapHeader::default() };
    let mut writer = PcapWriter::with_header(Vec::new(), header).unwrap();
    for (number, frame) in frames.iter().enumerate() {
        let at = std::time::Duration::from_millis(number as u64);
        writer.write_packet(&PcapPacket::new(at, frame.len() as u32, frame).unwrap()).unwrap();
    }
    writer.into_inner()
}

fn options() -> Bytes {
    request("OPTIONS", "leg-1", 1, "192.0.2.1;branch=z9hG4bKc", false, "")
        .replace('\n', "\r\n")
        .into()
}

fn datagram(payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    PacketBuilder::ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64)
        .udp(5060, 5070)
        .write(&mut frame, payload)
        .unwrap();
    frame
}

fn expected(message: &WireMessage) {
    assert_eq!((message.from, message.to), (addr("192.0.2.1:5060"), addr("192.0.2.2:5070")));
    assert_eq!(message.bytes, options());
}

#[test]
fn all_usual_links_are_read() {
    let ip = datagram(&options());
    let before = |head: &[u8]| [head, &ip].concat();
    let mac = [0_u8; 12];
    for (link, frame) in [
        (DataLink::RAW, ip.clone()),
        (DataLink::ETHERNET, before(&[&mac[..], &[8, 0]].concat())),
        (
            DataLink::ETHERNET,
            before(&[&mac[..], &[0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 8, 0]].concat()),
        ),
        (DataLink::NULL, before(&[2, 0, 0, 0])),
        (DataLink::LOOP, before(&[0, 0, 0, 2])),
        (DataLink::LINUX_SLL, before(&[&[0_u8; 14][..], &[8, 0]].concat())),
        (DataLink::LINUX_SLL2, before(&[&[8_u8, 0][..], &[0; 18]].concat())),
    ] {
        let reading = read(&pcap(link, &[frame])).unwrap();
        assert_eq!(reading.messages.len(), 1, "{link:?}: {:?}", reading.remarks);
        expected(&reading.messages[0]);
    }
    let reading = read(&pcap(DataLink::USBPCAP, &[ip])).unwrap();
    assert_eq!(reading.remarks, ["links of the type USBPCAP are not read"]);
}

#[test]
fn fragments_are_put_together() {
    let whole = datagram(&options());
    let part = |from: usize, to: usize, more: bool| {
        let payload = &whole[20 + from..20 + to];
        let mut header = Ipv4Header::new(
            payload.len() as u16,
            64,
            IpNumber::UDP,
            [192, 0, 2, 1],
            [192, 0, 2, 2],
        )
        .unwrap();
        header.identification = 7;
        header.more_fragments = more;
        header.fragment_offset = IpFragOffset::try_new((from / 8) as u16).unwrap();
        header.dont_fragment = false;
        header.header_checksum = header.calc_header_checksum();
        let mut frame = Vec::new();
        header.write(&mut frame).unwrap();
        frame.extend_from_slice(payload);
        frame
    };
    let all = whole.len() - 20;
    let frames = [part(64, 128, true), part(128, all, false), part(0, 64, true)];
    let reading = read(&pcap(DataLink::RAW, &frames)).unwrap();
    assert_eq!(reading.messages.len(), 1);
    expected(&reading.messages[0]);
    assert!(read(&pcap(DataLink::RAW, &frames[..2])).unwrap().messages.is_empty());
}

#[test]
fn a_stream_is_read_whatever_came_late_twice_or_never() {
    let message = options();
    let stream = [&message[..], b"\r\n\r\n", &message, &message].concat();
    let segment = |from: usize, to: usize| {
        let mut frame = Vec::new();
        let builder = PacketBuilder::ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64);
        let sequence = (from as u32).wrapping_sub(100);
        builder.tcp(5060, 5070, sequence, 1_000).write(&mut frame, &stream[from..to]).unwrap();
        frame
    };
    let found = |frames: &[Vec<u8>]| {
        let reading = read(&pcap(DataLink::RAW, frames)).unwrap();
        assert!(
            reading.messages.iter().all(|it| it.bytes == message && it.transport == Transport::Tcp)
        );
        reading.messages.len()
    };
    let end = stream.len();
    assert_eq!(found(&[segment(0, end)]), 3);
    assert_eq!(found(&[segment(0, 50), segment(120, end), segment(20, 90), segment(80, 130)]), 3);
    assert_eq!(
        found(&(0..end - 1).map(|at| segment(at, at + 2)).collect::<Vec<_>>()[..]),
        0,
        "two bytes begin no message"
    );
    // The capture began later: the first whole message is found where a segment begins with it.
    let second = message.len() + 4;
    assert_eq!(found(&[segment(30, 60), segment(second, end)]), 2);
}

#[test]
fn what_is_no_capture_is_refused_and_what_is_cut_is_read_so_far() {
    for (file, error) in [
        (&b""[..], CaptureError::Empty),
        (b"\x1f\x8b\x08", CaptureError::Compressed),
        (b"INVITE sip:112 SIP/2.0", CaptureError::Neither),
        (b"\x0a\x0d\x0d\x0a\0\0", CaptureError::BadHead),
        (b"\xd4\xc3\xb2\xa1\x02", CaptureError::BadHead),
    ] {
        assert_eq!(read(file).unwrap_err(), error);
    }
    let frames = [datagram(&options()), datagram(&options())];
    let whole = pcap(DataLink::RAW, &frames);
    let reading = read(&whole[..whole.len() - 3]).unwrap();
    assert_eq!(reading.messages.len(), 1);
    assert_eq!(
        reading.remarks,
        ["the file ends in the middle of a packet: it was read as far as packet 1"]
    );
    let story = join(&failover().0, &Told::default());
    let whole = written(&mut packets(&story));
    for end in 0..whole.len() {
        if let Ok(reading) = read(&whole[..end]) {
            assert!(reading.messages.len() <= story.messages().count());
        }
    }
}
