//! A trunk group: the border element between callers and pool — a stateful proxy (RFC 3261 §16) with circuits.
//!
//! | what happens | file |
//! |---|---|
//! | an INVITE arrives, a site is chosen, refuses or answers | `setup.rs` |
//! | requests inside the dialog pass; BYE gives the circuit back | `inside.rs` |
//! | a call ends, also one of which an end has refused or forgotten a request: nothing is held for ever | `release.rs` |
//! | a router before or behind it knows no loose routing | `strict_route.rs` |
//! | is a site alive? | `probing.rs` |
//! | a site dies while a call rings there: another one gets it | `site_down.rs` |
//! | a site dies during the talk: the call is released | `site_down.rs` |
//! | a site has started again, and knows none of its calls | `site_restart.rs` |
//! | nothing passes inside a call for long: does the site still have it? | `audit.rs` |
//! | or another site goes on with it | `takeover.rs` |
//! | which site | `members.rs`, by `selection.rs`, with `circuits.rs` |
//! | a site answers 503 with Retry-After: it gets no calls until then | `member.rs` |
//! | a site is overloaded: which calls are held back | `restraint.rs` |
//! | a source has too many calls that nobody answers or acknowledges | `source_limits.rs`, by `sip_proto::sources` |
//! | a call is over: its record | `records.rs` |

mod audit;
mod call;
mod calls;
mod circuits;
mod inside;
mod member;
mod members;
mod probing;
mod record_route;
mod records;
mod release;
mod restraint;
mod selection;
mod setup;
mod site_down;
mod site_restart;
mod source_limits;
mod strict_route;
mod takeover;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use contract::{AskedSnapshot, CallPicker, Node, Reply, TrunkGroupSnapshot};
use sip_proto::deadlines::Deadlines;
use sip_proto::flow::Flow;
use sip_proto::message::{Method, Name, OverloadAlgorithm, OverloadFeedback, Request, Response};
use sip_proto::sources::Sources;
use sip_proto::transaction::{ClientId, Event, ServerId, Transactions};
use sip_proto::wall_clock::WallClock;
use sip_proto::{Packet, Rejection, Transport};
use telemetry::CallRecord;
use topology::{Pool, Topology};
use trace::Notes;

use crate::pool::Change;
use crate::timers::{sip_timers, sources};
use call::{CallId, Owner};
use calls::Calls;
use member::Member;
use members::Members;
use record_route::RecordRoutes;
use records::Records;

pub use circuits::{Circuit, Circuits};
pub use selection::{CallerPlace, Candidate, Selection as SelectionPolicy};

/// One trunk group; see the module's table.
#[derive(Debug)]
pub struct TrunkGroup {
    settings: topology::TrunkGroup,
    pool: Pool,
    /// How long a call may be quiet before its site is asked for it.
    audit: Duration,
    address: SocketAddr,
    record_routes: RecordRoutes,
    transactions: Transactions<Owner>,
    members: Members,
    calls: Calls,
    deadlines: Deadlines<Wake>,
    records: Records,
    sources: Sources,
    most_dialogs: usize,
    /// What happens to calls inside.
    notes: Notes,
    draining: bool,
}

/// What a deadline is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Wake {
    Call(CallId),
    /// Timer C of a re-INVITE.
    Inside(CallId, ServerId),
    /// Has anything passed inside the call of late?
    Audit(CallId),
    /// The caller has had T2 to acknowledge the answer.
    Ack(CallId),
    /// An end of the call has had the time to show that it still has it.
    Doubt(CallId),
    ProbeRound,
    /// The member at this place has not answered its last probe.
    ProbeTimeout(usize),
    /// Calls of the member at this place have had the time to be taken over.
    Orphans(usize),
}

/// What a trunk group tells the management plane.
#[derive(Debug, Clone, PartialEq)]
pub enum TrunkGroupNotice {
    Record(Box<CallRecord>),
    /// The state of a call server has changed, as this trunk group sees it.
    Change(Change),
}

