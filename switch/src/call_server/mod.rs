//! A call server as a machine: commands of operators, failures, and restarts.
//!
//! ```text
//!             restart, failure without a watchdog
//!       Up ────────────────────────────────────► Starting          Up: CallControl is the software that runs
//!        │╲      failure           `watchdog`    ▲  │              Hung: a front end alone answers, commands time out
//!        ▲ ╲──────────────► Hung ────────────────╱  │              Starting: packets vanish, commands time out
//!        └──────────────── after `boot` ────────────┘              the disk outlives the software
//! ```
//!
//! | what | file |
//! |---|---|
//! | the calls | `call_control/` |
//! | disk, links, memory, messages that wait, overload control | `machine/` |
//! | lock, disconnect, restart, load …, and what the machine answers | `command.rs` |
//! | commands that take their time, and how each ends | `effects.rs` |
//! | the power switch and the console | `out_of_band.rs` |
//! | the software ends, the machine starts again | `restart.rs` |
//! | the software has failed, and the machine has not noticed | `hang.rs` |

mod command;
mod effects;
mod hang;
mod out_of_band;
mod restart;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use contract::{CallPicker, CallServerCounts, CallServerSnapshot, Effect, Node, Reply};
use media::{Plane, PlaneSettings};
use operations::Action;
use sip_proto::message::{Request, with_overload_feedback};
use sip_proto::wall_clock::WallClock;
use sip_proto::{Packet, Transport};
use telemetry::CallRecord;
use topology::{OverloadMode, Topology};
use trace::Notes;

use crate::call_control::{CallControl, Towards};
use crate::machine::{
    Boot, Disk, Done, Hang, Inbox, Installation, OverloadControl, Starvation, Visits,
};
use crate::priority::Priority;
use effects::Effects;

/// One member of the pool; see the module's table.
#[derive(Debug)]
pub struct CallServer {
    settings: topology::CallServer,
    topology: Arc<Topology>,
    address: SocketAddr,
    seed: u64,
    wall: WallClock,
    /// The software that runs; `None` while it hangs or the machine starts.
    software: Option<Box<CallControl>>,
    hang: Option<Box<Hang>>,
    /// The software runs, and takes no new calls for want of memory.
    starvation: Option<Starvation>,
    boot: Option<Boot>,
    inbox: Inbox,
    overload: OverloadControl,
    /// What clients were asked for last: a change is noted.
    asked_last: Option<u32>,
    installation: Option<Installation>,
    /// Cut off from everything but the management plane.
    isolated: bool,
    draining: bool,
    restarts: u32,
    /// How often the software has hung.
    hangs: u32,
    /// The counts of the software before its last start.
    past: CallServerCounts,
    past_towards: Towards,
    notices: VecDeque<CallServerNotice>,
    /// Commands that take their time.
    effects: Effects,
    /// Technicians on their way.
    visits: Visits,
}

/// What a call server tells the management plane.
#[derive(Debug, Clone, PartialEq)]
pub enum CallServerNotice {
    Record(Box<CallRecord>),
    /// Its software has failed: new calls meet silence until its watchdog restarts it. Those in progress are lost now, or go on until
    /// then if it is memory for new ones that is short.
    Hanging {
        why: String,
    },
    /// It starts again, and loses its calls if it did not before.
    Restarting {
        why: String,
    },
    /// It takes calls again.
    InService,
}

impl CallServer {
    /// The call server `settings` of a network, reached at `address`. It is in service from `now` on.
    #[must_use]
    pub fn new(
        settings: topology::CallServer,
        topology: Arc<Topology>,
        address: SocketAddr,
        seed: u64,
        wall: WallClock,
        now: Instant,
    ) -> Self {
        let (start, unix) = wall.origin();
        let media = PlaneSettings {
            addresses: settings.media_addresses.clone(),
            ports: settings.media_ports.clone(),
            idle_after: topology.media.idle_after,
            dated: false,
        };
        let plane = Plane::new(&media, seed, start, unix);
        let disk = Disk::new(&topology, &settings);
        let processing = settings.equipment.processing.clone();
        let overload = OverloadControl::new(&processing);
        let mut machine = Self {
            asked_last: overload.oc(),
            overload,
            inbox: Inbox::new(processing),
            settings,
            topology,
            address,
            seed,
            wall,
            software: None,
            hang: None,
            starvation: None,
            boot: None,
            installation: None,
            isolated: false,
            draining: false,
            restarts: 0,
            hangs: 0,
            past: CallServerCounts::default(),
            past_towards: Towards::default(),
            notices: VecDeque::new(),
            effects: Effects::default(),
            visits: Visits::default(),
        };
        machine.software = Some(Box::new(machine.start_software(now, disk, plane)));
        machine
    }

