//! The PSAP as a box on the network: a user agent in front of a call centre.
//!
//! ```text
//!              ┌─ Ignored ────────────────────────────── CANCEL ─┐
//!   INVITE ────┤                                                 ▼
//!              └─ Waiting ──► Ringing ──► Answered ──► Talking ──► record
//!                    │ CANCEL    │ CANCEL    200   ACK    │ BYE    ▲
//!                    └───────────┴────────────────────────┴────────┘
//! ```
//!
//! A call is in `calls` from its INVITE to its record. Its place in the centre is freed when the
//! caller leaves or when we hang up, whichever comes first; the centre frees it once.

mod answering;
mod call_media;
mod dialog_notes;
mod node;
mod source_limits;

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use media::{Clips, Plane, PlaneSettings, StreamId};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sip_proto::Rejection;
use sip_proto::deadlines::{ByKey, Deadlines};
use sip_proto::flow::Sender;
use sip_proto::message::{Method, Payload, Request};
use sip_proto::sdp::SdpError;
use sip_proto::sources::Sources;
use sip_proto::timer::Timers;
use sip_proto::transaction::ServerId;
use sip_proto::user_agent::{Capabilities, Config, End, Event, LegId, UserAgent};
use sip_proto::wall_clock::WallClock;
use telemetry::{CallRecord, Outcome, Party};
use trace::Notes;

use crate::admission::Admission;
use crate::attempt::{Attempt, Ending, NORMAL_CLEARING, TEMPORARY_FAILURE};
use crate::behaviour::{Plan, Reception};
use crate::centre::{CallCentre, Left};
use crate::melodies::Melodies;
use crate::negotiation::Negotiation;
use crate::position::PositionId;
use crate::refusal::{q850, queue_full, refusal};
use crate::service_level::ServiceLevel;
use crate::sounds::{Recorded, Sounds};

pub use node::Command;

/// RFC 3261 §13.3.1.1: a provisional response every minute, or proxies give the call up.
const RING_AGAIN: Duration = Duration::from_secs(60);

/// A call that waits for longer is refused: its caller's phone may be dead and cannot cancel. No person waits so long.
const LONGEST_RINGING: Duration = Duration::from_secs(3_600);

/// A talk that lasts for longer is ended, even by a call taker who never hangs up: the caller's phone may be dead.
const LONGEST_TALK: Duration = Duration::from_secs(4 * 3_600);

/// Q.850: incompatible destination, for a caller whose ACK has no answer to our offer.
const INCOMPATIBLE: u16 = 88;

/// One answering point.
#[derive(Debug)]
pub struct Psap {
    config: topology::Psap,
    agent: UserAgent,
    clock: WallClock,
    rng: StdRng,
    admission: Admission,
    centre: CallCentre<LegId>,
    /// Each in a place of its own: the tree is half empty.
    calls: BTreeMap<LegId, Box<Call>>,
    deadlines: Deadlines<Timer, ByKey>,
    level: ServiceLevel,
    offered: u64,
    refused: u64,
    /// Part of `refused`: for the limits of their source, or of dialogs.
    limited: u64,
    over_dialogs: u64,
    unanswered: usize,
    sources: Sources,
    plane: Plane,
    sounds: Sounds,
    outputs: VecDeque<Output>,
    /// What happens to calls inside.
    notes: Notes,
}

/// What a PSAP gives out.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all are records")]
pub enum Output {
    Record(CallRecord),
    Recording(Box<Recorded>),
}

#[derive(Debug)]
struct Call {
    attempt: Attempt,
    plan: Plan,
    melodies: Melodies,
    /// Who sent the INVITE.
    sender: Sender,
    /// The source whose unfinished calls it counts among.
    counts_at: Option<IpAddr>,
    media: Negotiation,
    /// `None`: the caller offers no media.
    stream: Option<StreamId>,
    /// Both sides are to be recorded.
    records: bool,
    /// Set when we hang up; the dialog is then over as soon as the BYE is answered.
    ending: Option<Ending>,
}

/// What a deadline is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Timer {
    /// The call taker picks up.
    PickUp(LegId),
    /// Another 180 for a caller who still waits.
    RingAgain(LegId),
    /// The call taker hangs up.
    HangUp(LegId),
    /// The call taker is ready for the next call.
    EndWrapUp(PositionId),
}

