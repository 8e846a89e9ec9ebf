//! Changes to an established session: re-INVITE (RFC 3261 §14) and UPDATE (RFC 3311), and their
//! glare.

use std::time::Instant;

use super::early::has_offer;
use super::leg::{Leg, OurModify, State, TheirModify};
use super::{Event, LegId, Owner, Purpose, UserAgent};
use crate::Rejection;
use crate::message::{Method, Payload, Request, Response};
use crate::transaction::ServerId;

impl UserAgent {
    /// Sends a re-INVITE or UPDATE. `Modified` or `Ended` follows. False if the leg cannot be
    /// changed now: it is not confirmed, or a change is pending in either direction (RFC 3261
    /// §14.1).
    pub fn modify(&mut self, now: Instant, id: LegId, method: Method, payload: Payload) -> bool {
        let repeats = self.config.retry_glare;
        self.begin_modify(now, id, method, payload, repeats)
    }

    /// Tells the peer our Contact (RFC 3261 §12.2): with the offer in `payload` by re-INVITE, without one by UPDATE
    /// (RFC 3311 §5.1). It is our own wish, so it is repeated after glare. As for the rest like
    /// [`modify`](Self::modify).
    pub fn refresh(&mut self, now: Instant, id: LegId, payload: Payload) -> bool {
        let method = if payload.body().is_empty() { Method::Update } else { Method::Invite };
        self.begin_modify(now, id, method, payload, true)
    }

    fn begin_modify(
        &mut self,
        now: Instant,
        id: LegId,
        method: Method,
        payload: Payload,
        repeats: bool,
    ) -> bool {
        let Some(leg) = self.legs.get_mut(id).filter(|leg| leg.is_free_to_change()) else {
            return false;
        };
        leg.our_modify = Some(Box::new(OurModify::new(method, payload, repeats)));
        self.send_modify(now, id);
        true
    }

