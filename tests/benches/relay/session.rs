//! Where the two phones of each call send and receive, and the session descriptions that say so.

use std::net::{Ipv4Addr, SocketAddr};

/// Hosts of this benchmark, where nothing else listens. The phones of the A side call, those of the B side answer.
pub(crate) const PHONE_A: Ipv4Addr = Ipv4Addr::new(127, 77, 0, 2);
pub(crate) const PHONE_B: Ipv4Addr = Ipv4Addr::new(127, 77, 0, 3);

/// First RTP port of the phones and of the relays. The kernel gives ports above 32,767 to anybody who asks.
pub(crate) const FIRST_PORT: u16 = 10_000;

/// More calls than any relay carries on a core; their ports stay below those that the kernel gives away.
pub(crate) const MOST_CALLS: usize = 2_400;

/// Sockets of each side: the phones of a side share them, as calls share the gateway of an operator. That leaves the
/// phones' core and the way to them out of what is measured; the relay has ports of its own for each call all the same.
pub(crate) const SOCKETS: usize = 20;

/// Where the relay expects the packets of the two phones of a call.
pub(crate) type Ports = [SocketAddr; 2];

/// The RTP address of a phone of a call. The odd ports are for RTCP (RFC 3550 §11).
pub(crate) fn phone(host: Ipv4Addr, call: usize) -> SocketAddr {
    let offset = u16::try_from(call % SOCKETS * 2).expect("a small number");
    (host, FIRST_PORT + offset).into()
}

/// What a phone says that talks and listens in G.711 A-law, 20 ms a packet.
pub(crate) fn description(media: SocketAddr) -> String {
    let (ip, port) = (media.ip(), media.port());
    format!(
        "v=0\r\no=- {port} 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=ptime:20\r\na=sendrecv\r\n"
    )
}

/// Where a description with one stream wants its packets.
pub(crate) fn media_address(description: &str) -> Option<SocketAddr> {
    let value = |start: &str| description.lines().rev().find_map(|line| line.strip_prefix(start));
    let host: Ipv4Addr = value("c=IN IP4 ")?.trim().parse().ok()?;
    let port = value("m=audio ")?.split_whitespace().next()?.parse().ok()?;
    Some((host, port).into())
}
