//! Our INVITE: RFC 3261 §13.2.

use std::net::SocketAddr;
use std::time::Instant;

use super::acks::AckState;
use super::leg::{CallingTerms, Leg, MAX_LOSERS, State};
use super::{Event, Failure, LegId, Owner, Purpose, UserAgent};
use crate::Transport;
use crate::dialog::Dialog;
use crate::message::{Draft, Head, Method, Payload, Response};
use crate::transaction::{self, ClientId, Target};

/// A call to make.
#[derive(Debug, Clone)]
pub struct Invite {
    /// Where the first packet goes.
    pub next_hop: SocketAddr,
    /// Request-URI.
    pub uri: String,
    /// From without a tag, for example `<sip:+33639980001@127.0.0.1>`.
    pub from: String,
    /// To without a tag.
    pub to: String,
    pub max_forwards: u8,
    /// Route values, for example `<sip:127.0.0.2:5060;lr>`.
    pub route: Vec<String>,
    /// Our half of the Session-ID; made up when `None`.
    pub session_id: Option<String>,
    pub payload: Payload,
}

impl UserAgent {
    /// Sends an INVITE. `Progress`, then `Answered` or `Failed` follow.
    pub fn connect(&mut self, now: Instant, invite: Invite) -> LegId {
        self.connect_over(now, invite, None)
    }

    /// The same over this transport; `None` lets the size decide (RFC 3261 §18.1.1).
    pub fn connect_over(
        &mut self,
        now: Instant,
        invite: Invite,
        transport: Option<Transport>,
    ) -> LegId {
        let offered = !invite.payload.body().is_empty();
        self.begin_call(now, invite, transport, offered)
    }

    /// The same, but the TU acknowledges the answer itself, as if the INVITE had carried no offer: with
    /// [`acknowledge`](Self::acknowledge), or by hanging up.
    pub fn connect_owing_ack(&mut self, now: Instant, invite: Invite) -> LegId {
        self.begin_call(now, invite, None, false)
    }

    fn begin_call(
        &mut self,
        now: Instant,
        invite: Invite,
        transport: Option<Transport>,
        offered: bool,
    ) -> LegId {
        let nonce = self.transactions.ids().nonce();
        self.legs.insert_with(nonce, |id| {
            let call_id = self.transactions.ids().uuid();
            let ours = invite.session_id.map_or_else(|| self.transactions.ids().uuid(), Box::from);
            let session = super::session_line(&ours, None);
            let from = [&invite.from, ";tag=", &id.tag()].concat();
            let route: Vec<&str> = invite.route.iter().map(String::as_str).collect();
            let head = Head {
                method: Method::Invite,
                uri: &invite.uri,
                max_forwards: invite.max_forwards,
                from: &from,
                to: &invite.to,
                call_id: &call_id,
                cseq: 1,
                route: &route,
            };
            let lines = match invite.payload.body().is_empty() {
                true => &self.dialog_lines.request,
                false => &self.dialog_lines.offer,
            };
            let fixed = [lines, session.as_bytes()].concat();
            let draft = Draft::new(&head, &fixed, &invite.payload);
            let target = Target { transport, ..Target::to(invite.next_hop) };
            let owner = Owner::Leg(id, Purpose::Invite);
            let client = self.transactions.send(now, draft, target, owner);
            let extends = !self.config.capabilities.supported.is_empty();
            let terms = extends.then(|| {
                let description = invite.payload.description();
                Box::new(CallingTerms { description, heard_reliably: Vec::new() })
            });
            let state = State::Calling { invite: client, offered, hang_up: None, call_id, terms };
            Leg { session, ..Leg::new(state, invite.next_hop, true) }
        })
    }

    /// Sends the ACK that the TU owes because our INVITE carried no offer (RFC 3261 §13.2.2.4).
    pub fn acknowledge(&mut self, now: Instant, leg: LegId, payload: &Payload) {
        if let Some(seq) = self.legs.get(leg).and_then(|leg| leg.acks.owed()) {
            self.send_ack(now, leg, seq, payload);
        }
    }

    /// True while the TU owes the ACK of a 2xx, since the INVITE carried no offer.
    #[must_use]
    pub fn owes_ack(&self, leg: LegId) -> bool {
        self.legs.get(leg).is_some_and(|leg| leg.acks.owed().is_some())
    }

    /// The Call-ID of an INVITE of ours that has no final response yet.
    #[must_use]
    pub fn calling_id(&self, leg: LegId) -> Option<&str> {
        match &self.legs.get(leg)?.state {
            State::Calling { call_id, .. } => Some(call_id),
            _ => None,
        }
    }

    /// True once the peer has sent any response to our INVITE, were it only 100.
    #[must_use]
    pub fn has_heard(&self, leg: LegId) -> bool {
        self.legs.get(leg).is_some_and(|leg| leg.heard)
    }

    pub(super) fn invite_response(
        &mut self,
        now: Instant,
        client: ClientId,
        id: LegId,
        response: Response,
    ) {
        if let Some(leg) = self.legs.get_mut(id) {
            leg.heard = true;
        }
        match response.status() {
            100 => {}
            101..=199 => {
                self.learn_session(id, response.session_id());
                let leg = self.legs.get_mut(id);
                if let Some(leg) = leg.filter(|leg| matches!(leg.state, State::Calling { .. })) {
                    leg.note_early(&response);
                    if !self.take_provisional(now, id, &response) {
                        return;
                    }
                    self.events.push_back(Event::Progress { leg: id, response });
                }
            }
            200..=299 => self.invite_answered(now, client, id, response),
            _ => {
                if self.legs.get(id).is_some_and(|leg| matches!(leg.state, State::Calling { .. })) {
                    self.remove(now, id);
                    self.events
                        .push_back(Event::Failed { leg: id, failure: Failure::Response(response) });
                }
            }
        }
    }

