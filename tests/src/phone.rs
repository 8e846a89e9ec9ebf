//! A scripted telephone: a user agent that does what a test says, as caller or as callee.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use contract::{Node, Reply};
use sip_proto::message::{Message, Method, Payload};
use sip_proto::reason::Reason;
use sip_proto::user_agent::{Capabilities, Config, End, Event, Failure, Invite, LegId, UserAgent};
use sip_proto::{Packet, Transport};

/// One telephone line, or a thousand: every leg is a call of its own.
#[derive(Debug)]
pub struct Phone {
    agent: UserAgent,
    /// How long it rings here before somebody answers; `None` is for ever.
    pub answers_after: Option<Duration>,
    /// Leaves re-INVITE and UPDATE without a final response, as while its user is asked.
    pub ponders_changes: bool,
    calls: BTreeMap<LegId, Call>,
    pick_ups: BTreeMap<(Instant, LegId), ()>,
}

/// A call as this telephone sees it.
#[derive(Debug, Clone, Default)]
pub struct Call {
    /// Final and provisional statuses that came, without 100.
    pub heard: Vec<u16>,
    /// Our INVITE had no offer: the ACK carries our answer.
    owes_answer: bool,
    /// What our 200 will carry.
    answer: Option<String>,
    /// How it ended. A second end would be a fault, so all are kept.
    pub ends: Vec<CallEnd>,
    /// Answers to re-INVITE and UPDATE.
    pub modified: Vec<u16>,
    pub retry_after: Option<Duration>,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallEnd {
    /// The peer hung up.
    Bye,
    /// We hung up an answered call; whether the BYE was answered.
    HungUp(bool),
    Refused(u16),
    /// The peer cancelled.
    Cancelled,
    NoResponse,
    NoAck,
    PeerGone(u16),
    /// Nobody refreshed the session (RFC 4028).
    Unrefreshed,
}

/// A session description as a telephone sends it; `direction` is `sendrecv`, `sendonly`…
#[must_use]
pub fn sdp(address: SocketAddr, direction: &str) -> String {
    let ip = address.ip();
    format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n\
         m=audio 40000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na={direction}\r\n"
    )
}

/// The INVITE for `number`, to be sent to `next_hop`. A service URN goes there by a Route.
#[must_use]
pub fn invite(number: &str, from: SocketAddr, next_hop: SocketAddr, attempt: u128) -> Invite {
    let urn = number.starts_with("urn:");
    let uri = if urn { number.to_owned() } else { format!("sip:{number}@{next_hop}") };
    Invite {
        next_hop,
        to: format!("<{uri}>"),
        uri,
        from: format!("<sip:+33639980001@{from}>"),
        max_forwards: 70,
        route: if urn { vec![format!("<sip:{next_hop};lr>")] } else { Vec::new() },
        session_id: Some(format!("{attempt:032x}")),
        payload: Payload::sdp(sdp(from, "sendrecv")),
    }
}

impl Phone {
    /// A telephone at `address` that answers at once when it is called.
    #[must_use]
    pub fn new(address: SocketAddr, seed: u64) -> Self {
        Self::with(Config::new(address, seed))
    }

    /// One that refreshes sessions as it has agreed (RFC 4028).
    #[must_use]
    pub fn knowing_timers(address: SocketAddr, seed: u64) -> Self {
        let capabilities = Capabilities::of_telephony();
        Self::with(Config { capabilities, ..Config::new(address, seed) })
    }

    fn with(config: Config) -> Self {
        Self {
            agent: UserAgent::new(config),
            answers_after: Some(Duration::ZERO),
            ponders_changes: false,
            calls: BTreeMap::new(),
            pick_ups: BTreeMap::new(),
        }
    }

    pub fn dial(&mut self, now: Instant, invite: Invite) -> LegId {
        self.dial_over(now, invite, None)
    }

    /// The same over this transport.
    pub fn dial_over(
        &mut self,
        now: Instant,
        invite: Invite,
        transport: Option<Transport>,
    ) -> LegId {
        let owes_answer = invite.payload.body().is_empty();
        let leg = self.agent.connect_over(now, invite, transport);
        self.calls.insert(leg, Call { owes_answer, ..Call::default() });
        leg
    }

    /// CANCEL or BYE, whichever the state asks for.
    pub fn hang_up(&mut self, now: Instant, leg: LegId) {
        self.agent.hang_up(now, leg, Some(&Reason::q850(16, "Normal call clearing")));
        self.settle(now);
    }

    /// Offers another session by re-INVITE. False when the state does not allow it.
    pub fn reinvite(&mut self, now: Instant, leg: LegId, description: String) -> bool {
        let taken = self.agent.modify(now, leg, Method::Invite, Payload::sdp(description));
        self.settle(now);
        taken
    }

    /// Takes the last re-INVITE back.
    pub fn cancel_reinvite(&mut self, now: Instant, leg: LegId) {
        self.agent.cancel_modify(now, leg);
        self.settle(now);
    }

    #[must_use]
    pub fn call(&self, leg: LegId) -> &Call {
        &self.calls[&leg]
    }

    /// All calls, in the order in which they began.
    pub fn calls(&self) -> impl Iterator<Item = (LegId, &Call)> {
        self.calls.iter().map(|(leg, call)| (*leg, call))
    }

    /// The legs that have not ended.
    #[must_use]
    pub fn legs(&self) -> usize {
        self.agent.legs()
    }

