//! An access node: where telephones register, and the edge proxy between them and the network. Pure state, no I/O.
//!
//! | what happens | file |
//! |---|---|
//! | a REGISTER arrives: contacts are bound, changed, removed | `registrar.rs`, by `bindings.rs` |
//! | who is it? Credentials, nonces, wrong passwords | `authentication.rs`, `nonces.rs`, `failures.rs` |
//! | a telephone calls: an emergency number, or another telephone | `edge.rs` |
//! | somebody calls a registered telephone | `edge.rs` |
//! | one telephone of several answers, or none | `forks.rs`, of `fork.rs` |
//! | requests inside a dialog pass, in both directions | `inside.rs`, by `flow_token.rs` and `names.rs` |
//! | what is `sips:` goes over TLS, or not at all | `secured.rs` |
//!
//! It keeps no calls: what it must know of one stands in its Record-Route, which both ends give back. A telephone is always reached
//! by the flow of its own messages (RFC 5626), whatever address it writes of itself.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "a test begins at any instant"))]

mod accounts;
mod authentication;
mod bindings;
mod edge;
mod failures;
mod flow_token;
mod fork;
mod forks;
mod inside;
mod names;
mod nonces;
mod registrar;
mod secured;

use std::collections::{BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::{AccessCounts, AccessNodeSnapshot, Node, Reply};
use sip_proto::arena::Arena;
use sip_proto::deadlines::Deadlines;
use sip_proto::digest::Algorithm;
use sip_proto::message::{Method, Name, Request, Response};
use sip_proto::timer::Timers;
use sip_proto::transaction::{ClientId, Event, ServerId, Transactions};
use sip_proto::{Packet, Rejection, Transport, stun};
use topology::{DigestAlgorithm, Topology};

use accounts::{AccountId, Accounts};
use authentication::Authentication;
use bindings::{Bindings, PhoneFlow};
use flow_token::FlowTokens;
use fork::{Fork, ForkId};
use names::Names;

pub use accounts::Account;

/// One access node; see the module's table.
#[derive(Debug)]
pub struct AccessNode {
    settings: topology::Access,
    topology: Arc<Topology>,
    names: Names,
    /// The boxes of the network: requests from there need no credentials, and only there may a telephone's go.
    core: BTreeSet<IpAddr>,
    transactions: Transactions<Owner>,
    accounts: Accounts,
    authentication: Authentication,
    bindings: Bindings,
    tokens: FlowTokens,
    forks: Arena<ForkId, Fork>,
    deadlines: Deadlines<Wake>,
    counts: AccessCounts,
    notices: VecDeque<AccessNotice>,
    /// Answers to keep-alives, which are no SIP.
    answers: VecDeque<Packet>,
    draining: bool,
}

/// Whose a transaction of ours is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// An INVITE, in or out.
    Fork(ForkId),
    /// Any other request that was forwarded, by the transaction of who sent it, and whether it went to a telephone.
    Forwarded(ServerId, Option<PhoneFlow>),
}

/// What a deadline is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Wake {
    /// A contact of this user is over.
    Account(AccountId),
    /// Timer C of an INVITE (RFC 3261 §16.6 item 11).
    Fork(ForkId),
}

/// What an access node tells the management plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessNotice {
    /// A telephone has registered, or said that it is still there.
    Registered {
        account: Box<str>,
        contact: Box<str>,
        from: SocketAddr,
        transport: Transport,
        seconds: u64,
    },
    /// Contacts of a user are gone, because it said so or their time was over.
    Gone { account: Box<str>, contacts: usize },
    /// Somebody had a wrong password.
    WrongPassword { account: Box<str>, from: SocketAddr },
}

/// Notices that wait to be fetched; more are dropped, as they are only told to a log.
const MOST_NOTICES: usize = 1_000;

