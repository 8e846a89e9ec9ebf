//! Transactions — RFC 3261 §17 and RFC 6026: one file for each machine, one for each side with its
//! table, and here what the two sides share.
//!
//! A transaction user (TU) is a user agent or a proxy. It tags what it starts with an owner of its
//! own choice, and every event about that transaction brings the owner back.

mod client;
mod client_side;
mod client_table;
mod event;
#[cfg(test)]
mod fixture;
mod invite_client;
mod invite_server;
mod output;
mod schedule;
mod server;
mod server_side;
mod server_table;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::id::Ids;
use crate::message::{
    Abilities, BrokenBye, Incoming, Payload, Reply, Unsound, host_port, parse, response,
    response_target,
};
use crate::timer::Timers;
use crate::{Packet, Rejection, Transport};

pub(crate) use client_side::AckId;
pub use client_table::ClientId;
pub use event::{Event, Failure};
pub use server_table::ServerId;

use client_table::ClientTable;
use output::Output;
use schedule::Schedule;
use server_table::ServerTable;

/// What this layer counts. Nothing that arrives or leaves is uncounted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    pub received: u64,
    pub sent: u64,
    /// Copies that our timers sent.
    pub resent: u64,
    /// Of these, requests whose timer went off long after its time: we were late, whatever the peer did.
    pub resent_late: u64,
    /// Copies of requests that we had already.
    pub repeated: u64,
    /// Messages that could not be understood.
    pub malformed: u64,
    /// Responses that match nothing of ours.
    pub stray: u64,
    /// Client transactions that timed out.
    pub timeouts: u64,
    /// Client transactions whose transport failed.
    pub unreachable: u64,
    /// Requests refused with 503 because too many transactions were alive.
    pub overflow: u64,
}

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    pub peer: SocketAddr,
    /// `None` lets the size decide: RFC 3261 §18.1.1.
    pub transport: Option<Transport>,
    /// Where it goes, and how, if it cannot be sent there: when the connection is lost.
    pub otherwise: Option<(SocketAddr, Transport)>,
}

impl Target {
    /// Towards `peer`, over whatever transport the size asks for.
    #[must_use]
    pub const fn to(peer: SocketAddr) -> Self {
        Self { peer, transport: None, otherwise: None }
    }
}

/// RFC 3261 §18.1.1: a request within 200 bytes of an unknown path MTU goes over a
/// congestion-controlled transport.
const UDP_LIMIT: usize = 1_300;

/// A timer that goes off so long after its time says more of us than of the peer.
const LATE_AFTER: Duration = Duration::from_millis(20);

/// Live server transactions beyond which all requests are refused, unless told otherwise: a bound
/// on memory under a hostile flood.
pub(crate) const MAX_SERVERS: usize = 1_000_000;

/// The share of them, one in so many, that is kept for requests inside dialogs: who is in a call
/// can end it while new calls are refused. A BYE over UDP is kept for as long as its INVITE.
const RESERVE: usize = 2;

/// All transactions of one address.
#[derive(Debug)]
pub struct Transactions<O> {
    sent_by: Box<str>,
    /// What names us on transports that have a port of their own.
    names: Vec<(Transport, Box<str>)>,
    /// Servers that hear in Via that we obey their overload control. Nobody else does: a caller has no use for it, and some
    /// proxies do not read it.
    obeyed: Vec<SocketAddr>,
    /// What refusals say that must say what would do.
    abilities: Abilities,
    /// Complete header lines of each 100.
    trying_lines: Vec<u8>,
    timers: Arc<Timers>,
    ids: Ids,
    clients: ClientTable<O>,
    servers: ServerTable<O>,
    schedule: Schedule<Owner>,
    transmits: VecDeque<Packet>,
    events: VecDeque<Event<O>>,
    scratch: Vec<Output>,
    stats: Stats,
    /// Live server transactions beyond which requests are refused.
    max_servers: usize,
}

fn name_on<'a>(
    sent_by: &'a str,
    names: &'a [(Transport, Box<str>)],
    transport: Transport,
) -> &'a str {
    let own = names.iter().find(|(one, _)| *one == transport);
    own.map_or(sent_by, |(_, name)| name)
}

/// Whose machine it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Client(ClientId),
    Server(ServerId),
}

