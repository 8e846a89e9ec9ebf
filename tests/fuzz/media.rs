//! RTP and RTCP, packet by packet and at a plane with streams.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use media::rtcp::{self, Packet};
use media::{Plane, PlaneSettings, rtp};

/// What a packet says is what is written from it.
pub(crate) fn rtp(input: &[u8]) {
    let Some(packet) = rtp::Packet::parse(input) else { return };
    assert!(packet.payload.len() + rtp::HEADER <= input.len());
    assert_eq!(input[0] >> 6, 2);
    let mut out = Vec::new();
    rtp::write(&packet.header, packet.payload, &mut out);
    let again = rtp::Packet::parse(&out).expect("our own packet");
    assert_eq!(again, packet);
}

/// What a report says is what is written from it, and a compound that is sound has no packet that cannot be read.
pub(crate) fn rtcp(input: &[u8]) {
    let packets = match rtcp::parse(input) {
        Ok(packets) => packets,
        Err(why) => return crate::seeds::assert_sentence(&why.to_string()),
    };
    assert!(rtcp::sender_of(input).is_some());
    // RFC 3550 §6.1: what is no report is no first packet; RFC 5761 §4 tells it from RTP.
    assert!(rtcp::is_rtcp(input));
    let mut count = 0;
    for packet in packets {
        count += 1;
        let mut out = Vec::new();
        match packet {
            Packet::Report { ssrc, sender, blocks } => {
                let blocks: Vec<_> = blocks.collect();
                rtcp::write_report(&mut out, ssrc, sender.as_ref(), &blocks, "a@b");
                let mut again = rtcp::parse(&out).expect("our own compound");
                let Some(Packet::Report { ssrc: ssrc2, sender: sender2, blocks: blocks2 }) =
                    again.next()
                else {
                    panic!("our own report");
                };
                assert_eq!(
                    (ssrc2, sender2, blocks2.collect::<Vec<_>>()),
                    (ssrc, sender, blocks.clone())
                );
                let now = rtcp::NtpTime::from_unix(Duration::from_secs(1_000));
                let trips = blocks.iter().filter_map(|block| block.round_trip(now));
                assert!(trips.into_iter().all(|trip| trip <= Duration::from_secs(60)));
            }
            Packet::Description { ssrc, cname: Some(cname) } => {
                rtcp::write_report(&mut out, ssrc, None, &[], cname);
                let mut again = rtcp::parse(&out).expect("our own compound");
                assert!(again.any(|one| one == Packet::Description { ssrc, cname: Some(cname) }));
            }
            Packet::Bye { ssrcs, .. } => assert!(ssrcs.count() <= 31),
            Packet::Description { .. } | Packet::Other { .. } => {}
        }
    }
    assert!(count <= input.len() / 4);
}

/// A plane with two joined streams: datagrams with a length octet before each cross it or are dropped, whoever they are from, and
/// closing gives every port back.
pub(crate) fn plane(input: &[u8]) {
    let (here, now) = (IpAddr::V4(Ipv4Addr::LOCALHOST), Instant::now());
    let settings = PlaneSettings {
        addresses: vec![here],
        ports: 40_000..=40_099,
        idle_after: Duration::from_secs(10),
        dated: false,
    };
    let mut plane = Plane::new(&settings, 1, now, Duration::from_secs(1_000));
    while let Some(port) = plane.wanted_port() {
        plane.port_opened(port);
    }
    let (one, other) = (plane.open(here).expect("a port"), plane.open(here).expect("a port"));
    plane.join(one, other);
    plane.expect(now, one, true);
    let (mut rest, mut at, mut number) = (input, now, 0_u32);
    while let [length, after @ ..] = rest {
        let (datagram, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        number += 1;
        at += Duration::from_millis(20);
        let from = SocketAddr::new(here, 50_000 + (number % 3) as u16);
        if let Some(forward) = plane.handle_datagram(at, number % 4, from, datagram) {
            assert!(forward.to.port() != 0);
        }
        while plane.poll_event().is_some() {}
        let mut out = Vec::new();
        while plane.poll_transmit(at, &mut out).is_some() {
            out.clear();
        }
    }
    for stream in [one, other] {
        assert!(plane.close(at, stream).is_some());
        assert_eq!(plane.local(stream), None);
    }
    assert_eq!(plane.counts().streams, 0);
}