impl Psap {
    /// An open call centre with every position idle. All random draws follow from `seed`.
    #[must_use]
    pub fn new(config: topology::Psap, timers: Timers, clock: WallClock, seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let seed = rng.random();
        // 180 follows at once; only a silent PSAP leaves the caller with the 100 of the
        // transaction.
        let agent = UserAgent::new(Config {
            timers,
            product: "Tocsin PSAP".to_owned(),
            // The call server asks more often than that. If it does not, it has lost the call.
            audit: Some(config.audit * 3 / 2),
            capabilities: Capabilities::of_telephony(),
            most_transactions: config.limits.transactions as usize,
            ..Config::new(config.address, seed)
        });
        let (start, unix) = clock.origin();
        let media = PlaneSettings {
            addresses: vec![config.address.ip()],
            ports: config.media_ports.clone(),
            idle_after: config.idle_after,
            dated: true,
        };
        Self {
            plane: Plane::new(&media, rng.random(), start, unix),
            sounds: Sounds::default(),
            agent,
            clock,
            rng,
            admission: Admission::new(&config),
            centre: CallCentre::new(config.positions as usize, config.queue_limit as usize),
            calls: BTreeMap::new(),
            deadlines: Deadlines::default(),
            level: ServiceLevel::new(config.service_level),
            offered: 0,
            refused: 0,
            limited: 0,
            over_dialogs: 0,
            sources: Sources::new(
                config.sources.calls,
                config.sources.unacknowledged,
                timers.give_up(),
            ),
            unanswered: 0,
            outputs: VecDeque::new(),
            notes: Notes::default(),
            config,
        }
    }

    /// Calls so far, with those that were refused.
    #[must_use]
    pub const fn offered(&self) -> u64 {
        self.offered
    }

    /// The recordings that the configuration names.
    #[must_use]
    pub fn with_clips(mut self, clips: Clips) -> Self {
        self.sounds.clips = clips;
        self
    }

    /// Carries out all that follows from the last input.
    fn settle(&mut self, now: Instant) {
        loop {
            if let Some(event) = self.agent.poll_event() {
                self.follow(now, event);
            } else if let Some((_, timer)) = self.deadlines.pop_due(now) {
                self.fire(now, timer);
            } else if let Some(leg) = self.centre.ring_next() {
                self.ring_position(now, leg);
            } else {
                return;
            }
        }
    }

    fn follow(&mut self, now: Instant, event: Event) {
        self.note_event(now, &event);
        match event {
            Event::Offered { leg, invite, source } => {
                self.receive(now, leg, &invite, source);
            }
            Event::NoRoom { invite, source, rejection } => {
                self.found_no_room(now, &invite, source, &rejection);
            }
            Event::Cancelled { leg, reason } => {
                self.finish(now, leg, Ending::abandoned(reason.as_ref()));
            }
            Event::GivenUp { leg, rejection } => {
                self.finish(now, leg, Ending::refused(&rejection));
            }
            Event::Confirmed { leg, ack } => self.confirm(now, leg, &ack),
            Event::Unacknowledged { leg } => self.ack_overdue(now, leg),
            Event::Modify { leg, id, request } => self.modify(now, leg, id, &request),
            Event::ModifyConfirmed { leg, ack } => {
                self.release_media(leg);
                let known = self.calls.get_mut(&leg);
                match known.map(|call| call.media.confirm(&ack)) {
                    Some(Err(error)) => self.refuse_media(now, leg, &error),
                    Some(Ok(())) => self.change_talk(now, leg),
                    None => {}
                }
            }
            Event::Request { leg, id, request } => self.answer_request(now, leg, id, &request),
            Event::Ended { leg, end } => self.end(now, leg, &end),
            // Outside a dialog we take calls only.
            Event::OutOfDialog { id, .. } => self.agent.respond(now, id, 405, &Payload::empty()),
            // A PSAP places no calls, changes none and sends no probes.
            Event::Progress { .. }
            | Event::Answered { .. }
            | Event::Failed { .. }
            | Event::Modified { .. }
            | Event::ModifyCancelled { .. }
            | Event::Response { .. }
            | Event::Probed { .. } => {}
        }
    }