    /// Whether a packet crosses between this machine and `peer`.
    fn is_connected(&self, peer: SocketAddr) -> bool {
        !self.isolated && self.boot.is_none() && self.disk().links.passes(peer)
    }

    /// Gives the software one input, which may make it fail.
    fn give_software(&mut self, now: Instant, input: impl FnOnce(&mut CallControl)) {
        let Some(software) = &mut self.software else { return };
        input(software);
        self.take_output(now);
    }

    /// Puts a packet into the inbox, where it waits for the processor.
    fn enqueue(&mut self, now: Instant, packet: Packet) {
        self.work(now);
        let peer = packet.peer;
        let invite = new_call(&packet);
        let controlled =
            invite.as_ref().is_some_and(|invite| invite.via().overload_offer().is_some());
        let work = self.inbox.arrive(now, packet, invite.as_ref().map(Priority::of));
        self.overload.observe(peer, controlled, work);
        self.overload.settle(now, self.wall.micros(now), self.inbox.backlog());
        // A message that takes no time is done already.
        self.work(now);
    }

    /// Gives the software each message that the processor has finished.
    fn work(&mut self, now: Instant) {
        while let Some(done) = self.inbox.take_done(now) {
            self.give_software(now, |software| match done {
                Done::Process(packet) => software.handle_packet(now, packet),
                Done::Refuse(packet) => software.refuse_packet(now, packet),
            });
        }
    }

    fn take_output(&mut self, now: Instant) {
        let Some(software) = &mut self.software else { return };
        while let Some(record) = software.poll_record() {
            self.notices.push_back(CallServerNotice::Record(Box::new(record)));
        }
        if let Some(failure) = software.take_failure() {
            self.fail(now, &failure.why, failure.calls_go_on);
        }
    }
}

impl CallServer {
    /// Tells a client in its Via what it may send (RFC 7339 §5.2).
    fn with_feedback(&mut self, packet: Packet) -> Packet {
        if !self.settings.equipment.processing.overload.gives_feedback() {
            return packet;
        }
        let feedback = |offer| self.overload.feedback(packet.peer, offer);
        let Some(bytes) = with_overload_feedback(&packet.bytes, feedback) else { return packet };
        let asked = self.overload.oc();
        if let Some(software) = self.software.as_mut().filter(|_| asked != self.asked_last) {
            let by_rate = self.settings.equipment.processing.overload == OverloadMode::Rate;
            let oc = asked.unwrap_or_default();
            software.notes.note_message(&bytes, || match by_rate {
                true => format!("asks its clients for at most {oc} calls/s together"),
                false => format!("asks its clients to hold back {oc} % of their calls"),
            });
            self.asked_last = asked;
        }
        Packet { bytes, ..packet }
    }
}

/// The INVITE in a packet, if it wants to begin a call.
fn new_call(packet: &Packet) -> Option<Request> {
    if !packet.bytes.starts_with(b"INVITE ") {
        return None;
    }
    Request::parse(packet.bytes.clone()).ok().filter(|invite| invite.to_tag().is_none())
}

impl Node for CallServer {
    type Command = Action;
    type Event = CallServerNotice;
    type Snapshot = CallServerSnapshot;

