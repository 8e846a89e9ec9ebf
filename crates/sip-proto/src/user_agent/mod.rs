//! A user agent: transactions and dialogs of one address, seen as legs — RFC 3261 §8, §11 to §15.
//!
//! One file for each operation:
//!
//! | file | what happens there |
//! |---|---|
//! | `receive.rs` | a request arrives: inside which dialog, and in which order |
//! | `connect.rs` | our INVITE, its answers, several of them from a fork, our ACK |
//! | `accept.rs` | a peer's INVITE: ringing, 2xx and its retransmission, refusal, CANCEL |
//! | `early.rs` | requests inside the dialog before the answer |
//! | `close.rs` | BYE in both directions, CANCEL of our INVITE |
//! | `over.rs` | answers that come when the leg is over |
//! | `modify.rs` | re-INVITE and UPDATE in both directions, glare |
//! | `audit.rs` | is a peer that has been quiet for long still there? |
//! | `adopt.rs` | a dialog that another user agent began: saved there, gone on with here |
//! | `request.rs` | everything else: INFO, OPTIONS, probes |

mod accept;
mod acks;
mod adopt;
mod audit;
mod close;
mod connect;
mod dialog_lines;
mod early;
mod event;
mod leg;
mod modify;
mod option_tag;
mod over;
mod receive;
mod reliable;
mod request;
mod session_timer;
mod timer_terms;
mod unacknowledged;
mod validate;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hashbrown::HashMap;

use crate::arena::Arena;
use crate::deadlines::{Deadlines, FORGET_WITHIN, Queue, Turn};
use crate::flow::Flow;
use crate::message::{Method, Payload, Reply, SessionId};
use crate::timer::Timers;
use crate::transaction::{self, ClientId, ServerId, Transactions};
use crate::{Packet, Rejection, Transport};

pub use adopt::SavedLeg;
pub use connect::Invite;
pub use event::{End, Event, Failure, Probe};
pub use leg::LegId;
pub use option_tag::{RELIABLE, TIMER};
pub use validate::Capabilities;

use dialog_lines::DialogLines;
use leg::{Leg, OverLeg};

/// How a user agent is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where peers reach this node: names it in Via and Contact.
    pub address: SocketAddr,
    pub timers: Timers,
    /// User-Agent and Server.
    pub product: String,
    /// Feeds tags, branches and Call-IDs.
    pub seed: u64,
    /// Answer each INVITE with 100 at once, as a box does that will need time. Otherwise 100 goes
    /// out after 200 ms without a response (RFC 3261 §17.2.1).
    pub trying_at_once: bool,
    pub session_id: SessionIdRole,
    /// Repeat a re-INVITE that met glare (RFC 3261 §14.1). A back-to-back user agent passes 491 on
    /// instead.
    pub retry_glare: bool,
    /// A peer from which nothing has come inside a dialog for so long is asked by OPTIONS whether it still has it; `None`: never.
    pub audit: Option<Duration>,
    /// What [`Name::OriginStateId`](crate::message::Name::OriginStateId) says in answers to INVITE and OPTIONS.
    pub origin_state: Option<u64>,
    pub capabilities: Capabilities,
    /// Transactions of peers that are alive at once; beyond it 503.
    pub most_transactions: usize,
}

impl Config {
    /// An end point at `address` with the timers of RFC 3261.
    #[must_use]
    pub fn new(address: SocketAddr, seed: u64) -> Self {
        Self {
            address,
            timers: Timers::RFC3261,
            product: "Tocsin".to_owned(),
            seed,
            trying_at_once: false,
            session_id: SessionIdRole::EndPoint,
            retry_glare: true,
            audit: None,
            origin_state: None,
            capabilities: Capabilities::default(),
            most_transactions: transaction::MAX_SERVERS,
        }
    }
}

/// Who writes Session-ID (RFC 7989).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionIdRole {
    /// This user agent has a half of its own for each leg and learns the peer's.
    EndPoint,
    /// The halves belong to the peers of the two legs; the TU carries them across with
    /// [`UserAgent::set_session_id`].
    Relay,
}