impl TrunkGroup {
    /// The trunk group `settings` of a network, reached at `address`.
    #[must_use]
    pub fn new(
        settings: topology::TrunkGroup,
        topology: &Topology,
        address: SocketAddr,
        seed: u64,
        wall: WallClock,
        now: Instant,
    ) -> Self {
        let transactions = Transactions::new(address, sip_timers(topology), seed)
            .with_most(topology.sip.transactions as usize)
            .obeying_overload(settings.members.iter().map(|member| member.address).collect());
        let mut deadlines = Deadlines::default();
        deadlines.set(Wake::ProbeRound, now);
        Self {
            pool: topology.pool,
            // The call server asks both ends more often than that; if it has the call, something passes here.
            audit: topology.timers.audit * 2,
            address,
            record_routes: RecordRoutes::new(&settings.name, transactions.sent_by()),
            transactions,
            members: Members::new(&settings, topology, seed, now),
            records: Records::new(settings.name.clone(), wall),
            sources: sources(&settings.sources, topology),
            most_dialogs: topology.sip.dialogs as usize,
            settings,
            calls: Calls::default(),
            deadlines,
            notes: Notes::default(),
            draining: false,
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
                let flow = Flow::of(&request, source, transport);
                let request = self.as_from_loose_router(request);
                self.receive(now, id, request, flow);
            }
            Event::NoRoom { invite, source, rejection } => {
                self.found_no_room(now, &invite, source, &rejection);
            }
            Event::Ack { request, source, transport, .. } => {
                let flow = Flow::of(&request, source, transport);
                let request = self.as_from_loose_router(request);
                self.forward_ack(now, &request, flow);
            }
            Event::Cancel { owner: Some(owner), invite, cancel } => {
                self.cancelled(now, owner, invite, reason_lines(&cancel));
            }
            Event::Cancel { owner: None, invite, .. } => {
                self.transactions.reject(now, invite, &Rejection::new(487));
            }
            Event::Response { id, owner, response } => {
                self.receive_response(now, id, owner, &response)
            }
            Event::Failed { id, owner, .. } => match owner {
                Owner::Setup(call) => self.setup_failed(now, call, id),
                Owner::Inside { call, server, bearing } => {
                    self.inside_failed(now, call, server, bearing);
                }
                Owner::Audit(call, end) => self.audit_done(now, call, end, 408),
                Owner::Nobody => {}
                Owner::Probe(member) => self.probe_failed(now, member, id),
            },
            Event::NoAck { .. } => {}
            Event::BrokenBye(bye) => self.broken_bye(now, &bye),
        }
    }

    fn receive_response(&mut self, now: Instant, id: ClientId, owner: Owner, response: &Response) {
        if let Some(feedback) = response.via().overload_feedback() {
            self.note_feedback(now, id, owner, feedback);
        }
        match owner {
            Owner::Setup(call) => self.setup_response(now, call, id, response),
            // The call is over, and a change of it is answered.
            Owner::Inside { call, .. } if self.calls.get(call).is_none() && is_answer(response) => {
                self.transactions.end_answer(now, id, response, Owner::Nobody);
            }
            Owner::Inside { call, server, bearing } => {
                self.inside_response(now, call, server, bearing, response);
            }
            Owner::Audit(call, end) => self.audit_done(now, call, end, response.status()),
            Owner::Nobody => {}
            Owner::Probe(member) => self.probe_answered(now, member, id, response),
        }
    }

    /// A member says how much it can take (RFC 7339 §5.4). Responses inside a dialog do not count: they may be the caller's.
    fn note_feedback(
        &mut self,
        now: Instant,
        id: ClientId,
        owner: Owner,
        feedback: OverloadFeedback,
    ) {
        let index = match owner {
            Owner::Probe(index) => Some(index),
            Owner::Setup(call) => self.calls.get_mut(call).and_then(|call| {
                let branch = call.branches.iter().find(|(client, _)| *client == id)?;
                Some(branch.1)
            }),
            Owner::Inside { .. } | Owner::Audit(..) | Owner::Nobody => None,
        };
        let Some(member) = index.and_then(|index| self.members.get_mut(index)) else { return };
        // No loss at all is as good as no wish.
        let is_wish =
            |asked: &AskedSnapshot| asked.algorithm == OverloadAlgorithm::Rate || asked.oc > 0;
        let before = member.restraint.asked().filter(is_wish);
        member.restraint.update(now, feedback);
        let asked = member.restraint.asked().filter(is_wish);
        if let Owner::Setup(call) = owner
            && asked != before
        {
            let text = wish(&member.name, asked);
            self.note(call, || text);
        }
    }

    /// Request validation of a proxy: RFC 3261 §16.3.
    fn receive(&mut self, now: Instant, id: ServerId, request: Request, flow: Flow) {
        let source = flow.source();
        let inside = self.dialog_of(&request, source);
        let is_new = inside.is_none() && request.to_tag().is_none() && !self.has_recorded(&request);
        let refusal = if is_new { inspect_scheme(&request) } else { Ok(()) };
        if let Err(rejection) =
            refusal.and_then(|()| request.refuse_as_proxy(self.transactions.sent_by()))
        {
            self.transactions.reject(now, id, &rejection);
            if let Some(inside) = inside {
                self.refused_inside(now, &request, source, inside);
            }
        } else if let Some(inside) = inside {
            self.forward_inside(now, id, &request, flow, inside);
        } else if !is_new {
            self.refuse_unknown(now, id);
        } else {
            match request.method() {
                Method::Invite => self.offered(now, id, request, flow),
                Method::Options => self.answer_options(now, id),
                Method::Bye | Method::Update | Method::Info | Method::Prack => {
                    self.transactions.reject(now, id, &Rejection::new(481));
                }
                Method::Other => self.transactions.reject(now, id, &with_allow(501)),
                _ => self.transactions.reject(now, id, &with_allow(405)),
            }
        }
    }

    fn answer_options(&mut self, now: Instant, id: ServerId) {
        let rejection = if self.draining { self.busy() } else { with_allow(200) };
        self.transactions.reject(now, id, &rejection);
    }

    fn busy(&self) -> Rejection {
        Rejection::new(503)
            .with_retry_after(self.settings.next_site_after.max(Duration::from_secs(1)))
    }

    /// From now on the call in its present state may take until `due`.
    fn wake_call_at(&mut self, id: CallId, due: Instant) {
        if self.calls.get(id).is_some() {
            self.deadlines.set(Wake::Call(id), due);
        }
    }
}

