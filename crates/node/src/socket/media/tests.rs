use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use futures_util::StreamExt as _;
use media::PlaneSettings;

use super::*;

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn plane(ports: std::ops::RangeInclusive<u16>) -> Plane {
    let settings = PlaneSettings {
        addresses: vec![LOCALHOST],
        ports,
        idle_after: Duration::from_secs(5),
        dated: true,
    };
    Plane::new(&settings, u64::from(std::process::id()), Instant::now(), Duration::ZERO)
}

fn phone() -> UdpSocket {
    let phone = UdpSocket::bind((LOCALHOST, 0)).expect("a free port");
    phone.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    phone
}

fn at(socket: &UdpSocket) -> SocketAddr {
    socket.local_addr().expect("bound")
}

/// A packet with this sequence number.
fn packet(sequence: u16) -> Vec<u8> {
    let header =
        media::rtp::Header { marker: false, payload_type: 8, sequence, timestamp: 0, ssrc: 7 };
    let mut out = Vec::new();
    media::rtp::write(&header, &[0xd5; 160], &mut out);
    out
}

#[test]
fn packets_cross_from_one_port_to_the_other_in_order() {
    crate::run(async {
        let tally = Tally::new(0, 0);
        let (mut sockets, mut waiting) = MediaSockets::new(true, tally.clone()).expect("an epoll");
        let mut plane = plane(20_000..=29_999);
        sockets.provide(&mut plane);
        let (one, other) = (phone(), phone());
        let (a, b) =
            (plane.open(LOCALHOST).expect("a port"), plane.open(LOCALHOST).expect("a port"));
        plane.join(a, b);
        plane.set_peer(a, Some(at(&one)), None);
        plane.set_peer(b, Some(at(&other)), None);
        let to = plane.local(a).expect("open");
        // More than one round, and several packets in one socket.
        for sequence in 0..40 {
            one.send_to(&packet(sequence), to).expect("sent");
        }
        while plane.counts().forwarded < 40 {
            waiting.next().await.expect("the reactor lives");
            sockets.receive(&mut plane, None);
        }
        let mut buffer = [0; 256];
        for sequence in 0..40 {
            let (length, from) = other.recv_from(&mut buffer).expect("relayed");
            assert_eq!((&buffer[..length], Some(from)), (&packet(sequence)[..], plane.local(b)));
        }
        assert_eq!((tally.read().media_unsent, tally.read().media_kernel_drops), (0, 0));
    });
}

#[test]
fn ports_of_others_are_passed_over() {
    crate::run(async {
        let taken = phone();
        let first = at(&taken).port() & !1;
        let last = first.saturating_add(7);
        let (mut sockets, _waiting) = MediaSockets::new(true, Tally::new(0, 0)).expect("an epoll");
        let mut plane = plane(first..=last);
        sockets.provide(&mut plane);
        while let Ok(stream) = plane.open(LOCALHOST) {
            let port = plane.local(stream).expect("open").port();
            assert!(port != at(&taken).port() && port + 1 != at(&taken).port());
        }
    });
}

#[test]
fn a_datagram_is_dated_by_the_kernel() {
    crate::run(async {
        let (mut sockets, mut waiting) =
            MediaSockets::new(true, Tally::new(0, 0)).expect("an epoll");
        let mut plane = plane(20_000..=29_999);
        sockets.provide(&mut plane);
        let one = phone();
        let stream = plane.open(LOCALHOST).expect("a port");
        plane.set_peer(stream, Some(at(&one)), None);
        let to = plane.local(stream).expect("open");
        // 20 ms apart by their timestamps, sent together: only the time of sending counts, however late we read.
        one.send_to(&packet(1), to).expect("sent");
        one.send_to(&packet(2), to).expect("sent");
        let sent = Instant::now();
        while sent.elapsed() < Duration::from_millis(30) {
            std::hint::spin_loop();
        }
        while plane.counts().received < 2 {
            waiting.next().await.expect("the reactor lives");
            sockets.receive(&mut plane, None);
        }
        let report = plane.close(Instant::now(), stream).expect("open");
        assert!(report.longest_gap_us < 20_000, "{}", report.longest_gap_us);
    });
}

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

#[test]
fn after_a_flood_of_calls_the_descriptors_are_given_back() {
    crate::run(async {
        let (mut sockets, mut waiting) =
            MediaSockets::new(true, Tally::new(0, 0)).expect("an epoll");
        let mut plane = plane(20_000..=29_999);
        let open = |sockets: &MediaSockets| sockets.sockets.iter().flatten().count();
        for _ in 0..2 {
            let mut streams = Vec::new();
            while streams.len() < 600 {
                sockets.provide(&mut plane);
                streams.push(plane.open(LOCALHOST).expect("a port"));
            }
            let (flood, files) = (open(&sockets), open_files());
            assert!(flood >= 1_200, "{flood}");
            let last = streams.pop().expect("600");
            for stream in streams {
                plane.close(Instant::now(), stream).expect("open");
                sockets.give_back(&mut plane);
            }
            let left = open(&sockets);
            assert!((256..=386).contains(&left), "{left} of {flood} stay open");
            // Other tests open files meanwhile, but not hundreds.
            assert!(files == 0 || open_files() + 600 < files, "{files} then, {} now", open_files());
            // A call in progress keeps its own, and numbers that were used before serve new calls.
            for (stream, sequence) in [(last, 1), (plane.open(LOCALHOST).expect("a port"), 2)] {
                let phone = phone();
                plane.set_peer(stream, Some(at(&phone)), None);
                let to = plane.local(stream).expect("open");
                let before = plane.counts().received;
                phone.send_to(&packet(sequence), to).expect("sent");
                while plane.counts().received == before {
                    waiting.next().await.expect("the reactor lives");
                    sockets.receive(&mut plane, None);
                }
                plane.close(Instant::now(), stream).expect("open");
            }
        }
    });
}
