//! Server transactions of one address and how requests find them — RFC 3261 §17.2.3.

use std::collections::BTreeSet;
use std::hash::BuildHasher as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use hashbrown::{DefaultHashBuilder, HashTable};

use super::invite_server::InviteServer;
use super::output::Output;
use super::schedule::Turns;
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

    /// True if it only waits to be forgotten.
    pub(super) fn is_over(&self) -> bool {
        match self {
            Self::Invite(machine) => machine.is_over(),
            Self::Other(machine) => machine.is_over(),
        }
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
    key: Fingerprint,
    /// Under which copies of this request over other paths are found; `None` for such a copy
    /// itself.
    merge_key: Option<Fingerprint>,
    /// When its machine runs next.
    pub(super) turns: Turns,
}

/// A key in 128 bits, by two hash functions whose seeds nobody else knows: no peer can choose two keys that agree, and by chance
/// some 2^64 of them would have to be alive at once. So no key is kept, and none compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint {
    first: u64,
    second: u64,
}

#[derive(Debug)]
pub(super) struct ServerTable<O> {
    entries: Arena<ServerId, Entry<O>>,
    /// The slots of all of them, by their keys.
    by_key: HashTable<u32>,
    /// Those with a merge key, by it (RFC 3261 §8.2.2.2).
    by_merge_key: HashTable<u32>,
    hashers: [DefaultHashBuilder; 2],
    /// Transactions that answer on a connection of TCP, by its other end: a lost one must not cost a walk
    /// over all others.
    by_connection: BTreeSet<(SocketAddr, ServerId)>,
    /// Requests that found no room, each at a place that follows from its key: so a copy is known, until another one has
    /// taken that place. Empty before the first.
    refused: Vec<Option<Fingerprint>>,
    /// The key whose fingerprint is taken; kept to save its allocation.
    written: String,
}

/// Places for requests that found no room: more than come within the time of a few copies.
const REFUSED: usize = 8_192;

impl<O> Default for ServerTable<O> {
    fn default() -> Self {
        Self {
            entries: Arena::default(),
            by_key: HashTable::new(),
            by_merge_key: HashTable::new(),
            hashers: [DefaultHashBuilder::default(), DefaultHashBuilder::default()],
            by_connection: BTreeSet::new(),
            refused: Vec::new(),
            written: String::new(),
        }
    }
}

impl<O> ServerTable<O> {
    /// The key of a request: it belongs to the transaction with the same, an ACK to its INVITE.
    pub(super) fn key_of(&mut self, request: &Request) -> Fingerprint {
        write_key(&mut self.written, request, request.method_text());
        self.fingerprint()
    }

    /// The transaction with this key.
    pub(super) fn find(&self, key: Fingerprint) -> Option<ServerId> {
        let is_it = |(_, entry): &(ServerId, &Entry<O>)| entry.key == key;
        let found = |slot: &u32| self.entries.at(*slot).filter(is_it);
        let slot = self.by_key.find(key.first, |slot| found(slot).is_some())?;
        found(slot).map(|(id, _)| id)
    }

    /// The INVITE that a CANCEL is about (RFC 3261 §9.2).
    pub(super) fn find_invite_of(&mut self, cancel: &Request) -> Option<ServerId> {
        write_key(&mut self.written, cancel, Method::Invite.as_str());
        let key = self.fingerprint();
        self.find(key)
    }

    /// That of the key which has just been written.
    fn fingerprint(&self) -> Fingerprint {
        let [first, second] = &self.hashers;
        let key = self.written.as_bytes();
        Fingerprint { first: first.hash_one(key), second: second.hash_one(key) }
    }

    /// A request with this key has found no room; true if a copy of it had found none before.
    pub(super) fn note_refused(&mut self, key: Fingerprint) -> bool {
        self.refused.resize(REFUSED, None);
        let place = &mut self.refused[key.first as usize % REFUSED];
        place.replace(key) == Some(key)
    }

    /// Adds the transaction of a request with this key, which has none yet.
    pub(super) fn insert(
        &mut self,
        key: Fingerprint,
        request: Request,
        transport: Transport,
        source: SocketAddr,
        timers: &Arc<Timers>,
        now: Instant,
    ) -> ServerId {
        let merge_key = self.new_merge_key(&request);
        let reliable = transport.is_reliable();
        let machine = match request.method() {
            Method::Invite => {
                Machine::Invite(InviteServer::start(reliable, Arc::clone(timers), now))
            }
            _ => Machine::Other(Server::start(reliable, Arc::clone(timers), now)),
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
            merge_key,
            turns: Turns::default(),
        });
        let Self { entries, by_key, by_merge_key, .. } = self;
        let slot = id.0.slot();
        let entry = |slot: &u32| entries.at(*slot).map(|(_, entry)| entry);
        let hash_of = |key: Option<Fingerprint>| key.map_or(0, |key| key.first);
        by_key.insert_unique(key.first, slot, |at| hash_of(entry(at).map(|it| it.key)));
        if let Some(key) = merge_key {
            let hasher = |at: &u32| hash_of(entry(at).and_then(|it| it.merge_key));
            by_merge_key.insert_unique(key.first, slot, hasher);
        }
        if transport == Transport::Tcp {
            self.by_connection.insert((source, id));
        }
        id
    }

    pub(super) fn get_mut(&mut self, id: ServerId) -> Option<&mut Entry<O>> {
        self.entries.get_mut(id)
    }

    /// Returns its turns, which are to be cleared.
    #[must_use]
    pub(super) fn remove(&mut self, id: ServerId) -> Turns {
        let Some(entry) = self.entries.remove(id) else { return Turns::default() };
        let take = |table: &mut HashTable<u32>, key: Fingerprint| {
            if let Ok(found) = table.find_entry(key.first, |slot| *slot == id.0.slot()) {
                found.remove();
            }
        };
        take(&mut self.by_key, entry.key);
        if entry.transport == Transport::Tcp {
            self.by_connection.remove(&(entry.source, id));
        }
        if let Some(key) = entry.merge_key {
            take(&mut self.by_merge_key, key);
        }
        entry.turns
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

    /// The merge key of a request, unless there is such a transaction already.
    fn new_merge_key(&mut self, request: &Request) -> Option<Fingerprint> {
        if !is_initial(request) {
            return None;
        }
        let written = &mut self.written;
        written.clear();
        let (seq, method) = request.cseq();
        written.push_str(request.call_id());
        written.push('\n');
        written.push_str(request.from_tag());
        written.push('\n');
        written.push_str(itoa::Buffer::new().format(seq));
        written.push('\n');
        written.push_str(method.as_str());
        let key = self.fingerprint();
        let has_key = |slot: &u32| {
            let entry = self.entries.at(*slot).map(|(_, entry)| entry);
            entry.is_some_and(|entry| entry.merge_key == Some(key))
        };
        self.by_merge_key.find(key.first, has_key).is_none().then_some(key)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
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