impl AccessNode {
    /// The access node `settings` of a network, reached at `address`. `secret` is what nobody else knows: nonces and flow tokens are
    /// made with it.
    #[must_use]
    pub fn new(
        settings: topology::Access,
        accounts: Vec<Account>,
        topology: Arc<Topology>,
        address: SocketAddr,
        seed: u64,
        secret: &str,
        now: Instant,
    ) -> Self {
        let timers =
            Timers { t1: topology.timers.t1, t2: topology.timers.t2, t4: topology.timers.t4 };
        let names = Names::new(&settings, address);
        let transactions =
            Transactions::new(address, timers, seed).with_most(topology.sip.transactions as usize);
        let transactions = names
            .own()
            .iter()
            .fold(transactions, |all, (transport, address)| all.named_on(*transport, *address));
        let groups = topology.trunk_groups.iter().map(|group| group.address.ip());
        let call_servers = topology.call_servers().map(|one| one.address.ip());
        let psaps = topology.psaps.iter().map(|psap| psap.address.ip());
        Self {
            core: groups.chain(call_servers).chain(psaps).collect(),
            transactions,
            accounts: Accounts::new(accounts),
            authentication: Authentication::new(&settings.realm, secret, offered(&settings), now),
            bindings: Bindings::default(),
            tokens: FlowTokens::new(secret),
            forks: Arena::default(),
            deadlines: Deadlines::default(),
            counts: AccessCounts::default(),
            notices: VecDeque::new(),
            answers: VecDeque::new(),
            draining: false,
            settings,
            topology,
            names,
        }
    }

    fn tell(&mut self, notice: AccessNotice) {
        if self.notices.len() < MOST_NOTICES {
            self.notices.push_back(notice);
        }
    }

    fn settle(&mut self, now: Instant) {
        while let Some(event) = self.transactions.poll_event() {
            self.handle_event(now, event);
        }
    }

    fn handle_event(&mut self, now: Instant, event: Event<Owner>) {
        match event {
            Event::Request { id, request, source, transport } => {
                self.receive(now, id, &request, PhoneFlow { peer: source, transport });
            }
            Event::Ack { request, source, transport, .. } => {
                self.forward_ack(&request, PhoneFlow { peer: source, transport });
            }
            Event::Cancel { owner: Some(Owner::Fork(fork)), cancel, .. } => {
                self.cancelled(now, fork, &cancel);
            }
            Event::Cancel { invite, .. } => {
                self.transactions.reject(now, invite, &Rejection::new(487));
            }
            Event::Response { id, owner, response } => self.responded(now, id, owner, &response),
            Event::Failed { id, owner, failure } => match owner {
                Owner::Fork(fork) => self.branch_failed(now, fork, id, failure),
                Owner::Forwarded(server, flow) => {
                    self.forwarded_failed(now, server, flow, failure);
                }
            },
            Event::NoRoom { .. } | Event::NoAck { .. } | Event::BrokenBye(_) => {}
        }
    }

    fn responded(&mut self, now: Instant, id: ClientId, owner: Owner, response: &Response) {
        match owner {
            Owner::Fork(fork) => self.fork_response(now, fork, id, response),
            // RFC 3261 §16.7 item 2: 100 is for this hop alone.
            Owner::Forwarded(..) if response.status() == 100 => {}
            Owner::Forwarded(server, _) => {
                if let Some(bytes) = response.without_topmost_via() {
                    self.transactions.respond_bytes(now, server, response.status(), bytes);
                }
            }
        }
    }

    /// Request validation of a proxy (RFC 3261 §16.3), then by what it is.
    fn receive(&mut self, now: Instant, id: ServerId, request: &Request, from: PhoneFlow) {
        let refusal = self.loops(request).and_then(|()| self.inspect_sips(request, from));
        if let Err(rejection) = refusal {
            return self.transactions.reject(now, id, &rejection);
        }
        if request.to_tag().is_some() && request.method() != Method::Register {
            return self.inside(now, id, request, from);
        }
        let uri = request.uri();
        let is_for_us = uri.user().is_none_or(str::is_empty) && self.is_us(uri.host(), uri.ip());
        match request.method() {
            Method::Register => self.register(now, id, request, from),
            Method::Options if is_for_us => {
                let status = if self.draining { 503 } else { 200 };
                self.transactions.reject(now, id, &with_allow(status));
            }
            _ if self.draining => {
                let refusal = Rejection::new(503).with_retry_after(Duration::from_secs(5));
                self.transactions.reject(now, id, &refusal);
            }
            Method::Bye | Method::Update | Method::Prack => {
                self.transactions.reject(now, id, &Rejection::new(481));
            }
            Method::Other => self.transactions.reject(now, id, &with_allow(501)),
            _ => self.begin(now, id, request, from),
        }
    }

