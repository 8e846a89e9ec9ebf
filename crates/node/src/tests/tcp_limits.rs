//! Peers that hold connections, send half of what they should, or read nothing: nobody else is locked out.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::echo::{ANSWER, Bench, Command, Event, any_port, message, with_echo, within};
use crate::SocketLimits;

const SOUND: &[u8] = b"OPTIONS sip:127.0.0.21 SIP/2.0\r\nContent-Length: 0\r\n\r\n";

async fn connect(bench: &Bench) -> TcpStream {
    TcpStream::connect(bench.address).await.expect("the box listens")
}

async fn connect_from(bench: &Bench, source: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(source.parse().expect("an address")).expect("a free port");
    socket.connect(bench.address).await.expect("the box listens")
}

async fn is_served(stream: &mut TcpStream) {
    let sound = message(3);
    within(stream.write_all(&sound)).await.expect("written");
    let mut bytes = vec![0; sound.len()];
    within(stream.read_exact(&mut bytes)).await.expect("answered");
    assert_eq!(bytes, sound);
}

/// What comes before the end.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    let _ = within(stream.read_to_end(&mut rest)).await;
    rest
}

#[test]
fn idle_connections_lock_nobody_out() {
    let limits = SocketLimits { connections: 8, silent_per_source: 6, ..SocketLimits::default() };
    with_echo(limits, async |bench| {
        let mut honest = connect_from(bench, "127.0.0.2:0").await;
        is_served(&mut honest).await;
        let mut held = Vec::new();
        for source in ["127.0.0.1:0", "127.0.0.3:0"] {
            for _ in 0..20 {
                held.push(connect_from(bench, source).await);
            }
        }
        // A further one, of the same source and of another, is served.
        for source in ["127.0.0.1:0", "127.0.0.3:0", "127.0.0.4:0"] {
            is_served(&mut connect_from(bench, source).await).await;
        }
        // The one in use has kept its place.
        is_served(&mut honest).await;
        let counts = bench.counts_when(|counts| counts.tcp_evicted >= 33).await;
        assert_eq!(counts.tcp_over_limit, 0);
        // The first ones made room, and hear it.
        assert_eq!(rest(&mut held[0]).await, b"");
        bench.command(Command::Tell);
        assert_eq!(bench.event().await, Event::Told, "nobody was lost with them");
    });
}

#[test]
fn a_connection_that_never_says_anything_is_closed_early() {
    let limits = SocketLimits { silent: Duration::from_millis(20), ..SocketLimits::default() };
    with_echo(limits, async |bench| {
        let mut spoken = connect(bench).await;
        is_served(&mut spoken).await;
        assert_eq!(rest(&mut connect(bench).await).await, b"");
        is_served(&mut spoken).await;
        assert_eq!(bench.counts().await.tcp_idle_closed, 1);
    });
}

#[test]
fn connections_of_the_box_have_places_of_their_own() {
    let limits = SocketLimits { connections: 1, opened: 1, ..SocketLimits::default() };
    with_echo(limits, async |bench| {
        is_served(&mut connect(bench).await).await;
        let listener = TcpListener::bind(any_port()).await.expect("a free port");
        bench.command(Command::Send(listener.local_addr().expect("bound"), 1));
        let (mut opened, _) = within(listener.accept()).await.expect("accepted");
        let mut bytes = vec![0; message(60_000).len()];
        within(opened.read_exact(&mut bytes)).await.expect("sent");
        // The second one has none, as the first has just been used.
        let other = TcpListener::bind(any_port()).await.expect("a free port");
        let peer = other.local_addr().expect("bound");
        bench.command(Command::Send(peer, 1));
        while bench.event().await != Event::Unreachable(peer) {}
        assert_eq!(bench.counts().await.tcp_over_limit, 1);
    });
}

