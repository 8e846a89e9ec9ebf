//! Memory of a fixed size for what was seen last, joined call by call.
//!
//! ```text
//!   segments:  [ … e f | g h i | j k ]      k ──before──► h ──before──► e (gone)
//!                                           └ the last of its call
//! ```

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use sip_proto::Transport;

use crate::call_key::{CallKey, CallMap};
use crate::entry::{Direction, Entry, Seen};

/// Memory is taken and given back in pieces of this size.
const SEGMENT: usize = 64 * 1024;
/// Longer messages are kept to this length: UDP carries no longer ones.
const LONGEST: usize = 65_535;
/// How much of the head of an entry is always there.
const HEAD: usize = 52;
/// The port of the box in front of a report: an address of IPv6, or one of IPv4 mapped into it, and its port.
const LOCAL: usize = 18;

/// Where an entry is, counted from the first that ever was: the number of its segment, and its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place(u64);

impl Place {
    const NONE: Self = Self(u64::MAX);

    const fn new(segment: u64, offset: usize) -> Self {
        Self(segment << 17 | offset as u64)
    }

    const fn segment(self) -> u64 {
        self.0 >> 17
    }

    const fn offset(self) -> usize {
        (self.0 & ((1 << 17) - 1)) as usize
    }
}

/// The last things seen, in at most so many bytes.
#[derive(Debug)]
pub(crate) struct Ring {
    segments: VecDeque<Vec<u8>>,
    /// The number of the first segment that is still there.
    first: u64,
    most: usize,
    /// The last entry of each call.
    last: CallMap<Place>,
}

/// What is put down of a thing seen.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sighting<'a> {
    Message { direction: Direction, transport: Transport, peer: SocketAddr, bytes: &'a [u8] },
    Note(&'a str),
    Report { direction: Direction, local: SocketAddr, peer: SocketAddr, bytes: &'a [u8] },
}

impl Ring {
    /// A ring of at most `bytes` of memory, and never less than two segments.
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            segments: VecDeque::new(),
            first: 0,
            most: (bytes / SEGMENT).max(2),
            last: CallMap::default(),
        }
    }

    /// Puts down what was seen of a call.
    pub(crate) fn push(&mut self, call: CallKey, at_us: u64, sighting: Sighting<'_>) {
        let content = match sighting {
            Sighting::Message { bytes, .. } => &bytes[..bytes.len().min(LONGEST)],
            Sighting::Note(text) => &text.as_bytes()[..text.floor_char_boundary(LONGEST)],
            Sighting::Report { bytes, .. } => &bytes[..bytes.len().min(LONGEST - LOCAL)],
        };
        let local = match sighting {
            Sighting::Report { local, .. } => Some(local_of(local)),
            Sighting::Message { .. } | Sighting::Note(_) => None,
        };
        let local = local.as_ref().map_or(&[][..], |local| &local[..]);
        let length = local.len() + content.len();
        let segment = self.room_for(HEAD + length);
        let number = self.first + self.segments.len() as u64 - 1;
        let Some(room) = self.segments.get_mut(segment) else { return };
        let place = Place::new(number, room.len());
        let before = self.last.insert(call, place).unwrap_or(Place::NONE);
        room.extend_from_slice(&head(call, before, at_us, sighting, length));
        room.extend_from_slice(local);
        room.extend_from_slice(content);
    }

    /// Takes all that is left of these calls, in the order in which it was seen; true when what came before is known to be gone. Of a call that
    /// had gone as a whole before it went on, nothing is known.
    pub(crate) fn take(&mut self, calls: &[CallKey]) -> (Vec<Entry>, bool) {
        let taken = self.look(calls);
        calls.iter().for_each(|call| self.forget(*call));
        taken
    }

    /// The same, and it stays.
    pub(crate) fn look(&self, calls: &[CallKey]) -> (Vec<Entry>, bool) {
        let mut found: Vec<(Place, Entry)> = Vec::new();
        let mut is_cut = false;
        for call in calls {
            let mut place = self.last.get(call).copied().unwrap_or(Place::NONE);
            while place != Place::NONE {
                let Some((before, entry)) = self.read(place) else {
                    is_cut = true;
                    break;
                };
                found.push((place, entry));
                place = before;
            }
        }
        found.sort_by_key(|(place, _)| *place);
        found.dedup_by_key(|(place, _)| *place);
        (found.into_iter().map(|(_, entry)| entry).collect(), is_cut)
    }

    /// Whether anything of this call is left.
    pub(crate) fn has(&self, call: CallKey) -> bool {
        self.last.contains_key(&call)
    }

    /// Forgets a call: nobody will ask for it.
    pub(crate) fn forget(&mut self, call: CallKey) {
        self.last.remove(&call);
    }

    /// The segment that has room for so many bytes; the oldest goes when there are too many.
    fn room_for(&mut self, bytes: usize) -> usize {
        let has_room = |segment: &Vec<u8>| segment.capacity() - segment.len() >= bytes;
        if !self.segments.back().is_some_and(has_room) {
            let used = if self.segments.len() >= self.most { self.drop_first() } else { None };
            let mut segment = used.unwrap_or_default();
            segment.reserve_exact(SEGMENT.max(bytes));
            self.segments.push_back(segment);
        }
        self.segments.len() - 1
    }

    /// Gives up the oldest segment, and the calls that were seen last in it.
    fn drop_first(&mut self) -> Option<Vec<u8>> {
        let mut segment = self.segments.pop_front()?;
        let number = self.first;
        self.first += 1;
        let mut offset = 0;
        while let Some(head) = segment.get(offset..offset + HEAD) {
            let call = CallKey(number_at(head, 0));
            if self.last.get(&call) == Some(&Place::new(number, offset)) {
                self.last.remove(&call);
            }
            offset += HEAD + length_at(head);
        }
        segment.clear();
        Some(segment)
    }

    fn read(&self, place: Place) -> Option<(Place, Entry)> {
        let index = usize::try_from(place.segment().checked_sub(self.first)?).ok()?;
        let rest = self.segments.get(index)?.get(place.offset()..)?;
        let (head, rest) = rest.split_at_checked(HEAD)?;
        let content = rest.get(..length_at(head))?;
        let at_us = number_at(head, 16);
        let seen = match *head.get(24)? {
            NOTE => Seen::Note(String::from_utf8_lossy(content).into_owned()),
            kind if kind & REPORT != 0 => {
                let (local, bytes) = content.split_at_checked(LOCAL)?;
                Seen::Report {
                    direction: direction_of(kind),
                    local: address_of(local)?,
                    peer: address_at(head, kind & V6 != 0)?,
                    bytes: Bytes::copy_from_slice(bytes),
                }
            }
            kind => Seen::Message {
                direction: direction_of(kind),
                transport: if kind & TCP == 0 { Transport::Udp } else { Transport::Tcp },
                peer: address_at(head, kind & V6 != 0)?,
                bytes: Bytes::copy_from_slice(content),
            },
        };
        Some((Place(number_at(head, 8)), Entry { at_us, seen }))
    }
}