    fn fire(&mut self, now: Instant, timer: Timer) {
        match timer {
            Timer::PickUp(leg) => self.pick_up(now, leg),
            Timer::RingAgain(leg) => self.ring_again(now, leg),
            Timer::HangUp(leg) => {
                self.note_inside(leg, "hangs up");
                let dropped =
                    self.calls.get(&leg).is_some_and(|call| call.plan.drops_after.is_some());
                let cause = if dropped { TEMPORARY_FAILURE } else { NORMAL_CLEARING };
                self.hang_up(now, leg, Ending::hung_up(Party::Callee, cause));
            }
            Timer::EndWrapUp(position) => self.centre.end_wrap_up(position),
        }
    }

    /// A new call: refused, ignored, or told that it rings and put into the queue.
    fn receive(&mut self, now: Instant, leg: LegId, invite: &Request, source: SocketAddr) {
        let sender = Sender::of(invite, source);
        let mut attempt = self.begin_attempt(now, invite, source);
        let melodies = Melodies::of(&attempt, invite);
        let counts_at = match self.admit_source(now, source.ip()) {
            Ok(counts_at) => counts_at,
            Err(rejection) => return self.refuse(now, leg, attempt, &rejection),
        };
        let (plan, media, stream) = match self.admit(now, leg, invite, melodies) {
            Ok(admitted) => admitted,
            Err(rejection) => {
                counts_at.inspect(|ip| self.sources.ended(*ip));
                return self.refuse(now, leg, attempt, &rejection);
            }
        };
        let rings = plan.reception == Reception::Ring;
        if rings {
            attempt.rang = Some(now);
            let waiting = self.centre.waiting();
            self.notes.note(&attempt.call_id, || format!("queues it as number {waiting}"));
        } else {
            self.notes.note(&attempt.call_id, || "ignores it, as its behaviour says");
        }
        self.unanswered += 1;
        self.deadlines.set(Timer::RingAgain(leg), now + RING_AGAIN);
        let share = self.config.record;
        let records = stream.is_some() && share > 0.0 && self.rng.random_bool(share);
        // Its address for media may be somebody else's.
        stream.inspect(|stream| self.plane.hold_back(*stream));
        let ending = None;
        let call =
            Call { attempt, plan, melodies, sender, counts_at, media, stream, records, ending };
        self.calls.insert(leg, Box::new(call));
        if rings {
            self.progress(now, leg);
        }
    }

    /// Lets a call in and gives it a place, or says why not.
    fn admit(
        &mut self,
        now: Instant,
        leg: LegId,
        invite: &Request,
        melodies: Melodies,
    ) -> Result<(Plan, Negotiation, Option<StreamId>), Box<Rejection>> {
        let plan = self.admission.inspect(invite, &mut self.rng)?;
        let (media, stream) = self.negotiate(now, invite, melodies)?;
        // An ignored call takes no place in the queue.
        if plan.reception == Reception::Ring && !self.centre.admit(leg, now) {
            stream.map(|stream| self.plane.close(now, stream));
            return Err(Box::new(queue_full(&self.config.when_full)));
        }
        Ok((plan, media, stream))
    }

    /// The ACK of our 200: the talk begins. Counted from here because RFC 3261 §15 forbids a BYE of
    /// the called side before it.
    fn confirm(&mut self, now: Instant, leg: LegId, ack: &Request) {
        self.release_media(leg);
        self.source_acknowledged(now, leg);
        let Some(call) = self.calls.get_mut(&leg) else {
            return;
        };
        call.attempt.acknowledged.get_or_insert(now);
        if call.ending.is_some() {
            return;
        }
        let awaited = call.media.agreement().is_none();
        if let Err(error) = call.media.confirm(ack) {
            return self.refuse_media(now, leg, &error);
        }
        let talk = match (call.plan.drops_after, &self.config.talk) {
            (Some(after), _) => after,
            (None, Some(talk)) => talk.sample(&mut self.rng),
            (None, None) => LONGEST_TALK,
        };
        self.deadlines.set(Timer::HangUp(leg), now + talk.min(LONGEST_TALK));
        if awaited {
            // Only now is it known where the caller listens.
            self.begin_talk(now, leg);
        }
    }

    /// RFC 3261 §13.2.1: when the 200 carries the offer, the ACK carries the answer. This one does
    /// not, or it answers another offer.
    fn refuse_media(&mut self, now: Instant, leg: LegId, error: &SdpError) {
        let why = match error {
            SdpError::NoAnswer => "the ACK has no answer to our offer".to_owned(),
            other => other.to_string(),
        };
        self.hang_up(now, leg, Ending::lost(INCOMPATIBLE, format!("media failure: {why}")));
    }

