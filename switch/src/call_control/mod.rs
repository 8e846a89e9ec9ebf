//! The software of a call server: a back-to-back user agent that routes emergency calls — RFC 3261 §6, RFC 7092.
//!
//! It lives from one start of the machine to the next (`call_server`): what it remembers is lost with it, apart from what
//! is on the disk.
//!
//! | what happens | file |
//! |---|---|
//! | a call arrives, is admitted and routed; its answering point refuses, is silent or answers | `setup.rs` |
//! | where it may go, in order | `itinerary.rs` |
//! | re-INVITE, UPDATE, INFO cross | `relay.rs` |
//! | session descriptions get our addresses, media is relayed | `media.rs` |
//! | either side hangs up, vanishes, or talks for too long; drain; the machine fails | `ending.rs` |
//! | where latent defects act | `defects.rs` |
//! | what the call servers of the pool tell each other | `neighbours.rs` |
//! | the partner gets a replica of each answered call | `replication.rs`, `descriptions.rs` |
//! | is a call server alive whose replicas are kept here? | `wards.rs` |
//! | its calls are taken over | `takeover.rs` |

mod call;
mod defects;
mod descriptions;
mod ending;
mod itinerary;
mod media;
mod neighbours;
mod relay;
mod replication;
mod setup;
mod takeover;
mod wards;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::media::{Plane, PlaneCounts};
use contract::CallServerCounts;
use hashbrown::HashMap;
use sip_proto::message::Payload;
use sip_proto::timer::{Deadlines, Timers};
use sip_proto::user_agent::{Capabilities, Config, Event, LegId, SessionIdRole, UserAgent};
use sip_proto::wall::WallClock;
use sip_proto::{Packet, Rejection, Transport};
use slab::Slab;
use telemetry::CallRecord;
use topology::Topology;

use crate::call_server::{Disk, Memory};
use call::{Call, CallId, Side};
use neighbours::Neighbours;
use wards::Wards;

/// One life of the software; see the module's table.
#[derive(Debug)]
pub(crate) struct CallControl {
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
    counts: CallServerCounts,
    plane: Plane,
    disk: Disk,
    memory: Memory,
    neighbours: Neighbours,
    wards: Wards,
    /// The machine has no time for the new call in the packet at hand.
    overloaded: bool,
    /// Why the software cannot go on: the machine must restart.
    failure: Option<String>,
}

/// How far ahead a deadline may stand in the queue.
const FAR: Duration = Duration::from_secs(60);

/// The timers of a topology, as the SIP core wants them.
pub(crate) fn sip_timers(topology: &Topology) -> Timers {
    Timers { t1: topology.timers.t1, t2: topology.timers.t2, t4: topology.timers.t4 }
}

impl CallControl {
    /// The software of the call server `settings`, reached at `address`, with what it finds in the machine.
    pub(crate) fn start(
        settings: topology::CallServer,
        topology: Arc<Topology>,
        address: SocketAddr,
        seed: u64,
        wall: WallClock,
        disk: Disk,
        plane: Plane,
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
        Self {
            plane,
            memory: Memory::new(settings.equipment.contexts),
            neighbours: Neighbours::new(&topology, &settings),
            wards: Wards::new(topology.pool),
            disk,
            overloaded: false,
            failure: None,
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
            counts: CallServerCounts::default(),
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
            Event::OutOfDialog { id, request, source } => {
                let status = self.take_message(now, &request, source);
                self.user_agent.respond(now, id, status, &Payload::empty());
            }
            Event::Probed { peer, outcome } => self.ward_probed(now, peer, &outcome),
        }
    }

    fn insert(&mut self, mut call: Call) -> CallId {
        self.next_nonce += 1;
        call.nonce = self.next_nonce;
        let a = call.a;
        let id = CallId { slot: self.calls.insert(call), nonce: self.next_nonce };
        self.legs.insert(a, (id, Side::A));
        if let Some(link) = self.calls.get(id.slot).and_then(|call| call.link) {
            self.disk.links.call_began(link);
        }
        id
    }

    /// Tells whoever probes whether new calls are welcome.
    pub(crate) fn show_state(&mut self) {
        let unwelcome = self.draining || (self.disk.locked && !self.hides_its_lock());
        let busy = || Rejection::new(503).with_retry_after(self.settings.retry_after);
        let rejection = unwelcome.then(busy);
        self.user_agent.set_unavailable(rejection);
    }

    /// The software cannot go on. The first reason counts.
    fn fail(&mut self, why: &str) {
        self.failure.get_or_insert_with(|| why.to_owned());
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

impl CallControl {
    pub(crate) fn handle_packet(&mut self, now: Instant, packet: Packet) {
        self.wards.hear(now);
        self.user_agent.handle_packet(now, packet);
        self.settle(now);
    }

    /// The same, but a new call in it is refused.
    pub(crate) fn refuse_packet(&mut self, now: Instant, packet: Packet) {
        self.overloaded = true;
        self.handle_packet(now, packet);
        self.overloaded = false;
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.user_agent.handle_timeout(now);
        self.settle(now);
        while let Some(id) = self.deadlines.pop_due(now) {
            match self.call_mut(id).and_then(|call| call.deadline) {
                Some(deadline) if deadline.due <= now => self.overdue(now, id, deadline.awaited),
                Some(deadline) => self.await_until(now, id, Some(deadline)),
                None => {}
            }
        }
        self.disk.links.settle(now);
        self.greet(now);
        self.visit_wards(now);
        self.settle(now);
    }

    pub(crate) fn handle_unreachable(
        &mut self,
        now: Instant,
        transport: Transport,
        peer: SocketAddr,
    ) {
        self.user_agent.handle_unreachable(now, transport, peer);
        self.settle(now);
    }

    pub(crate) fn poll_transmit(&mut self) -> Option<Packet> {
        self.user_agent.poll_transmit()
    }

    pub(crate) fn poll_record(&mut self) -> Option<CallRecord> {
        self.records.pop_front()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let (links, wards) = (self.disk.links.next(), self.wards.next());
        let sip = [self.user_agent.poll_timeout(), self.deadlines.next(), self.greeting_due()];
        sip.into_iter().chain([links, wards]).flatten().min()
    }

    /// Taken once: the machine restarts then.
    pub(crate) fn take_failure(&mut self) -> Option<String> {
        self.failure.take()
    }

    pub(crate) const fn disk(&self) -> &Disk {
        &self.disk
    }

    pub(crate) const fn disk_mut(&mut self) -> &mut Disk {
        &mut self.disk
    }

    pub(crate) const fn plane(&mut self) -> &mut Plane {
        &mut self.plane
    }

    pub(crate) const fn counts(&self) -> CallServerCounts {
        self.counts
    }

    pub(crate) const fn memory(&self) -> &Memory {
        &self.memory
    }

    pub(crate) const fn user_agent(&self) -> &UserAgent {
        &self.user_agent
    }

    /// Calls in progress.
    pub(crate) fn calls(&self) -> usize {
        self.calls.len()
    }

    pub(crate) fn plane_counts(&self) -> PlaneCounts {
        self.plane.counts()
    }

    pub(crate) fn is_drained(&self) -> bool {
        self.draining && self.calls.is_empty() && self.user_agent.is_idle()
    }
}