const SENT: u8 = 1;
const TCP: u8 = 2;
const V6: u8 = 4;
const NOTE: u8 = 8;
const REPORT: u8 = 16;

const fn direction_of(kind: u8) -> Direction {
    if kind & SENT == 0 { Direction::Received } else { Direction::Sent }
}

/// `call 0..8, before 8..16, at 16..24, kind 24, address 25..41, port 41..43, (spare) 43..48, length 48..52`.
fn head(
    call: CallKey,
    before: Place,
    at_us: u64,
    sighting: Sighting<'_>,
    length: usize,
) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[0..8].copy_from_slice(&call.0.to_le_bytes());
    head[8..16].copy_from_slice(&before.0.to_le_bytes());
    head[16..24].copy_from_slice(&at_us.to_le_bytes());
    head[24] = match sighting {
        Sighting::Note(_) => NOTE,
        Sighting::Message { direction, transport, peer, .. } => {
            put_peer(&mut head, direction, peer) | if transport == Transport::Tcp { TCP } else { 0 }
        }
        Sighting::Report { direction, peer, .. } => put_peer(&mut head, direction, peer) | REPORT,
    };
    head[48..52].copy_from_slice(&(length as u32).to_le_bytes());
    head
}

/// Returns what it says of direction and family.
fn put_peer(head: &mut [u8; HEAD], direction: Direction, peer: SocketAddr) -> u8 {
    let family = match peer.ip() {
        IpAddr::V4(ip) => {
            head[25..29].copy_from_slice(&ip.octets());
            0
        }
        IpAddr::V6(ip) => {
            head[25..41].copy_from_slice(&ip.octets());
            V6
        }
    };
    head[41..43].copy_from_slice(&peer.port().to_le_bytes());
    family | if direction == Direction::Sent { SENT } else { 0 }
}

fn local_of(address: SocketAddr) -> [u8; LOCAL] {
    let ip = match address.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    let mut local = [0; LOCAL];
    local[..16].copy_from_slice(&ip.octets());
    local[16..].copy_from_slice(&address.port().to_le_bytes());
    local
}

fn address_of(local: &[u8]) -> Option<SocketAddr> {
    let (ip, port) = local.split_at_checked(16)?;
    let ip = IpAddr::from(<[u8; 16]>::try_from(ip).ok()?).to_canonical();
    Some(SocketAddr::new(ip, u16::from_le_bytes(port.try_into().ok()?)))
}

fn number_at(head: &[u8], at: usize) -> u64 {
    let octets = head.get(at..at + 8).and_then(|octets| octets.try_into().ok());
    octets.map_or(u64::MAX, u64::from_le_bytes)
}