/// RFC 3261 §16.3 item 2. Inside a dialog it is no matter of ours which URI an end has given as its Contact: the request follows
/// the route set (§16.12).
fn inspect_scheme(request: &Request) -> Result<(), Rejection> {
    let uri = request.uri();
    let is_routable = uri.service().is_some()
        || ["sip", "tel"].iter().any(|scheme| scheme.eq_ignore_ascii_case(uri.scheme()));
    if is_routable { Ok(()) } else { Err(Rejection::new(416)) }
}

/// A response that says which methods this proxy takes from outside a dialog, or forwards inside one
/// (RFC 3261 §21.4.6, §11.2).
fn with_allow(status: u16) -> Rejection {
    let lines = "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE\r\nAccept: */*\r\n";
    Rejection { headers: Some(lines.into()), ..Rejection::new(status) }
}

/// A 2xx to an INVITE, which must be acknowledged.
fn is_answer(response: &Response) -> bool {
    (200..300).contains(&response.status()) && response.cseq().1 == Method::Invite
}

/// The Reason lines of a CANCEL, which go on with it (RFC 3326 §1).
fn reason_lines(cancel: &Request) -> Vec<u8> {
    let lines = cancel.headers(Name::Reason).map(|value| format!("Reason: {value}\r\n"));
    lines.collect::<String>().into_bytes()
}

