//! A call server: a back-to-back user agent that routes emergency calls — RFC 3261 §6, RFC 7092.
//!
//! | what happens | file |
//! |---|---|
//! | a call arrives, is admitted and routed; its answering point refuses, is silent or answers | `setup.rs` |
//! | where it may go, in order | `itinerary.rs` |
//! | re-INVITE, UPDATE, INFO cross | `relay.rs` |
//! | session descriptions get our addresses, media is relayed | `media.rs` |
//! | either side hangs up, vanishes, or talks for too long; drain | `ending.rs` |

mod call;
mod ending;
mod itinerary;
mod media;
mod relay;
mod setup;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::media::{Plane, PlaneCounts, Settings};
use hashbrown::HashMap;
use node::{Node, Reply};
use serde::Serialize;
use sip_proto::message::Payload;
use sip_proto::timer::{Deadlines, Timers};
use sip_proto::user_agent::{Capabilities, Config, Event, LegId, SessionIdRole, UserAgent};
use sip_proto::wall::WallClock;
use sip_proto::{Packet, Transport};
use slab::Slab;
use telemetry::CallRecord;
use topology::Topology;

use call::{Call, CallId, Side};

/// One member of the pool; see the module's table.
#[derive(Debug)]
pub struct CallServer {
    settings: topology::CallServer,
    topology: Arc<Topology>,
    user_agent: UserAgent,
    calls: Slab<Call>,
    legs: HashMap<LegId, (CallId, Side)>,
    deadlines: Deadlines<CallId>,
    records: VecDeque<CallRecord>,
    wall: WallClock,
    next_nonce: u64,
    draining: bool,
    counts: Counts,
    plane: Plane,
}

/// How far ahead a deadline may stand in the queue.
const FAR: Duration = Duration::from_secs(60);

/// What a call server has done since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub offered: u64,
    pub answered: u64,
    pub rejected: u64,
    /// Rejected because the call server was full or draining; part of `rejected`.
    pub shed: u64,
    pub abandoned: u64,
    pub lost: u64,
    /// B legs after the first of their call.
    pub rerouted: u64,
}

/// What a console shows of a call server.
#[derive(Debug, Clone, Serialize)]
pub struct Snapshot {
    pub calls: usize,
    pub draining: bool,
    #[serde(flatten)]
    pub counts: Counts,
    pub malformed: u64,
    pub resent: u64,
    pub stray: u64,
    /// Requests refused because too many transactions were alive.
    pub overflow: u64,
    /// Requests that the user agent refused before call control saw them.
    pub refused_by_status: BTreeMap<u16, u64>,
    pub media: PlaneCounts,
}

/// The timers of a topology, as the SIP core wants them.
pub(crate) fn sip_timers(topology: &Topology) -> Timers {
    Timers { t1: topology.timers.t1, t2: topology.timers.t2, t4: topology.timers.t4 }
}

impl CallServer {
    /// The call server `settings` of a network, reached at `address`.
    #[must_use]
    pub fn new(
        settings: topology::CallServer,
        topology: Arc<Topology>,
        address: SocketAddr,
        seed: u64,
        wall: WallClock,
    ) -> Self {
        let config = Config {
            timers: sip_timers(&topology),
            product: format!("Tocsin call server {}", settings.name),
            // Routing and the answering point take their time.
            trying_at_once: true,
            session_id: SessionIdRole::Relay,
            retry_glare: false,
            // Bodies cross, whatever they are.
            capabilities: Capabilities { accept: None, ..Capabilities::default() },
            ..Config::new(address, seed)
        };
        let (start, unix) = wall.origin();
        let media = Settings {
            addresses: settings.media_addresses.clone(),
            ports: settings.media_ports.clone(),
            idle_after: topology.media.idle_after,
            dated: false,
        };
        Self {
            plane: Plane::new(&media, seed, start, unix),
            settings,
            topology,
            user_agent: UserAgent::new(config),
            calls: Slab::new(),
            legs: HashMap::new(),
            deadlines: Deadlines::default(),
            records: VecDeque::new(),
            wall,
            next_nonce: 0,
            draining: false,
            counts: Counts::default(),
        }
    }

    fn settle(&mut self, now: Instant) {
        while let Some(event) = self.user_agent.poll_event() {
            self.handle_event(now, event);
        }
    }

