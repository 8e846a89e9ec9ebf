//! The generator: many callers behind one address, as a [`Node`].
//!
//! Each wake does three things in this order: protocol timers, calls that are due, callers whose
//! patience or talk time is over. Nothing looks at all calls at once, so ten thousand of them
//! cost no more per packet than one.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use contract::{CallPicker, GeneratorSnapshot, Node, Reply, Signalling};
use hashbrown::HashMap;
use media::{Agreement, Plane};
use sip_proto::deadlines::{ByKey, Deadlines};
use sip_proto::message::{Payload, Response};
use sip_proto::reason::Reason;
use sip_proto::user_agent::{self, Event, LegId, UserAgent};
use sip_proto::{Packet, Rejection, Transport};
use telemetry::{CallRecord, Outcome};
use trace::{CallKey, Notes};

use crate::attempt::{Attempt, End, Origin};
use crate::caller::Caller;
use crate::fate_counts::{Fate, FateCounts};
use crate::invite::invite;
use crate::media::{Description, SilentOffer};
use crate::mix::{Mix, MixError};
use crate::pacer::Schedule;
use crate::person::Announced;
use campaign::Campaign;

use self::caller_media::{CallerMedia, CallerStream};
use self::due::{DueCall, Redials};
use self::endings::{end_of_dialog, end_of_failure, gives_advice, why_it_ends};
use self::pace::Pace;
use self::surges::Surges;

pub use self::command::Command;
pub use self::config::Config;

/// Calls started in one wake. A late generator must still read its packets in between.
const STARTS_PER_WAKE: usize = 64;

/// A call that became due so shortly before the end would still have been placed in time.
const SOON: Duration = Duration::from_millis(50);

/// Places the calls of its shard and follows each to its end.
#[derive(Debug)]
pub struct Generator {
    config: Config,
    /// How each trunk group is called, at the place that it has in `config`.
    transports: Vec<Option<Transport>>,
    agent: UserAgent,
    schedule: Schedule,
    pace: Pace,
    surges: Surges,
    mix: Mix,
    /// Share of this shard in the limit of the campaign.
    max_in_progress: u64,
    announced: Announced,
    redials: Redials,
    started_at: Option<Instant>,
    draining: bool,
    /// Each in a place of its own: the map is half empty.
    calls: HashMap<LegId, Box<Call>>,
    /// When the patience or the talk time of each caller is over.
    deadlines: Deadlines<LegId, ByKey>,
    counts: GeneratorSnapshot,
    fates: FateCounts,
    records: VecDeque<CallRecord>,
    silent_offer: SilentOffer,
    /// `None` when no caller has media.
    media: Option<CallerMedia>,
    notes: Notes,
}

#[derive(Debug)]
struct Call {
    caller: Caller,
    /// For notes of it.
    key: CallKey,
    attempt: Attempt,
    media: Description,
    /// `None`: the call has no media, or none any more.
    line: Option<CallerStream>,
    /// What both sides agreed on last.
    agreement: Option<Box<Agreement>>,
    /// Our 200 to a re-INVITE has made an offer: its ACK carries the answer.
    awaits_answer: bool,
}

impl Generator {
    /// A generator that waits for [`Command::Start`].
    ///
    /// # Errors
    /// When the campaign names a trunk group that `config` does not have, or `config` has none.
    pub fn new(config: Config, campaign: &Campaign) -> Result<Self, MixError> {
        let names: Vec<&str> = config.trunk_groups.iter().map(|(name, _)| &name[..]).collect();
        // Shards must not choose the same tags and Call-IDs.
        let seed = config.nonce.rotate_left(32) ^ u64::from(config.shard.index);
        let agent = UserAgent::new(user_agent::Config {
            timers: config.timers,
            product: "Tocsin-load-gen".to_owned(),
            // The call server asks more often than that. If it does not, it has lost the call.
            audit: Some(config.audit * 3 / 2),
            ..user_agent::Config::new(config.address, seed)
        });
        Ok(Self {
            silent_offer: SilentOffer::new(config.address.ip()),
            media: CallerMedia::of(&config, &campaign.callers, seed),
            agent,
            schedule: Schedule::new(campaign, config.shard),
            pace: Pace::new(config.shard),
            surges: Surges::new(config.shard, campaign.seed, campaign.duration()),
            mix: Mix::new(campaign, &names, config.nonce)?,
            max_in_progress: config.shard.share(campaign.max_in_progress),
            config,
            transports: Vec::new(),
            announced: Announced::default(),
            redials: Redials::default(),
            started_at: None,
            draining: false,
            calls: HashMap::new(),
            deadlines: Deadlines::default(),
            counts: GeneratorSnapshot::default(),
            fates: FateCounts::default(),
            records: VecDeque::new(),
            notes: Notes::default(),
        })
    }

