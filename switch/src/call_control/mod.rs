//! The software of a call server: a back-to-back user agent that routes emergency calls — RFC 3261 §6, RFC 7092.
//!
//! It runs from one start of the machine to the next (`call_server`): at its end all that it knows is lost, apart from
//! what is on the disk.
//!
//! Values, each of which owns its part:
//!
//! | part | file |
//! |---|---|
//! | the calls, by name and by leg, and their deadlines | `calls.rs`, `call.rs`, `side.rs` |
//! | the media of all calls; the relay and the descriptions of one | `media_sessions.rs`, `media_relay.rs`, `descriptions.rs` |
//! | call records and counts, also towards each answering point; how legs have ended; what a telephone's dialog tells | `records.rs`, `towards.rs`, `leg_end.rs`, `dialog_notes.rs` |
//! | where a call may go, in order | `route_list.rs` |
//! | the other call servers of the pool, and what they tell each other | `neighbours.rs`, `pool_message.rs` |
//! | is a call server alive whose replicas are kept here? | `owner_watch.rs` |
//! | what the sides of a call that is taken over have answered | `takeover_replies.rs` |
//!
//! Operations, which need several of them:
//!
//! | what happens | file |
//! |---|---|
//! | a call arrives: is it let in? | `admission.rs` |
//! | it is routed; its answering point refuses, is silent or answers | `setup.rs` |
//! | re-INVITE, UPDATE, INFO cross | `crossing.rs` |
//! | either side hangs up, vanishes, or talks for too long; drain; the machine fails | `ending.rs` |
//! | the machine has started again; a neighbour tells something | `pool_events.rs` |
//! | the partner gets a replica of each answered call | `replication.rs` |
//! | the calls of a call server that is down are taken over | `takeover.rs` |
//!
//! The conditions on which latent defects act are in `latent_defects/triggers.rs`.

mod admission;
mod call;
mod calls;
mod crossing;
mod descriptions;
mod dialog_notes;
mod ending;
mod leg_end;
mod media_relay;
mod media_sessions;
mod neighbours;
mod owner_watch;
mod pool_events;
mod pool_message;
mod records;
mod replication;
mod route_list;
mod setup;
mod side;
mod source_limits;
mod takeover;
mod takeover_replies;
mod towards;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use contract::{CallPicker, CallServerCounts};
use media::{Plane, PlaneCounts};
use sip_proto::message::Payload;
use sip_proto::reason::Reason;
use sip_proto::sources::Sources;
use sip_proto::user_agent::{Capabilities, Config, Event, SessionIdRole, UserAgent};
use sip_proto::wall_clock::WallClock;
use sip_proto::{Packet, Rejection, Transport};
use telemetry::CallRecord;
use topology::Topology;
use trace::Notes;

use crate::latent_defects;
use crate::machine::{Disk, Memory};
use crate::timers::{sip_timers, sources};
use call::Call;
use calls::{CallId, Calls};
use media_sessions::MediaSessions;
use neighbours::Neighbours;
use owner_watch::OwnerWatch;
use records::Records;

pub(crate) use ending::LeftBehind;
pub(crate) use towards::Towards;

/// Why the software cannot go on.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) why: String,
    /// The calls in progress go on until the machine restarts: it is new ones that it cannot take.
    pub(crate) calls_go_on: bool,
}

/// The software from one start of the machine to the next; see the module's tables.
#[derive(Debug)]
pub(crate) struct CallControl {
    settings: topology::CallServer,
    topology: Arc<Topology>,
    user_agent: UserAgent,
    calls: Calls,
    records: Records,
    media: MediaSessions,
    disk: Disk,
    memory: Memory,
    sources: Sources,
    neighbours: Neighbours,
    owner_watch: OwnerWatch,
    /// When it was started: the number that its answers tell.
    origin_state: u64,
    draining: bool,
    /// The processor is overloaded: a new call in the present packet is refused.
    overloaded: bool,
    /// A new call has found no memory: it and all later ones wait for a context that never comes.
    starved: bool,
    /// Why the software cannot go on: the machine must restart.
    failure: Option<Failure>,
    /// What happens to calls inside.
    pub(crate) notes: Notes,
}

impl CallControl {
    /// The software of the call server `settings`, reached at `address`, with what it finds in the machine.
    #[expect(clippy::too_many_arguments, reason = "each is another thing of the machine")]
    pub(crate) fn start(
        now: Instant,
        settings: topology::CallServer,
        topology: Arc<Topology>,
        address: SocketAddr,
        seed: u64,
        wall: WallClock,
        disk: Disk,
        plane: Plane,
    ) -> Self {
        let origin_state = wall.micros(now);
        let config = Config {
            timers: sip_timers(&topology),
            product: format!("Tocsin call server {}", settings.name),
            // It may take long until the answering point responds.
            trying_at_once: true,
            session_id: SessionIdRole::Relay,
            retry_glare: false,
            audit: Some(topology.timers.audit),
            // Whoever has sent it calls learns so that they are lost after a restart.
            origin_state: Some(origin_state),
            // Bodies of any type are passed on.
            capabilities: Capabilities { accept: None, ..Capabilities::of_telephony() },
            most_transactions: topology.sip.transactions as usize,
            ..Config::new(address, seed)
        };
        Self {
            user_agent: UserAgent::new(config),
            calls: Calls::default(),
            records: Records::new(&settings, wall),
            media: MediaSessions::new(plane, topology.pool.replicate_calls),
            memory: Memory::new(settings.equipment.contexts),
            sources: sources(&settings.sources, &topology),
            neighbours: Neighbours::new(&topology, &settings, wall.origin().0),
            owner_watch: OwnerWatch::new(topology.pool),
            disk,
            settings,
            topology,
            origin_state,
            draining: false,
            overloaded: false,
            starved: false,
            failure: None,
            notes: Notes::default(),
        }
    }

