//! Client transactions of one address and how responses find them — RFC 3261 §17.1.3.
//!
//! Our branches carry the slot of their transaction, so a response finds it without a search.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use hashbrown::HashMap;

use super::client::Client;
use super::invite_client::InviteClient;
use super::output::Output;
use super::schedule::Turns;
use crate::Transport;
use crate::arena::{Arena, Key};
use crate::id::COOKIE;
use crate::message::{BY_TCP, Method, Response};
use crate::timer::Timers;

crate::key_type! {
    /// Names a client transaction. Old names of ended transactions never match a new one.
    pub struct ClientId;
}

/// A machine of either kind.
#[derive(Debug)]
pub(super) enum Machine {
    Invite(InviteClient),
    Other(Client),
}

impl Machine {
    pub(super) fn start(
        method: Method,
        request: Bytes,
        reliable: bool,
        timers: &Arc<Timers>,
        now: Instant,
        out: &mut Vec<Output>,
    ) -> Self {
        match method {
            Method::Invite => {
                Self::Invite(InviteClient::start(request, reliable, Arc::clone(timers), now, out))
            }
            _ => Self::Other(Client::start(request, reliable, Arc::clone(timers), now, out)),
        }
    }

    pub(super) fn handle_response(
        &mut self,
        response: Response,
        now: Instant,
        out: &mut Vec<Output>,
    ) {
        match self {
            Self::Invite(machine) => machine.handle_response(response, now, out),
            Self::Other(machine) => machine.handle_response(response, now, out),
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, out: &mut Vec<Output>) {
        match self {
            Self::Invite(machine) => machine.handle_timeout(now, out),
            Self::Other(machine) => machine.handle_timeout(now, out),
        }
    }

    pub(super) fn handle_unreachable(&mut self, out: &mut Vec<Output>) {
        match self {
            Self::Invite(machine) => machine.handle_unreachable(out),
            Self::Other(machine) => machine.handle_unreachable(out),
        }
    }

    pub(super) fn is_pending(&self) -> bool {
        match self {
            Self::Invite(machine) => machine.is_pending(),
            Self::Other(machine) => machine.is_pending(),
        }
    }

    fn is_unanswered(&self) -> bool {
        match self {
            Self::Invite(machine) => machine.is_unanswered(),
            Self::Other(machine) => machine.is_unanswered(),
        }
    }

    fn request(&self) -> &Bytes {
        match self {
            Self::Invite(machine) => machine.invite(),
            Self::Other(machine) => machine.request(),
        }
    }

    /// True if it only waits to be forgotten.
    pub(super) fn is_over(&self) -> bool {
        match self {
            Self::Invite(machine) => machine.is_over(),
            Self::Other(machine) => machine.is_over(),
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::Invite(machine) => machine.poll_timeout(),
            Self::Other(machine) => machine.poll_timeout(),
        }
    }
}

/// One client transaction with its address.
#[derive(Debug)]
pub(super) struct Entry<O> {
    pub(super) owner: O,
    pub(super) peer: SocketAddr,
    pub(super) transport: Transport,
    pub(super) machine: Machine,
    pub(super) is_cancel: bool,
    /// What few transactions have.
    pub(super) special: Option<Box<Special>>,
    /// Where it stands among those that are pending towards its peer.
    listed: Option<u32>,
    /// When its machine runs next.
    pub(super) turns: Turns,
}

/// What a transaction may have beside: it is kept apart, since of thousands few have it.
#[derive(Debug, Default)]
pub(super) struct Special {
    /// The TU wants a CANCEL, with these header lines, as soon as it is allowed.
    pub(super) cancel_wanted: Option<Vec<u8>>,
    /// Set when the CANCEL went out, or when the dialog of a re-INVITE is over.
    pub(super) give_up_at: Option<Instant>,
    /// Where it goes if its connection cannot be had.
    otherwise: Option<(SocketAddr, Transport)>,
    cancel: Option<ClientId>,
}

/// What is to be done for a transaction next.
pub(super) struct Settled<'a> {
    pub(super) turns: &'a mut Turns,
    /// When its machine must run.
    pub(super) due: Option<Instant>,
    /// It only waits to be forgotten then.
    pub(super) is_over: bool,
}

impl<O> Entry<O> {
    /// Set when its CANCEL went out, or when the dialog of a re-INVITE is over.
    pub(super) fn give_up_at(&self) -> Option<Instant> {
        self.special.as_ref()?.give_up_at
    }

    pub(super) fn special(&mut self) -> &mut Special {
        self.special.get_or_insert_default()
    }