/// What this layer counts, beside [`transaction::Stats`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Requests that this layer refused itself, by status.
    pub refused: std::collections::BTreeMap<u16, u64>,
    /// 2xx that were sent again because no ACK had come.
    pub answers_resent: u64,
    /// Answers of forks that were ended because another one was first.
    pub losers: u64,
}

/// The transactions of a leg, by what they are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Invite,
    Modify,
    Request,
    Audit,
    Bye,
}

#[derive(Debug, Clone, Copy)]
enum Owner {
    Leg(LegId, Purpose),
    Probe,
    /// Nobody waits for the outcome.
    Nobody,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Deadline {
    Leg(LegId),
    Probe(ClientId),
}

/// OPTIONS of ours that awaits its response.
#[derive(Debug)]
struct SentProbe {
    peer: SocketAddr,
    /// When it is taken as lost.
    turn: Option<Turn>,
}

/// A user agent; see the module's picture.
#[derive(Debug)]
pub struct UserAgent {
    config: Config,
    transactions: Transactions<Owner>,
    legs: Arena<LegId, Leg>,
    /// Legs that another user agent began, by the tag that it gave them.
    adopted: HashMap<Box<str>, LegId>,
    over: HashMap<LegId, Box<OverLeg>>,
    probes: HashMap<ClientId, SentProbe>,
    deadlines: Queue<Deadline>,
    /// When what is left of a leg can be forgotten.
    forget: Deadlines<LegId>,
    events: VecDeque<Event>,
    dialog_lines: DialogLines,
    /// What a 200 to OPTIONS says of bodies.
    accept_line: String,
    /// Set while this node wants no new calls: then OPTIONS says so too.
    unavailable: Option<Rejection>,
    stats: Stats,
}

impl UserAgent {
    #[must_use]
    pub fn new(config: Config) -> Self {
        let (capabilities, product) = (&config.capabilities, &config.product);
        let state = dialog_lines::origin_state(config.origin_state);
        let transactions = Transactions::new(config.address, config.timers, config.seed)
            .with_most(config.most_transactions)
            .able_to(capabilities.abilities())
            .trying_with(state.clone().into_bytes());
        let sent_by = transactions.sent_by();
        Self {
            dialog_lines: DialogLines::new(sent_by, capabilities, product, &state),
            accept_line: capabilities.accept_line(),
            config,
            transactions,
            legs: Arena::default(),
            adopted: HashMap::new(),
            over: HashMap::new(),
            probes: HashMap::new(),
            deadlines: Queue::default(),
            forget: Deadlines::default(),
            events: VecDeque::new(),
            unavailable: None,
            stats: Stats::default(),
        }
    }

    pub fn handle_packet(&mut self, now: Instant, packet: Packet) {
        self.forget_over(now);
        self.transactions.handle_packet(now, packet);
        self.settle(now);
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        self.forget_over(now);
        self.transactions.handle_timeout(now);
        self.settle(now);
        while let Some((_, deadline)) = self.deadlines.pop_due(now) {
            match deadline {
                Deadline::Leg(id) => self.wake_leg(now, id),
                Deadline::Probe(id) => self.wake_probe(id),
            }
        }
    }

    /// The transport could not deliver to `peer`.
    pub fn handle_unreachable(&mut self, now: Instant, transport: Transport, peer: SocketAddr) {
        self.transactions.handle_unreachable(now, transport, peer);
        self.settle(now);
    }

    pub fn poll_transmit(&mut self) -> Option<Packet> {
        self.transactions.poll_transmit()
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let forget = self.forget.next().map(|due| due + FORGET_WITHIN);
        let others = [self.transactions.poll_timeout(), self.deadlines.next(), forget];
        others.into_iter().flatten().min()
    }

