//! Server transactions of one address and how requests find them — RFC 3261 §17.2.3.

use std::collections::BTreeSet;
use std::hash::BuildHasher as _;
use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use hashbrown::{DefaultHashBuilder, HashTable};

use super::invite_server::InviteServer;
use super::output::Output;
use super::server::Server;
use crate::Transport;
use crate::arena::{Arena, Key};
use crate::message::{Method, Request, response_target};
use crate::timer::Timers;

crate::key_type! {
    /// Names a server transaction. Old names of ended transactions never match a new one.
    pub struct ServerId;
}

/// A machine of either kind.
#[derive(Debug)]
pub(super) enum Machine {
    Invite(InviteServer),
    Other(Server),
}

impl Machine {
    pub(super) fn respond(
        &mut self,
        status: u16,
        response: Bytes,
        now: Instant,
        out: &mut Vec<Output>,
    ) -> bool {
        match self {
            Self::Invite(machine) => machine.respond(status, response, now, out),
            // RFC 4320 §4.1: no provisional response to a non-INVITE request.
            Self::Other(machine) => status >= 200 && machine.respond(response, now, out),
        }
    }

    pub(super) fn handle_retransmission(&self, out: &mut Vec<Output>) {
        match self {
            Self::Invite(machine) => machine.handle_retransmission(out),
            Self::Other(machine) => machine.handle_retransmission(out),
        }
    }

    pub(super) fn handle_ack(&mut self, now: Instant, out: &mut Vec<Output>) -> bool {
        match self {
            Self::Invite(machine) => machine.handle_ack(now, out),
            Self::Other(_) => true,
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, out: &mut Vec<Output>) {
        match self {
            Self::Invite(machine) => machine.handle_timeout(now, out),
            Self::Other(machine) => machine.handle_timeout(now, out),
        }
    }

    pub(super) fn is_invite(&self) -> bool {
        matches!(self, Self::Invite(_))
    }

    pub(super) fn is_pending_invite(&self) -> bool {
        matches!(self, Self::Invite(machine) if machine.is_pending())
    }

    /// When [`handle_timeout`](Self::handle_timeout) must next be called.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::Invite(machine) => machine.poll_timeout(),
            Self::Other(machine) => machine.poll_timeout(),
        }
    }
}

/// One server transaction with its address.
#[derive(Debug)]
pub(super) struct Entry<O> {
    pub(super) owner: Option<O>,
    pub(super) transport: Transport,
    pub(super) source: SocketAddr,
    /// Where responses go (RFC 3261 §18.2.2).
    pub(super) reply_to: SocketAddr,
    /// Where its sender takes connections.
    sent_by_port: u16,
    pub(super) machine: Machine,
    /// Outside of any dialog, so that RFC 3261 §8.2.2.2 applies.
    is_initial: bool,
    /// Kept until the final response is written from it.
    pub(super) request: Option<Request>,
    key: Box<str>,
    /// Under which copies of this request over other paths are found; `None` for such a copy
    /// itself.
    merge_key: Option<Box<str>>,
}

impl<O> Entry<O> {
    /// Empty for a copy over another path; no key is.
    fn merge_key(&self) -> &str {
        self.merge_key.as_deref().unwrap_or_default()
    }
}

#[derive(Debug)]
pub(super) struct ServerTable<O> {
    entries: Arena<ServerId, Entry<O>>,
    /// All of them, by their keys.
    by_key: HashTable<ServerId>,
    /// Those with a merge key, by it (RFC 3261 §8.2.2.2).
    by_merge_key: HashTable<ServerId>,
    hasher: DefaultHashBuilder,
    /// Transactions that answer on a connection, by its other end: a lost one must not cost a walk
    /// over all others.
    by_connection: BTreeSet<(SocketAddr, ServerId)>,
    /// The key being looked up; kept to save its allocation.
    wanted: String,
}

impl<O> Default for ServerTable<O> {
    fn default() -> Self {
        Self {
            entries: Arena::default(),
            by_key: HashTable::new(),
            by_merge_key: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            by_connection: BTreeSet::new(),
            wanted: String::new(),
        }
    }
}

impl<O> ServerTable<O> {
    /// The transaction that a request belongs to; an ACK belongs to its INVITE.
    pub(super) fn find(&mut self, request: &Request) -> Option<ServerId> {
        write_key(&mut self.wanted, request, request.method_text());
        self.find_wanted()
    }

    /// The INVITE that a CANCEL is about (RFC 3261 §9.2).
    pub(super) fn find_invite_of(&mut self, cancel: &Request) -> Option<ServerId> {
        write_key(&mut self.wanted, cancel, Method::Invite.as_str());
        self.find_wanted()
    }

    fn find_wanted(&self) -> Option<ServerId> {
        let hash = self.hasher.hash_one(self.wanted.as_str());
        let is_it =
            |id: &ServerId| self.entries.get(*id).is_some_and(|entry| *entry.key == *self.wanted);
        self.by_key.find(hash, is_it).copied()
    }

