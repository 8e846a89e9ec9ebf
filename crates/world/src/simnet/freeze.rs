//! Boxes that hang: they do nothing for a while, and then go on with what has come meanwhile.

use std::net::SocketAddr;

use super::{NoticeListener, Simnet};
use crate::flight::Flight;

impl<L: NoticeListener> Simnet<L> {
    /// The box at `address` does nothing from now on: what arrives waits, and no timer goes off.
    pub fn freeze(&mut self, address: SocketAddr) {
        self.frozen.entry(address).or_default();
        self.note(Some(address), "freezes");
    }

    #[must_use]
    pub fn is_frozen(&self, address: SocketAddr) -> bool {
        self.frozen.contains_key(&address)
    }

    /// The box at `address` goes on: it takes what has arrived, in order, and then its timers go off late.
    pub fn thaw(&mut self, address: SocketAddr) {
        let Some(waiting) = self.frozen.remove(&address) else { return };
        self.note(Some(address), "goes on");
        for flight in waiting {
            self.arrive(flight);
        }
        if let Some(place) = self.hosts.place(&address) {
            self.settle(place);
        }
    }

    /// Keeps what arrives at a frozen box until it goes on; gives back what arrives elsewhere.
    pub(super) fn unless_frozen(&mut self, flight: Flight) -> Option<Flight> {
        if self.frozen.is_empty() {
            return Some(flight);
        }
        let host = self.ports.get(&flight.to).map_or(flight.to, |(host, _)| *host);
        match self.frozen.get_mut(&host) {
            Some(waiting) => {
                waiting.push(flight);
                None
            }
            None => Some(flight),
        }
    }
}
