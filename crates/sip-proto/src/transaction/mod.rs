//! Transactions — RFC 3261 §17 and RFC 6026: one file for each machine, and here their matching and their deadlines.
//!
//! A transaction user (TU) is a user agent or a proxy. It tags what it starts with an owner of its own choice, and every
//! event about that transaction brings the owner back.

mod client;
mod client_table;
#[cfg(test)]
mod fixture;
mod invite_client;
mod invite_server;
mod server;
mod server_table;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;

use crate::id::Ids;
use crate::message::{
    Draft, Forward, Head, Incoming, Method, Payload, Reply, Request, Response, Unsound, host_port,
    parse, response, response_target,
};
use crate::timer::{Deadlines, Timers};
use crate::{Packet, Rejection, Transport};

use client_table::ClientTable;
use server_table::ServerTable;

/// Names a client transaction. Old names of ended transactions never match a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId {
    slot: u32,
    nonce: u64,
}

impl ClientId {
    const FIRST: Self = Self { slot: 0, nonce: 0 };
    const LAST: Self = Self { slot: u32::MAX, nonce: u64::MAX };
}

/// Names a server transaction. Old names of ended transactions never match a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ServerId {
    slot: u32,
    nonce: u32,
}

/// What one machine wants done, in order.
#[derive(Debug)]
enum Output {
    /// The first copy of a message.
    Send(Bytes),
    /// A further copy.
    Resend(Bytes),
    /// Give the response to the TU.
    Response(Response),
    /// The TU has been silent for 200 ms: send 100.
    TryingDue,
    /// Timer B, F or H.
    Timeout,
    /// The transport failed before any response.
    Unreachable,
    /// Forget this transaction.
    Terminate,
}

/// What a TU is told.
#[derive(Debug)]
pub enum Event<O> {
    /// A new request other than ACK and CANCEL.
    Request { id: ServerId, request: Request, source: SocketAddr, transport: Transport },
    /// An ACK that no transaction absorbed: it is for a 2xx. `owner` is set while the INVITE's transaction lives.
    Ack { owner: Option<O>, request: Request, source: SocketAddr },
    /// A CANCEL for an INVITE without a final response; the CANCEL itself has been answered.
    Cancel { invite: ServerId, owner: Option<O>, cancel: Request },
    /// A response to a request of ours.
    Response { id: ClientId, owner: O, response: Response },
    /// A request of ours ended without a final response.
    Failed { id: ClientId, owner: O, failure: Failure },
    /// No ACK came for our 300-699 (Timer H).
    NoAck { owner: Option<O> },
}

/// Why a client transaction ended without a final response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    Timeout,
    Unreachable,
}

/// What this layer counts. Nothing that arrives or leaves is uncounted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    pub received: u64,
    pub sent: u64,
    /// Copies that our timers sent.
    pub resent: u64,
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
}

impl Target {
    /// Towards `peer`, over whatever transport the size asks for.
    #[must_use]
    pub const fn to(peer: SocketAddr) -> Self {
        Self { peer, transport: None }
    }
}

/// RFC 3261 §18.1.1: a request within 200 bytes of an unknown path MTU goes over a congestion-controlled transport.
const UDP_LIMIT: usize = 1_300;

/// Live server transactions beyond which new requests are refused: a bound on memory under a hostile flood.
const MAX_SERVERS: usize = 500_000;

/// All transactions of one address.
#[derive(Debug)]
pub struct Transactions<O> {
    sent_by: Box<str>,
    timers: Timers,
    ids: Ids,
    clients: ClientTable<O>,
    servers: ServerTable<O>,
    deadlines: Deadlines<Owner>,
    transmits: VecDeque<Packet>,
    events: VecDeque<Event<O>>,
    scratch: Vec<Output>,
    stats: Stats,
}

