//! Who stands where: the boxes of a ladder from the caller to the PSAP.

use std::collections::HashMap;
use std::net::SocketAddr;

use crate::glance::Glance;
use crate::sightings::SeeingBox;
use crate::story::Column;
use crate::told::NamedAddress;

/// An end of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum End {
    /// A box that kept the call, by its number.
    Box(usize),
    Peer(SocketAddr),
}

/// A message between two ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way<'a> {
    pub(crate) at_us: u64,
    pub(crate) from: End,
    pub(crate) to: End,
    pub(crate) bytes: &'a [u8],
}

/// Between the ranks of two kinds of boxes there is room for peers that nobody knows.
const KIND: u32 = 100;

/// The columns from left to right, and the column of each end.
pub(crate) fn columns(
    boxes: &[SeeingBox],
    names: &[NamedAddress],
    ways: &[Way<'_>],
) -> (Vec<Column>, HashMap<End, usize>) {
    let mut ends: Vec<(u32, u64, End)> = Vec::new();
    for (number, seeing) in boxes.iter().enumerate() {
        let first = seeing.seen.first().map_or(u64::MAX, |sighting| sighting.at_us);
        ends.push((seeing.kind as u32 * KIND, first, End::Box(number)));
    }
    let named = |address: SocketAddr| names.iter().find(|named| named.address == address);
    let mut in_time: Vec<&Way<'_>> = ways.iter().collect();
    in_time.sort_by_key(|way| way.at_us);
    for way in in_time {
        let rank = |ends: &[(u32, u64, End)], end: End| {
            ends.iter().find(|(_, _, known)| *known == end).map(|(rank, ..)| *rank)
        };
        let is_invite = Glance::of(way.bytes).is_some_and(|glance| glance.begins_call());
        for (end, other, is_sender) in [(way.from, way.to, true), (way.to, way.from, false)] {
            let (None, End::Peer(address)) = (rank(&ends, end), end) else { continue };
            let own = match (named(address), rank(&ends, other), is_invite && is_sender) {
                (Some(named), ..) => named.kind as u32 * KIND,
                // Who calls stands to the left of whom it calls.
                (None, Some(other), true) => other.saturating_sub(1),
                (None, Some(other), false) => other + KIND,
                (None, None, _) => KIND / 2,
            };
            ends.push((own, way.at_us, end));
        }
    }
    ends.sort_by_key(|(rank, first, _)| (*rank, *first));
    let column = |(_, _, end): &(u32, u64, End)| match *end {
        End::Box(number) => Column {
            name: boxes[number].name.clone(),
            kind: Some(boxes[number].kind),
            address: boxes[number].address,
            has_kept: true,
        },
        End::Peer(address) => Column {
            name: named(address).map_or_else(|| address.to_string(), |it| it.name.clone()),
            kind: named(address).map(|named| named.kind),
            address,
            has_kept: false,
        },
    };
    let of = ends.iter().enumerate().map(|(place, (_, _, end))| (*end, place)).collect();
    (ends.iter().map(column).collect(), of)
}
