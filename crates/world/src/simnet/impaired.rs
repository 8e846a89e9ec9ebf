//! Impairments that boxes of the simulated network apply to what they send and receive, as their sockets do in a real one.

use std::net::SocketAddr;
use std::time::Instant;

use operations::{Direction, Fate, ImpairmentOrder};
use sip_proto::Transport;

use super::{NoticeListener, Simnet};
use crate::flight::{Flight, FlightContent};

/// When a packet leaves, and perhaps a copy of it; none when it is lost.
pub(super) type Departures = [Option<Instant>; 2];

impl<L: NoticeListener> Simnet<L> {
    /// The box at `address` lets its packets suffer from now on, or not any more.
    pub fn impair(&mut self, address: SocketAddr, order: ImpairmentOrder) {
        let what = order.what.map_or_else(|| "is healed".to_owned(), |what| what.to_string());
        self.note(Some(address), &format!("its ways: {what}"));
        let now = self.now;
        self.impaired.entry(address).or_default().obey(order);
        self.impaired.retain(|_, impairments| !impairments.is_over(now));
    }

    /// When a packet leaves `host` for `to`.
    pub(super) fn let_out(
        &mut self,
        transport: Transport,
        host: SocketAddr,
        to: SocketAddr,
    ) -> Departures {
        if self.impaired.is_empty() {
            return [Some(self.now), None];
        }
        departures(self.fate(transport, Direction::Outgoing, host, to))
    }

    /// What has arrived and goes on at once; what is put off comes again.
    pub(super) fn let_in(&mut self, flight: Flight) -> Option<Flight> {
        if self.impaired.is_empty() || flight.is_let_in {
            return Some(flight);
        }
        let host = self.ports.get(&flight.to).map_or(flight.to, |(host, _)| *host);
        let (transport, peer) = match &flight.content {
            FlightContent::Packet(packet) => (packet.transport, packet.peer),
            FlightContent::Media { from, .. } => (Transport::Udp, *from),
            FlightContent::Unreachable(_) => return Some(flight),
        };
        let [arrival, copy] = departures(self.fate(transport, Direction::Incoming, host, peer));
        let Some(due) = arrival else {
            self.trace.lose(flight.at);
            match flight.content {
                FlightContent::Packet(packet) => self.refuse(host, &packet),
                FlightContent::Media { .. } if flight.to.port().is_multiple_of(2) => {
                    let peer = self.ports.get(&peer).map_or(peer, |(peer, _)| *peer);
                    *self.media_lost.entry((peer, host)).or_default() += 1;
                }
                _ => {}
            }
            return None;
        };
        if let Some(due) = copy {
            self.let_in_later(due, flight.to, flight.at, flight.content.clone());
        }
        if due <= self.now {
            return Some(flight);
        }
        self.let_in_later(due, flight.to, flight.at, flight.content);
        None
    }

    fn fate(
        &mut self,
        transport: Transport,
        direction: Direction,
        host: SocketAddr,
        peer: SocketAddr,
    ) -> Fate {
        let now = self.now;
        match self.impaired.get_mut(&host) {
            None => Fate::Arrives { at: now, copy: None },
            Some(impairments) => match transport {
                Transport::Udp => impairments.datagram(now, direction, peer),
                _ => impairments.message(now, direction, peer),
            },
        }
    }
}

const fn departures(fate: Fate) -> Departures {
    match fate {
        Fate::Lost => [None, None],
        Fate::Arrives { at, copy } => [Some(at), copy],
    }
}
