//! What boxes saw, paired: a message that one box sent and another received is one arrow.

use std::collections::HashMap;
use std::net::SocketAddr;

use bytes::Bytes;
use sip_proto::Transport;
use telemetry::BoxKind;
use trace::{Direction, KeptCall, Seen};

/// How far two clocks of one network may differ before a message seems to arrive before it was sent.
const SKEW_US: u64 = 20_000;

/// A box that kept what it saw.
#[derive(Debug, Clone)]
pub(crate) struct SeeingBox {
    pub(crate) kind: BoxKind,
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    /// Before this moment nothing is left of what it saw.
    pub(crate) from_us: u64,
    pub(crate) is_cut: bool,
    pub(crate) seen: Vec<Sighting>,
}

#[derive(Debug, Clone)]
pub(crate) struct Sighting {
    pub(crate) at_us: u64,
    pub(crate) what: Sight,
}

#[derive(Debug, Clone)]
pub(crate) enum Sight {
    Message { direction: Direction, transport: Transport, peer: SocketAddr, bytes: Bytes },
    Note(String),
    Report { direction: Direction, local: SocketAddr, peer: SocketAddr, bytes: Bytes },
}

/// Where a sighting stands: its box, and its place there.
pub(crate) type Place = (usize, usize);

/// The boxes of these parts, in the order of their kinds and of when they saw the call first.
pub(crate) fn boxes(parts: &[KeptCall]) -> Vec<SeeingBox> {
    let mut boxes: Vec<SeeingBox> = Vec::new();
    for part in parts {
        let by = &part.seen_by;
        let seen = part.entries.iter().filter_map(|entry| {
            let what = match &entry.seen {
                Seen::Message { direction, transport, peer, bytes } => Sight::Message {
                    direction: *direction,
                    transport: *transport,
                    peer: *peer,
                    bytes: bytes.clone(),
                },
                Seen::Note(text) => Sight::Note(text.clone()),
                Seen::Report { direction, local, peer, bytes } => Sight::Report {
                    direction: *direction,
                    local: *local,
                    peer: *peer,
                    bytes: bytes.clone(),
                },
                // Fifty each second are no story.
                Seen::Media { .. } => return None,
            };
            Some(Sighting { at_us: entry.at_us, what })
        });
        match boxes.iter_mut().find(|known| known.address == by.address && known.name == by.name) {
            Some(known) => {
                known.seen.extend(seen);
                known.seen.sort_by_key(|sighting| sighting.at_us);
                known.is_cut |= part.is_cut;
            }
            None => boxes.push(SeeingBox {
                kind: by.kind,
                name: by.name.clone(),
                address: by.address,
                from_us: 0,
                is_cut: part.is_cut,
                seen: seen.collect(),
            }),
        }
    }
    for known in &mut boxes {
        let first = known.seen.first().map_or(u64::MAX, |sighting| sighting.at_us);
        known.from_us = if known.is_cut { first } else { 0 };
    }
    let first = |known: &SeeingBox| known.seen.first().map(|sighting| sighting.at_us);
    boxes.sort_by_key(|known| (known.kind, first(known), known.name.clone()));
    boxes
}

/// For each message that arrived, who sent it: the last time before that these bytes left the other box on this way.
pub(crate) fn pair(boxes: &[SeeingBox]) -> HashMap<Place, Place> {
    let mut alike: HashMap<&[u8], Copies<'_>> = HashMap::new();
    for (number, known) in boxes.iter().enumerate() {
        for (place, sighting) in known.seen.iter().enumerate() {
            let Sight::Message { direction, peer, bytes, .. } = &sighting.what else { continue };
            let copy =
                Copy { place: (number, place), at_us: sighting.at_us, by: known, peer: *peer };
            let copies = alike.entry(bytes).or_default();
            match direction {
                Direction::Sent => copies.sent.push((copy, false)),
                Direction::Received => copies.received.push(copy),
            }
        }
    }
    let mut senders = HashMap::new();
    for mut copies in alike.into_values() {
        copies.received.sort_by_key(|copy| (copy.at_us, copy.place));
        copies.sent.sort_by_key(|(copy, _)| (copy.at_us, copy.place));
        for received in &copies.received {
            let fits = |(sent, is_taken): &(Copy<'_>, bool)| {
                !is_taken
                    && sent.place.0 != received.place.0
                    && (sent.peer == received.by.address || received.peer == sent.by.address)
            };
            let before = copies.sent.iter().rposition(|one| {
                fits(one) && one.0.at_us <= received.at_us.saturating_add(SKEW_US)
            });
            // Clocks that differ more still leave the first for the first.
            let Some(at) = before.or_else(|| copies.sent.iter().position(fits)) else { continue };
            if let Some((sent, is_taken)) = copies.sent.get_mut(at) {
                *is_taken = true;
                senders.insert(received.place, sent.place);
            }
        }
    }
    senders
}

#[derive(Debug, Default)]
struct Copies<'a> {
    sent: Vec<(Copy<'a>, bool)>,
    received: Vec<Copy<'a>>,
}

/// One time that these bytes were seen.
#[derive(Debug)]
struct Copy<'a> {
    place: Place,
    at_us: u64,
    by: &'a SeeingBox,
    peer: SocketAddr,
}
