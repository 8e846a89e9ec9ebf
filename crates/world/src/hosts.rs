//! The boxes of a simulated network by their addresses, and which of them is to be woken first.
//!
//! ```text
//!   places      0    1    2    3        of boxes, in the order in which they were attached
//!               └─┬──┘    └─┬──┘
//!                 1         2           whoever of the two is to be woken first
//!                 └────┬────┘
//!                      1                the first of all
//! ```

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use sip_proto::Packet;
use trace::Recorder;

use crate::any_node::{AnyNode, BoxNotice};

pub(crate) struct Host {
    pub(crate) node: Box<dyn AnyNode>,
    /// The RTP and RTCP ports of its plane, by the numbers that the plane gave them.
    pub(crate) ports: Vec<SocketAddr>,
    /// Keeps its messages, if anybody wants them.
    pub(crate) recording: Option<Recording>,
}

/// The recorder of a box, and when it wants to look.
pub(crate) struct Recording {
    pub(crate) recorder: Recorder,
    pub(crate) next_look: Instant,
}

/// How often a recorder looks at what waits.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

impl Host {
    pub(crate) fn new(node: Box<dyn AnyNode>) -> Self {
        Self { node, ports: Vec::new(), recording: None }
    }

    /// The box receives a packet.
    pub(crate) fn give(&mut self, now: Instant, packet: Packet) {
        if let Some(Recording { recorder, .. }) = &mut self.recording {
            recorder.received(now, &packet);
        }
        self.node.handle_packet(now, packet);
    }

    /// What the box has noted, and then sends.
    pub(crate) fn record_outputs(&mut self, now: Instant, sent: &[Packet]) {
        let Some(Recording { recorder, next_look }) = &mut self.recording else { return };
        if let Some(notes) = self.node.notes() {
            recorder.noted(now, notes);
        }
        if let Some(plane) = self.node.plane() {
            recorder.media(&plane.take_sights(recorder.keeps_media()));
        }
        for packet in sent {
            recorder.sent(now, packet);
        }
        if *next_look <= now {
            *next_look = now + LOOK_INTERVAL;
            recorder.look(now);
        }
    }

    /// What the box tells.
    pub(crate) fn record_notice(&mut self, now: Instant, notice: &BoxNotice) {
        if let (Some(Recording { recorder, .. }), BoxNotice::Record(record)) =
            (&mut self.recording, notice)
        {
            recorder.ended(now, record);
        }
    }
}

/// A place for each box that there ever was: each step looks for one by its address, and then asks for its place.
#[derive(Default)]
pub(crate) struct Hosts {
    by_address: HashMap<SocketAddr, usize>,
    places: Vec<Place>,
    /// Who wins of the places below each fork, from the root at 1; as many as there is room for places.
    winners: Vec<usize>,
}

struct Place {
    address: SocketAddr,
    host: Option<Host>,
    /// When it wants to be woken.
    due: Option<Instant>,
}

impl Hosts {
    /// Puts a host at an address, and returns its place.
    pub(crate) fn insert(&mut self, address: SocketAddr, host: Host) -> usize {
        if let Some(&at) = self.by_address.get(&address) {
            self.places[at].host = Some(host);
            return at;
        }
        let at = self.places.len();
        self.places.push(Place { address, host: Some(host), due: None });
        self.by_address.insert(address, at);
        if self.places.len() > self.winners.len() {
            self.grow();
        }
        at
    }

    pub(crate) fn remove(&mut self, address: &SocketAddr) -> Option<Host> {
        let at = *self.by_address.get(address)?;
        let host = self.places[at].host.take();
        self.wake_at(at, None);
        host
    }

    /// The place of the host at an address, if one lives there.
    pub(crate) fn place(&self, address: &SocketAddr) -> Option<usize> {
        let at = *self.by_address.get(address)?;
        self.places[at].host.is_some().then_some(at)
    }

    /// The host at a place.
    pub(crate) fn at(&mut self, place: usize) -> Option<&mut Host> {
        self.places.get_mut(place)?.host.as_mut()
    }

    pub(crate) fn address(&self, place: usize) -> SocketAddr {
        self.places[place].address
    }

    pub(crate) fn contains(&self, address: &SocketAddr) -> bool {
        self.place(address).is_some()
    }