#[test]
fn a_message_that_does_not_end_ends_the_connection_however_its_bytes_trickle() {
    let limits = SocketLimits { arrival: Duration::from_millis(60), ..SocketLimits::default() };
    with_echo(limits, async |bench| {
        let mut whole = connect(bench).await;
        is_served(&mut whole).await;
        let (head, body) =
            (&b"OPTIONS sip:a SIP/2.0\r\nX: "[..], &b"a: SIP\r\nl: 50000\r\n\r\n"[..]);
        for half in [head, body] {
            let mut slow = connect(bench).await;
            within(slow.write_all(half)).await.expect("written");
            // A byte now and then, for as long as it is taken.
            let mut end = [0; 1];
            let closed = within(async {
                loop {
                    let wait = tokio::time::timeout(Duration::from_millis(1), slow.read(&mut end));
                    match wait.await {
                        Ok(read) => return read,
                        Err(_) => drop(slow.write_all(b"x").await),
                    }
                }
            });
            assert!(matches!(closed.await, Ok(0) | Err(_)));
        }
        bench.counts_when(|counts| counts.tcp_unfinished == 2).await;
        // One message after the other is no such thing.
        for _ in 0..20 {
            is_served(&mut whole).await;
        }
    });
}

#[test]
fn a_peer_that_does_not_read_a_message_is_cut_off() {
    let limits = SocketLimits { departure: Duration::from_millis(50), ..SocketLimits::default() };
    with_echo(limits, async |bench| {
        let stream = connect(bench).await;
        let peer = stream.local_addr().expect("connected");
        bench.counts_when(|counts| counts.tcp_accepted == 1).await;
        // More than the buffers of both kernels take, and less than may wait.
        bench.command(Command::Send(peer, 250));
        assert_eq!(bench.event().await, Event::Unreachable(peer));
        assert_eq!(bench.counts().await.tcp_overflows, 1);
    });
}

// RFC 3261 §18.3: only what cannot be framed is lost, not what was sound before it.
#[test]
fn a_sound_request_before_broken_bytes_is_answered() {
    with_echo(SocketLimits::default(), async |bench| {
        let broken = [SOUND, b"garbage\r\n\r\n"].concat();
        for rest_of_it in [&broken[..], &[SOUND, SOUND, &[b'x'; 70_000]].concat()] {
            let mut stream = connect(bench).await;
            // It may close before it has read everything.
            let _ = within(stream.write_all(rest_of_it)).await;
            let answers = rest_of_it.windows(7).filter(|part| *part == b"OPTIONS").count();
            assert_eq!(rest(&mut stream).await, ANSWER.repeat(answers));
        }
        bench.counts_when(|counts| counts.tcp_framing_errors == 2).await;
    });
}

#[test]
fn a_peer_that_closes_its_direction_after_a_request_is_answered() {
    with_echo(SocketLimits::default(), async |bench| {
        for end in [&b""[..], b"OPTIONS sip:half"] {
            let mut stream = connect(bench).await;
            within(stream.write_all(&[SOUND, end].concat())).await.expect("written");
            stream.shutdown().await.expect("closed");
            assert_eq!(rest(&mut stream).await, ANSWER);
        }
    });
}

#[test]
fn a_connection_that_is_reset_inside_a_message_is_counted_and_nobody_else_notices() {
    with_echo(SocketLimits::default(), async |bench| {
        let mut honest = connect(bench).await;
        is_served(&mut honest).await;
        for length in [1, 40, SOUND.len() - 1] {
            let mut rude = connect(bench).await;
            is_served(&mut rude).await;
            within(rude.write_all(&SOUND[..length])).await.expect("written");
            // The kernel sends RST in the place of FIN.
            rude.set_zero_linger().expect("a socket");
            drop(rude);
            is_served(&mut honest).await;
        }
        let counts = bench.counts_when(|counts| counts.tcp_broken == 3).await;
        assert_eq!((counts.tcp_closed, counts.tcp_framing_errors), (0, 0), "{counts:?}");
        is_served(&mut connect(bench).await).await;
    });
}