fn length_at(head: &[u8]) -> usize {
    let octets = head.get(48..52).and_then(|octets| octets.try_into().ok());
    octets.map_or(0, u32::from_le_bytes) as usize
}

fn address_at(head: &[u8], is_v6: bool) -> Option<SocketAddr> {
    let ip = if is_v6 {
        IpAddr::from(<[u8; 16]>::try_from(head.get(25..41)?).ok()?)
    } else {
        IpAddr::from(<[u8; 4]>::try_from(head.get(25..29)?).ok()?)
    };
    let port = u16::from_le_bytes(head.get(41..43)?.try_into().ok()?);
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(text: &str) -> Sighting<'_> {
        Sighting::Message {
            direction: Direction::Sent,
            transport: Transport::Tcp,
            peer: ([127, 0, 0, 9], 5090).into(),
            bytes: text.as_bytes(),
        }
    }

    #[test]
    fn what_was_seen_of_a_call_comes_back_in_order() {
        let mut ring = Ring::new(0);
        let (a, b, c) = (CallKey(1), CallKey(2), CallKey(3));
        ring.push(a, 10, message("INVITE"));
        ring.push(b, 11, message("another"));
        ring.push(a, 12, Sighting::Note("seizes a circuit"));
        let peer: SocketAddr = "[2001:db8::7]:5061".parse().expect("an address");
        let received = Seen::Message {
            direction: Direction::Received,
            transport: Transport::Udp,
            peer,
            bytes: Bytes::from_static(b"200"),
        };
        let Seen::Message { direction, transport, bytes, .. } = &received else { unreachable!() };
        let (direction, transport) = (*direction, *transport);
        ring.push(c, 13, Sighting::Message { direction, transport, peer, bytes });
        let locals: [SocketAddr; 2] =
            ["127.0.0.1:40001", "[2001:db8::8]:40001"].map(|it| it.parse().expect("an address"));
        for local in locals {
            let direction = Direction::Sent;
            ring.push(c, 14, Sighting::Report { direction, local, peer, bytes: b"\x80\xc8" });
        }
        let (entries, is_cut) = ring.take(&[c, a, CallKey(9)]);
        assert!(!is_cut);
        let at: Vec<u64> = entries.iter().map(|entry| entry.at_us).collect();
        assert_eq!(at, [10, 12, 13, 14, 14]);
        for (entry, local) in entries[3..].iter().zip(locals) {
            let (direction, bytes) = (Direction::Sent, Bytes::from_static(b"\x80\xc8"));
            assert_eq!(entry.seen, Seen::Report { direction, local, peer, bytes });
        }
        assert_eq!(entries[1].seen, Seen::Note("seizes a circuit".to_owned()));
        assert_eq!(entries[2].seen, received);
        assert_eq!(ring.take(&[a]).0, []);
        assert!(ring.has(b));
    }

    #[test]
    fn an_old_call_is_cut_and_a_dead_one_leaves_nothing() {
        let mut ring = Ring::new(2 * SEGMENT);
        let long = "x".repeat(20_000);
        let (old, dead) = (CallKey(1), CallKey(2));
        ring.push(old, 1, message(&long));
        ring.push(dead, 2, message(&long));
        for at in 3..20 {
            ring.push(old, at, message(&long));
        }
        assert!(!ring.has(dead));
        let (entries, is_cut) = ring.take(&[old]);
        assert!(is_cut && (3..7).contains(&entries.len()), "{}", entries.len());
        assert!(ring.segments.len() == 2 && ring.last.is_empty());
    }

    proptest! {
        #[test]
        fn nothing_is_invented_and_the_newest_is_there(
            pushes in proptest::collection::vec((0_u64..6, 0_usize..70_000), 1..60),
        ) {
            let mut ring = Ring::new(3 * SEGMENT);
            for (at, (call, length)) in pushes.iter().enumerate() {
                ring.push(CallKey(*call), at as u64, message(&"m".repeat(*length)));
            }
            for call in 0..6 {
                let (entries, is_cut) = ring.take(&[CallKey(call)]);
                let own = pushes.iter().enumerate().filter(|(_, (of, _))| *of == call);
                let all: Vec<(u64, usize)> =
                    own.map(|(at, (_, length))| (at as u64, (*length).min(LONGEST))).collect();
                let kept: Vec<(u64, usize)> = entries.iter().map(|entry| match &entry.seen {
                    Seen::Message { bytes, .. } => (entry.at_us, bytes.len()),
                    Seen::Note(_) | Seen::Report { .. } => unreachable!("none was made"),
                }).collect();
                prop_assert!(all.ends_with(&kept));
                prop_assert!(!is_cut || kept.len() < all.len());
                if ring.first == 0 {
                    prop_assert_eq!(kept, all);
                }
            }
        }
    }
}