impl Node for TrunkGroup {
    type Command = std::convert::Infallible;
    type Event = TrunkGroupNotice;
    type Snapshot = TrunkGroupSnapshot;

    fn handle_packet(&mut self, now: Instant, packet: Packet) {
        self.transactions.handle_packet(now, packet);
        self.settle(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.transactions.handle_timeout(now);
        self.settle(now);
        while let Some((_, wake)) = self.deadlines.pop_due(now) {
            match wake {
                Wake::Call(id) => self.overdue(now, id),
                Wake::Inside(id, server) => self.inside_overdue(now, id, server),
                Wake::Ack(id) => self.ack_overdue(now, id),
                Wake::Audit(id) => self.audit_if_quiet(now, id),
                Wake::Doubt(id) => self.doubt_confirmed(now, id),
                Wake::ProbeRound if self.draining => {}
                Wake::ProbeRound => self.probe_round(now),
                Wake::ProbeTimeout(index) => self.probe_overdue(now, index),
                Wake::Orphans(index) => self.release_orphans(now, index),
            }
        }
        self.settle(now);
    }

    fn handle_unreachable(&mut self, now: Instant, transport: Transport, peer: SocketAddr) {
        self.transactions.handle_unreachable(now, transport, peer);
        self.settle(now);
    }

    fn handle_command(&mut self, _now: Instant, command: Self::Command) -> Reply {
        match command {}
    }

    /// Refuses new calls. A proxy cannot end dialogs, so the others go on until their ends hang up.
    fn handle_drain(&mut self, _now: Instant) {
        self.draining = true;
    }

    fn poll_transmit(&mut self) -> Option<Packet> {
        self.transactions.poll_transmit()
    }

    fn poll_event(&mut self) -> Option<TrunkGroupNotice> {
        let change = self.members.poll_change().map(TrunkGroupNotice::Change);
        change.or_else(|| {
            self.records.poll().map(|record| TrunkGroupNotice::Record(Box::new(record)))
        })
    }

    fn notes(&mut self) -> Option<&mut Notes> {
        Some(&mut self.notes)
    }

    fn record_of(notice: &TrunkGroupNotice) -> Option<&CallRecord> {
        match notice {
            TrunkGroupNotice::Record(record) => Some(record),
            TrunkGroupNotice::Change(_) => None,
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        [self.transactions.poll_timeout(), self.deadlines.next()].into_iter().flatten().min()
    }

    fn show_calls(&self, picker: &mut CallPicker) {
        self.calls.show(picker);
    }

    fn snapshot(&self) -> TrunkGroupSnapshot {
        let stats = self.transactions.stats();
        TrunkGroupSnapshot {
            calls: self.calls.len(),
            draining: self.draining,
            counts: self.records.counts,
            members: self.members.iter().map(Member::snapshot).collect(),
            malformed: stats.malformed,
            resent: stats.resent,
            stray: stats.stray,
            overflow: stats.overflow,
            transactions: self.transactions.len(),
        }
    }

    fn is_drained(&self) -> bool {
        self.draining && self.calls.is_empty()
    }
}

/// What a member asks of its clients from now on.
fn wish(member: &str, asked: Option<AskedSnapshot>) -> String {
    match asked {
        Some(AskedSnapshot { algorithm: OverloadAlgorithm::Loss, oc }) => {
            format!("hears that {member} wants {oc} % of its calls held back")
        }
        Some(AskedSnapshot { algorithm: OverloadAlgorithm::Rate, oc }) => {
            format!("hears that {member} wants at most {oc} calls/s")
        }
        None => format!("hears that {member} wants nothing held back any more"),
    }
}
