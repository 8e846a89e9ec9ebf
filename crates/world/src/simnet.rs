//! Any number of boxes, one thread, virtual time.
//!
//! ```text
//!            ┌── next packet ──► handle_packet ──┐
//!   step() ──┤                                   ├──► poll_transmit ──► link ──► heap of packets
//!            └── next deadline ► handle_timeout ─┘    poll_event ─────► records, changes
//! ```
//!
//! A step jumps to whatever is due first. Nothing sleeps, nothing iterates a hash map, and chance
//! comes from one seed, so a simulation can be repeated exactly.

pub mod alone;
mod freeze;
mod impaired;
mod media;

use std::any::Any;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use contract::Node;
use operations::Impairments;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use sip_proto::{Packet, Transport};
use trace::Recorder;

use crate::any_node::BoxNotice;
use crate::flight::{Flight, FlightContent, Flights, PacketToLose};
use crate::hosts::{Host, Hosts, Recording};
use crate::link::{Link, Links};
use crate::trace::{Trace, TracedPacket, label};

/// Steps without any progress of time after which a simulation is taken to be stuck.
const MOST_STEPS_AT_ONCE: u32 = 1_000_000;

/// Takes what boxes tell the management plane.
pub trait NoticeListener {
    /// The box at `from` tells `notice`, at `elapsed` of virtual time.
    fn hear(&mut self, elapsed: Duration, from: SocketAddr, notice: BoxNotice);
}

/// The simulated network; see the module's picture.
pub struct Simnet<L> {
    start: Instant,
    now: Instant,
    rng: StdRng,
    hosts: Hosts,
    flights: Flights,
    /// What a box sends in this step; kept to save its allocation.
    outgoing: Vec<Packet>,
    sequence: u64,
    links: Links,
    /// The box that has an RTP or RTCP port, and the number of the port there.
    ports: BTreeMap<SocketAddr, (SocketAddr, u32)>,
    /// RTP packets sent so far, by the address that they were sent to.
    media_sent: BTreeMap<SocketAddr, u64>,
    /// RTP packets that links have lost, by sending and receiving box.
    media_lost: BTreeMap<(SocketAddr, SocketAddr), u64>,
    /// When the last packet of each TCP connection arrives: the next one may not overtake it.
    streams: BTreeMap<(SocketAddr, SocketAddr), Instant>,
    to_lose: Vec<PacketToLose>,
    /// Boxes that do nothing now, and what has arrived there meanwhile.
    frozen: BTreeMap<SocketAddr, Vec<Flight>>,
    /// Impairments of boxes, of those that have some.
    impaired: BTreeMap<SocketAddr, Impairments>,
    trace: Trace,
    listener: L,
}

impl<L> std::fmt::Debug for Simnet<L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simnet")
            .field("elapsed", &(self.now - self.start))
            .field("hosts", &self.hosts.addresses())
            .field("flights", &self.flights.len())
            .finish_non_exhaustive()
    }
}