    pub(super) fn invite_failed(&mut self, now: Instant, id: LegId, failure: transaction::Failure) {
        if self.legs.get(id).is_some_and(|leg| matches!(leg.state, State::Calling { .. })) {
            self.remove(now, id);
            let failure = match failure {
                transaction::Failure::Timeout => Failure::Timeout,
                transaction::Failure::Unreachable => Failure::Unreachable,
            };
            self.events.push_back(Event::Failed { leg: id, failure });
        }
    }

    fn invite_answered(&mut self, now: Instant, client: ClientId, id: LegId, response: Response) {
        let seq = response.cseq().0;
        let Some(leg) = self.legs.get_mut(id) else {
            if self.acknowledge_over(now, id, &response) {
                return;
            }
            // The leg died before this answer came: whoever sent it must not believe in a call.
            // What else comes is a stray, so that no peer gets more than one BYE out of us.
            let peer = self.transactions.peer_of(client).unwrap_or(self.config.address);
            self.refuse_answer(now, &response, peer);
            self.transactions.forget(client);
            return;
        };
        let State::Calling { offered, hang_up, terms, .. } = &mut leg.state else {
            self.answered_again(now, id, &response);
            return;
        };
        let (offered, hang_up) = (*offered, hang_up.take());
        let sent = terms.take().map(|terms| terms.description).unwrap_or_default();
        leg.confirm(&response);
        leg.state = State::Confirmed;
        self.learn_session(id, response.session_id());
        if offered || hang_up.is_some() {
            self.send_ack(now, id, seq, &Payload::empty());
        } else {
            self.owe_ack(now, id, seq);
        }
        match hang_up {
            // RFC 3261 §9.1: the CANCEL came too late, so the dialog is ended by BYE.
            Some(hang_up) => self.send_bye(now, id, hang_up.reason.as_deref()),
            None => {
                self.begin_audits(now, id);
                self.learn_timer(now, id, &response, sent);
                self.events.push_back(Event::Answered { leg: id, response });
            }
        }
    }

    /// A further 2xx to our INVITE: a copy of the first, or the answer of another branch of a fork
    /// (RFC 3261 §13.2.2.4).
    fn answered_again(&mut self, now: Instant, id: LegId, response: &Response) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        let tag = response.to_tag().unwrap_or_default();
        if leg.dialog.as_ref().is_some_and(|dialog| dialog.remote_tag() == tag) {
            self.repeat_ack(now, id, response.cseq().0);
            return;
        }
        let peer = leg.peer;
        let known = leg.losers.iter().any(|loser| **loser == *tag);
        if known || leg.losers.len() >= MAX_LOSERS {
            self.acknowledge_stranger(response, peer);
        } else {
            leg.losers.push(tag.into());
            self.refuse_answer(now, response, peer);
        }
    }

    /// Acknowledges an answer that nobody wants and ends its dialog.
    fn refuse_answer(&mut self, now: Instant, response: &Response, peer: SocketAddr) {
        self.stats.losers += 1;
        let mut dialog = self.acknowledge_stranger(response, peer);
        let (bye, target) = dialog.request(Method::Bye, b"", &Payload::empty());
        self.transactions.send(now, bye, target, Owner::Nobody);
    }

    fn acknowledge_stranger(&mut self, response: &Response, peer: SocketAddr) -> Dialog {
        let dialog = Dialog::uac(response, peer);
        let (ack, target) = dialog.ack(response.cseq().0, b"", &Payload::empty());
        let id = self.transactions.ack_id();
        self.transactions.send_ack(id, ack, target);
        dialog
    }

    /// The ACK once more, for a further copy of a 2xx: the first one was lost. Nothing goes out while the TU owes it.
    pub(super) fn repeat_ack(&mut self, now: Instant, id: LegId, seq: u32) {
        let Some(leg) = self.legs.get(id) else { return };
        match leg.acks.of(seq).cloned() {
            Some(AckState::Full(packet)) => self.transactions.resend(&packet),
            Some(AckState::Plain(ack)) => {
                let Some(dialog) = &leg.dialog else { return };
                let session = leg.session.as_bytes();
                let (draft, target) = dialog.ack(seq, session, &Payload::empty());
                self.transactions.send_ack_again(ack, draft, target);
            }
            Some(AckState::Owed) => {}
            None => self.send_ack(now, id, seq, &Payload::empty()),
        }
    }

    pub(super) fn owe_ack(&mut self, now: Instant, id: LegId, seq: u32) {
        let forget_at = now + self.give_up_after();
        if let Some(leg) = self.legs.get_mut(id) {
            leg.acks.note(seq, AckState::Owed, forget_at);
        }
        self.arm(id);
    }

    pub(super) fn send_ack(&mut self, now: Instant, id: LegId, seq: u32, payload: &Payload) {
        let forget_at = now + self.give_up_after();
        let Some(leg) = self.legs.get_mut(id) else { return };
        let Some(dialog) = &leg.dialog else { return };
        let (draft, target) = dialog.ack(seq, leg.session.as_bytes(), payload);
        let ack = self.transactions.ack_id();
        let packet = self.transactions.send_ack(ack, draft, target);
        leg.acks.note(seq, AckState::sent(ack, packet, payload), forget_at);
        self.arm(id);
    }

    /// No copy of the 2xx can come any more, so its ACK need not be kept.
    pub(super) fn forget_acks(&mut self, now: Instant, id: LegId) {
        if let Some(leg) = self.legs.get_mut(id) {
            leg.acks.forget(now);
        }
    }
}