impl<O: Copy + std::fmt::Debug> Transactions<O> {
    /// Transactions of the node that peers reach at `address`; `seed` feeds branches and tags.
    #[must_use]
    pub fn new(address: SocketAddr, timers: Timers, seed: u64) -> Self {
        Self {
            sent_by: host_port(address).into(),
            names: Vec::new(),
            obeyed: Vec::new(),
            abilities: Abilities::default(),
            trying_lines: Vec::new(),
            timers: Arc::new(timers),
            ids: Ids::new(seed),
            clients: ClientTable::default(),
            servers: ServerTable::default(),
            schedule: Schedule::default(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            scratch: Vec::new(),
            stats: Stats::default(),
            max_servers: MAX_SERVERS,
        }
    }

    /// The same for a node that peers reach at another port by `transport`: Via says so of what goes by it.
    #[must_use]
    pub fn named_on(mut self, transport: Transport, address: SocketAddr) -> Self {
        self.names.push((transport, host_port(address).into()));
        self
    }

    /// The same, and each request to one of `servers` says that its sender obeys overload control by loss and by rate
    /// (RFC 7339 §5.1).
    #[must_use]
    pub fn obeying_overload(self, servers: Vec<SocketAddr>) -> Self {
        Self { obeyed: servers, ..self }
    }

    /// The same, and with so many transactions of peers alive further requests are refused.
    #[must_use]
    pub fn with_most(self, servers: usize) -> Self {
        Self { max_servers: servers, ..self }
    }

    /// The same for a box that can do this; a refusal that must say so does.
    #[must_use]
    pub fn able_to(self, abilities: Abilities) -> Self {
        Self { abilities, ..self }
    }

    /// The same, and each 100 has these complete header lines.
    #[must_use]
    pub fn trying_with(self, lines: Vec<u8>) -> Self {
        Self { trying_lines: lines, ..self }
    }

    /// Takes what a socket received.
    pub fn handle_packet(&mut self, now: Instant, packet: Packet) {
        self.stats.received += 1;
        self.forget_over(now);
        // RFC 5626 §3.5.1 and habit: keep-alives of empty lines or zero bytes are no messages.
        if packet.bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            return;
        }
        match parse(packet.bytes) {
            Ok(Incoming::Request(request)) => {
                self.receive_request(now, request, packet.transport, packet.peer)
            }
            Ok(Incoming::Response(response)) => self.receive_response(now, response),
            Err(unsound) => self.refuse_unsound(&unsound, packet.transport, packet.peer),
        }
    }

    /// Fires what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((due, owner)) = self.schedule.pop_due(now) {
            self.wake(now, due, owner);
        }
        self.forget_over(now);
    }

    /// Forgets what was to be forgotten by now.
    fn forget_over(&mut self, now: Instant) {
        while let Some((due, owner)) = self.schedule.pop_over(now) {
            self.wake(now, due, owner);
        }
    }

    fn wake(&mut self, now: Instant, due: Instant, owner: Owner) {
        match owner {
            Owner::Client(id) => self.wake_client(now, due, id),
            Owner::Server(id) => self.wake_server(now, id),
        }
    }

    /// The transport could not deliver to `peer`. Requests that went by TCP only because of their
    /// size are tried again by UDP (RFC 3261 §18.1.1), those for the connection of a telephone where its Contact says, and responses that would have gone back on a
    /// connection of `peer` get one to its Via (§18.2.2).
    pub fn handle_unreachable(&mut self, now: Instant, transport: Transport, peer: SocketAddr) {
        for id in self.clients.pending_towards(transport, peer) {
            self.client_lost_transport(now, id);
        }
        if transport == Transport::Tcp {
            self.servers.lose_connection(peer);
        }
    }

    pub fn poll_transmit(&mut self) -> Option<Packet> {
        self.transmits.pop_front()
    }

    pub fn poll_event(&mut self) -> Option<Event<O>> {
        self.events.pop_front()
    }

    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.schedule.next()
    }

    #[must_use]
    pub const fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Client transactions without a final response.
    #[must_use]
    pub fn pending_clients(&self) -> usize {
        self.clients.pending()
    }

    /// All live transactions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.clients.len() + self.servers.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where this node's randomness comes from.
    pub const fn ids(&mut self) -> &mut Ids {
        &mut self.ids
    }

    /// The base values of this node's timers.
    #[must_use]
    pub fn timers(&self) -> Timers {
        *self.timers
    }

    /// The host and port that name this node in Via, Contact and Record-Route.
    #[must_use]
    pub fn sent_by(&self) -> &str {
        &self.sent_by
    }

    /// The same for what goes by `transport`.
    #[must_use]
    pub fn name_on(&self, transport: Transport) -> &str {
        name_on(&self.sent_by, &self.names, transport)
    }

    fn transmit(&mut self, transport: Transport, peer: SocketAddr, bytes: Bytes) {
        // RFC 4475 §3.3.10: nothing is ever sent to a broadcast or multicast address.
        let nowhere = match peer.ip() {
            std::net::IpAddr::V4(ip) => {
                ip.is_broadcast() || ip.is_multicast() || ip.is_unspecified()
            }
            std::net::IpAddr::V6(ip) => ip.is_multicast() || ip.is_unspecified(),
        };
        if !nowhere && peer.port() != 0 {
            self.stats.sent += 1;
            self.transmits.push_back(Packet { transport, peer, bytes });
        }
    }

    /// Answers a request that cannot be understood, without a transaction.
    fn refuse_unsound(&mut self, unsound: &Unsound, transport: Transport, source: SocketAddr) {
        self.stats.malformed += 1;
        let Some((status, message)) = &unsound.answer else {
            return;
        };
        let rejection = Rejection::new(*status).with_warning(unsound.why.to_string());
        let fixed = rejection.lines(&self.sent_by);
        let tag = self.ids.tag();
        let reply = Reply {
            status: *status,
            phrase: None,
            to_tag: &tag,
            fixed: &fixed,
            payload: &Payload::empty(),
        };
        let bytes = response(message, source, &reply);
        self.transmit(transport, response_target(message, transport, source), bytes);
        self.events.extend(BrokenBye::of(message).map(Event::BrokenBye));
    }
}
