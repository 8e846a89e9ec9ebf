use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::echo::{Bench, Command, Event, any_port, message, with_echo, within};
use crate::SocketLimits;

async fn connect(bench: &Bench) -> TcpStream {
    TcpStream::connect(bench.address).await.expect("the box listens")
}

async fn write(stream: &mut TcpStream, bytes: &[u8]) {
    within(stream.write_all(bytes)).await.expect("written");
}

/// Reads as many bytes as `expected` has.
async fn expect(stream: &mut TcpStream, expected: &[u8]) {
    let mut bytes = vec![0; expected.len()];
    within(stream.read_exact(&mut bytes)).await.expect("read");
    assert!(bytes == expected, "the bytes differ");
}

async fn expect_end(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    // A reset ends a connection as well: the box may close before it has read everything.
    let _ = within(stream.read_to_end(&mut rest)).await;
    assert_eq!(rest, b"");
}

#[test]
fn long_message_in_pieces_comes_back_on_its_connection() {
    with_echo(SocketLimits::default(), async |bench| {
        let mut stream = connect(bench).await;
        let long = message(60_000);
        for piece in long.chunks(7_001) {
            write(&mut stream, piece).await;
        }
        expect(&mut stream, &long).await;
        let counts = bench.counts_when(|counts| counts.tcp_sent == 1).await;
        assert_eq!((counts.tcp_accepted, counts.tcp_received), (1, 1));
    });
}

// RFC 5626 §4.4.1: a double CRLF is answered with a single one.
#[test]
fn ping_gets_a_pong() {
    with_echo(SocketLimits::default(), async |bench| {
        let mut stream = connect(bench).await;
        write(&mut stream, b"\r\n\r\n").await;
        expect(&mut stream, b"\r\n").await;
    });
}

#[test]
fn bad_framing_closes_the_connection_and_is_counted() {
    with_echo(SocketLimits::default(), async |bench| {
        let mut stream = connect(bench).await;
        let peer = stream.local_addr().expect("connected");
        write(&mut stream, b"MESSAGE sip:15@127.0.0.1 SIP/2.0\r\nContent-Length: -1\r\n\r\n").await;
        expect_end(&mut stream).await;
        assert_eq!(bench.event().await, Event::Unreachable(peer));
        assert_eq!(bench.counts().await.tcp_framing_errors, 1);
    });
}

#[test]
fn message_beyond_the_limit_closes_the_connection() {
    let limits = SocketLimits { message: 1_000, ..SocketLimits::default() };
    with_echo(limits, async |bench| {
        let mut stream = connect(bench).await;
        write(&mut stream, &message(1_000)).await;
        expect_end(&mut stream).await;
        bench.counts_when(|counts| counts.tcp_framing_errors == 1).await;
    });
}

#[test]
fn node_opens_a_connection_from_its_own_address() {
    with_echo(SocketLimits::default(), async |bench| {
        let listener = TcpListener::bind(any_port()).await.expect("a free port");
        let peer = listener.local_addr().expect("bound");
        bench.command(Command::Send(peer, 2));
        let (mut stream, from) = within(listener.accept()).await.expect("accepted");
        assert_eq!(from.ip(), bench.address.ip());
        expect(&mut stream, &message(60_000).repeat(2)).await;
        assert_eq!(bench.counts().await.tcp_opened, 1);
    });
}

#[test]
fn peer_that_does_not_listen_is_unreachable() {
    with_echo(SocketLimits::default(), async |bench| {
        // Bound but not listening: nobody else can take the port meanwhile.
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind(any_port()).expect("a free port");
        let peer = socket.local_addr().expect("bound");
        bench.command(Command::Send(peer, 1));
        assert_eq!(bench.event().await, Event::Unreachable(peer));
        let counts = bench.counts().await;
        assert_eq!((counts.tcp_connect_errors, counts.tcp_unsent), (1, 1));
    });
}

#[test]
fn peer_that_closes_is_unreachable() {
    with_echo(SocketLimits::default(), async |bench| {
        let stream = connect(bench).await;
        let peer = stream.local_addr().expect("connected");
        drop(stream);
        assert_eq!(bench.event().await, Event::Unreachable(peer));
        assert_eq!(bench.counts().await.tcp_closed, 1);
    });
}

#[test]
fn peer_that_does_not_read_is_cut_off() {
    let limits = SocketLimits { connection_queue: 4, ..SocketLimits::default() };
    with_echo(limits, async |bench| {
        let stream = connect(bench).await;
        let peer = stream.local_addr().expect("connected");
        bench.counts_when(|counts| counts.tcp_accepted == 1).await;
        bench.command(Command::Send(peer, 5)); // at once, before the connection can write any
        assert_eq!(bench.event().await, Event::Unreachable(peer));
        assert_eq!(bench.counts().await.tcp_overflows, 1);
    });
}

#[test]
fn connection_beyond_the_limit_is_refused() {
    let limits = SocketLimits { connections: 1, ..SocketLimits::default() };
    with_echo(limits, async |bench| {
        let mut first = connect(bench).await;
        write(&mut first, &message(3)).await;
        expect(&mut first, &message(3)).await;
        let mut second = connect(bench).await;
        expect_end(&mut second).await;
        assert_eq!(bench.counts().await.tcp_over_limit, 1);
        write(&mut first, &message(3)).await;
        expect(&mut first, &message(3)).await;
    });
}

#[test]
fn idle_connection_is_closed_and_nobody_is_lost() {
    let limits = SocketLimits { idle: Duration::from_millis(20), ..SocketLimits::default() };
    with_echo(limits, async |bench| {
        let mut stream = connect(bench).await;
        expect_end(&mut stream).await;
        bench.counts_when(|counts| counts.tcp_idle_closed == 1).await;
        bench.command(Command::Tell);
        assert_eq!(bench.event().await, Event::Told); // and no Unreachable before it
    });
}
