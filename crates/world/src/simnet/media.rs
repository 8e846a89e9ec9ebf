//! Media on the simulated network: the ports of each box, and what passes between them.

use std::net::SocketAddr;

use sip_proto::Transport;

use super::{NoticeListener, Simnet};
use crate::flight::FlightContent;

impl<L: NoticeListener> Simnet<L> {
    pub(super) fn arrive_media(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        let Some((address, number)) = self.ports.get(&to).copied() else { return };
        let Some(place) = self.hosts.place(&address) else { return };
        let Some(host) = self.hosts.at(place) else { return };
        let Some(plane) = host.node.plane() else { return };
        let forward = plane.handle_datagram(self.now, number, from, bytes);
        host.node.handle_media(self.now);
        if let Some(forward) = forward {
            let from = host.ports[forward.socket as usize];
            self.transmit_media(address, from, forward.to, bytes);
        }
        self.settle(place);
    }

    /// Opens the ports that the plane of a box wants, sends what it has to send, and closes what it needs no more.
    pub(super) fn settle_media(&mut self, place: usize, address: SocketAddr) {
        let mut out = Vec::new();
        while let Some(host) = self.hosts.at(place)
            && let Some(plane) = host.node.plane()
        {
            if let Some(rtp) = plane.wanted_port() {
                if self.ports.contains_key(&rtp) {
                    plane.port_taken(rtp);
                    continue;
                }
                let first = plane.port_opened(rtp);
                let rtcp = SocketAddr::new(rtp.ip(), rtp.port() + 1);
                for (number, port) in (first..).zip([rtp, rtcp]) {
                    match host.ports.get_mut(number as usize) {
                        Some(known) => *known = port,
                        None => host.ports.push(port),
                    }
                    self.ports.insert(port, (address, number));
                }
            } else if let Some(forward) = plane.poll_transmit(self.now, &mut out) {
                let from = host.ports[forward.socket as usize];
                self.transmit_media(address, from, forward.to, &out);
            } else if let Some(first) = plane.surplus_port() {
                for number in [first, first + 1] {
                    self.ports.remove(&host.ports[number as usize]);
                }
            } else {
                host.node.handle_media(self.now);
                return;
            }
        }
    }

    /// Media takes the link between the two boxes, as their SIP does.
    fn transmit_media(&mut self, host: SocketAddr, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        self.trace.media(self.now - self.start, from, to, bytes);
        if to.port().is_multiple_of(2) {
            *self.media_sent.entry(to).or_default() += 1;
        }
        let peer = self.ports.get(&to).map_or(to, |(peer, _)| *peer);
        if !self.links.is_open(host, peer) {
            return;
        }
        let link = self.links.get(host, peer);
        let copies = link.copies(&mut self.rng);
        if copies == 0 && to.port().is_multiple_of(2) {
            *self.media_lost.entry((host, peer)).or_default() += 1;
        }
        let departures = self.let_out(Transport::Udp, host, to);
        if departures[0].is_none() && copies > 0 && to.port().is_multiple_of(2) {
            *self.media_lost.entry((host, peer)).or_default() += 1;
        }
        for departure in std::iter::repeat_n(departures, copies).flatten().flatten() {
            let due = departure + link.delay(&mut self.rng);
            self.fly(due, to, None, FlightContent::Media { from, bytes: bytes.to_vec() });
        }
    }
}
