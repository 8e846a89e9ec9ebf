//! The packets of media of a call, each once: what one box sent and another received is one packet.

use std::collections::HashMap;
use std::net::SocketAddr;

use bytes::Bytes;
use trace::{Direction, KeptCall, Seen};

/// RTP or RTCP on its way between two ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaPacket {
    /// Unix microseconds, by the clock of the box that kept it.
    pub at_us: u64,
    /// Who sent it, or, where its sender kept nothing, who received it.
    pub seen_by: String,
    pub from: SocketAddr,
    pub to: SocketAddr,
    /// As on the wire.
    pub bytes: Bytes,
}

/// All that was kept, in the order of time.
pub(crate) fn media_packets(parts: &[KeptCall]) -> Vec<MediaPacket> {
    let mut sent: HashMap<(SocketAddr, SocketAddr, Bytes), usize> = HashMap::new();
    let mut packets = Vec::new();
    for wanted in [Direction::Sent, Direction::Received] {
        for part in parts {
            for entry in &part.entries {
                let (Seen::Report { direction, local, peer, bytes }
                | Seen::Media { direction, local, peer, bytes }) = &entry.seen
                else {
                    continue;
                };
                if *direction != wanted {
                    continue;
                }
                let (from, to) = match direction {
                    Direction::Sent => (*local, *peer),
                    Direction::Received => (*peer, *local),
                };
                let way = (from, to, bytes.clone());
                match direction {
                    Direction::Sent => *sent.entry(way).or_default() += 1,
                    Direction::Received => match sent.get_mut(&way) {
                        Some(copies) if *copies > 0 => {
                            *copies -= 1;
                            continue;
                        }
                        _ => {}
                    },
                }
                let (seen_by, bytes) = (part.seen_by.name.clone(), bytes.clone());
                packets.push(MediaPacket { at_us: entry.at_us, seen_by, from, to, bytes });
            }
        }
    }
    packets.sort_by_key(|packet| packet.at_us);
    packets
}

#[cfg(test)]
mod tests {
    use telemetry::BoxKind;
    use trace::{Entry, TracedBox};

    use super::*;

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    fn part(name: &str, packets: &[(u64, Direction, u16, u16, u8)]) -> KeptCall {
        let address = at(5060);
        let seen_by = TracedBox { kind: BoxKind::CallServer, name: name.to_owned(), address };
        let entry = |&(at_us, direction, local, peer, byte): &(u64, Direction, u16, u16, u8)| {
            let (local, peer, bytes) = (at(local), at(peer), Bytes::from(vec![byte; 20]));
            Entry { at_us, seen: Seen::Media { direction, local, peer, bytes } }
        };
        let entries = packets.iter().map(entry).collect();
        KeptCall { attempt: 1, seen_by, is_cut: false, entries }
    }

    #[test]
    fn a_packet_that_both_ends_kept_is_one_and_a_copy_of_the_network_another() {
        use Direction::{Received, Sent};
        let caller = part("caller", &[(10, Sent, 1, 2, 7), (30, Sent, 1, 2, 8)]);
        let relay = part(
            "relay",
            &[
                (11, Received, 2, 1, 7),
                (12, Sent, 4, 5, 7),
                // The network made a copy, and lost the next one.
                (13, Received, 2, 1, 7),
                // A telephone keeps nothing.
                (40, Received, 4, 5, 9),
            ],
        );
        let packets = media_packets(&[relay, caller]);
        let told: Vec<(u64, &str, u16, u16)> = packets
            .iter()
            .map(|it| (it.at_us, &it.seen_by[..], it.from.port(), it.to.port()))
            .collect();
        let wanted = [
            (10, "caller", 1, 2),
            (12, "relay", 4, 5),
            (13, "relay", 1, 2),
            (30, "caller", 1, 2),
            (40, "relay", 5, 4),
        ];
        assert_eq!(told, wanted);
    }
}
