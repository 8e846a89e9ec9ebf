//! The newest packets of media of each call, in memory of their own: they are fifty times as many as messages.

use crate::call_key::{CallKey, CallMap};
use crate::entry::{Entry, Seen};
use crate::ring::{Ring, Sighting};

/// Of a call that is kept, packets are kept from so long before the last one, in microseconds.
const NEWEST_US: u64 = 30_000_000;
/// And no more bytes of them, however many its peers have sent.
const MOST: usize = 16 << 20;
/// Calls whose packets are counted at once.
const MOST_CALLS: usize = 65_536;

/// Packets of media, and how many there were.
#[derive(Debug)]
pub(crate) struct MediaMemory {
    ring: Ring,
    seen: CallMap<u64>,
}

impl MediaMemory {
    /// Memory of so many bytes: when they are full, the oldest packets of the box go, whosever they are.
    pub(crate) fn new(bytes: usize) -> Self {
        Self { ring: Ring::new(bytes), seen: CallMap::default() }
    }

    pub(crate) fn push(&mut self, call: CallKey, at_us: u64, packet: Sighting<'_>) {
        self.ring.push(Some(call), at_us, packet);
        self.ring.join(1);
        if let Some(seen) = self.seen.get_mut(&call) {
            *seen += 1;
        } else if self.seen.len() < MOST_CALLS {
            self.seen.insert(call, 1);
        }
    }

    /// Takes the newest packets of these calls, and says how many others there were.
    pub(crate) fn take(&mut self, calls: &[CallKey]) -> (Vec<Entry>, u64) {
        let (mut packets, _) = self.ring.take(calls);
        let seen: u64 = calls.iter().filter_map(|call| self.seen.remove(call)).sum();
        let last_us = packets.last().map_or(0, |last| last.at_us);
        let mut room = MOST;
        let is_too_old = |packet: &Entry| {
            room = room.saturating_sub(packet.seen.bytes());
            packet.at_us.saturating_add(NEWEST_US) < last_us || room == 0
        };
        let too_old = packets.iter().rev().position(is_too_old);
        packets.drain(..too_old.map_or(0, |from_end| packets.len() - from_end));
        let gone = seen.saturating_sub(packets.len() as u64);
        (packets, gone)
    }

    /// Forgets calls: nobody will ask for them.
    pub(crate) fn forget(&mut self, calls: &[CallKey]) {
        for call in calls {
            self.ring.forget(*call);
            self.seen.remove(call);
        }
    }
}

/// Puts packets of media among what was seen otherwise, and a note where some are missing.
pub(crate) fn merge(entries: &mut Vec<Entry>, packets: Vec<Entry>, gone: u64) {
    if gone > 0 {
        let at_us = packets.first().or_else(|| entries.last()).map_or(0, |entry| entry.at_us);
        let text = match packets.is_empty() {
            true => {
                format!("keeps none of its {gone} packets of media: memory had no room for them")
            }
            false => format!("keeps its media from here on, not the {gone} packets before"),
        };
        entries.push(Entry { at_us, seen: Seen::Note(text) });
    }
    entries.extend(packets);
    entries.sort_by_key(|entry| entry.at_us);
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::entry::Direction;

    fn push(memory: &mut MediaMemory, call: u64, at_us: u64, length: usize) {
        let address = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        let (direction, local, peer) = (Direction::Sent, address(40_000), address(50_000));
        let bytes = vec![0x80; length];
        let packet = Sighting::Media { direction, local, peer, bytes: &bytes };
        memory.push(CallKey::of_number(call), at_us, packet);
    }

    fn taken(memory: &mut MediaMemory, call: u64) -> (Vec<u64>, u64) {
        let (packets, gone) = memory.take(&[CallKey::of_number(call)]);
        (packets.iter().map(|packet| packet.at_us).collect(), gone)
    }

    #[test]
    fn the_newest_thirty_seconds_are_kept_and_the_others_counted() {
        let mut memory = MediaMemory::new(1 << 20);
        for second in 0..40 {
            push(&mut memory, 1, second * 1_000_000, 172);
            push(&mut memory, 2, second * 1_000_000, 172);
        }
        let (at, gone) = taken(&mut memory, 1);
        assert_eq!((at.first(), at.last(), gone), (Some(&9_000_000), Some(&39_000_000), 9));
        assert_eq!(taken(&mut memory, 1), (vec![], 0), "it is taken once");
        memory.forget(&[CallKey::of_number(2)]);
        assert_eq!(taken(&mut memory, 2), (vec![], 0));
        assert!(memory.seen.is_empty());
    }

    #[test]
    fn what_memory_had_no_room_for_is_counted() {
        let mut memory = MediaMemory::new(0);
        (0..2_000).for_each(|at| push(&mut memory, 1, at, 172));
        let (at, gone) = taken(&mut memory, 1);
        assert!((200..800).contains(&at.len()) && at.last() == Some(&1_999), "{at:?}");
        assert_eq!(gone, 2_000 - at.len() as u64);
        push(&mut memory, 1, 0, 172);
        (0..2_000).for_each(|at| push(&mut memory, 2, at, 172));
        assert_eq!(taken(&mut memory, 1), (vec![], 1));
    }

    #[test]
    fn one_call_takes_no_more_than_its_share_of_a_file() {
        let mut memory = MediaMemory::new(64 << 20);
        (0..1_000).for_each(|at| push(&mut memory, 1, at, 60_000));
        let (at, gone) = taken(&mut memory, 1);
        assert!(
            at.len() * 60_000 <= MOST && (at.len() + 1) * 60_000 > MOST - 60_000,
            "{}",
            at.len()
        );
        assert_eq!(gone, 1_000 - at.len() as u64);
    }

    #[test]
    fn packets_stand_among_messages_and_a_note_says_what_is_missing() {
        let note = |at_us, text: &str| Entry { at_us, seen: Seen::Note(text.to_owned()) };
        let mut entries = vec![note(1, "a"), note(5, "b")];
        merge(&mut entries, vec![note(3, "packet"), note(4, "packet")], 7);
        let told: Vec<(u64, &Seen)> = entries.iter().map(|it| (it.at_us, &it.seen)).collect();
        let says = Seen::Note("keeps its media from here on, not the 7 packets before".to_owned());
        assert_eq!(told[1], (3, &says));
        assert_eq!(told.iter().map(|it| it.0).collect::<Vec<_>>(), [1, 3, 3, 4, 5]);
        merge(&mut entries, Vec::new(), 1);
        let Some(Entry { at_us: 5, seen: Seen::Note(text) }) = entries.last() else { panic!() };
        assert!(text.starts_with("keeps none of its 1 packets"), "{text}");
    }
}