    fn settle(&mut self, now: Instant) {
        while let Some(event) = self.user_agent.poll_event() {
            self.handle_event(now, event);
        }
    }

    fn handle_event(&mut self, now: Instant, event: Event) {
        self.note_event(now, &event);
        match event {
            Event::Offered { leg, invite, source } => self.offered(now, leg, invite, source),
            Event::NoRoom { invite, source, rejection } => {
                self.found_no_room(now, &invite, source, &rejection);
            }
            Event::Cancelled { leg, reason } => self.cancelled(now, leg, reason.as_ref()),
            Event::GivenUp { leg, rejection } => self.given_up(now, leg, &rejection),
            Event::Progress { leg, response } => self.progress(now, leg, &response),
            Event::Answered { leg, response } => self.answered(now, leg, &response),
            Event::Failed { leg, failure } => self.failed(now, leg, &failure),
            Event::Confirmed { leg, ack } | Event::ModifyConfirmed { leg, ack } => {
                self.confirmed(now, leg, &ack);
            }
            Event::Unacknowledged { leg } => {
                if let Some((id, _)) = self.calls.find(leg) {
                    self.ack_overdue(now, id);
                }
            }
            Event::Modify { leg, id, request } => self.modify(now, leg, id, &request),
            Event::ModifyCancelled { leg } => self.modify_cancelled(now, leg),
            Event::Modified { leg, response } => self.modified(now, leg, &response),
            Event::Request { leg, id, request } => self.cross(now, leg, id, &request),
            Event::Response { leg, response } => self.crossed(now, leg, &response),
            Event::Ended { leg, end } => self.ended(now, leg, &end),
            Event::OutOfDialog { id, request, source } => {
                let status = self.receive_message(now, &request, source);
                self.user_agent.respond(now, id, status, &Payload::empty());
            }
            Event::Probed { peer, outcome } => self.owner_probed(now, peer, &outcome),
        }
    }

    fn insert(&mut self, call: Call) -> CallId {
        if let Some(link) = call.link {
            self.disk.links.call_began(link);
        }
        self.calls.insert(call)
    }

    /// Lets answers to probes say whether new calls are taken.
    pub(crate) fn show_state(&mut self) {
        let shows_lock = self.disk.locked && !latent_defects::hides_its_lock(&self.disk);
        let unwelcome = self.draining || shows_lock;
        self.user_agent.set_unavailable(unwelcome.then(|| self.busy()));
    }

    /// RFC 3261 §21.5.4: no new calls for a while.
    fn busy(&self) -> Rejection {
        Rejection::new(503).with_retry_after(self.settings.retry_after)
    }

    /// The software cannot go on. The first reason counts.
    fn fail(&mut self, why: &str) {
        self.failure.get_or_insert_with(|| Failure { why: why.to_owned(), calls_go_on: false });
    }

    /// There is no memory for a new call. Those in progress have theirs.
    fn starve(&mut self) {
        self.starved = true;
        let why = "its memory for calls is full".to_owned();
        self.failure.get_or_insert(Failure { why, calls_go_on: true });
    }

    fn hang_up_both(&mut self, now: Instant, call: &Call, reason: &Reason) {
        for leg in call.legs() {
            self.user_agent.hang_up(now, leg, Some(reason));
        }
    }
}

impl CallControl {
    pub(crate) fn handle_packet(&mut self, now: Instant, packet: Packet) {
        self.owner_watch.note_arrival(now);
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
        while let Some((id, awaited)) = self.calls.pop_overdue(now) {
            self.overdue(now, id, awaited);
        }
        self.disk.links.settle(now);
        self.neighbours.announce_first_start(&mut self.user_agent, now);
        self.owner_watch.probe_if_due(&mut self.user_agent, now, &self.disk.journal);
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
        self.records.poll()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let sip = [self.user_agent.poll_timeout(), self.calls.next_deadline()];
        let pool = [self.neighbours.announcement_due(), self.owner_watch.next()];
        sip.into_iter().chain(pool).chain([self.disk.links.next()]).flatten().min()
    }

    /// The number of this start, which grows from one to the next.
    pub(crate) const fn origin_state(&self) -> u64 {
        self.origin_state
    }

    /// Taken once: the machine hangs or restarts then.
    pub(crate) fn take_failure(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    pub(crate) const fn disk(&self) -> &Disk {
        &self.disk
    }

    pub(crate) const fn disk_mut(&mut self) -> &mut Disk {
        &mut self.disk
    }

    pub(crate) const fn plane(&mut self) -> &mut Plane {
        self.media.plane()
    }

    pub(crate) fn log_media(&mut self) {
        self.media.log_events(&self.settings.name);
    }

    pub(crate) const fn counts(&self) -> CallServerCounts {
        self.records.counts
    }

    pub(crate) const fn towards(&self) -> &Towards {
        &self.records.towards
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

    /// Shows the calls in progress.
    pub(crate) fn show_calls(&self, picker: &mut CallPicker) {
        self.calls.show(picker);
    }

    pub(crate) fn plane_counts(&self) -> PlaneCounts {
        self.media.counts()
    }

    pub(crate) fn is_drained(&self) -> bool {
        self.draining && self.calls.is_empty() && self.user_agent.is_idle()
    }
}