    /// Calls each trunk group over the transport at its place; `None`, or no place, lets the size decide.
    #[must_use]
    pub fn over(self, transports: Vec<Option<Transport>>) -> Self {
        Self { transports, ..self }
    }

    /// Starts what is due, up to the limit of one wake.
    fn start_calls(&mut self, now: Instant) {
        let Some(campaign_start) = self.started_at.filter(|_| !self.draining) else { return };
        for _ in 0..STARTS_PER_WAKE {
            let Some(due) = self.take_due(now, campaign_start) else { return };
            if self.counts.in_progress < self.max_in_progress {
                self.start_call(now, due);
            } else {
                self.counts.not_started += 1;
            }
        }
    }

    fn start_call(&mut self, now: Instant, due: DueCall) {
        due.count(&mut self.counts);
        let DueCall { intended, caller, .. } = due;
        let (line, port) = self.open_line(&caller);
        let sign = line.and(self.media.as_ref()).map(|media| media.sign(caller.attempt));
        let (trunk_group, to) = &self.config.trunk_groups[caller.trunk_group];
        let ip = self.config.address.ip();
        let media = Description::new(ip, caller.session_id(), port, sign);
        let uri = self.config.request_uri.as_ref();
        let offer = match line {
            Some(_) => media.offer(),
            None => self.silent_offer.of(caller.session_id()),
        };
        let invite = invite(&caller, self.config.address, *to, uri, offer);
        let origin = Origin {
            generator: &self.config.name,
            trunk_group,
            intended_us: self.config.clock.micros(intended),
            start_us: self.config.clock.micros(now),
        };
        let mut attempt = Attempt::start(&caller, origin, now);
        self.counts.count_start(now.saturating_duration_since(intended));
        let transport = self.transports.get(caller.trunk_group).copied().flatten();
        let leg = self.agent.connect_over(now, invite, transport);
        attempt.learn(self.agent.calling_id(leg).unwrap_or_default());
        let key = self.note_start(now, leg, &caller, line);
        let (agreement, awaits_answer) = (None, false);
        let call = Call { caller, key, attempt, media, line, agreement, awaits_answer };
        self.calls.insert(leg, Box::new(call));
        self.arm(leg);
    }

    /// To be called whenever what a caller waits for has changed.
    fn arm(&mut self, leg: LegId) {
        let due = self.calls.get(&leg).and_then(|call| call.attempt.deadline());
        self.deadlines.set(leg, due);
    }

    /// Ends the calls whose callers are done.
    fn hang_up_due(&mut self, now: Instant) {
        while let Some((_, leg)) = self.deadlines.pop_due(now) {
            self.hang_up(now, leg);
        }
    }

    fn hang_up(&mut self, now: Instant, leg: LegId) {
        let now_us = self.config.clock.micros(now);
        let Some(call) = self.calls.get_mut(&leg) else { return };
        let (key, talking) = (call.key, call.attempt.is_talking());
        let ends = call.attempt.hang_up(now_us);
        self.arm(leg);
        if ends {
            self.notes.note_of(key, || why_it_ends(talking, self.draining));
            self.counts.talking -= u64::from(talking);
            // Nobody speaks after the BYE.
            if talking {
                self.close_line(now, leg);
            }
            let reason = talking.then(|| Reason::q850(16, "Normal call clearing"));
            self.agent.hang_up(now, leg, reason.as_ref());
        }
    }

    /// Takes what the user agent reports, until it has nothing more.
    fn handle_events(&mut self, now: Instant) {
        while let Some(event) = self.agent.poll_event() {
            self.handle_event(now, event);
        }
    }

