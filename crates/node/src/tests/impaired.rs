//! Impairments on real sockets: what a peer of the box sees of them.

use std::time::{Duration, Instant};

use contract::{BoxOrder, Reply};
use operations::{Impairment, ImpairmentOrder, Share};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};

use super::echo::{Bench, Event, any_port, message, with_echo, within};
use crate::SocketLimits;

async fn impair(bench: &Bench, what: Option<Impairment>) {
    let order = BoxOrder::Impair(ImpairmentOrder { id: 1, seed: 7, peers: None, what });
    let reply = bench.boxes.order("echo", order).expect("the sockets take it");
    assert_eq!(reply.await, Reply::Done(String::new()));
}

async fn client() -> UdpSocket {
    UdpSocket::bind(any_port()).await.expect("a free port")
}

// Each datagram crosses twice: in, and back out.
#[test]
fn the_loss_that_a_peer_measures_is_the_loss_that_was_ordered() {
    const SENT: u32 = 4_000;
    with_echo(SocketLimits::default(), async |bench| {
        let client = client().await;
        let loss = Share::of(0.2);
        impair(bench, Some(Impairment { loss, ..Impairment::default() })).await;
        for burst in 0..SENT / 100 {
            for number in 0..100 {
                let number = burst * 100 + number;
                client.send_to(&number.to_be_bytes(), bench.address).await.expect("sent");
            }
            // The kernel must drop none of them: that would be no impairment.
            let sofar = u64::from((burst + 1) * 100);
            bench.counts_when(|counts| counts.udp_received == sofar).await;
        }
        let counts = bench.counts().await;
        let share = counts.impaired_lost as f64 / f64::from(SENT);
        // 1 - 0.8², with four standard deviations of 4,000 draws.
        assert!((share - 0.36).abs() < 0.031, "{share}");
        assert_eq!(counts.udp_sent + counts.impaired_lost, u64::from(SENT), "{counts:?}");
        let mut arrived = 0;
        let mut buffer = [0; 8];
        while client.try_recv(&mut buffer).is_ok() {
            arrived += 1;
        }
        assert!(arrived <= counts.udp_sent, "{arrived} of {counts:?}");

        impair(bench, None).await;
        client.send_to(b"healed", bench.address).await.expect("sent");
        loop {
            let length = within(client.recv(&mut buffer)).await.expect("received");
            if &buffer[..length] == b"healed" {
                break;
            }
        }
    });
}

#[test]
fn a_delayed_datagram_comes_back_later_by_both_ways_and_a_copy_too() {
    with_echo(SocketLimits::default(), async |bench| {
        let client = client().await;
        let (delay, duplicate) = (Duration::from_millis(150), Share::of(1.0));
        impair(bench, Some(Impairment { delay, duplicate, ..Impairment::default() })).await;
        let sent = Instant::now();
        client.send_to(b"one", bench.address).await.expect("sent");
        let mut buffer = [0; 8];
        within(client.recv(&mut buffer)).await.expect("received");
        assert!(sent.elapsed() >= delay * 2, "{:?}", sent.elapsed());
        // One in, two to the box, and two of each of these back.
        for _ in 0..3 {
            within(client.recv(&mut buffer)).await.expect("received");
        }
        let counts = bench.counts().await;
        assert_eq!((counts.udp_received, counts.impaired_twice, counts.udp_sent), (1, 3, 4));
    });
}

#[test]
fn a_cut_breaks_connections_refuses_new_ones_and_heals() {
    with_echo(SocketLimits::default(), async |bench| {
        let mut stream = TcpStream::connect(bench.address).await.expect("the box listens");
        let peer = stream.local_addr().expect("connected");
        let text = message(10);
        within(stream.write_all(&text)).await.expect("written");
        let mut echoed = vec![0; text.len()];
        within(stream.read_exact(&mut echoed)).await.expect("read");

        impair(bench, Some(Impairment { cut: true, ..Impairment::default() })).await;
        within(stream.write_all(&text)).await.expect("written");
        // Nothing comes back but the end.
        let mut rest = Vec::new();
        let _ = within(stream.read_to_end(&mut rest)).await;
        assert_eq!(rest, b"");
        assert_eq!(bench.event().await, Event::Unreachable(peer));
        let mut refused = TcpStream::connect(bench.address).await.expect("the kernel accepts");
        let _ = within(refused.read_to_end(&mut rest)).await;
        assert_eq!(rest, b"");
        let counts = bench.counts_when(|counts| counts.tcp_cut == 2).await;
        assert_eq!(counts.impaired_lost, 1);

        impair(bench, None).await;
        let mut stream = TcpStream::connect(bench.address).await.expect("the box listens");
        within(stream.write_all(&text)).await.expect("written");
        within(stream.read_exact(&mut echoed)).await.expect("read");
        assert!(echoed == text);
    });
}

// What is lost on a connection comes late: TCP sends it again.
#[test]
fn on_a_connection_nothing_is_lost_and_all_keeps_its_order() {
    with_echo(SocketLimits::default(), async |bench| {
        let mut stream = TcpStream::connect(bench.address).await.expect("the box listens");
        let (loss, jitter) = (Share::of(0.1), Duration::from_millis(5));
        impair(bench, Some(Impairment { loss, jitter, ..Impairment::default() })).await;
        let texts: Vec<u8> = (10..30).flat_map(message).collect();
        within(stream.write_all(&texts)).await.expect("written");
        let mut echoed = vec![0; texts.len()];
        within(stream.read_exact(&mut echoed)).await.expect("read");
        assert!(echoed == texts, "each message once, in order");
        let counts = bench.counts().await;
        assert_eq!((counts.impaired_lost, counts.tcp_received), (0, 20));
        assert!(counts.impaired_late > 20, "{counts:?}");
    });
}
