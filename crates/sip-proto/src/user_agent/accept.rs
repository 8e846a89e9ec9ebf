//! A peer's INVITE: RFC 3261 §13.3, and its CANCEL: §9.2.

use std::net::SocketAddr;
use std::time::Instant;

use super::leg::{Answer, Leg, State};
use super::{End, Event, LegId, Owner, Purpose, SessionIdRole, UserAgent};
use crate::dialog::Dialog;
use crate::flow::Flow;
use crate::message::{Payload, Request};
use crate::reason::Reason;
use crate::transaction::ServerId;
use crate::{Packet, Rejection, Transport};

impl UserAgent {
    pub(super) fn receive_invite(
        &mut self,
        now: Instant,
        id: ServerId,
        request: Request,
        source: SocketAddr,
        transport: Transport,
    ) {
        if self.config.trying_at_once {
            self.transactions.trying(now, id);
        }
        let flow = Flow::of(&request, source, transport);
        let reliable = self.reliable_of(&request);
        let nonce = self.transactions.ids().nonce();
        let leg = self.legs.insert_with(nonce, |leg| {
            let ours = match self.config.session_id {
                SessionIdRole::EndPoint => self.transactions.ids().uuid(),
                SessionIdRole::Relay => super::NULL_UUID.into(),
            };
            let theirs = request.session_id().map(|heard| heard.local());
            let state = State::Offered { invite: id, seq: request.cseq().0 };
            Leg {
                reliable,
                dialog: Some(Dialog::uas(&request, &leg.tag(), flow)),
                session: super::session_line(&ours, theirs),
                ..Leg::new(state, source, false)
            }
        });
        self.note_asked(leg, &request);
        self.transactions.own(id, Owner::Leg(leg, Purpose::Invite));
        self.events.push_back(Event::Offered { leg, invite: request, source });
    }

    /// Sends a provisional response above 100.
    pub fn ring(&mut self, now: Instant, leg: LegId, status: u16, payload: &Payload) {
        let offered = self.legs.get_mut(leg);
        if offered.as_ref().is_some_and(|leg| leg.reliable.is_some()) {
            self.ring_reliably(now, leg, status, payload);
        } else if let Some(Leg { state: State::Offered { invite, .. }, has_rung, .. }) = offered {
            *has_rung = true;
            let invite = *invite;
            self.reply(now, invite, leg, status, payload, b"");
        }
    }

    /// Sends 200 and repeats it until the ACK (RFC 3261 §13.3.1.4). `Confirmed` or `Ended` follows.
    pub fn accept(&mut self, now: Instant, leg: LegId, payload: &Payload) {
        if let Some(State::Offered { invite, seq }) = self.legs.get(leg).map(|leg| &leg.state) {
            let (invite, seq) = (*invite, *seq);
            if self.answers_after_prack(leg, payload) {
                return;
            }
            let lines = self.agree(now, leg, payload);
            let sent = self.reply(now, invite, leg, 200, payload, lines.as_bytes());
            if let Some(entry) = self.legs.get_mut(leg) {
                entry.state = State::Answered { hang_up: None };
            }
            self.await_ack(now, leg, (invite, seq), sent);
        }
    }

    /// Refuses the call. No event follows; the leg is dead.
    pub fn reject(&mut self, now: Instant, leg: LegId, rejection: &Rejection, payload: &Payload) {
        if let Some(State::Offered { invite, .. }) = self.legs.get(leg).map(|leg| &leg.state) {
            // What comes from elsewhere says itself why.
            let reason = rejection.reason.clone().filter(|_| !payload.has_line("Reason"));
            let warning = rejection.warning.clone().filter(|_| !payload.has_line("Warning"));
            let rejection = Rejection { reason, warning, ..rejection.clone() };
            let lines = rejection.lines(self.transactions.sent_by());
            self.reply(now, *invite, leg, rejection.status, payload, &lines);
            self.remove(now, leg);
        }
    }