    fn handle_event(&mut self, now: Instant, event: Event) {
        let now_us = self.config.clock.micros(now);
        match event {
            Event::Progress { leg, response } => {
                if let Some(call) = self.calls.get_mut(&leg) {
                    if call.attempt.is_silent() {
                        self.counts.pdd.record_us(call.attempt.since_intended(now_us));
                    }
                    call.attempt.handle_progress(response.call_id(), now, now_us);
                    self.arm(leg);
                }
                self.hear(now, leg, &response, false);
            }
            Event::Answered { leg, response } => self.handle_answer(now, leg, &response),
            Event::Failed { leg, failure } => {
                self.counts.refused_with_advice += u64::from(gives_advice(&failure));
                self.finish(now, leg, end_of_failure(&failure));
            }
            Event::Ended { leg, end } => self.finish(now, leg, end_of_dialog(&end)),
            Event::Modify { leg, id, request } => self.handle_modify(now, leg, id, &request),
            Event::ModifyConfirmed { leg, ack } => self.handle_ack(now, leg, &ack),
            Event::Request { leg, id, request } => {
                self.note_digits(leg, &request);
                self.agent.respond(now, id, 200, &Payload::empty());
            }
            // RFC 3261 §21.4.18: these callers cannot be called back.
            Event::Offered { leg, .. } => {
                self.agent.reject(now, leg, &Rejection::new(480), &Payload::empty());
            }
            Event::OutOfDialog { id, .. } => self.agent.respond(now, id, 480, &Payload::empty()),
            Event::Cancelled { .. }
            | Event::GivenUp { .. }
            | Event::Confirmed { .. }
            | Event::NoRoom { .. }
            | Event::Unacknowledged { .. }
            | Event::ModifyCancelled { .. }
            | Event::Modified { .. }
            | Event::Response { .. }
            | Event::Probed { .. } => {}
        }
    }

    fn handle_answer(&mut self, now: Instant, leg: LegId, response: &Response) {
        let Some(call) = self.calls.get_mut(&leg) else { return };
        let (attempt, caller) = (&mut call.attempt, &call.caller);
        let now_us = self.config.clock.micros(now);
        let (talked, silent) = (attempt.is_talking(), attempt.is_silent());
        attempt.handle_answer(response.call_id(), now, now_us);
        if attempt.is_talking() && !talked {
            let delay = attempt.since_intended(now_us);
            self.counts.setup.record_us(delay);
            if silent {
                self.counts.pdd.record_us(delay);
            }
            self.counts.talking += 1;
            self.fates.count(caller, Fate::Answered);
            self.arm(leg);
            self.hear(now, leg, response, true);
            self.check_answer(now, leg, response);
        }
    }

    fn finish(&mut self, now: Instant, leg: LegId, end: End) {
        self.close_line(now, leg);
        let Some(call) = self.calls.remove(&leg) else { return };
        self.arm(leg);
        self.counts.talking -= u64::from(call.attempt.is_talking());
        let record = call.attempt.finish(end, self.config.clock.micros(now));
        self.counts.count_end(record.outcome);
        match record.outcome {
            Outcome::Answered => {}
            Outcome::Lost => self.fates.count(&call.caller, Fate::Lost),
            // Whoever hangs up while it rings does so of their own accord.
            Outcome::Abandoned if record.ring_us.is_some() => {
                self.fates.count(&call.caller, Fate::Unanswered);
            }
            Outcome::Rejected | Outcome::Abandoned | Outcome::TimedOut => {
                self.fates.count(&call.caller, Fate::Failed);
            }
        }
        self.think_again(now, call.key, call.caller, &record);
        self.records.push_back(record);
    }

    /// When the next call must start.
    fn next_start(&self) -> Option<Instant> {
        let campaign_start = self.started_at.filter(|_| !self.draining)?;
        let further = self.pace.due().map(|call| call.at);
        let scheduled = further.or_else(|| self.schedule.next_due());
        let first = scheduled.into_iter().chain(self.surges.next_due()).min();
        first.map(|at| campaign_start + at).into_iter().chain(self.redials.next()).min()
    }
}

impl Node for Generator {
    type Command = Command;
    type Event = CallRecord;
    type Snapshot = GeneratorSnapshot;

    const SLACK: Duration = Duration::from_millis(4);