    /// The INVITE to make a CANCEL from, if one is wanted, allowed and not sent yet (RFC 3261
    /// §9.1).
    pub(super) fn cancellable(&self) -> Option<(Bytes, Vec<u8>)> {
        let special = self.special.as_ref().filter(|special| special.give_up_at.is_none())?;
        let lines = special.cancel_wanted.as_ref()?;
        match &self.machine {
            Machine::Invite(machine) if machine.is_proceeding() => {
                Some((machine.invite().clone(), lines.clone()))
            }
            _ => None,
        }
    }

    /// When its machine must run next.
    fn due(&self) -> Option<Instant> {
        let give_up_at = self.give_up_at().filter(|_| self.machine.is_pending());
        [self.machine.poll_timeout(), give_up_at].into_iter().flatten().min()
    }

    /// Begins again at the other place that was given for it: RFC 3261 §18.1.1, "if the attempt to use a
    /// congestion-controlled transport fails, retry with UDP", and a telephone whose connection is lost may listen where
    /// its Contact says. False if there is no such place, or the request has had a response: then the peer has it, and
    /// would take a second copy for a new one.
    fn fall_back(&mut self, timers: &Arc<Timers>, now: Instant, out: &mut Vec<Output>) -> bool {
        if self.transport != Transport::Tcp || !self.machine.is_unanswered() {
            return false;
        }
        let special = self.special.as_mut();
        let Some((peer, transport)) = special.and_then(|special| special.otherwise.take()) else {
            return false;
        };
        let bytes = match transport {
            Transport::Udp => over_udp(self.machine.request()),
            _ => self.machine.request().clone(),
        };
        let method = match self.machine {
            Machine::Invite(_) => Method::Invite,
            Machine::Other(_) => Method::Other,
        };
        (self.peer, self.transport) = (peer, transport);
        self.machine = Machine::start(method, bytes, transport.is_reliable(), timers, now, out);
        true
    }
}

/// A request that was written for TCP, as it goes by UDP: with another Via, and a Contact of ours that does not name TCP.
fn over_udp(request: &Bytes) -> Bytes {
    const TCP: &[u8] = b"Via: SIP/2.0/TCP ";
    let mut bytes = request.to_vec();
    let Some(via) = memchr::memmem::find(&bytes, TCP) else { return request.clone() };
    let sent_by = via + TCP.len();
    let length = bytes[sent_by..].iter().position(|byte| *byte == b';').unwrap_or_default();
    let contact = [b"\r\nContact: <sip:", &bytes[sent_by..sent_by + length], BY_TCP.as_bytes()];
    let contact = contact.concat();
    if let Some(at) = memchr::memmem::find(&bytes, &contact) {
        let end = at + contact.len();
        // All but the bracket.
        bytes.drain(end - BY_TCP.len()..end - 1);
    }
    if let Some(transport) = bytes.get_mut(sent_by - 4..sent_by - 1) {
        transport.copy_from_slice(Transport::Udp.token().as_bytes());
    }
    bytes.into()
}

/// Peers for which an empty list of pending transactions is kept.
const KEPT_PEERS: usize = 64;

#[derive(Debug)]
pub(super) struct ClientTable<O> {
    entries: Arena<ClientId, Entry<O>>,
    /// Transactions without a final response, by where they went: each send error of a dead peer
    /// asks for those towards it, and must not cost a walk over all others.
    pending: HashMap<(SocketAddr, Transport), Vec<ClientId>>,
    /// How many these are.
    pending_count: usize,
}

impl<O> Default for ClientTable<O> {
    fn default() -> Self {
        Self { entries: Arena::default(), pending: HashMap::new(), pending_count: 0 }
    }
}

impl<O: Copy> ClientTable<O> {
    /// Adds a transaction whose machine is started with its branch.
    pub(super) fn insert(
        &mut self,
        owner: O,
        peer: SocketAddr,
        transport: Transport,
        otherwise: Option<(SocketAddr, Transport)>,
        nonce: u64,
        start: impl FnOnce(&str) -> Machine,
    ) -> ClientId {
        let mut text = [0; BRANCH_LEN];
        self.entries.insert_with(nonce, |id| Entry {
            owner,
            peer,
            transport,
            machine: start(branch(&mut text, id.into())),
            is_cancel: false,
            special: otherwise.map(|otherwise| {
                Box::new(Special { otherwise: Some(otherwise), ..Special::default() })
            }),
            listed: None,
            turns: Turns::default(),
        })
    }