    /// While set, OPTIONS outside dialogs is answered with this rejection, so that whoever probes
    /// us sends no new calls.
    pub fn set_unavailable(&mut self, rejection: Option<Rejection>) {
        self.unavailable = rejection;
    }

    /// Live legs.
    #[must_use]
    pub fn legs(&self) -> usize {
        self.legs.len()
    }

    /// Live transactions, those included that only absorb late copies.
    #[must_use]
    pub fn transactions(&self) -> usize {
        self.transactions.len()
    }

    /// No leg is alive and no request of ours awaits a response.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.legs.is_empty() && self.transactions.pending_clients() == 0
    }

    /// The dialog of a leg, once there is one.
    #[must_use]
    pub fn dialog(&self, leg: LegId) -> Option<&crate::dialog::Dialog> {
        self.legs.get(leg)?.dialog.as_ref()
    }

    #[must_use]
    pub const fn stats(&self) -> &Stats {
        &self.stats
    }

    #[must_use]
    pub const fn transaction_stats(&self) -> &transaction::Stats {
        self.transactions.stats()
    }

    /// A fresh 128-bit identifier from this node's seeded source.
    pub fn uuid(&mut self) -> Box<str> {
        self.transactions.ids().uuid()
    }

    fn settle(&mut self, now: Instant) {
        while let Some(event) = self.transactions.poll_event() {
            self.handle_event(now, event);
        }
    }

    fn handle_event(&mut self, now: Instant, event: transaction::Event<Owner>) {
        use transaction::Event as Tx;
        match event {
            Tx::Request { id, request, source, transport } => {
                self.receive_request(now, id, request, source, transport);
            }
            Tx::NoRoom { invite, source, rejection } => {
                self.events.push_back(Event::NoRoom { invite, source, rejection });
            }
            Tx::Ack { request, source, transport, .. } => {
                let flow = Flow::of(&request, source, transport);
                self.receive_ack(now, request, flow);
            }
            Tx::Cancel { invite, owner, cancel } => {
                self.receive_cancel(now, invite, owner, &cancel)
            }
            Tx::Response { id, owner, response } => match owner {
                Owner::Leg(leg, Purpose::Invite) => self.invite_response(now, id, leg, response),
                Owner::Leg(leg, Purpose::Modify) => self.modify_response(now, leg, response),
                Owner::Leg(leg, Purpose::Request) => self.request_response(now, leg, response),
                Owner::Leg(leg, Purpose::Audit) => self.audit_response(now, leg, &response),
                Owner::Leg(leg, Purpose::Bye) => self.bye_response(now, leg, &response),
                Owner::Probe => self.probe_response(id, response),
                Owner::Nobody => {}
            },
            Tx::Failed { id, owner, failure } => match owner {
                Owner::Leg(leg, Purpose::Invite) => self.invite_failed(now, leg, failure),
                Owner::Leg(leg, Purpose::Modify | Purpose::Audit) => {
                    self.peer_is_gone(now, leg, 408);
                }
                Owner::Leg(leg, Purpose::Request) => self.request_failed(now, leg),
                Owner::Leg(leg, Purpose::Bye) => self.bye_failed(now, leg),
                Owner::Probe => self.probe_is_silent(id),
                Owner::Nobody => {}
            },
            // The refusal was sent often enough; the leg is gone already.
            Tx::NoAck { .. } => {}
            Tx::BrokenBye(bye) => {
                if let Some(leg) = self.leg_named(&bye.to_tag, &bye.call_id, &bye.from_tag) {
                    self.send_audit(now, leg);
                }
            }
        }
    }

    fn refuse(&mut self, now: Instant, id: ServerId, rejection: &Rejection) {
        *self.stats.refused.entry(rejection.status).or_default() += 1;
        self.transactions.reject(now, id, rejection);
    }