    fn handle_packet(&mut self, now: Instant, packet: Packet) {
        self.agent.handle_packet(now, packet);
        self.handle_events(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.agent.handle_timeout(now);
        self.handle_events(now);
        self.start_calls(now);
        self.hang_up_due(now);
        self.handle_events(now);
    }

    fn handle_unreachable(&mut self, now: Instant, transport: Transport, peer: SocketAddr) {
        self.agent.handle_unreachable(now, transport, peer);
        self.handle_events(now);
    }

    fn handle_command(&mut self, _now: Instant, command: Command) -> Reply {
        match command {
            // The calls start in `handle_timeout`, when the generator has the ports that its driver opens.
            Command::Start { at } => {
                self.started_at.get_or_insert(at);
                Reply::Done("the campaign has begun".to_owned())
            }
            Command::Advise => {
                self.announced.to_redial = true;
                Reply::Done("the public is advised to redial".to_owned())
            }
            Command::PublishTenDigits => {
                self.announced.ten_digits = true;
                Reply::Done("the ten-digit numbers of the PSAPs are published".to_owned())
            }
            Command::Pace(per_mille) => {
                self.pace.set(per_mille);
                Reply::Done(format!("{per_mille} calls for a thousand of the campaign"))
            }
            Command::Surge(order) => match self.surges.begin(&order) {
                Ok(()) => Reply::Done(format!("surge {} begins", order.number)),
                Err(why) => Reply::Refused(why),
            },
            Command::EndSurges => {
                self.surges.end();
                Reply::Done("no surge goes on".to_owned())
            }
        }
    }

    /// Starts nothing more, and ends each call with CANCEL or BYE.
    fn handle_drain(&mut self, now: Instant) {
        // What was due and not placed in time is never placed, and is counted as such.
        let campaign_start = self.started_at.filter(|_| !self.draining);
        if let Some(elapsed) = campaign_start
            .and_then(|campaign_start| now.checked_duration_since(campaign_start + SOON))
        {
            while self.schedule.take(elapsed).is_some() {
                self.counts.not_started += 1;
            }
        }
        if let Some(begun) = self.started_at.filter(|_| !self.draining) {
            self.counts.stopped_after = Some(now.saturating_duration_since(begun));
        }
        self.draining = true;
        self.redials = Redials::default();
        self.surges.end();
        let mut legs: Vec<LegId> = self.calls.keys().copied().collect();
        legs.sort_unstable();
        for leg in legs {
            self.hang_up(now, leg);
        }
        self.handle_events(now);
    }

    fn poll_transmit(&mut self) -> Option<Packet> {
        self.agent.poll_transmit()
    }

    fn poll_event(&mut self) -> Option<CallRecord> {
        self.records.pop_front()
    }

    fn notes(&mut self) -> Option<&mut Notes> {
        Some(&mut self.notes)
    }

    fn record_of(record: &CallRecord) -> Option<&CallRecord> {
        Some(record)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        [self.agent.poll_timeout(), self.deadlines.next(), self.next_start()]
            .into_iter()
            .flatten()
            .min()
    }

    fn poll_punctual(&self) -> Option<Instant> {
        self.next_start()
    }

    fn snapshot(&self) -> GeneratorSnapshot {
        let is_scheduled = self.schedule.next_due().is_some() || self.surges.next_due().is_some();
        let all_started = self.draining || (!is_scheduled && self.redials.len() == 0);
        let transactions = self.agent.transaction_stats();
        GeneratorSnapshot {
            malformed: transactions.malformed,
            stray: transactions.stray,
            overflow: transactions.overflow,
            signalling: Signalling::of(transactions),
            refused_by_status: self.agent.stats().refused.clone(),
            media: self.media.as_ref().map(|media| media.plane.counts()).unwrap_or_default(),
            fates: self.fates.counts(&self.config.trunk_groups),
            about_to_redial: self.redials.len() as u64,
            finished: all_started && self.calls.is_empty(),
            ..self.counts.clone()
        }
    }

    fn show_calls(&self, picker: &mut CallPicker) {
        self.calls.values().for_each(|call| call.attempt.show(picker));
    }

    fn plane(&mut self) -> Option<&mut Plane> {
        self.media.as_mut().map(|media| &mut media.plane)
    }

    fn handle_media(&mut self, _now: Instant) {
        // The record of each call says when its media stopped.
        while self.plane().is_some_and(|plane| plane.poll_event().is_some()) {}
    }

    fn is_drained(&self) -> bool {
        self.draining && self.calls.is_empty() && self.agent.is_idle()
    }
}

mod call_media;
mod caller_media;
mod command;
mod config;
mod due;
mod endings;
mod notes;
mod pace;
#[cfg(test)]
mod pace_tests;
mod people;
mod surges;
#[cfg(test)]
mod tests;