    /// Cancels our re-INVITE (RFC 3261 §9.1); `Modified` still follows, usually with 487, unless the
    /// re-INVITE was waiting to be sent again. Nothing happens to an UPDATE, which is answered at
    /// once.
    ///
    /// A 2xx that crosses the CANCEL is acknowledged without a body. If the re-INVITE carried no
    /// offer, the peer's offer so stays without an answer, and both sides keep the session that
    /// they had (RFC 3261 §14.1). The call goes on: §13.2.2.4 would have it ended by BYE, which a
    /// caller in distress would not understand.
    pub fn cancel_modify(&mut self, now: Instant, id: LegId) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        let Some(modify) = leg.our_modify.as_mut().filter(|one| one.method == Method::Invite)
        else {
            return;
        };
        if modify.retry_at.is_some() {
            leg.our_modify = None;
            self.arm(id);
        } else if let Some(client) = modify.client {
            modify.cancelled = true;
            self.transactions.cancel(now, client, Vec::new());
        }
    }

    pub(super) fn send_modify(&mut self, now: Instant, id: LegId) {
        let Some(leg) = self.legs.get(id) else { return };
        let Some(modify) = &leg.our_modify else {
            return;
        };
        let (method, payload) = (modify.method, modify.payload.clone());
        let mut fixed = self.request_lines(leg, method);
        fixed.extend_from_slice(Self::timer_line(leg).as_bytes());
        let dialog = self.legs.get_mut(id).and_then(|leg| leg.dialog.as_mut());
        let Some(dialog) = dialog else { return };
        let (draft, target) = dialog.request(method, &fixed, &payload);
        let seq = dialog.local_seq();
        let owner = Owner::Leg(id, Purpose::Modify);
        let client = self.transactions.send(now, draft, target, owner);
        if let Some(modify) = self.legs.get_mut(id).and_then(|leg| leg.our_modify.as_mut()) {
            (modify.seq, modify.client) = (seq, Some(client));
        }
    }

    pub(super) fn modify_response(&mut self, now: Instant, id: LegId, response: Response) {
        let (seq, method) = response.cseq();
        let is_answer = method == Method::Invite && (200..300).contains(&response.status());
        self.note_life(now, id);
        let Some(leg) = self.legs.get_mut(id) else {
            if is_answer {
                self.acknowledge_over(now, id, &response);
            }
            return;
        };
        let Some(modify) = leg.our_modify.as_ref().filter(|modify| modify.seq == seq) else {
            if is_answer {
                self.repeat_ack(now, id, seq);
            }
            return;
        };
        let complete = !modify.payload.body().is_empty() || modify.cancelled;
        let try_again = modify.repeats && !modify.cancelled;
        let is_refresh = modify.is_refresh;
        let may_lengthen = response.status() == 422 && !modify.cancelled;
        if may_lengthen && self.lengthen(now, id, &response) {
            return;
        }
        let Some(leg) = self.legs.get_mut(id) else { return };
        match response.status() {
            100..=199 => return,
            200..=299 => {
                let sent = leg.our_modify.take().map(|modify| modify.payload.description());
                if let Some(dialog) = &mut leg.dialog {
                    dialog.refresh_target(&response);
                }
                if method == Method::Invite && complete {
                    self.send_ack(now, id, seq, &Payload::empty());
                } else if method == Method::Invite {
                    self.owe_ack(now, id, seq);
                }
                self.learn_timer(now, id, &response, sent.unwrap_or_default());
            }
            491 if try_again => {
                self.back_off(now, id);
                return;
            }
            // RFC 3261 §14.1: these end the dialog; any other refusal leaves the session as it was.
            status @ (408 | 481) => {
                self.peer_is_gone(now, id, status);
                return;
            }
            _ => {
                leg.our_modify = None;
                if is_refresh {
                    self.refresh_refused(now, id, &response);
                }
            }
        }
        if is_refresh {
            return;
        }
        self.events.push_back(Event::Modified { leg: id, response });
    }

    /// RFC 3261 §14.1: the side that made the Call-ID waits 2.1 to 4 s, the other one 0 to 2 s.
    fn back_off(&mut self, now: Instant, id: LegId) {
        let is_uac = self.legs.get(id).is_some_and(|leg| leg.is_uac);
        let (from, to) = if is_uac { (2_100, 4_000) } else { (0, 2_000) };
        let wait = self.transactions.ids().jitter(from, to);
        if let Some(modify) = self.legs.get_mut(id).and_then(|leg| leg.our_modify.as_mut()) {
            modify.retry_at = Some(now + wait);
        }
        self.arm(id);
    }

    pub(super) fn retry_modify(&mut self, now: Instant, id: LegId) {
        let modify = self.legs.get_mut(id).and_then(|leg| leg.our_modify.as_mut());
        let Some(modify) = modify.filter(|modify| modify.retry_at.is_some_and(|at| at <= now))
        else {
            return;
        };
        modify.retry_at = None;
        // RFC 3261 §14.1: no new INVITE while one is in progress in the other direction.
        let busy = |leg: &Leg| leg.their_modify.is_some() || leg.answer.is_some();
        if self.legs.get(id).is_some_and(busy) {
            self.back_off(now, id);
        } else {
            self.send_modify(now, id);
        }
    }

    pub(super) fn receive_modify(
        &mut self,
        now: Instant,
        id: LegId,
        server: ServerId,
        request: Request,
    ) {
        let method = request.method();
        let Some(leg) = self.legs.get_mut(id) else {
            return;
        };
        let early = match leg.state {
            State::Calling { .. } | State::Offered { .. } => true,
            State::Answered { .. } => method == Method::Update && !has_offer(&request),
            State::Confirmed | State::Closing => false,
        };
        if early {
            return self.receive_early_modify(now, id, server, request);
        }
        if let Err(status) = may_modify(leg) {
            let rejection = match status {
                500 => self.overlapping(),
                status => Rejection::new(status),
            };
            self.refuse(now, server, &rejection);
            return;
        }
        leg.their_modify = Some(Box::new(TheirModify { server, method, seq: request.cseq().0 }));
        if let Some(dialog) = &mut leg.dialog {
            dialog.refresh_target(&request);
        }
        if method == Method::Invite && self.config.trying_at_once {
            self.transactions.trying(now, server);
        }
        self.note_asked(id, &request);
        self.transactions.own(server, Owner::Leg(id, Purpose::Modify));
        self.events.push_back(Event::Modify { leg: id, id: server, request });
    }

    /// The TU's answer to the peer's re-INVITE or UPDATE.
    pub(super) fn answer_modify(
        &mut self,
        now: Instant,
        id: LegId,
        server: ServerId,
        status: u16,
        payload: &Payload,
    ) {
        // What the INVITE asked for waits for the answer to the INVITE.
        let is_confirmed = |leg: &Leg| matches!(leg.state, State::Confirmed);
        let lines =
            match (200..300).contains(&status) && self.legs.get(id).is_some_and(is_confirmed) {
                true => self.agree(now, id, payload),
                false => String::new(),
            };
        let sent = self.reply(now, server, id, status, payload, lines.as_bytes());
        if status < 200 {
            return;
        }
        let Some(leg) = self.legs.get_mut(id) else {
            return;
        };
        // It may have been cancelled, and another one come, before the TU answered.
        let pending = leg.their_modify.take_if(|pending| pending.server == server);
        if let Some(pending) = pending.filter(|one| one.method == Method::Invite && status < 300) {
            self.await_ack(now, id, (server, pending.seq), sent);
        }
    }
}

/// RFC 3261 §14.2 and RFC 3311 §5.2: one change at a time. Or else the status of the refusal.
fn may_modify(leg: &Leg) -> Result<(), u16> {
    if leg.our_modify.as_ref().is_some_and(|modify| modify.retry_at.is_none()) {
        return Err(491);
    }
    match leg.state {
        State::Confirmed if leg.their_modify.is_none() && leg.answer.is_none() => Ok(()),
        // A change before the first one is through.
        State::Confirmed | State::Answered { .. } => Err(500),
        State::Calling { .. } | State::Offered { .. } => Err(491),
        State::Closing => Err(481),
    }
}
