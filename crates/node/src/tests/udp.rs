use std::sync::mpsc;

use tokio::net::UdpSocket;

use super::echo::{Command, QUIET, any_port, with_echo, within};
use crate::SocketLimits;

async fn client() -> UdpSocket {
    UdpSocket::bind(any_port()).await.expect("a free port")
}

#[test]
fn bursts_of_datagrams_come_back_whole_and_in_order() {
    with_echo(SocketLimits::default(), async |bench| {
        let client = client().await;
        let mut buffer = [0; 64];
        // A burst fits the default receive buffer of this side.
        for burst in 0..5 {
            for number in burst * 200..(burst + 1) * 200_u32 {
                client.send_to(&number.to_be_bytes(), bench.address).await.expect("sent");
            }
            for number in burst * 200..(burst + 1) * 200_u32 {
                let length = within(client.recv(&mut buffer)).await.expect("received");
                assert_eq!(buffer[..length], number.to_be_bytes());
            }
        }
        let counts = bench.counts().await;
        assert_eq!((counts.udp_received, counts.udp_sent), (1_000, 1_000));
        assert_eq!(counts.udp_kernel_drops + counts.udp_send_errors + counts.udp_delayed, 0);
    });
}

// RFC 3261 §18.1.1: "implementations MUST be able to handle messages up to the maximum datagram
// packet size".
#[test]
fn longest_datagram_is_received_and_sent_whole() {
    with_echo(SocketLimits::default(), async |bench| {
        let client = client().await;
        let longest: Vec<u8> = (0..65_507_u32).map(|number| number as u8).collect();
        client.send_to(&longest, bench.address).await.expect("sent");
        let mut buffer = vec![0; 65_535];
        let length = within(client.recv(&mut buffer)).await.expect("received");
        assert_eq!(buffer[..length], longest);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn datagrams_that_the_kernel_drops_are_counted() {
    const FLOOD: u64 = 400;
    with_echo(SocketLimits::default(), async |bench| {
        let client = client().await;
        let mut flood = vec![0; 60_000];
        flood[..QUIET.len()].copy_from_slice(QUIET);
        let mut buffer = [0; 64];

        // The first exchange also uses up the fresh control buffer of the first slot.
        let (unblock, until) = mpsc::channel();
        client.send_to(b"before", bench.address).await.expect("sent");
        within(client.recv(&mut buffer)).await.expect("received");
        bench.command(Command::Block(until));
        for _ in 0..FLOOD {
            client.send_to(&flood, bench.address).await.expect("sent");
        }
        drop(unblock);
        bench.counts_when(|counts| counts.udp_received > 1).await;
        for marker in [&b"one"[..], b"two"] {
            client.send_to(marker, bench.address).await.expect("sent");
            let length = within(client.recv(&mut buffer)).await.expect("received");
            assert_eq!(&buffer[..length], marker);
        }
        let counts = bench.counts().await;
        assert!(counts.udp_kernel_drops > 0, "{counts:?}");
        assert_eq!(counts.udp_received + counts.udp_kernel_drops, FLOOD + 3);
    });
}