    fn settle(&mut self, now: Instant) {
        while let Some(event) = self.agent.poll_event() {
            self.follow(now, event);
        }
        while let Some((&(due, leg), ())) = self.pick_ups.first_key_value()
            && due <= now
        {
            self.pick_ups.pop_first();
            let answer = self.calls.get_mut(&leg).and_then(|call| call.answer.take());
            self.agent.accept(now, leg, &answer.map_or_else(Payload::empty, Payload::sdp));
        }
    }

    fn follow(&mut self, now: Instant, event: Event) {
        match event {
            Event::Offered { leg, invite, .. } => self.ring(now, leg, &invite),
            Event::Cancelled { leg, .. } => self.end(leg, CallEnd::Cancelled),
            Event::GivenUp { leg, rejection } => self.end(leg, CallEnd::Refused(rejection.status)),
            Event::Progress { leg, response } => self.hear(leg, &response, response.status()),
            Event::Answered { leg, response } => {
                self.answered(now, leg, &response, response.status())
            }
            Event::Failed { leg, failure } => self.failed(leg, failure),
            Event::Modify { .. } if self.ponders_changes => {}
            Event::Modify { id, request, .. } => {
                let payload = Payload::sdp(counterpart(&request));
                self.agent.respond(now, id, 200, &payload);
            }
            Event::Modified { leg, response } => {
                let status = response.status();
                self.calls.entry(leg).or_default().modified.push(status);
            }
            Event::Request { id, .. } => self.agent.respond(now, id, 200, &Payload::empty()),
            Event::Ended { leg, end } => self.end(leg, CallEnd::from(&end)),
            Event::OutOfDialog { id, .. } => self.agent.respond(now, id, 405, &Payload::empty()),
            Event::Confirmed { .. }
            | Event::ModifyConfirmed { .. }
            | Event::NoRoom { .. }
            | Event::Unacknowledged { .. }
            | Event::ModifyCancelled { .. }
            | Event::Response { .. }
            | Event::Probed { .. } => {}
        }
    }

    fn ring(&mut self, now: Instant, leg: LegId, invite: &Message) {
        self.calls.insert(leg, Call { answer: Some(counterpart(invite)), ..Call::default() });
        self.agent.ring(now, leg, 180, &Payload::empty());
        if let Some(after) = self.answers_after {
            self.pick_ups.insert((now + after, leg), ());
        }
    }

    fn hear(&mut self, leg: LegId, response: &Message, status: u16) {
        let call = self.calls.entry(leg).or_default();
        call.heard.push(status);
        call.retry_after = response.retry_after();
    }

    fn answered(&mut self, now: Instant, leg: LegId, response: &Message, status: u16) {
        self.hear(leg, response, status);
        if self.call(leg).owes_answer {
            self.agent.acknowledge(now, leg, &Payload::sdp(counterpart(response)));
        }
    }

    fn failed(&mut self, leg: LegId, failure: Failure) {
        match failure {
            Failure::Response(response) => {
                self.hear(leg, &response, response.status());
                self.end(leg, CallEnd::Refused(response.status()));
            }
            Failure::Timeout | Failure::Unreachable => self.end(leg, CallEnd::NoResponse),
        }
    }

    fn end(&mut self, leg: LegId, outcome: CallEnd) {
        self.pick_ups.retain(|(_, ringing), ()| *ringing != leg);
        self.calls.entry(leg).or_default().ends.push(outcome);
    }
}

/// The answer to an offer: the same session, seen from the other side (RFC 3264 §6.1).
fn counterpart(offer: &Message) -> String {
    let text = String::from_utf8_lossy(&offer.body()).into_owned();
    match () {
        () if text.contains("a=sendonly") => text.replace("a=sendonly", "a=recvonly"),
        () if text.contains("a=recvonly") => text.replace("a=recvonly", "a=sendonly"),
        () => text,
    }
}

impl From<&End> for CallEnd {
    fn from(end: &End) -> Self {
        match end {
            End::Bye(_) => Self::Bye,
            End::HungUp { confirmed } => Self::HungUp(*confirmed),
            End::NoAck => Self::NoAck,
            End::PeerGone { status } => Self::PeerGone(*status),
            End::Unrefreshed => Self::Unrefreshed,
        }
    }
}

impl Node for Phone {
    type Command = Infallible;
    type Event = Infallible;
    type Snapshot = usize;

    fn handle_packet(&mut self, now: Instant, packet: Packet) {
        self.agent.handle_packet(now, packet);
        self.settle(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.agent.handle_timeout(now);
        self.settle(now);
    }

    fn handle_unreachable(&mut self, now: Instant, transport: Transport, peer: SocketAddr) {
        self.agent.handle_unreachable(now, transport, peer);
        self.settle(now);
    }

    fn handle_command(&mut self, _now: Instant, command: Infallible) -> Reply {
        match command {}
    }

    fn handle_drain(&mut self, now: Instant) {
        self.answers_after = None;
        let legs: Vec<_> = self.calls.keys().copied().collect();
        for leg in legs {
            self.hang_up(now, leg);
        }
    }

    fn poll_transmit(&mut self) -> Option<Packet> {
        self.agent.poll_transmit()
    }

    fn poll_event(&mut self) -> Option<Infallible> {
        None
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let pick_up = self.pick_ups.keys().next().map(|(due, _)| *due);
        [self.agent.poll_timeout(), pick_up].into_iter().flatten().min()
    }

    fn snapshot(&self) -> usize {
        self.agent.legs()
    }

    fn is_drained(&self) -> bool {
        self.agent.is_idle()
    }
}
