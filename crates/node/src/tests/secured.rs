//! TLS: messages both ways, and peers that begin it and do not end, or speak something else.

use std::time::Duration;

use sip_proto::Transport;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::rustls::version::{TLS12, TLS13};

use super::echo::{Command, Event, message, within};
use super::secure_lab::{Lab, is_served, with_secure_echo};
use crate::SocketLimits;

async fn connect(lab: &Lab) -> TcpStream {
    TcpStream::connect(lab.tls).await.expect("the box listens")
}

/// What comes before the end.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    let _ = within(stream.read_to_end(&mut rest)).await;
    rest
}

/// A ClientHello of TLS 1.1 (RFC 4346 §7.4.1.2), with two cipher suites of its time.
fn hello_of_tls_1_1() -> Vec<u8> {
    let random = [7; 32];
    let body = [&[3, 2][..], &random, &[0, 0, 4, 0xc0, 0x13, 0, 0x2f, 1, 0]].concat();
    let handshake = [&[1, 0, 0, body.len() as u8][..], &body].concat();
    [&[22, 3, 1, 0, handshake.len() as u8][..], &handshake].concat()
}

#[test]
fn messages_go_both_ways_over_tls_1_2_and_1_3() {
    with_secure_echo(SocketLimits::default(), async |bench, lab| {
        for version in [&TLS12, &TLS13] {
            let mut stream = lab.secured(lab.tls, &[version]).await;
            is_served(&mut stream, &message(60_000)).await;
            is_served(&mut stream, &message(3)).await;
            // RFC 5626 §4.4.1.
            within(stream.write_all(b"\r\n\r\n")).await.expect("written");
            let mut pong = [0; 2];
            within(stream.read_exact(&mut pong)).await.expect("a pong");
            assert_eq!(&pong, b"\r\n");
            let peer = stream.get_ref().0.local_addr().expect("connected");
            within(stream.shutdown()).await.expect("closed");
            assert_eq!(bench.event().await, Event::Unreachable(peer));
        }
        let counts = bench.counts().await;
        assert_eq!((counts.tcp_accepted, counts.tcp_closed, counts.handshakes_failed), (2, 2, 0));
    });
}

// RFC 8996: neither TLS 1.0 nor TLS 1.1.
#[test]
fn tls_1_1_is_refused_with_an_alert() {
    with_secure_echo(SocketLimits::default(), async |bench, lab| {
        let mut old = connect(lab).await;
        within(old.write_all(&hello_of_tls_1_1())).await.expect("written");
        let alert = rest(&mut old).await;
        // RFC 5246 §7.2: alert, fatal; handshake_failure or protocol_version.
        let is_refusal = matches!(alert[..], [21, _, _, 0, 2, 2, 40 | 70]);
        assert!(is_refusal, "{alert:?}");
        bench.counts_when(|counts| counts.handshakes_failed == 1).await;
    });
}

#[test]
fn a_handshake_that_stands_still_hurts_nobody_and_ends() {
    let limits = SocketLimits {
        handshake: Duration::from_millis(300),
        silent_per_source: 40,
        ..SocketLimits::default()
    };
    with_secure_echo(limits, async |bench, lab| {
        let mut halves = Vec::new();
        for length in [0, 1, 5, 20] {
            for _ in 0..5 {
                let mut half = connect(lab).await;
                within(half.write_all(&hello_of_tls_1_1()[..length])).await.expect("written");
                halves.push(half);
            }
        }
        is_served(&mut lab.tls().await, &message(3)).await;
        for mut half in halves {
            rest(&mut half).await;
        }
        bench.counts_when(|counts| counts.handshakes_failed == 20).await;
        is_served(&mut lab.tls().await, &message(3)).await;
    });
}

#[test]
fn a_hundred_handshakes_at_once_are_all_served() {
    let limits = SocketLimits { silent_per_source: 100, ..SocketLimits::default() };
    with_secure_echo(limits, async |bench, lab| {
        let calls = (0..100).map(async |_| {
            is_served(&mut lab.tls().await, &message(300)).await;
        });
        futures_util::future::join_all(calls).await;
        let counts = bench.counts_when(|counts| counts.tcp_closed == 100).await;
        assert_eq!(
            (counts.tcp_accepted, counts.handshakes_failed, counts.tcp_evicted),
            (100, 0, 0)
        );
    });
}

#[test]
fn whoever_speaks_without_tls_is_closed_and_counted() {
    with_secure_echo(SocketLimits::default(), async |bench, lab| {
        let mut plain = connect(lab).await;
        within(plain.write_all(&message(3))).await.expect("written");
        assert_eq!(rest(&mut plain).await, b"");
        let mut noise = connect(lab).await;
        within(noise.write_all(&[0xff; 64])).await.expect("written");
        rest(&mut noise).await;
        bench.counts_when(|counts| counts.handshakes_failed == 2).await;
    });
}

// RFC 5626 §5.3.1: a telephone has no certificate by which it would be called.
#[test]
fn nobody_is_called_over_tls_or_a_websocket() {
    with_secure_echo(SocketLimits::default(), async |bench, lab| {
        for transport in [Transport::Tls, Transport::Ws, Transport::Wss] {
            bench.command(Command::Call(transport, lab.tls));
            assert_eq!(bench.event().await, Event::Unreachable(lab.tls));
        }
        let counts = bench.counts().await;
        assert_eq!((counts.tcp_opened, counts.tcp_unsent), (0, 3));
    });
}
