//! One box alone, driven again by what once reached it on a network: for whoever wants to know what this box does, or costs,
//! without the others.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sip_proto::Packet;

use super::{NoticeListener, Simnet};
use crate::any_node::BoxNotice;
use crate::hosts::Host;
use crate::trace::Trace;

/// A box without a network.
pub struct Alone {
    host: Host,
    /// When the simulation that it comes from began, and how far it is.
    start: Instant,
    now: Instant,
}

/// A packet that reaches a box.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// From the start of the simulation.
    pub at: Duration,
    /// Its peer is who sent it.
    pub packet: Packet,
}

/// What a box put out.
#[derive(Debug)]
pub enum Output {
    /// Its peer is who gets it.
    Packet(Packet),
    Notice(BoxNotice),
}

impl std::fmt::Debug for Alone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Alone").field("elapsed", &(self.now - self.start)).finish_non_exhaustive()
    }
}

impl<L: NoticeListener> Simnet<L> {
    /// Takes a box off the network, to drive it alone. `None` when there is none.
    pub fn take(&mut self, address: SocketAddr) -> Option<Alone> {
        let host = self.hosts.remove(&address)?;
        self.close_ports(address);
        Some(Alone { host, start: self.start, now: self.now })
    }
}

/// What reaches the box at `address` after `from`, and not after `until`, on a network whose links all take `latency` and
/// lose nothing.
#[must_use]
pub fn arrivals(
    trace: &Trace,
    address: SocketAddr,
    latency: Duration,
    from: Duration,
    until: Duration,
) -> Vec<Arrival> {
    let meant = trace.packets().filter(|sighting| sighting.to == address && !sighting.lost);
    let arrivals = meant.map(|sighting| Arrival {
        at: sighting.at + latency,
        packet: Packet {
            transport: sighting.transport,
            peer: sighting.from,
            bytes: sighting.bytes.clone(),
        },
    });
    arrivals.filter(|arrival| arrival.at > from && arrival.at <= until).collect()
}

impl Alone {
    /// Lets packets arrive and deadlines pass, in the order of the network that they come from, up to `until`.
    pub fn replay(
        &mut self,
        arrivals: impl IntoIterator<Item = Arrival>,
        until: Duration,
        mut take: impl FnMut(Output),
    ) {
        let end = self.start + until;
        let mut arrivals = arrivals.into_iter().peekable();
        loop {
            let arrival = arrivals.peek().map(|arrival| self.start + arrival.at);
            let next = [arrival, self.host.node.next_wake()].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else { return };
            self.now = self.now.max(next);
            match arrivals.next_if(|_| arrival == Some(next)) {
                Some(arrival) => self.host.give(self.now, arrival.packet),
                None => self.host.node.handle_timeout(self.now),
            }
            self.settle(&mut take);
        }
    }

    /// Takes everything that the box puts out after an input. Its ports are open at once, and its media goes nowhere.
    fn settle(&mut self, take: &mut impl FnMut(Output)) {
        let mut packets = Vec::new();
        self.host.node.take_packets(&mut packets);
        self.host.record_outputs(self.now, &packets);
        packets.into_iter().for_each(|packet| take(Output::Packet(packet)));
        while let Some(notice) = self.host.node.poll_notice() {
            self.host.record_notice(self.now, &notice);
            take(Output::Notice(notice));
        }
        let Some(plane) = self.host.node.plane() else { return };
        while let Some(rtp) = plane.wanted_port() {
            plane.port_opened(rtp);
        }
        let mut out = Vec::new();
        while plane.poll_transmit(self.now, &mut out).is_some() {}
        while plane.surplus_port().is_some() {}
        self.host.node.handle_media(self.now);
    }
}