    fn handle_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Offered { leg, invite, source } => self.offered(now, leg, invite, source),
            Event::Cancelled { leg, reason } => self.cancelled(now, leg, reason.as_ref()),
            Event::Progress { leg, response } => self.progress(now, leg, &response),
            Event::Answered { leg, response } => self.answered(now, leg, &response),
            Event::Failed { leg, failure } => self.failed(now, leg, &failure),
            Event::Confirmed { leg, ack } | Event::ModifyConfirmed { leg, ack } => {
                self.confirmed(now, leg, &ack);
            }
            Event::Modify { leg, id, request } => self.modify(now, leg, id, &request),
            Event::ModifyCancelled { leg } => self.modify_cancelled(now, leg),
            Event::Modified { leg, response } => self.modified(now, leg, &response),
            Event::Request { leg, id, request } => self.cross(now, leg, id, &request),
            Event::Response { leg, response } => self.crossed(now, leg, &response),
            Event::Ended { leg, end } => self.ended(now, leg, &end),
            // A text message is no call; there is nobody here to read it.
            Event::OutOfDialog { id, .. } => {
                self.user_agent.respond(now, id, 405, &Payload::empty());
            }
            Event::Probed { .. } => {}
        }
    }

    fn insert(&mut self, mut call: Call) -> CallId {
        self.next_nonce += 1;
        call.nonce = self.next_nonce;
        let a = call.a;
        let id = CallId { slot: self.calls.insert(call), nonce: self.next_nonce };
        self.legs.insert(a, (id, Side::A));
        id
    }

    fn call_mut(&mut self, id: CallId) -> Option<&mut Call> {
        self.calls.get_mut(id.slot).filter(|call| call.nonce == id.nonce)
    }

    /// The call that a leg belongs to. A leg that was given up belongs to none.
    fn find(&self, leg: LegId) -> Option<(CallId, Side)> {
        self.legs.get(&leg).copied()
    }

    fn await_until(&mut self, now: Instant, id: CallId, deadline: Option<call::Deadline>) {
        if let Some(call) = self.call_mut(id) {
            call.deadline = deadline;
        }
        if let Some(deadline) = deadline {
            // A far deadline is looked at now and then instead: most calls end long before theirs, and an
            // entry stays in the queue until its time.
            self.deadlines.push(deadline.due.min(now + FAR), id);
        }
    }

    fn micros(&self, now: Instant) -> u64 {
        self.wall.micros(now)
    }
}

impl Node for CallServer {
    type Command = std::convert::Infallible;
    type Event = CallRecord;
    type Snapshot = Snapshot;

    fn handle_packet(&mut self, now: Instant, packet: Packet) {
        self.user_agent.handle_packet(now, packet);
        self.settle(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.user_agent.handle_timeout(now);
        self.settle(now);
        while let Some(id) = self.deadlines.pop_due(now) {
            match self.call_mut(id).and_then(|call| call.deadline) {
                Some(deadline) if deadline.due <= now => self.overdue(now, id, deadline.awaited),
                Some(deadline) => self.await_until(now, id, Some(deadline)),
                None => {}
            }
        }
        self.settle(now);
    }

    fn handle_unreachable(&mut self, now: Instant, transport: Transport, peer: SocketAddr) {
        self.user_agent.handle_unreachable(now, transport, peer);
        self.settle(now);
    }

    fn handle_command(&mut self, _now: Instant, command: Self::Command) -> Reply {
        match command {}
    }

    fn handle_drain(&mut self, now: Instant) {
        self.drain(now);
        self.settle(now);
    }

    fn poll_transmit(&mut self) -> Option<Packet> {
        self.user_agent.poll_transmit()
    }

    fn poll_event(&mut self) -> Option<CallRecord> {
        self.records.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        [self.user_agent.poll_timeout(), self.deadlines.next()].into_iter().flatten().min()
    }

    fn snapshot(&self) -> Snapshot {
        let stats = self.user_agent.transaction_stats();
        Snapshot {
            calls: self.calls.len(),
            draining: self.draining,
            counts: self.counts,
            malformed: stats.malformed,
            resent: stats.resent,
            stray: stats.stray,
            overflow: stats.overflow,
            refused_by_status: self.user_agent.stats().refused.clone(),
            media: self.plane.counts(),
        }
    }

    fn plane(&mut self) -> Option<&mut Plane> {
        Some(&mut self.plane)
    }

    fn handle_media(&mut self, _now: Instant) {
        self.note_media();
    }

    fn is_drained(&self) -> bool {
        self.draining && self.calls.is_empty() && self.user_agent.is_idle()
    }
}