    /// A loop by any of our names, and what else a proxy refuses at once.
    fn loops(&self, request: &Request) -> Result<(), Rejection> {
        request.refuse_as_proxy(self.transactions.sent_by())?;
        let ours = self.names.own().iter().map(|(transport, _)| *transport);
        let is_again = |one| request.has_via_of(self.transactions.name_on(one));
        if ours.into_iter().any(is_again) { Err(Rejection::new(482)) } else { Ok(()) }
    }

    /// Whether a URI's host names this node: its realm, or its address.
    fn is_us(&self, host: &str, ip: Option<IpAddr>) -> bool {
        ip.is_some_and(|ip| self.names.has_ip(ip))
            || host.eq_ignore_ascii_case(&self.settings.realm)
    }

    fn wake(&mut self, now: Instant, wake: Wake) {
        match wake {
            Wake::Account(account) => self.forget_over(now, account),
            Wake::Fork(fork) => self.fork_overdue(now, fork),
        }
    }
}

/// The hash functions that the file has, for the digest.
fn offered(settings: &topology::Access) -> Vec<Algorithm> {
    let algorithm = |one: &DigestAlgorithm| match one {
        DigestAlgorithm::Sha256 => Algorithm::Sha256,
        DigestAlgorithm::Md5 => Algorithm::Md5,
    };
    settings.algorithms.iter().map(algorithm).collect()
}

/// A response that says which methods pass here (RFC 3261 §21.4.6, §11.2).
fn with_allow(status: u16) -> Rejection {
    let methods = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, MESSAGE, INFO, UPDATE, PRACK, REFER, SUBSCRIBE, NOTIFY";
    Rejection::new(status)
        .with_header(Name::Allow.as_str(), methods)
        .with_header(Name::Accept.as_str(), "*/*")
        .with_header(Name::Supported.as_str(), "path, outbound")
}

impl Node for AccessNode {
    type Command = std::convert::Infallible;
    type Event = AccessNotice;
    type Snapshot = AccessNodeSnapshot;

    fn handle_packet(&mut self, now: Instant, packet: Packet) {
        if packet.transport == Transport::Udp
            && let Some(answer) = stun::answer(&packet.bytes, packet.peer)
        {
            self.counts.keep_alives += 1;
            self.answers.push_back(Packet { bytes: answer.into(), ..packet });
            return;
        }
        self.transactions.handle_packet(now, packet);
        self.settle(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.transactions.handle_timeout(now);
        self.settle(now);
        while let Some((_, wake)) = self.deadlines.pop_due(now) {
            self.wake(now, wake);
        }
        self.settle(now);
    }

    fn handle_unreachable(&mut self, now: Instant, transport: Transport, peer: SocketAddr) {
        // Only who is registered by a connection is gone with it (RFC 5626 §6): a datagram may be lost to a telephone that starts.
        if transport.is_reliable() && self.bindings.forget_flow(PhoneFlow { peer, transport }) {
            self.counts.flows_lost += 1;
        }
        self.transactions.handle_unreachable(now, transport, peer);
        self.settle(now);
    }

    fn handle_command(&mut self, _now: Instant, command: Self::Command) -> Reply {
        match command {}
    }

    /// Refuses new calls; registrations stay, so that calls in progress reach their telephones.
    fn handle_drain(&mut self, _now: Instant) {
        self.draining = true;
    }

    fn poll_transmit(&mut self) -> Option<Packet> {
        self.answers.pop_front().or_else(|| self.transactions.poll_transmit())
    }

    fn poll_event(&mut self) -> Option<AccessNotice> {
        self.notices.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        [self.transactions.poll_timeout(), self.deadlines.next()].into_iter().flatten().min()
    }

    fn snapshot(&self) -> AccessNodeSnapshot {
        let stats = self.transactions.stats();
        AccessNodeSnapshot {
            accounts: self.accounts.len(),
            registered: self.bindings.users(),
            contacts: self.bindings.len(),
            setups: self.setups(),
            draining: self.draining,
            counts: self.counts,
            malformed: stats.malformed,
            resent: stats.resent,
            stray: stats.stray,
            overflow: stats.overflow,
            transactions: self.transactions.len(),
        }
    }

    fn is_drained(&self) -> bool {
        self.draining && self.setups() == 0
    }
}

#[cfg(test)]
mod tests;
