//! Server transactions of one address and how requests find them — RFC 3261 §17.2.3.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use hashbrown::{HashMap, HashSet};

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
    key: Arc<str>,
    /// Under which copies of this request over other paths are found; `None` for such a copy
    /// itself.
    merge_key: Option<Arc<str>>,
}

#[derive(Debug)]
pub(super) struct ServerTable<O> {
    entries: Arena<ServerId, Entry<O>>,
    by_key: HashMap<Arc<str>, ServerId>,
    /// The merge keys of all live transactions (RFC 3261 §8.2.2.2).
    merge_keys: HashSet<Arc<str>>,
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
            by_key: HashMap::new(),
            merge_keys: HashSet::new(),
            by_connection: BTreeSet::new(),
            wanted: String::new(),
        }
    }
}

impl<O> ServerTable<O> {
    /// The transaction that a request belongs to; an ACK belongs to its INVITE.
    pub(super) fn find(&mut self, request: &Request) -> Option<ServerId> {
        write_key(&mut self.wanted, request, request.method_text());
        self.by_key.get(self.wanted.as_str()).copied()
    }

    /// The INVITE that a CANCEL is about (RFC 3261 §9.2).
    pub(super) fn find_invite_of(&mut self, cancel: &Request) -> Option<ServerId> {
        write_key(&mut self.wanted, cancel, Method::Invite.as_str());
        self.by_key.get(self.wanted.as_str()).copied()
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
        let key: Arc<str> = self.wanted.as_str().into();
        let merge_key = self.take_merge_key(&request);
        let reliable = transport.is_reliable();
        let machine = match request.method() {
            Method::Invite => Machine::Invite(InviteServer::start(reliable, timers, now)),
            _ => Machine::Other(Server::start(reliable, timers, now)),
        };
        let reply_to = response_target(&request, transport, source);
        let sent_by_port = request.via().port().unwrap_or(5060);
        let key_of_entry = Arc::clone(&key);
        let id = self.entries.insert(Entry {
            owner: None,
            transport,
            source,
            reply_to,
            sent_by_port,
            machine,
            is_initial: is_initial(&request),
            request: Some(request),
            key: key_of_entry,
            merge_key,
        });
        self.by_key.insert(key, id);
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
            self.by_key.remove(&entry.key);
            self.by_connection.remove(&(entry.source, id));
            if let Some(key) = entry.merge_key {
                self.merge_keys.remove(&key);
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

    fn take_merge_key(&mut self, request: &Request) -> Option<Arc<str>> {
        if !is_initial(request) {
            return None;
        }
        self.wanted.clear();
        let (seq, method) = request.cseq();
        let (call_id, tag) = (request.call_id(), request.from_tag());
        let _ = write!(self.wanted, "{call_id}\n{tag}\n{seq}\n{method}");
        if self.merge_keys.contains(self.wanted.as_str()) {
            return None;
        }
        let key: Arc<str> = self.wanted.as_str().into();
        self.merge_keys.insert(Arc::clone(&key));
        Some(key)
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
            let tag = request.from_tag();
            let _ = write!(
                key,
                "{}\n{}\n{}\n{}",
                via.param("branch").unwrap_or(""),
                tag,
                request.call_id(),
                request.cseq().0
            );
        }
    }
    key.push('\n');
    key.extend(via.host().chars().map(|c| c.to_ascii_lowercase()));
    if let Some(port) = via.port().filter(|port| *port != 5060) {
        let _ = write!(key, ":{port}");
    }
}
