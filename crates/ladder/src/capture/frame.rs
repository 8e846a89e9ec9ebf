//! Messages as IP packets: with the addresses that they had, and headers that were never on a wire.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use etherparse::{IpHeaders, PacketBuilder, PacketBuilderStep};
use sip_proto::Transport;

use crate::capture::packets::CapturedPacket;

/// What one UDP packet carries at most over IPv4.
const MOST_UDP: usize = 65_507;
/// What one TCP segment carries here.
const MOST_TCP: usize = 32_768;
const HOPS: u8 = 64;
const WINDOW: u16 = 65_535;

/// Numbers the bytes of each connection.
#[derive(Debug, Default)]
pub(super) struct Framer {
    /// The sequence number of the next byte from one address to another.
    next: HashMap<(SocketAddr, SocketAddr), u32>,
}

impl Framer {
    /// The IP packets of a message.
    pub(super) fn frames(&mut self, packet: &CapturedPacket) -> Vec<Vec<u8>> {
        let (from, to) = (packet.from, packet.to);
        match packet.transport {
            Transport::Udp => {
                let payload = &packet.bytes[..packet.bytes.len().min(MOST_UDP)];
                let frame = ip(from, to).udp(from.port(), to.port());
                let mut bytes = Vec::with_capacity(frame.size(payload.len()));
                frame.write(&mut bytes, payload).expect("it is not too long, and memory takes it");
                vec![bytes]
            }
            // What was ciphered is shown in the clear.
            _ => {
                let mut frames = Vec::new();
                for payload in packet.bytes.chunks(MOST_TCP) {
                    let back = *self.next.entry((to, from)).or_insert(1);
                    let next = self.next.entry((from, to)).or_insert(1);
                    let frame =
                        ip(from, to).tcp(from.port(), to.port(), *next, WINDOW).ack(back).psh();
                    *next = next.wrapping_add(u32::try_from(payload.len()).unwrap_or_default());
                    let mut bytes = Vec::with_capacity(frame.size(payload.len()));
                    frame
                        .write(&mut bytes, payload)
                        .expect("it is not too long, and memory takes it");
                    frames.push(bytes);
                }
                frames
            }
        }
    }
}

/// Addresses of two families meet as IPv6 (RFC 4291 §2.5.5.2).
fn ip(from: SocketAddr, to: SocketAddr) -> PacketBuilderStep<IpHeaders> {
    match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => PacketBuilder::ipv4(from.octets(), to.octets(), HOPS),
        (from, to) => PacketBuilder::ipv6(v6(from).octets(), v6(to).octets(), HOPS),
    }
}

const fn v6(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}
