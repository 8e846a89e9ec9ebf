//! Loopback addresses that no other test of this machine uses, so that any port of them is free.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU8, Ordering};

static NEXT_HOST: AtomicU8 = AtomicU8::new(1);

/// The first three bytes of every address of this process: 127.64.0 to 127.127.255, by process id.
pub(crate) fn network() -> [u8; 3] {
    let [.., high, low] = std::process::id().to_be_bytes();
    [127, 64 | (high & 63), low]
}

/// An address of its own for one program.
///
/// # Panics
/// After 253 of them.
pub(crate) fn host() -> IpAddr {
    let [a, b, c] = network();
    let host = NEXT_HOST.fetch_add(1, Ordering::Relaxed);
    assert!((1..255).contains(&host), "no loopback address left for another program");
    Ipv4Addr::new(a, b, c, host).into()
}

/// A port that the system finds free for UDP and TCP, for programs that cannot ask for one themselves.
pub(crate) fn free_port(host: IpAddr) -> SocketAddr {
    for _ in 0..100 {
        let udp = UdpSocket::bind((host, 0)).expect("a UDP socket on loopback");
        let address = udp.local_addr().expect("the address of a bound socket");
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no port of {host} is free for both UDP and TCP");
}