    /// Adds the CANCEL of `invite`, which shares its branch.
    pub(super) fn insert_cancel(
        &mut self,
        invite: ClientId,
        owner: O,
        peer: SocketAddr,
        transport: Transport,
        machine: Machine,
    ) -> ClientId {
        let id = self.insert(owner, peer, transport, None, invite.0.nonce(), |_| machine);
        if let Some(entry) = self.get_mut(id) {
            entry.is_cancel = true;
        }
        if let Some(entry) = self.get_mut(invite) {
            entry.special().cancel = Some(id);
        }
        id
    }

    pub(super) fn get_mut(&mut self, id: ClientId) -> Option<&mut Entry<O>> {
        self.entries.get_mut(id)
    }

    /// The transaction that a response with this branch and CSeq method belongs to (RFC 3261
    /// §17.1.3).
    pub(super) fn find(&self, branch: &str, method: Method) -> Option<ClientId> {
        let id = ClientId(Key::parse(branch.get(COOKIE.len()..)?)?);
        let entry = self.entries.get(id)?;
        match (method, &entry.machine) {
            (Method::Cancel, Machine::Invite(_)) => entry.special.as_ref()?.cancel,
            (Method::Invite, Machine::Invite(_)) => Some(id),
            (Method::Invite, Machine::Other(_)) | (_, Machine::Invite(_)) => None,
            _ => Some(id),
        }
    }

    /// To be called whenever the machine has run.
    pub(super) fn settle(&mut self, id: ClientId) -> Option<Settled<'_>> {
        let entry = self.get_mut(id)?;
        match (entry.machine.is_pending(), entry.listed) {
            (true, None) => self.list(id),
            (false, Some(_)) => self.unlist(id),
            _ => {}
        }
        let entry = self.get_mut(id)?;
        let (due, is_over) = (entry.due(), entry.machine.is_over());
        Some(Settled { turns: &mut entry.turns, due, is_over })
    }

    /// Lets a transaction begin again elsewhere, if it can ([`Entry::fall_back`]).
    pub(super) fn fall_back(
        &mut self,
        id: ClientId,
        timers: &Arc<Timers>,
        now: Instant,
        out: &mut Vec<Output>,
    ) -> bool {
        // The list is that of its peer.
        self.unlist(id);
        let begins = |entry: &mut Entry<O>| entry.fall_back(timers, now, out);
        self.get_mut(id).is_some_and(begins)
    }

    /// Returns its turns, which are to be cleared.
    #[must_use]
    pub(super) fn remove(&mut self, id: ClientId) -> Turns {
        self.unlist(id);
        self.entries.remove(id).map_or_else(Turns::default, |entry| entry.turns)
    }

    fn list(&mut self, id: ClientId) {
        let Some(entry) = self.entries.get_mut(id) else { return };
        let list = self.pending.entry((entry.peer, entry.transport)).or_default();
        entry.listed = Some(list.len() as u32);
        list.push(id);
        self.pending_count += 1;
    }

    fn unlist(&mut self, id: ClientId) {
        let Some(entry) = self.entries.get_mut(id) else { return };
        let (place, Some(at)) = ((entry.peer, entry.transport), entry.listed.take()) else {
            return;
        };
        let may_go = self.pending.len() > KEPT_PEERS;
        let Some(list) = self.pending.get_mut(&place) else { return };
        list.swap_remove(at as usize);
        self.pending_count -= 1;
        match list.get(at as usize) {
            // The last one has moved there.
            Some(moved) => {
                if let Some(entry) = self.entries.get_mut(*moved) {
                    entry.listed = Some(at);
                }
            }
            // Whoever was called will be again, but peers without end must not stay.
            None if list.is_empty() && may_go => {
                drop(self.pending.remove(&place));
            }
            None => {}
        }
    }

    /// The pending transactions that rely on the connection with `peer`, by name.
    pub(super) fn pending_towards(&self, transport: Transport, peer: SocketAddr) -> Vec<ClientId> {
        let mut ids = self.pending.get(&(peer, transport)).cloned().unwrap_or_default();
        ids.sort_unstable();
        ids
    }

    /// How many transactions have no final response yet.
    pub(super) fn pending(&self) -> usize {
        self.pending_count
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

/// The length of every branch.
pub(super) const BRANCH_LEN: usize = COOKIE.len() + Key::TEXT_LEN;

/// The branch of a transaction, written into `text`: cookie and name.
pub(super) fn branch(text: &mut [u8; BRANCH_LEN], key: Key) -> &str {
    let (cookie, name) = text.split_at_mut(COOKIE.len());
    cookie.copy_from_slice(COOKIE.as_bytes());
    key.write_text(name);
    str::from_utf8(text).unwrap_or_default()
}
