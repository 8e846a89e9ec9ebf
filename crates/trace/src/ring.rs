//! Memory of a fixed size for what was seen last, joined call by call when somebody asks for a call.
//!
//! ```text
//!   full segments: [ a b c ] [ d e f ] [ g h i ]   current: [ j k
//!                                         └ joined so far: what is behind was only put down
//!   e ◄──before── h ◄── the last of its call that is joined
//! ```
//!
//! To put a message down is to copy it: its Call-ID is looked for when it is joined, which is never as long as nothing goes wrong.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bytes::Bytes;
use sip_proto::Transport;

use crate::call_key::{CallKey, CallMap};
use crate::entry::{Direction, Entry, Seen};

/// Memory is taken and given back in pieces of this size: room for the contents of so many entries, and for their heads.
const SEGMENT: usize = 64 * 1024;
const HEADS: usize = 200;
const CONTENTS: usize = SEGMENT - HEADS * size_of::<Head>();
/// Longer messages are kept to this length: UDP carries no longer ones.
const LONGEST: usize = 65_535;
/// The port of the box in front of a report: an address of IPv6, or one of IPv4 mapped into it, and its port.
const LOCAL: usize = 18;

/// Where an entry is, counted from the first that ever was: the number of its segment, and its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place(u64);

impl Place {
    const NONE: Self = Self(u64::MAX);

    const fn new(segment: u64, index: usize) -> Self {
        Self(segment << 8 | index as u64)
    }

    const fn segment(self) -> u64 {
        self.0 >> 8
    }

    const fn index(self) -> usize {
        (self.0 & 0xff) as usize
    }
}

/// The last things seen, in at most so many bytes.
#[derive(Debug)]
pub(crate) struct Ring {
    full: VecDeque<Segment>,
    current: Segment,
    /// The number of the first segment that is still there.
    first: u64,
    most: usize,
    /// The last entry of each call, of those that are joined.
    last: CallMap<Place>,
    /// The first entry that is not joined.
    unjoined: Place,
}

#[derive(Debug, Default)]
struct Segment {
    heads: Vec<Head>,
    contents: Vec<u8>,
}

/// What is known of an entry besides its content.
#[derive(Debug, Clone, Copy)]
struct Head {
    /// `None`: nobody has looked for it yet, or the message names none.
    call: Option<CallKey>,
    /// The entry before it of the same call, once it is joined.
    before: Place,
    at_us: u64,
    kind: Kind,
    /// Of a note, none in particular.
    peer: SocketAddr,
    /// Where its content is.
    start: u32,
    length: u32,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Message(Direction, Transport),
    Note,
    Report(Direction),
    Media(Direction),
}