    /// Arms the retransmission of a 2xx just sent to an INVITE, given by its transaction and CSeq
    /// number.
    pub(super) fn await_ack(
        &mut self,
        now: Instant,
        id: LegId,
        (invite, seq): (ServerId, u32),
        sent: Option<Packet>,
    ) {
        let timers = self.transactions.timers();
        let Some(leg) = self.legs.get_mut(id) else {
            return;
        };
        let is_first = matches!(leg.state, State::Answered { .. });
        let answer = sent.map(|packet| Answer {
            packet,
            invite,
            seq,
            interval: timers.t1,
            resend_at: now + timers.t1,
            give_up_at: now + timers.give_up(),
            overdue_at: is_first.then(|| now + timers.t2),
        });
        leg.answer = answer.map(Box::new);
        self.arm(id);
    }

    /// RFC 3261 §13.3.1.4: a 2xx is repeated, on any transport, until its ACK; without one the
    /// dialog is ended.
    pub(super) fn resend_answer(&mut self, now: Instant, id: LegId) {
        let t2 = self.transactions.timers().t2;
        let Some(answer) = self.legs.get_mut(id).and_then(|leg| leg.answer.as_mut()) else {
            return;
        };
        if answer.overdue_at.take_if(|overdue| *overdue <= now).is_some() {
            self.events.push_back(Event::Unacknowledged { leg: id });
        }
        if answer.give_up_at <= now {
            self.abandon(now, id);
        } else if answer.resend_at <= now {
            answer.interval = (answer.interval * 2).min(t2);
            answer.resend_at = now + answer.interval;
            let (invite, packet) = (answer.invite, answer.packet.clone());
            self.stats.answers_resent += 1;
            self.transactions.resend_answer(invite, &packet);
        }
    }

    fn abandon(&mut self, now: Instant, id: LegId) {
        let closing = self.legs.get(id).is_some_and(|leg| matches!(leg.state, State::Closing));
        if !closing {
            self.send_bye_unawaited(now, id, None);
            self.remove(now, id);
            self.events.push_back(Event::Ended { leg: id, end: End::NoAck });
        }
    }

    /// An ACK that no transaction absorbed: it ends the retransmission of our 2xx.
    pub(super) fn receive_ack(&mut self, now: Instant, ack: Request, flow: Flow) {
        let Some(id) = ack.to_tag().and_then(|tag| self.leg_inside(tag, &ack)) else {
            return;
        };
        let Some(leg) = self.legs.get_mut(id) else {
            return;
        };
        let awaited = leg.answer.as_ref().is_some_and(|answer| answer.seq == ack.cseq().0);
        if !awaited {
            return;
        }
        leg.answer = None;
        if let Some(dialog) = &mut leg.dialog {
            dialog.follow(flow);
        }
        match std::mem::replace(&mut leg.state, State::Confirmed) {
            State::Answered { hang_up: None } => {
                self.begin_audits(now, id);
                self.events.push_back(Event::Confirmed { leg: id, ack });
            }
            State::Answered { hang_up: Some(hang_up) } => {
                self.send_bye(now, id, hang_up.reason.as_deref());
            }
            State::Closing => leg.state = State::Closing,
            _ => self.events.push_back(Event::ModifyConfirmed { leg: id, ack }),
        }
        self.arm(id);
    }

    pub(super) fn receive_cancel(
        &mut self,
        now: Instant,
        invite: ServerId,
        owner: Option<Owner>,
        cancel: &Request,
    ) {
        match owner {
            Some(Owner::Leg(leg, Purpose::Invite)) => {
                // RFC 3261 §9.2: the INVITE itself is answered 487.
                self.reply(now, invite, leg, 487, &Payload::empty(), b"");
                self.remove(now, leg);
                self.events.push_back(Event::Cancelled { leg, reason: Reason::of(cancel) });
            }
            Some(Owner::Leg(leg, Purpose::Modify)) => {
                self.transactions.reject(now, invite, &Rejection::new(487));
                let pending = self.legs.get_mut(leg).and_then(|leg| leg.their_modify.take());
                if pending.is_some() {
                    self.events.push_back(Event::ModifyCancelled { leg });
                }
            }
            _ => self.transactions.reject(now, invite, &Rejection::new(487)),
        }
    }
}
