//! Requests that make or change no session: INFO and others inside a dialog, OPTIONS (RFC 3261
//! §11), probes.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::leg::State;
use super::{Deadline, Event, LegId, Owner, Probe, Purpose, SentProbe, UserAgent};
use crate::Rejection;
use crate::message::{Method, Payload, Reply, Response};
use crate::transaction::{ClientId, ServerId};

impl UserAgent {
    /// Sends a request inside the dialog, also the early one, such as INFO. `Response` or `Ended` follows; in an early
    /// dialog nothing follows if the peer does not answer. Returns its CSeq number, which the response repeats; `None`
    /// if the leg is in no state for it.
    pub fn request(
        &mut self,
        now: Instant,
        id: LegId,
        method: Method,
        payload: &Payload,
    ) -> Option<u32> {
        let fixed = self.request_lines(self.legs.get(id)?, method);
        let dialog = self.legs.get_mut(id)?.dialog_for_request()?;
        let (draft, target) = dialog.request(method, &fixed, payload);
        let seq = dialog.local_seq();
        self.transactions.send(now, draft, target, Owner::Leg(id, Purpose::Request));
        Some(seq)
    }

    pub(super) fn request_response(&mut self, now: Instant, id: LegId, response: Response) {
        self.note_life(now, id);
        match response.status() {
            100..=199 => {}
            // RFC 3261 §12.2.1.2. What becomes of an early dialog is for the INVITE to say.
            status @ (408 | 481) if self.is_answered(id) => self.peer_is_gone(now, id, status),
            _ if self.legs.get(id).is_some() => {
                self.events.push_back(Event::Response { leg: id, response });
            }
            _ => {}
        }
    }

    /// The peer has not answered a request inside the dialog.
    pub(super) fn request_failed(&mut self, now: Instant, id: LegId) {
        if self.is_answered(id) {
            self.peer_is_gone(now, id, 408);
        }
    }

    /// The 2xx to the leg's INVITE has been acknowledged.
    fn is_answered(&self, id: LegId) -> bool {
        self.legs.get(id).is_some_and(|leg| matches!(leg.state, State::Confirmed))
    }

    /// Refuses a request that an event brought, with all that `rejection` says.
    pub fn decline(&mut self, now: Instant, id: ServerId, rejection: &Rejection) {
        let payload = Payload::of_lines(rejection.lines(self.transactions.sent_by()));
        self.respond(now, id, rejection.status, &payload);
    }

    /// Answers a request that an event brought.
    pub fn respond(&mut self, now: Instant, id: ServerId, status: u16, payload: &Payload) {
        match self.transactions.owner(id) {
            Some(Owner::Leg(leg, Purpose::Modify)) => {
                self.answer_modify(now, leg, id, status, payload)
            }
            Some(Owner::Leg(leg, _)) => {
                self.reply(now, id, leg, status, payload, b"");
            }
            _ => {
                let tag = self.transactions.ids().tag();
                let reply = Reply { status, phrase: None, to_tag: &tag, fixed: b"", payload };
                self.transactions.respond(now, id, &reply);
            }
        }
    }

    /// RFC 3261 §11.2: the answer says what we can do, or, as it would be for an INVITE, that we
    /// are not available.
    pub(super) fn answer_options(&mut self, now: Instant, id: ServerId) {
        if let Some(rejection) = self.unavailable.clone() {
            self.transactions.reject(now, id, &rejection);
            return;
        }
        self.tell_capabilities(now, id);
    }

    /// The answer to OPTIONS inside a dialog: it would not be refused there.
    pub(super) fn tell_capabilities(&mut self, now: Instant, id: ServerId) {
        let lines = self.dialog_lines.response(self.transactions.transport_of(id));
        let fixed = [lines, self.accept_line.as_bytes()].concat();
        let tag = self.transactions.ids().tag();
        let payload = Payload::empty();
        let reply =
            Reply { status: 200, phrase: None, to_tag: &tag, fixed: &fixed, payload: &payload };
        self.transactions.respond(now, id, &reply);
    }

    /// Asks a peer with OPTIONS whether it is alive. `Probed` follows, after `within` at the
    /// latest.
    pub fn probe(&mut self, now: Instant, peer: SocketAddr, within: Duration) {
        let id = self.transactions.probe(now, peer, Owner::Probe);
        let mut turn = None;
        self.deadlines.set(&mut turn, Deadline::Probe(id), Some(now + within));
        self.probes.insert(id, SentProbe { peer, turn });
    }

    /// Tells a peer something with MESSAGE (RFC 3428). Nobody waits for the answer.
    pub fn message(&mut self, now: Instant, peer: SocketAddr, payload: &Payload) {
        self.transactions.message(now, peer, payload, Owner::Nobody);
    }

    pub(super) fn probe_response(&mut self, id: ClientId, response: Response) {
        if response.status() >= 200
            && let Some(SentProbe { peer, turn }) = self.probes.remove(&id)
        {
            self.deadlines.clear(turn);
            self.events.push_back(Event::Probed { peer, outcome: Probe::Alive(response) });
        }
    }

    /// The time of a probe is over.
    pub(super) fn wake_probe(&mut self, id: ClientId) {
        if let Some(probe) = self.probes.get_mut(&id) {
            probe.turn = None;
        }
        self.probe_is_silent(id);
    }

    pub(super) fn probe_is_silent(&mut self, id: ClientId) {
        if let Some(SentProbe { peer, turn }) = self.probes.remove(&id) {
            self.deadlines.clear(turn);
            self.transactions.forget(id);
            self.events.push_back(Event::Probed { peer, outcome: Probe::Silent });
        }
    }
}