/// What is put down of a thing seen.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sighting<'a> {
    Message { direction: Direction, transport: Transport, peer: SocketAddr, bytes: &'a [u8] },
    Note(&'a str),
    Report { direction: Direction, local: SocketAddr, peer: SocketAddr, bytes: &'a [u8] },
    Media { direction: Direction, local: SocketAddr, peer: SocketAddr, bytes: &'a [u8] },
}

impl Ring {
    /// A ring of at most `bytes` of memory, and never less than two segments.
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            full: VecDeque::new(),
            current: Segment::default(),
            first: 0,
            most: (bytes / SEGMENT).max(2),
            last: CallMap::default(),
            unjoined: Place::new(0, 0),
        }
    }

    /// Puts down what was seen of a call; of a message without one, its Call-ID says later which.
    pub(crate) fn push(&mut self, call: Option<CallKey>, at_us: u64, sighting: Sighting<'_>) {
        let nobody = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        let head =
            |kind, peer| Head { call, before: Place::NONE, at_us, kind, peer, start: 0, length: 0 };
        match sighting {
            Sighting::Message { direction, transport, peer, bytes } => {
                let bytes = bytes.get(..LONGEST).unwrap_or(bytes);
                self.put(head(Kind::Message(direction, transport), peer), &[], bytes);
            }
            Sighting::Note(text) => {
                let text = &text.as_bytes()[..text.floor_char_boundary(LONGEST)];
                self.put(head(Kind::Note, nobody), &[], text);
            }
            Sighting::Report { direction, local, peer, bytes } => {
                let bytes = bytes.get(..LONGEST - LOCAL).unwrap_or(bytes);
                self.put(head(Kind::Report(direction), peer), &local_of(local), bytes);
            }
            Sighting::Media { direction, local, peer, bytes } => {
                let bytes = bytes.get(..LONGEST - LOCAL).unwrap_or(bytes);
                self.put(head(Kind::Media(direction), peer), &local_of(local), bytes);
            }
        }
    }

    fn put(&mut self, mut head: Head, local: &[u8], content: &[u8]) {
        let length = local.len() + content.len();
        if !self.current.has_room(length) {
            self.begin_segment(length);
        }
        let Segment { heads, contents } = &mut self.current;
        head.start = contents.len() as u32;
        head.length = length as u32;
        heads.push(head);
        if !local.is_empty() {
            contents.extend_from_slice(local);
        }
        contents.extend_from_slice(content);
    }

    /// Joins entries to their calls that are not joined yet, at most so many, the oldest first.
    pub(crate) fn join(&mut self, most: usize) {
        for _ in 0..most {
            let behind = self.unjoined.segment().saturating_sub(self.first) as usize;
            let is_current = behind >= self.full.len();
            let segment = self.full.get_mut(behind).unwrap_or(&mut self.current);
            let index = self.unjoined.index();
            let Some(head) = segment.heads.get_mut(index) else {
                if is_current {
                    return;
                }
                self.unjoined = Place::new(self.unjoined.segment() + 1, 0);
                continue;
            };
            if head.call.is_none() {
                head.call = CallKey::of_message(content_of(head, &segment.contents));
            }
            if let Some(call) = head.call {
                head.before = self.last.insert(call, self.unjoined).unwrap_or(Place::NONE);
            }
            self.unjoined = Place::new(self.unjoined.segment(), index + 1);
        }
    }

    /// Takes all that is left of these calls, in the order in which it was seen; true when what came before is gone.
    pub(crate) fn take(&mut self, calls: &[CallKey]) -> (Vec<Entry>, bool) {
        let taken = self.look(calls);
        calls.iter().for_each(|call| self.forget(*call));
        taken
    }

    /// The same, and it stays.
    pub(crate) fn look(&mut self, calls: &[CallKey]) -> (Vec<Entry>, bool) {
        self.join(usize::MAX);
        let mut found: Vec<(Place, Entry)> = Vec::new();
        let mut is_cut = false;
        for call in calls {
            let mut place = self.last.get(call).copied().unwrap_or(Place::NONE);
            let mut begins_call = true;
            while place != Place::NONE {
                let Some((before, entry)) = self.read(place) else {
                    is_cut = true;
                    break;
                };
                if let Seen::Message { bytes, .. } = &entry.seen {
                    begins_call = bytes.starts_with(b"INVITE ");
                }
                found.push((place, entry));
                place = before;
            }
            // What has gone before it was joined is known by what it leaves behind.
            is_cut |= self.first > 0 && !begins_call;
        }
        found.sort_by_key(|(place, _)| *place);
        found.dedup_by_key(|(place, _)| *place);
        (found.into_iter().map(|(_, entry)| entry).collect(), is_cut)
    }

    /// Forgets what is joined of a call: nobody will ask for it.
    pub(crate) fn forget(&mut self, call: CallKey) {
        self.last.remove(&call);
    }

    /// Begins a segment with room for so many bytes; the oldest goes when there are too many.
    fn begin_segment(&mut self, bytes: usize) {
        if !self.current.heads.is_empty() {
            let is_full = self.full.len() + 1 >= self.most;
            let used = if is_full { self.drop_first() } else { None };
            let full = std::mem::replace(&mut self.current, used.unwrap_or_default());
            self.full.push_back(full);
        }
        self.current.heads.reserve_exact(HEADS);
        self.current.contents.reserve_exact(CONTENTS.max(bytes));
    }

    /// Gives up the oldest segment, and the calls that were seen last in it.
    fn drop_first(&mut self) -> Option<Segment> {
        let mut segment = self.full.pop_front()?;
        let number = self.first;
        self.first += 1;
        if !self.last.is_empty() {
            for (index, head) in segment.heads.iter().enumerate() {
                if let Some(call) = head.call
                    && self.last.get(&call) == Some(&Place::new(number, index))
                {
                    self.last.remove(&call);
                }
            }
        }
        self.unjoined = self.unjoined.max(Place::new(self.first, 0));
        segment.heads.clear();
        segment.contents.clear();
        Some(segment)
    }

    fn read(&self, place: Place) -> Option<(Place, Entry)> {
        let behind = usize::try_from(place.segment().checked_sub(self.first)?).ok()?;
        let current = (behind == self.full.len()).then_some(&self.current);
        let segment = self.full.get(behind).or(current)?;
        let head = segment.heads.get(place.index())?;
        let (content, peer) = (content_of(head, &segment.contents), head.peer);
        let seen = match head.kind {
            Kind::Note => Seen::Note(String::from_utf8_lossy(content).into_owned()),
            Kind::Report(direction) => {
                let (local, bytes) = content.split_at_checked(LOCAL)?;
                let (local, bytes) = (address_of(local)?, Bytes::copy_from_slice(bytes));
                Seen::Report { direction, local, peer, bytes }
            }
            Kind::Media(direction) => {
                let (local, bytes) = content.split_at_checked(LOCAL)?;
                let (local, bytes) = (address_of(local)?, Bytes::copy_from_slice(bytes));
                Seen::Media { direction, local, peer, bytes }
            }
            Kind::Message(direction, transport) => {
                let bytes = Bytes::copy_from_slice(content);
                Seen::Message { direction, transport, peer, bytes }
            }
        };
        Some((head.before, Entry { at_us: head.at_us, seen }))
    }
}

impl Segment {
    fn has_room(&self, bytes: usize) -> bool {
        self.heads.len() < HEADS && self.contents.capacity() - self.contents.len() >= bytes
    }
}

fn content_of<'a>(head: &Head, contents: &'a [u8]) -> &'a [u8] {
    let start = head.start as usize;
    contents.get(start..start + head.length as usize).unwrap_or_default()
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
        ring.push(Some(a), 10, message("INVITE"));
        ring.push(Some(b), 11, message("another"));
        ring.push(Some(a), 12, Sighting::Note("seizes a circuit"));
        let peer: SocketAddr = "[2001:db8::7]:5061".parse().expect("an address");
        let received = Seen::Message {
            direction: Direction::Received,
            transport: Transport::Udp,
            peer,
            bytes: Bytes::from_static(b"200"),
        };
        let Seen::Message { direction, transport, bytes, .. } = &received else { unreachable!() };
        let (direction, transport) = (*direction, *transport);
        ring.push(Some(c), 13, Sighting::Message { direction, transport, peer, bytes });
        let locals: [SocketAddr; 2] =
            ["127.0.0.1:40001", "[2001:db8::8]:40001"].map(|it| it.parse().expect("an address"));
        for local in locals {
            let direction = Direction::Sent;
            ring.push(Some(c), 14, Sighting::Report { direction, local, peer, bytes: b"\x80\xc8" });
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
        assert_eq!(ring.take(&[b]).0.len(), 1);
    }

    #[test]
    fn a_message_finds_its_call_when_somebody_asks() {
        let mut ring = Ring::new(0);
        let text = |id: usize| format!("BYE sip:a SIP/2.0\r\nCall-ID: {id}\r\n\r\n");
        for id in [1, 2, 1] {
            ring.push(None, id as u64, message(&text(id)));
        }
        ring.push(None, 3, message("BYE sip:a SIP/2.0\r\n\r\n"));
        assert!(ring.last.is_empty(), "nobody has asked");
        ring.join(2);
        assert_eq!(ring.last.len(), 2);
        ring.push(Some(CallKey::of("1")), 4, Sighting::Note("hangs up"));
        let at = |(entries, _): (Vec<Entry>, bool)| -> Vec<u64> {
            entries.iter().map(|entry| entry.at_us).collect()
        };
        assert_eq!(at(ring.look(&[CallKey::of("1")])), [1, 1, 4]);
        assert_eq!(at(ring.take(&[CallKey::of("2")])), [2]);
        // What comes later is found later.
        ring.push(None, 5, message(&text(2)));
        assert_eq!(at(ring.take(&[CallKey::of("2")])), [5]);
    }

    #[test]
    fn an_old_call_is_cut_and_a_dead_one_leaves_nothing() {
        for joins in [true, false] {
            let mut ring = Ring::new(2 * SEGMENT);
            let long = "x".repeat(20_000);
            let (old, dead) = (CallKey(1), CallKey(2));
            let mut push = |call, at, text: &str| {
                ring.push(Some(call), at, message(text));
                if joins {
                    ring.join(1);
                }
            };
            push(old, 1, &format!("INVITE {long}"));
            push(dead, 2, &format!("INVITE {long}"));
            for at in 3..20 {
                push(old, at, &long);
            }
            let (entries, is_cut) = ring.take(&[old]);
            assert!(is_cut && (3..5).contains(&entries.len()), "{}", entries.len());
            assert_eq!(ring.take(&[dead]).0, []);
            assert!(ring.full.len() == 1 && ring.last.is_empty());
        }
    }

    proptest! {
        /// However little of it is joined at once.
        #[test]
        fn nothing_is_invented_and_the_newest_is_there(
            pushes in proptest::collection::vec((0_u64..6, 0_usize..70_000), 1..60),
            small in proptest::collection::vec((0_u64..6, 0_usize..70), 0..600),
            joined in 0_usize..3,
        ) {
            let mut ring = Ring::new(3 * SEGMENT);
            let pushes = [small, pushes].concat();
            for (at, (call, length)) in pushes.iter().enumerate() {
                let begins = !pushes[..at].iter().any(|(of, _)| of == call);
                let text = if begins { "INVITE " } else { "BYE " };
                let text = text.to_owned() + &"m".repeat(*length);
                ring.push(Some(CallKey(*call)), at as u64, message(&text));
                ring.join(joined);
            }
            for call in 0..6 {
                let (entries, is_cut) = ring.take(&[CallKey(call)]);
                let own = pushes.iter().enumerate().filter(|(_, (of, _))| *of == call);
                let all: Vec<u64> = own.map(|(at, _)| at as u64).collect();
                let kept: Vec<u64> = entries.iter().map(|entry| entry.at_us).collect();
                prop_assert!(all.ends_with(&kept));
                prop_assert_eq!(is_cut, kept.len() < all.len() && !kept.is_empty());
                if ring.first == 0 {
                    prop_assert_eq!(kept, all);
                }
                for entry in &entries {
                    let Seen::Message { bytes, .. } = &entry.seen else { unreachable!("none was made") };
                    let length = pushes[entry.at_us as usize].1;
                    let text = bytes.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
                    let room = LONGEST + text.len() - bytes.len();
                    prop_assert_eq!(text.len(), length.min(room));
                }
            }
            let memory = |segment: &Segment| segment.contents.capacity();
            let memory = ring.full.iter().map(memory).sum::<usize>() + memory(&ring.current);
            prop_assert!(memory <= 3 * SEGMENT, "{} bytes", memory);
        }
    }
}