    fn handle_packet(&mut self, now: Instant, packet: Packet) {
        let ignored = self.starvation.as_ref().is_some_and(|starved| starved.ignores(&packet));
        if ignored || !self.is_connected(packet.peer) {
            return;
        }
        if self.hang.is_some() {
            self.give_front_end(now, packet);
        } else if self.inbox.takes_no_time() {
            self.give_software(now, |software| software.handle_packet(now, packet));
        } else {
            self.enqueue(now, packet);
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.visit_if_due(now);
        self.install_if_due(now);
        if let Some(hang) = &mut self.hang {
            hang.front_end.handle_timeout(now);
        }
        self.restart_if_hung_for_long(now);
        self.boot_if_due(now);
        self.work(now);
        self.give_software(now, |software| software.handle_timeout(now));
    }

    fn handle_unreachable(&mut self, now: Instant, transport: Transport, peer: SocketAddr) {
        self.give_software(now, |software| software.handle_unreachable(now, transport, peer));
    }

    fn handle_command(&mut self, now: Instant, command: Action) -> Reply {
        self.carry_out(now, command)
    }

    fn handle_drain(&mut self, now: Instant) {
        self.draining = true;
        self.lose_taken_calls(now);
        self.give_software(now, |software| software.drain(now));
    }

    fn poll_transmit(&mut self) -> Option<Packet> {
        loop {
            let packet = match (&mut self.software, &mut self.hang) {
                (Some(software), _) => software.poll_transmit()?,
                (None, Some(hang)) => hang.front_end.poll_transmit()?,
                (None, None) => return None,
            };
            match self.is_connected(packet.peer) {
                true if self.hang.is_some() => return Some(packet),
                true => return Some(self.with_feedback(packet)),
                false => {}
            }
        }
    }

    fn poll_event(&mut self) -> Option<CallServerNotice> {
        self.notices.pop_front()
    }

    /// Software that does not run notes nothing.
    fn notes(&mut self) -> Option<&mut Notes> {
        self.software.as_mut().map(|software| &mut software.notes)
    }

    fn record_of(notice: &CallServerNotice) -> Option<&CallRecord> {
        match notice {
            CallServerNotice::Record(record) => Some(record),
            _ => None,
        }
    }

    fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.poll()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let software = self.software.as_ref().and_then(|software| software.poll_timeout());
        let hang = self.hang.as_ref().and_then(|hang| hang.poll_timeout());
        let boot = self.boot.as_ref().and_then(|boot| boot.until);
        let installation = self.installation.as_ref().map(|installation| installation.until);
        let starvation = self.starvation.as_ref().map(|starvation| starvation.until);
        let visit = self.visits.next();
        [software, hang, starvation, boot, installation, self.inbox.next(), visit]
            .into_iter()
            .flatten()
            .min()
    }

    fn snapshot(&self) -> CallServerSnapshot {
        let disk = self.disk();
        let mut towards = self.past_towards.clone();
        let mut snapshot = CallServerSnapshot {
            calls: 0,
            draining: self.draining,
            starting: self.boot.is_some(),
            off: self.is_off(),
            hung: self.hang.is_some() || self.starvation.is_some(),
            locked: disk.locked,
            isolated: self.isolated,
            shedding: disk.shedding,
            release: disk.release.name.clone(),
            contexts_used: 0,
            contexts: self.settings.equipment.contexts,
            restarts: self.restarts,
            hangs: self.hangs,
            replicas: disk.journal.len(),
            disk: disk.stored(&self.topology),
            defects: disk.release.defects.iter().map(|one| one.name().to_owned()).collect(),
            stale_circuits: disk.stale_circuits,
            counts: self.past,
            towards: BTreeMap::new(),
            malformed: 0,
            resent: 0,
            stray: 0,
            overflow: 0,
            transactions: 0,
            dialogs: 0,
            refused_by_status: BTreeMap::new(),
            media: self.boot.as_ref().map(|boot| boot.plane.counts()).unwrap_or_default(),
            waiting: self.inbox.len(),
            dropped: self.inbox.dropped(),
            oc: self.overload.oc(),
        };
        if let Some(software) = &self.software {
            let stats = software.user_agent().transaction_stats();
            snapshot.calls = software.calls();
            snapshot.contexts_used = software.memory().used();
            snapshot.counts += software.counts();
            towards += software.towards();
            snapshot.malformed = stats.malformed;
            snapshot.resent = stats.resent;
            snapshot.stray = stats.stray;
            snapshot.overflow = stats.overflow;
            snapshot.transactions = software.user_agent().transactions();
            snapshot.dialogs = software.user_agent().legs();
            snapshot.refused_by_status = software.user_agent().stats().refused.clone();
            snapshot.media = software.plane_counts();
        }
        if let Some(hang) = &self.hang {
            snapshot.calls = hang.taken.len();
            snapshot.contexts_used = hang.contexts_used;
            snapshot.transactions = hang.front_end.transactions();
            snapshot.media = hang.plane.counts();
        }
        snapshot.towards = towards.shown(&self.topology);
        snapshot
    }

    fn show_calls(&self, picker: &mut CallPicker) {
        if let Some(software) = &self.software {
            software.show_calls(picker);
        }
    }

    fn plane(&mut self) -> Option<&mut Plane> {
        let running = self.software.as_mut().map(|software| software.plane());
        let hung = self.hang.as_mut().map(|hang| &mut hang.plane);
        running.or(hung).or_else(|| self.boot.as_mut().map(|boot| &mut boot.plane))
    }

    fn handle_media(&mut self, _now: Instant) {
        if let Some(software) = &mut self.software {
            software.log_media();
        }
    }

    fn is_drained(&self) -> bool {
        let idle = self.draining && self.inbox.is_idle();
        idle && self.software.as_ref().is_none_or(|software| software.is_drained())
    }
}