#[derive(Debug, Clone, Copy)]
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
            timers,
            ids: Ids::new(seed),
            clients: ClientTable::default(),
            servers: ServerTable::default(),
            deadlines: Deadlines::default(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            scratch: Vec::new(),
            stats: Stats::default(),
        }
    }

    /// Takes what a socket received.
    pub fn handle_packet(&mut self, now: Instant, packet: Packet) {
        self.stats.received += 1;
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
        while let Some(owner) = self.deadlines.pop_due(now) {
            match owner {
                Owner::Client(id) => self.wake_client(now, id),
                Owner::Server(id) => self.wake_server(now, id),
            }
        }
    }

    /// The transport could not deliver to `peer`. Requests that went by TCP only because of their size are tried again by
    /// UDP (RFC 3261 §18.1.1).
    pub fn handle_unreachable(&mut self, now: Instant, transport: Transport, peer: SocketAddr) {
        for id in self.clients.pending_towards(transport, peer) {
            self.client_lost_transport(now, id);
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
        self.deadlines.next()
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

    pub(crate) const fn timers(&self) -> Timers {
        self.timers
    }

    /// The host and port that name this node in Via, Contact and Record-Route.
    #[must_use]
    pub fn sent_by(&self) -> &str {
        &self.sent_by
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
    }
}

/// Requests of ours.
impl<O: Copy + std::fmt::Debug> Transactions<O> {
    /// Starts a client transaction for a request of the user agent.
    pub(crate) fn send(
        &mut self,
        now: Instant,
        draft: &Draft,
        target: Target,
        owner: O,
    ) -> ClientId {
        let transport = target.transport.unwrap_or_else(|| self.transport_for(draft));
        let by_size = target.transport.is_none() && transport == Transport::Tcp;
        let nonce = self.ids.nonce();
        let mut out = std::mem::take(&mut self.scratch);
        let (timers, sent_by) = (self.timers, &self.sent_by);
        let id = self.clients.insert(owner, target.peer, transport, by_size, nonce, |branch| {
            let bytes = draft.with_via(transport, sent_by, branch);
            client_table::Machine::start(
                draft.method(),
                bytes,
                transport.is_reliable(),
                timers,
                now,
                &mut out,
            )
        });
        self.carry_out_client(now, id, &mut out);
        self.scratch = out;
        id
    }

    /// Asks a peer with OPTIONS whether it is alive (RFC 3261 §11.1).
    pub fn probe(&mut self, now: Instant, peer: SocketAddr, owner: O) -> ClientId {
        let (call_id, tag) = (self.ids.uuid(), self.ids.tag());
        let from = format!("<sip:{}>;tag={tag}", self.sent_by);
        let uri = format!("sip:{}", host_port(peer));
        let head = Head {
            method: Method::Options,
            uri: &uri,
            // One hop, so that the peer itself answers.
            max_forwards: 1,
            from: &from,
            to: &format!("<{uri}>"),
            call_id: &call_id,
            cseq: 1,
            route: &[],
        };
        let draft = Draft::new(&head, b"", &Payload::empty());
        self.send(now, &draft, Target::to(peer), owner)
    }

    /// Forwards a request statefully (RFC 3261 §16.6).
    pub fn forward(
        &mut self,
        now: Instant,
        request: &Request,
        changes: &Forward<'_>,
        target: Target,
        owner: O,
    ) -> ClientId {
        self.send(now, &changes.draft(request), target, owner)
    }

    /// Sends a request that has no transaction of its own: the ACK of a 2xx, ours or forwarded (RFC 3261 §13.2.2.4,
    /// §16.6). Returns the finished message, which answers further copies of the 2xx.
    pub(crate) fn send_ack(&mut self, draft: &Draft, target: Target) -> Packet {
        let transport = target.transport.unwrap_or_else(|| self.transport_for(draft));
        let branch = client_table::branch(u32::MAX, self.ids.nonce());
        let bytes = draft.with_via(transport, &self.sent_by, &branch);
        self.transmit(transport, target.peer, bytes.clone());
        Packet { transport, peer: target.peer, bytes }
    }

    /// Forwards the ACK of a 2xx.
    pub fn forward_ack(&mut self, request: &Request, changes: &Forward<'_>, target: Target) {
        self.send_ack(&changes.draft(request), target);
    }

    /// Sends a finished message again.
    pub(crate) fn resend(&mut self, packet: &Packet) {
        self.stats.resent += 1;
        self.transmit(packet.transport, packet.peer, packet.bytes.clone());
    }

    /// Asks to end an INVITE of ours (RFC 3261 §9.1). Before a provisional response the CANCEL is held back; after a
    /// final response nothing happens. If no final response follows within 64·T1, the INVITE fails with a timeout.
    /// `lines` are further complete header lines of the CANCEL, such as Reason.
    pub fn cancel(&mut self, now: Instant, id: ClientId, lines: Vec<u8>) {
        let Some(entry) = self.clients.get_mut(id) else {
            return;
        };
        entry.cancel_wanted.get_or_insert(lines);
        self.send_cancel_if_due(now, id);
    }

    /// Where the request of a live client transaction went.
    pub(crate) fn peer_of(&mut self, id: ClientId) -> Option<SocketAddr> {
        Some(self.clients.get_mut(id)?.peer)
    }

    /// Drops a client transaction whose outcome nobody waits for any more.
    pub fn forget(&mut self, id: ClientId) {
        self.clients.remove(id);
    }

    fn send_cancel_if_due(&mut self, now: Instant, id: ClientId) {
        let give_up = self.timers.give_up();
        let Some(entry) = self.clients.get_mut(id) else {
            return;
        };
        let Some((invite, lines)) = entry.cancellable() else {
            return;
        };
        entry.give_up_at = Some(now + give_up);
        let Ok(invite) = Request::reread(invite) else {
            // What the TU wrote into the INVITE cannot be read: then only the time limit is left.
            self.arm_client(id);
            return;
        };
        let bytes = Draft::cancel_for(&invite, &lines);
        let (owner, peer, transport) = (entry.owner, entry.peer, entry.transport);
        let mut out = Vec::new();
        let reliable = transport.is_reliable();
        let machine = client_table::Machine::start(
            Method::Cancel,
            bytes,
            reliable,
            self.timers,
            now,
            &mut out,
        );
        let cancel = self.clients.insert_cancel(id, owner, peer, transport, machine);
        self.carry_out_client(now, cancel, &mut out);
        self.arm_client(id);
    }

    fn transport_for(&self, draft: &Draft) -> Transport {
        // The Via line adds its fixed text, our name and a branch.
        let size = draft.len() + 64 + self.sent_by.len();
        if size > UDP_LIMIT { Transport::Tcp } else { Transport::Udp }
    }

    fn receive_response(&mut self, now: Instant, response: Response) {
        let found =
            response.branch().and_then(|branch| self.clients.find(branch, response.cseq().1));
        let Some(id) = found else {
            self.stats.stray += 1;
            return;
        };
        let mut out = std::mem::take(&mut self.scratch);
        if let Some(entry) = self.clients.get_mut(id) {
            entry.machine.handle_response(response, now, &mut out);
        }
        self.carry_out_client(now, id, &mut out);
        self.scratch = out;
        self.send_cancel_if_due(now, id);
    }

    fn wake_client(&mut self, now: Instant, id: ClientId) {
        let Some(entry) = self.clients.get_mut(id) else {
            return;
        };
        entry.armed = None;
        let mut out = std::mem::take(&mut self.scratch);
        if entry.give_up_at.is_some_and(|due| due <= now) && entry.machine.is_pending() {
            // RFC 3261 §9.1: a cancelled INVITE without a final response within 64*T1 is over.
            out.extend([Output::Timeout, Output::Terminate]);
        } else {
            entry.machine.handle_timeout(now, &mut out);
        }
        self.carry_out_client(now, id, &mut out);
        self.scratch = out;
    }

    fn client_lost_transport(&mut self, now: Instant, id: ClientId) {
        let Some(entry) = self.clients.get_mut(id) else {
            return;
        };
        let mut out = std::mem::take(&mut self.scratch);
        if !entry.fall_back_to_udp(self.timers, now, &mut out) {
            entry.machine.handle_unreachable(&mut out);
        }
        self.carry_out_client(now, id, &mut out);
        self.scratch = out;
    }

    fn carry_out_client(&mut self, _now: Instant, id: ClientId, out: &mut Vec<Output>) {
        let Some(entry) = self.clients.get_mut(id) else {
            out.clear();
            return;
        };
        let (owner, peer, transport, is_cancel) =
            (entry.owner, entry.peer, entry.transport, entry.is_cancel);
        for output in out.drain(..) {
            match output {
                Output::Send(bytes) => self.transmit(transport, peer, bytes),
                Output::Resend(bytes) => {
                    self.stats.resent += 1;
                    self.transmit(transport, peer, bytes);
                }
                // What becomes of the CANCEL itself changes nothing: the INVITE's final response decides.
                Output::Response(_) | Output::Timeout | Output::Unreachable if is_cancel => {}
                Output::Response(response) => {
                    self.events.push_back(Event::Response { id, owner, response });
                }
                Output::Timeout => {
                    self.stats.timeouts += 1;
                    self.events.push_back(Event::Failed { id, owner, failure: Failure::Timeout });
                }
                Output::Unreachable => {
                    self.stats.unreachable += 1;
                    self.events.push_back(Event::Failed {
                        id,
                        owner,
                        failure: Failure::Unreachable,
                    });
                }
                Output::TryingDue => {}
                Output::Terminate => self.clients.remove(id),
            }
        }
        self.arm_client(id);
    }

    fn arm_client(&mut self, id: ClientId) {
        if let Some(due) = self.clients.settle(id) {
            self.deadlines.push(due, Owner::Client(id));
        }
    }
}

/// Requests of peers.
impl<O: Copy + std::fmt::Debug> Transactions<O> {
    /// Tags a server transaction with the TU's owner.
    pub fn own(&mut self, id: ServerId, owner: O) {
        if let Some(entry) = self.servers.get_mut(id) {
            entry.owner = Some(owner);
        }
    }

    /// The owner of a live server transaction.
    pub fn owner(&mut self, id: ServerId) -> Option<O> {
        self.servers.get_mut(id)?.owner
    }

    /// True if a live server transaction has the same request over another path (RFC 3261 §8.2.2.2). A
    /// user agent server answers such a copy 482; a proxy forwards it.
    #[must_use]
    pub fn is_merged(&self, id: ServerId) -> bool {
        self.servers.is_merged(id)
    }

    /// Answers a request. Nothing happens if it has had its final response.
    pub(crate) fn respond(
        &mut self,
        now: Instant,
        id: ServerId,
        reply: &Reply<'_>,
    ) -> Option<Packet> {
        let entry = self.servers.get_mut(id)?;
        let request = entry.request.as_ref()?;
        let bytes = response(request, entry.source, reply);
        self.respond_bytes(now, id, reply.status, bytes)
    }

    /// Answers with a refusal.
    pub fn reject(&mut self, now: Instant, id: ServerId, rejection: &Rejection) {
        let fixed = rejection.lines(&self.sent_by);
        let tag = self.ids.tag();
        let payload = Payload::empty();
        let status = rejection.status;
        self.respond(
            now,
            id,
            &Reply { status, phrase: None, to_tag: &tag, fixed: &fixed, payload: &payload },
        );
    }

    /// Answers 100, without a tag (RFC 3261 §8.2.6.1).
    pub fn trying(&mut self, now: Instant, id: ServerId) {
        let payload = Payload::empty();
        self.respond(
            now,
            id,
            &Reply { status: 100, phrase: None, to_tag: "", fixed: &[], payload: &payload },
        );
    }

    /// Forwards a finished response (RFC 3261 §16.7); a 2xx to an INVITE may come several times.
    pub fn respond_bytes(
        &mut self,
        now: Instant,
        id: ServerId,
        status: u16,
        bytes: Bytes,
    ) -> Option<Packet> {
        let entry = self.servers.get_mut(id)?;
        let packet =
            Packet { transport: entry.transport, peer: entry.reply_to, bytes: bytes.clone() };
        let mut out = std::mem::take(&mut self.scratch);
        let taken = entry.machine.respond(status, bytes, now, &mut out);
        if !taken && (200..300).contains(&status) && entry.machine.is_invite() {
            // RFC 6026 §7.1: further 2xx pass through Accepted.
            out.push(Output::Send(packet.bytes.clone()));
        }
        if status >= 200 {
            entry.request = None;
        }
        self.carry_out_server(now, id, &mut out);
        self.scratch = out;
        Some(packet)
    }

    fn receive_request(
        &mut self,
        now: Instant,
        request: Request,
        transport: Transport,
        source: SocketAddr,
    ) {
        if let Some(id) = self.servers.find(&request) {
            self.receive_known(now, id, request, source);
            return;
        }
        match request.method() {
            Method::Ack => self.events.push_back(Event::Ack { owner: None, request, source }),
            Method::Cancel => self.receive_cancel(now, &request, transport, source),
            _ if self.servers.len() >= MAX_SERVERS => {
                self.stats.overflow += 1;
                let reply = Reply {
                    status: 503,
                    phrase: None,
                    to_tag: "overflow",
                    fixed: b"Retry-After: 5\r\n",
                    payload: &Payload::empty(),
                };
                let bytes = response(&request, source, &reply);
                self.transmit(transport, response_target(&request, transport, source), bytes);
            }
            _ => {
                let id = self.insert_server(now, request.clone(), transport, source);
                self.events.push_back(Event::Request { id, request, source, transport });
            }
        }
    }

    fn receive_known(&mut self, now: Instant, id: ServerId, request: Request, source: SocketAddr) {
        let Some(entry) = self.servers.get_mut(id) else {
            return;
        };
        let mut out = std::mem::take(&mut self.scratch);
        if request.method() == Method::Ack {
            if !entry.machine.handle_ack(now, &mut out) {
                self.events.push_back(Event::Ack { owner: entry.owner, request, source });
            }
        } else {
            self.stats.repeated += 1;
            entry.machine.handle_retransmission(&mut out);
        }
        self.carry_out_server(now, id, &mut out);
        self.scratch = out;
    }

    /// RFC 3261 §9.2: CANCEL is answered at once: 200 if there is such an INVITE, else 481.
    fn receive_cancel(
        &mut self,
        now: Instant,
        cancel: &Request,
        transport: Transport,
        source: SocketAddr,
    ) {
        let (tag, payload) = (self.ids.tag(), Payload::empty());
        let reply =
            Reply { status: 200, phrase: None, to_tag: &tag, fixed: &[], payload: &payload };
        let Some(invite) = self.servers.find_invite_of(cancel) else {
            // No transaction for it: a flood of strays must not fill the table.
            let bytes = response(cancel, source, &Reply { status: 481, ..reply });
            self.transmit(transport, response_target(cancel, transport, source), bytes);
            return;
        };
        let id = self.insert_server(now, cancel.clone(), transport, source);
        self.respond(now, id, &reply);
        if let Some(entry) = self.servers.get_mut(invite)
            && entry.machine.is_pending_invite()
        {
            let owner = entry.owner;
            self.events.push_back(Event::Cancel { invite, owner, cancel: cancel.clone() });
        }
    }

    fn insert_server(
        &mut self,
        now: Instant,
        request: Request,
        transport: Transport,
        source: SocketAddr,
    ) -> ServerId {
        let id = self.servers.insert(request, transport, source, self.timers, now);
        self.arm_server(id);
        id
    }

    fn wake_server(&mut self, now: Instant, id: ServerId) {
        let Some(entry) = self.servers.get_mut(id) else {
            return;
        };
        entry.armed = None;
        let mut out = std::mem::take(&mut self.scratch);
        entry.machine.handle_timeout(now, &mut out);
        self.carry_out_server(now, id, &mut out);
        self.scratch = out;
    }

    fn carry_out_server(&mut self, now: Instant, id: ServerId, out: &mut Vec<Output>) {
        let Some(entry) = self.servers.get_mut(id) else {
            out.clear();
            return;
        };
        let (owner, peer, transport) = (entry.owner, entry.reply_to, entry.transport);
        for output in out.drain(..) {
            match output {
                Output::Send(bytes) => self.transmit(transport, peer, bytes),
                Output::Resend(bytes) => {
                    self.stats.resent += 1;
                    self.transmit(transport, peer, bytes);
                }
                Output::Timeout => self.events.push_back(Event::NoAck { owner }),
                Output::Terminate => self.servers.remove(id),
                Output::TryingDue => {
                    let reply = Reply {
                        status: 100,
                        phrase: None,
                        to_tag: "",
                        fixed: &[],
                        payload: &Payload::empty(),
                    };
                    self.trying_now(now, id, &reply);
                }
                Output::Response(_) | Output::Unreachable => {}
            }
        }
        self.arm_server(id);
    }

    fn trying_now(&mut self, now: Instant, id: ServerId, reply: &Reply<'_>) {
        let Some(entry) = self.servers.get_mut(id) else {
            return;
        };
        let Some(request) = entry.request.as_ref() else {
            return;
        };
        let bytes = response(request, entry.source, reply);
        let (transport, peer) = (entry.transport, entry.reply_to);
        entry.machine.respond(100, bytes.clone(), now, &mut Vec::new());
        self.transmit(transport, peer, bytes);
    }

    fn arm_server(&mut self, id: ServerId) {
        if let Some(due) = self.servers.get_mut(id).and_then(server_table::Entry::rearm) {
            self.deadlines.push(due, Owner::Server(id));
        }
    }
}