    pub(super) fn insert(
        &mut self,
        request: Request,
        transport: Transport,
        source: SocketAddr,
        timers: Timers,
        now: Instant,
    ) -> ServerId {
        write_key(&mut self.wanted, &request, request.method_text());
        let key: Box<str> = self.wanted.as_str().into();
        let hash = self.hasher.hash_one(&*key);
        let merge_key = self.new_merge_key(&request);
        let merge_hash = merge_key.as_ref().map(|(_, hash)| *hash);
        let reliable = transport.is_reliable();
        let machine = match request.method() {
            Method::Invite => Machine::Invite(InviteServer::start(reliable, timers, now)),
            _ => Machine::Other(Server::start(reliable, timers, now)),
        };
        let reply_to = response_target(&request, transport, source);
        let sent_by_port = request.via().port().unwrap_or(5060);
        let id = self.entries.insert(Entry {
            owner: None,
            transport,
            source,
            reply_to,
            sent_by_port,
            machine,
            is_initial: is_initial(&request),
            request: Some(request),
            key,
            merge_key: merge_key.map(|(key, _)| key),
        });
        let Self { entries, by_key, by_merge_key, hasher, .. } = self;
        by_key.insert_unique(hash, id, |id| {
            hasher.hash_one(entries.get(*id).map_or("", |entry| &*entry.key))
        });
        if let Some(hash) = merge_hash {
            by_merge_key.insert_unique(hash, id, |id| {
                hasher.hash_one(entries.get(*id).map_or("", Entry::merge_key))
            });
        }
        if reliable {
            self.by_connection.insert((source, id));
        }
        id
    }

    pub(super) fn get_mut(&mut self, id: ServerId) -> Option<&mut Entry<O>> {
        self.entries.get_mut(id)
    }

    pub(super) fn remove(&mut self, id: ServerId) {
        if let Some(entry) = self.entries.remove(id) {
            take(&mut self.by_key, self.hasher.hash_one(&*entry.key), id);
            if entry.transport.is_reliable() {
                self.by_connection.remove(&(entry.source, id));
            }
            if let Some(key) = entry.merge_key {
                take(&mut self.by_merge_key, self.hasher.hash_one(&*key), id);
            }
        }
    }

    /// RFC 3261 §18.2.2: "If that connection is no longer open, the server SHOULD open a connection
    /// to the IP address in the received parameter, if present, using the port in the sent-by
    /// value". Responses from now on go there; one that is lost already is asked for by a copy of
    /// its request.
    pub(super) fn lose_connection(&mut self, peer: SocketAddr) {
        let range = (peer, ServerId(Key::FIRST))..=(peer, ServerId(Key::LAST));
        let lost: Vec<_> = self.by_connection.range(range).copied().collect();
        for place in lost {
            self.by_connection.remove(&place);
            if let Some(entry) = self.get_mut(place.1) {
                entry.reply_to.set_port(entry.sent_by_port);
            }
        }
    }

    /// RFC 3261 §8.2.2.2: "If the request has no tag in the To header field, the UAS core MUST
    /// check the request against ongoing transactions." True if it is the same request over another
    /// path.
    pub(super) fn is_merged(&self, id: ServerId) -> bool {
        self.entries.get(id).is_some_and(|entry| entry.merge_key.is_none() && entry.is_initial)
    }

    /// The merge key of a request with its hash, unless there is such a transaction already.
    fn new_merge_key(&mut self, request: &Request) -> Option<(Box<str>, u64)> {
        if !is_initial(request) {
            return None;
        }
        let key = &mut self.wanted;
        key.clear();
        let (seq, method) = request.cseq();
        key.push_str(request.call_id());
        key.push('\n');
        key.push_str(request.from_tag());
        key.push('\n');
        key.push_str(itoa::Buffer::new().format(seq));
        key.push('\n');
        key.push_str(method.as_str());
        let hash = self.hasher.hash_one(key.as_str());
        let is_it = |id: &ServerId| {
            self.entries.get(*id).is_some_and(|entry| entry.merge_key() == self.wanted)
        };
        let is_known = self.by_merge_key.find(hash, is_it).is_some();
        (!is_known).then(|| (self.wanted.as_str().into(), hash))
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

fn take(table: &mut HashTable<ServerId>, hash: u64, id: ServerId) {
    if let Ok(place) = table.find_entry(hash, |have| *have == id) {
        place.remove();
    }
}

/// True for a request outside of any dialog whose transaction its method does not share with
/// another.
fn is_initial(request: &Request) -> bool {
    request.to_tag().is_none() && request.method() != Method::Cancel
}

/// What identifies a server transaction: branch, sent-by and method (RFC 3261 §17.2.3); for a peer
/// of RFC 2543, which has no such branch, its Via, From tag, Call-ID and CSeq. (The RFC adds To tag
/// and Request-URI there; an ACK differs in the first, and nothing that agrees in the rest differs
/// in the second.)
fn write_key(key: &mut String, request: &Request, method: &str) {
    key.clear();
    let method = if method == Method::Ack.as_str() { Method::Invite.as_str() } else { method };
    let via = request.via();
    key.push_str(method);
    key.push('\n');
    match request.branch() {
        Some(branch) => key.push_str(branch),
        None => {
            for part in [via.param("branch").unwrap_or(""), request.from_tag(), request.call_id()] {
                key.push_str(part);
                key.push('\n');
            }
            key.push_str(itoa::Buffer::new().format(request.cseq().0));
        }
    }
    key.push('\n');
    let host_at = key.len();
    key.push_str(via.host());
    if let Some(host) = key.get_mut(host_at..) {
        host.make_ascii_lowercase();
    }
    if let Some(port) = via.port().filter(|port| *port != 5060) {
        key.push(':');
        key.push_str(itoa::Buffer::new().format(port));
    }
}