    fn modify(&mut self, now: Instant, leg: LegId, id: ServerId, request: &Request) {
        let has_new_stream = self.add_stream(now, leg, request);
        let Some(call) = self.calls.get_mut(&leg) else {
            return self.agent.respond(now, id, 481, &Payload::empty());
        };
        match call.media.modify(request) {
            Ok(payload) => {
                let is_answered = call.attempt.answered.is_some();
                self.agent.respond(now, id, 200, &payload);
                self.await_move(now, leg, request.method());
                match has_new_stream && is_answered {
                    true => self.begin_talk(now, leg),
                    false => self.change_talk(now, leg),
                }
            }
            Err(rejection) => {
                self.note(now, leg, &format!("the PSAP refuses it with {}", rejection.status));
                self.agent.decline(now, id, &rejection);
            }
        }
    }

    fn answer_request(&mut self, now: Instant, leg: LegId, id: ServerId, request: &Request) {
        let status = match request.method() {
            Method::Info | Method::Message | Method::Options | Method::Update => 200,
            _ => 405,
        };
        if request.method() == Method::Info {
            self.note_digits(leg, request);
        }
        self.agent.respond(now, id, status, &Payload::empty());
    }

    /// Ends an answered call with BYE and frees the position at once: a call taker does not wait
    /// for the network.
    fn hang_up(&mut self, now: Instant, leg: LegId, ending: Ending) {
        let Some(call) = self.calls.get_mut(&leg) else {
            return;
        };
        let reason = q850(ending.cause);
        call.ending = Some(ending);
        call.attempt.hung_up = Some(now);
        // Nobody speaks after the BYE.
        self.close_media(now, leg);
        self.leave(now, leg);
        self.agent.hang_up(now, leg, Some(&reason));
    }

    /// The user agent says that the dialog is over.
    fn end(&mut self, now: Instant, leg: LegId, end: &End) {
        let Some(call) = self.calls.get_mut(&leg) else {
            return;
        };
        let ending = match (call.ending.take(), end) {
            (Some(ours), End::HungUp { confirmed: false }) => {
                ours.with_reason("our BYE was not answered")
            }
            (Some(ours), End::HungUp { .. } | End::Bye(_)) => ours,
            _ => Ending::of_dialog(end, call.attempt.answered.is_some()),
        };
        self.finish(now, leg, ending);
    }

    /// Refuses a call that was admitted and is not answered.
    fn reject_waiting(&mut self, now: Instant, leg: LegId, why: &str) {
        let rejection = refusal(480).with_warning(why);
        self.agent.reject(now, leg, &rejection, &Payload::empty());
        self.finish(now, leg, Ending::refused(&rejection));
    }

    /// Forgets a call and writes its record.
    fn finish(&mut self, now: Instant, leg: LegId, ending: Ending) {
        self.leave(now, leg);
        self.close_media(now, leg);
        let Some(call) = self.calls.remove(&leg) else {
            return;
        };
        call.counts_at.inspect(|ip| self.sources.ended(*ip));
        if call.attempt.answered.is_none() {
            self.unanswered -= 1;
            match ending.outcome {
                Outcome::Abandoned => self.level.count_abandoned(now - call.attempt.arrived),
                _ => self.refused += 1,
            }
        }
        self.write_record(now, call.attempt, ending);
    }

    /// Takes a call out of the centre and stops its timers. Harmless when it has left.
    fn leave(&mut self, now: Instant, leg: LegId) {
        for timer in [Timer::PickUp(leg), Timer::RingAgain(leg), Timer::HangUp(leg)] {
            self.deadlines.clear(timer);
        }
        if let Some(Left::WrapUp(position)) = self.centre.leave(leg) {
            let rest = self.config.wrap_up.sample(&mut self.rng);
            self.deadlines.set(Timer::EndWrapUp(position), now + rest);
        }
    }

    fn write_record(&mut self, now: Instant, attempt: Attempt, ending: Ending) {
        let record = attempt.record(&self.config.name, &self.clock, now, ending);
        self.outputs.push_back(Output::Record(record));
    }
}