impl<L: NoticeListener> Simnet<L> {
    /// An empty network whose links are all `link`.
    #[must_use]
    pub fn new(seed: u64, link: Link, listener: L) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "any instant will do: only differences count"
        )]
        let start = Instant::now();
        Self {
            start,
            now: start,
            rng: StdRng::seed_from_u64(seed),
            hosts: Hosts::default(),
            flights: Flights::default(),
            outgoing: Vec::new(),
            sequence: 0,
            links: Links::new(link),
            ports: BTreeMap::new(),
            media_sent: BTreeMap::new(),
            media_lost: BTreeMap::new(),
            streams: BTreeMap::new(),
            to_lose: Vec::new(),
            frozen: BTreeMap::new(),
            impaired: BTreeMap::new(),
            trace: Trace::new(),
            listener,
        }
    }

    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Virtual time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    #[must_use]
    pub const fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Who hears what boxes tell.
    #[must_use]
    pub const fn listener(&self) -> &L {
        &self.listener
    }

    /// Ends the network.
    #[must_use]
    pub fn into_listener(self) -> L {
        self.listener
    }

    /// RTP packets that were sent to `address` so far, whether somebody listens there or not.
    #[must_use]
    pub fn media_sent(&self, address: SocketAddr) -> u64 {
        self.media_sent.get(&address).copied().unwrap_or_default()
    }

    /// RTP packets that the link from one box to another has lost so far.
    #[must_use]
    pub fn media_lost(&self, from: SocketAddr, to: SocketAddr) -> u64 {
        self.media_lost.get(&(from, to)).copied().unwrap_or_default()
    }

    /// Keeps only the hash of the trace from now on.
    pub fn forget_packets(&mut self) {
        self.trace.forget_packets();
    }

    /// Keeps no trace from now on, not even its hash: the fastest.
    pub fn stop_trace(&mut self) {
        self.trace.stop();
    }

    /// Puts a box on the network, or a new one in the place of another.
    pub fn attach<N: Node + Any>(&mut self, address: SocketAddr, node: N)
    where
        N::Event: Into<BoxNotice>,
    {
        self.close_ports(address);
        let host = Host::new(Box::new(node));
        let place = self.hosts.insert(address, host);
        self.settle(place);
    }

    /// From now on the messages of the box at `address` are kept, as `recorder` finds right; `None`: they are not any more.
    pub fn record(&mut self, address: SocketAddr, recorder: Option<Recorder>) {
        let now = self.now;
        if let Some(host) = self.hosts.place(&address).and_then(|place| self.hosts.at(place)) {
            if let Some(notes) = host.node.notes() {
                // From now on they are wanted.
                drop(notes.take());
            }
            if let Some(plane) = host.node.plane() {
                drop(plane.take_sights(recorder.as_ref().is_some_and(Recorder::keeps_media)));
            }
            host.recording = recorder.map(|recorder| Recording { recorder, next_look: now });
        }
    }

    /// Pulls the plug of a box: it says no farewell, and packets to it vanish.
    pub fn kill(&mut self, address: SocketAddr) {
        self.hosts.remove(&address);
        self.close_ports(address);
        self.streams.retain(|(from, to), _| *from != address && *to != address);
        self.note(Some(address), "loses power");
    }

    fn close_ports(&mut self, address: SocketAddr) {
        self.ports.retain(|_, (host, _)| *host != address);
    }

    #[must_use]
    pub fn is_alive(&self, address: SocketAddr) -> bool {
        self.hosts.contains(&address)
    }

    pub fn set_default_link(&mut self, link: Link) {
        self.links.set_default(link);
    }

    pub fn set_link(&mut self, a: SocketAddr, b: SocketAddr, link: Link) {
        self.links.set(a, b, link);
    }

    /// Nothing passes between `a` and `b` any more.
    pub fn cut(&mut self, a: SocketAddr, b: SocketAddr) {
        self.links.cut(a, b);
        self.note(Some(a), "loses the way to the other side");
    }

    /// Nothing passes to or from `address` any more; the box lives on.
    pub fn isolate(&mut self, address: SocketAddr) {
        self.links.isolate(address);
        self.note(Some(address), "is cut off");
    }

    /// Ends every partition that `address` is in.
    pub fn heal(&mut self, address: SocketAddr) {
        self.links.heal(address);
        self.note(Some(address), "is reached again");
    }

    /// The next `times` packets from `from` to `to` that are called `label` get lost.
    pub fn lose(&mut self, from: SocketAddr, to: SocketAddr, label: &str, times: u32) {
        self.to_lose.push(PacketToLose { from, to, label: label.to_owned(), times });
    }

    /// From now on nothing gets lost that [`lose`](Self::lose) has named.
    pub fn lose_no_more(&mut self) {
        self.to_lose.clear();
    }

    /// Writes a line into the trace.
    pub fn note(&mut self, place: Option<SocketAddr>, text: &str) {
        self.trace.note(self.elapsed(), place, text.to_owned());
    }

    /// The box at `address`, to look at.
    ///
    /// # Panics
    /// When there is none, or it is of another type: a mistake of the test.
    #[must_use]
    pub fn node<N: Node + Any>(&self, address: SocketAddr) -> &N {
        let host = self.hosts.get(&address).expect("a box at this address");
        let node: &dyn Any = &*host.node;
        node.downcast_ref().expect("a box of this type")
    }

    /// Whether there is a box of this type at `address`.
    #[must_use]
    pub fn has_node<N: Node + Any>(&self, address: SocketAddr) -> bool {
        let node = self.hosts.get(&address).map(|host| -> &dyn Any { &*host.node });
        node.is_some_and(|node| node.is::<N>())
    }

    /// Lets a test or an operator do something to the box at `address`.
    ///
    /// # Panics
    /// As [`node`](Self::node).
    pub fn act<N: Node + Any, R>(
        &mut self,
        address: SocketAddr,
        act: impl FnOnce(&mut N, Instant) -> R,
    ) -> R {
        let place = self.hosts.place(&address).expect("a box at this address");
        let host = self.hosts.at(place).expect("a box at its place");
        let node: &mut dyn Any = &mut *host.node;
        let result = act(node.downcast_mut().expect("a box of this type"), self.now);
        self.settle(place);
        result
    }

    /// Tells every box to refuse what is new and to end what is in progress.
    pub fn drain_all(&mut self) {
        for address in self.hosts.addresses() {
            let Some(place) = self.hosts.place(&address) else { continue };
            if let Some(host) = self.hosts.at(place) {
                host.node.handle_drain(self.now);
            }
            self.settle(place);
        }
    }

    /// The boxes that still hold something after [`drain_all`](Self::drain_all).
    #[must_use]
    pub fn not_drained(&self) -> Vec<SocketAddr> {
        let is_busy =
            |at: &SocketAddr| !self.hosts.get(at).is_none_or(|host| host.node.is_drained());
        self.hosts.addresses().into_iter().filter(is_busy).collect()
    }

    /// Puts bytes on the way as if `from` had sent them.
    pub fn inject(&mut self, from: SocketAddr, packet: Packet) {
        self.transmit(from, packet);
    }

    /// Carries out what is due first, unless that is after `limit`. False when nothing was.
    pub fn step(&mut self, limit: Instant) -> bool {
        let flight = self.flights.next_due();
        let wake = self.hosts.next_wake();
        let next = [flight, wake.map(|(due, _)| due)].into_iter().flatten().min();
        let Some(next) = next.filter(|next| *next <= limit) else {
            self.now = self.now.max(limit);
            return false;
        };
        self.now = self.now.max(next);
        if flight == Some(next) {
            if let Some(flight) = self.flights.pop() {
                self.arrive(flight);
            }
        } else if let Some((_, place)) = wake {
            self.wake(place);
        }
        true
    }

    fn wake(&mut self, place: usize) {
        if self.is_frozen(self.hosts.address(place)) {
            // It settles when it goes on.
            return self.hosts.wake_at(place, None);
        }
        if let Some(host) = self.hosts.at(place) {
            host.node.handle_timeout(self.now);
        }
        self.settle(place);
    }

    /// Runs until `done` says so after a step. False when `limit` comes first.
    ///
    /// # Panics
    /// When a box asks to be woken again and again without time going on.
    pub fn run_until(&mut self, limit: Instant, mut done: impl FnMut(&Self) -> bool) -> bool {
        let (mut last, mut steps) = (self.now, 0);
        while !done(self) {
            if !self.step(limit) {
                return done(self);
            }
            steps = if self.now == last { steps + 1 } else { 0 };
            assert!(steps < MOST_STEPS_AT_ONCE, "stuck at {:?}", self.elapsed());
            last = self.now;
        }
        true
    }

    /// Runs for `time`, whatever happens.
    pub fn run_for(&mut self, time: Duration) {
        self.run_until(self.now + time, |_| false);
    }

    fn arrive(&mut self, flight: Flight) {
        let Some(flight) = self.unless_frozen(flight) else { return };
        let Some(flight) = self.let_in(flight) else { return };
        let Flight { to, at, content, .. } = flight;
        if let FlightContent::Media { from, bytes } = content {
            return self.arrive_media(from, to, &bytes);
        }
        let Some(place) = self.hosts.place(&to) else {
            self.trace.lose(at);
            if let FlightContent::Packet(packet) = content {
                self.refuse(to, &packet);
            }
            return;
        };
        match (self.hosts.at(place), content) {
            (Some(host), FlightContent::Packet(packet)) => {
                host.give(self.now, packet);
            }
            (Some(host), FlightContent::Unreachable(peer)) => {
                host.node.handle_unreachable(self.now, Transport::Tcp, peer);
            }
            (Some(_), FlightContent::Media { .. }) | (None, _) => {}
        }
        self.settle(place);
    }

    /// The sender of a TCP packet learns that nobody is there.
    fn refuse(&mut self, nobody: SocketAddr, packet: &Packet) {
        if packet.transport.is_reliable() {
            let back = self.links.get(nobody, packet.peer).latency;
            self.fly(self.now + back, packet.peer, None, FlightContent::Unreachable(nobody));
        }
    }

    /// Takes everything that a box puts out after an input.
    fn settle(&mut self, place: usize) {
        let address = self.hosts.address(place);
        let Some(host) = self.hosts.at(place) else { return };
        let mut packets = std::mem::take(&mut self.outgoing);
        host.node.take_packets(&mut packets);
        host.record_outputs(self.now, &packets);
        while let Some(notice) = host.node.poll_notice() {
            host.record_notice(self.now, &notice);
            self.listener.hear(self.now - self.start, address, notice);
        }
        for packet in packets.drain(..) {
            self.transmit(address, packet);
        }
        self.outgoing = packets;
        self.settle_media(place, address);
        let Some(host) = self.hosts.at(place) else { return };
        let due = host.node.next_wake();
        self.hosts.wake_at(place, due);
    }

    fn transmit(&mut self, from: SocketAddr, packet: Packet) {
        let Packet { transport, peer: to, bytes } = packet;
        let link = self.links.get(from, to);
        let open = self.links.is_open(from, to);
        let copies = match transport {
            _ if !open || self.is_to_be_lost(from, to, &bytes) => 0,
            Transport::Udp => link.copies(&mut self.rng),
            _ => 1,
        };
        let departures = match copies {
            0 => [None, None],
            _ => self.let_out(transport, from, to),
        };
        let lost = departures[0].is_none();
        let at = self.now - self.start;
        let sighting = || TracedPacket { at, from, to, transport, bytes: bytes.clone(), lost };
        let at = self.trace.packet(sighting);
        let arriving = Packet { transport, peer: from, bytes };
        let [Some(departure), copy] = departures else { return self.refuse(to, &arriving) };
        let spare = (copies > 1 || copy.is_some()).then(|| arriving.clone());
        self.send(departure, link, to, at, arriving);
        let Some(spare) = spare else { return };
        for departure in std::iter::repeat_n(departures, copies).flatten().flatten().skip(1) {
            self.send(departure, link, to, at, spare.clone());
        }
    }

    /// One copy of a packet takes the link.
    fn send(
        &mut self,
        departure: Instant,
        link: Link,
        to: SocketAddr,
        at: Option<usize>,
        arriving: Packet,
    ) {
        let mut due = departure + link.delay(&mut self.rng);
        if arriving.transport.is_reliable() {
            let last = self.streams.entry((arriving.peer, to)).or_insert(due);
            due = due.max(*last);
            *last = due;
        }
        self.fly(due, to, at, FlightContent::Packet(arriving));
    }

    fn fly(&mut self, due: Instant, to: SocketAddr, at: Option<usize>, content: FlightContent) {
        self.add_flight(due, to, at, content, false);
    }

    /// What impairments of the box at `to` have put off: it has arrived there.
    fn let_in_later(
        &mut self,
        due: Instant,
        to: SocketAddr,
        at: Option<usize>,
        content: FlightContent,
    ) {
        self.add_flight(due, to, at, content, true);
    }

    fn add_flight(
        &mut self,
        due: Instant,
        to: SocketAddr,
        at: Option<usize>,
        content: FlightContent,
        is_let_in: bool,
    ) {
        self.sequence += 1;
        let sequence = self.sequence;
        self.flights.push(Flight { due, sequence, to, at, content, is_let_in });
    }

    fn is_to_be_lost(&mut self, from: SocketAddr, to: SocketAddr, bytes: &bytes::Bytes) -> bool {
        if self.to_lose.is_empty() {
            return false;
        }
        let meant = |to_lose: &&mut PacketToLose| {
            to_lose.times > 0
                && (to_lose.from, to_lose.to) == (from, to)
                && to_lose.label == label(bytes)
        };
        self.to_lose.iter_mut().find(meant).map(|to_lose| to_lose.times -= 1).is_some()
    }
}