    /// Sends a response that carries our tag, and for those that make or refresh a dialog our
    /// Contact.
    fn reply(
        &mut self,
        now: Instant,
        id: ServerId,
        leg: LegId,
        status: u16,
        payload: &Payload,
        extra: &[u8],
    ) -> Option<Packet> {
        let transport = self.transactions.transport_of(id);
        let lines = if status < 300 { self.dialog_lines.response(transport) } else { b"" };
        let session = self.legs.get(leg).map_or("", |leg| &*leg.session);
        let fixed = [lines, session.as_bytes(), extra].concat();
        let tag = leg.tag();
        self.transactions.respond(
            now,
            id,
            &Reply { status, phrase: None, to_tag: &tag, fixed: &fixed, payload },
        )
    }

    /// Header lines of a request of ours that makes or refreshes a dialog, or of any other.
    fn request_lines(&self, leg: &Leg, method: Method) -> Vec<u8> {
        let refreshes = matches!(method, Method::Invite | Method::Update);
        let lines: &[u8] = if refreshes { &self.dialog_lines.request } else { b"" };
        [lines, leg.session.as_bytes()].concat()
    }

    fn wake_leg(&mut self, now: Instant, id: LegId) {
        if let Some(leg) = self.legs.get_mut(id) {
            leg.turn = None;
        }
        self.resend_answer(now, id);
        self.resend_reliable(now, id);
        self.forget_acks(now, id);
        self.retry_modify(now, id);
        self.audit_if_quiet(now, id);
        self.watch_session(now, id);
        self.arm(id);
    }

    /// To be called whenever what a leg waits for has changed.
    fn arm(&mut self, id: LegId) {
        if let Some(leg) = self.legs.get_mut(id) {
            let due = leg.due();
            self.deadlines.set(&mut leg.turn, Deadline::Leg(id), due);
        }
    }

    /// Ends a leg's life; the caller reports its terminal event.
    fn remove(&mut self, now: Instant, id: LegId) {
        if let Some(mut leg) = self.legs.remove(id) {
            self.deadlines.clear(leg.turn.take());
            if let Some(tag) = leg.adopted_tag.take() {
                self.adopted.remove(&tag);
            }
            let theirs = leg.their_modify.take();
            let ours = leg.our_modify.as_ref().and_then(|ours| ours.client);
            self.keep_over(now, id, leg);
            self.drop_changes(now, ours, theirs);
        }
    }

    /// Sets our half of a leg's Session-ID: a back-to-back user agent gives each leg the half of
    /// the other leg's peer (RFC 7989 §7).
    pub fn set_session_id(&mut self, id: LegId, ours: &str) {
        if let Some(leg) = self.legs.get_mut(id) {
            leg.session = session_line(ours, peer_half(&leg.session));
        }
    }

    /// The peer's half of a leg's Session-ID, once it has told it.
    #[must_use]
    pub fn peer_session_id(&self, id: LegId) -> Option<&str> {
        peer_half(&self.legs.get(id)?.session).filter(|half| *half != NULL_UUID)
    }

    /// Learns the peer's half of the Session-ID (RFC 7989 §6).
    fn learn_session(&mut self, id: LegId, heard: Option<SessionId<'_>>) {
        let Some(heard) = heard else { return };
        let Some(leg) = self.legs.get_mut(id) else { return };
        if peer_half(&leg.session) != Some(heard.local())
            && let Some(ours) = leg.session.get(12..44)
        {
            leg.session = session_line(ours, Some(heard.local()));
        }
    }

    /// How long a request of ours may go without an answer: 64·T1.
    #[must_use]
    pub fn give_up_after(&self) -> Duration {
        self.transactions.timers().give_up()
    }
}

/// RFC 7989 §5: stands for a half that is not known.
const NULL_UUID: &str = "00000000000000000000000000000000";

/// The Session-ID line of a leg whose halves are these (RFC 7989 §5).
fn session_line(ours: &str, theirs: Option<&str>) -> Box<str> {
    ["Session-ID: ", ours, ";remote=", theirs.unwrap_or(NULL_UUID), "\r\n"].concat().into()
}

fn peer_half(line: &str) -> Option<&str> {
    line.get(52..84)
}