    pub(crate) fn get(&self, address: &SocketAddr) -> Option<&Host> {
        self.places[self.place(address)?].host.as_ref()
    }

    /// All addresses, in order.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        let alive = self.places.iter().filter(|place| place.host.is_some());
        let mut addresses: Vec<_> = alive.map(|place| place.address).collect();
        addresses.sort_unstable();
        addresses
    }

    /// When the host at a place wants to be woken.
    pub(crate) fn wake_at(&mut self, place: usize, due: Option<Instant>) {
        if self.places[place].due != due {
            self.places[place].due = due;
            self.settle(place);
        }
    }

    /// Who is to be woken first, and when: of several at one instant, the one with the lowest address.
    pub(crate) fn next_wake(&self) -> Option<(Instant, usize)> {
        let first = *self.winners.get(1)?;
        Some((self.places.get(first)?.due?, first))
    }

    /// Decides each fork above a place anew.
    fn settle(&mut self, place: usize) {
        let mut fork = (self.winners.len() + place) / 2;
        while fork > 0 {
            self.winners[fork] = self.decide(fork);
            fork /= 2;
        }
    }

    /// Who wins of the two below a fork.
    fn decide(&self, fork: usize) -> usize {
        let [a, b] = [fork * 2, fork * 2 + 1].map(|below| {
            let leaf = below.checked_sub(self.winners.len());
            leaf.unwrap_or_else(|| self.winners[below])
        });
        if self.is_before(b, a) { b } else { a }
    }

    fn is_before(&self, one: usize, other: usize) -> bool {
        let (one, other) = (self.places.get(one), self.places.get(other));
        let due = |place: Option<&Place>| place.and_then(|place| place.due);
        match (due(one), due(other)) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(due), Some(other_due)) if due != other_due => due < other_due,
            _ => one.map(|place| place.address) < other.map(|place| place.address),
        }
    }

    /// Makes room for more places.
    fn grow(&mut self) {
        self.winners = vec![0; self.places.len().next_power_of_two().max(2)];
        for fork in (1..self.winners.len()).rev() {
            self.winners[fork] = self.decide(fork);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use contract::{Node, Reply};
    use proptest::prelude::*;
    use sip_proto::{Packet, Transport};

    use super::*;

    struct Silent;

    impl Node for Silent {
        type Command = std::convert::Infallible;
        type Event = std::convert::Infallible;
        type Snapshot = ();

        fn handle_packet(&mut self, _: Instant, _: Packet) {}
        fn handle_timeout(&mut self, _: Instant) {}
        fn handle_unreachable(&mut self, _: Instant, _: Transport, _: SocketAddr) {}
        fn handle_command(&mut self, _: Instant, command: Self::Command) -> Reply {
            match command {}
        }
        fn handle_drain(&mut self, _: Instant) {}
        fn poll_transmit(&mut self) -> Option<Packet> {
            None
        }
        fn poll_event(&mut self) -> Option<Self::Event> {
            None
        }
        fn poll_timeout(&self) -> Option<Instant> {
            None
        }
        fn snapshot(&self) {}
        fn is_drained(&self) -> bool {
            true
        }
    }

    fn address(number: u8) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, number], 5060))
    }

    fn host() -> Host {
        Host::new(Box::new(Silent))
    }

    proptest! {
        #[test]
        fn the_first_to_be_woken_is_the_one_that_a_naive_search_finds(
            steps in prop::collection::vec((0_u8..20, prop::option::of(0_u64..9), any::<bool>()), 1..80),
        ) {
            let start = Instant::now();
            let mut hosts = Hosts::default();
            let mut naive: Vec<(Instant, SocketAddr)> = Vec::new();
            for (number, due, dies) in steps {
                let at = address(number);
                let place = hosts.place(&at).unwrap_or_else(|| hosts.insert(at, host()));
                naive.retain(|(_, of)| *of != at);
                if dies {
                    hosts.remove(&at);
                } else {
                    let due = due.map(|ms| start + Duration::from_millis(ms));
                    hosts.wake_at(place, due);
                    naive.extend(due.map(|due| (due, at)));
                }
                prop_assert_eq!(hosts.contains(&at), !dies);
                let found = hosts.next_wake().map(|(due, place)| (due, hosts.address(place)));
                prop_assert_eq!(found, naive.iter().min().copied());
            }
        }
    }
}
