//! What crosses an established call: re-INVITE and UPDATE with their offers and answers, INFO and the like.

use std::time::Instant;

use sip_proto::Rejection;
use sip_proto::message::{Method, Payload, Request, Response};
use sip_proto::transaction::ServerId;
use sip_proto::user_agent::LegId;

use super::CallControl;
use super::ending::media_failure;
use super::side::Side;

impl CallControl {
    /// The ACK of a 2xx: it carries the answer when the 2xx carried the offer (RFC 3261 §13.2.1).
    pub(super) fn confirmed(&mut self, now: Instant, leg: LegId, ack: &Request) {
        let Some((id, side, other)) = self.calls.find_across(leg) else { return };
        let at = self.records.micros(now);
        if let (Side::A, Some(call)) = (side, self.calls.get_mut(id)) {
            call.record.ack_us.get_or_insert(at);
            self.source_acknowledged(now, id);
        }
        let (Some(other), Some(call)) = (other, self.calls.get_mut(id)) else { return };
        self.media.acknowledged(call, side);
        // A body counts only if the other side waits for an answer (RFC 3261 §13.2.1).
        let awaited = self.user_agent.owes_ack(other);
        let checked = match awaited {
            true => self.media.check_answer(call, side, ack),
            false => Ok(()),
        };
        let payload = match ack.body().is_empty() {
            true => Payload::relay(ack),
            false => self.media.translate_response(now, call, side, ack),
        };
        if awaited {
            call.offer = None;
        }
        // Does nothing unless the other side waits for an ACK.
        self.user_agent.acknowledge(now, other, &payload);
        match checked {
            Err(error) => self.end_for_media(now, id, &error),
            Ok(()) if !ack.body().is_empty() => self.replicate(now, id),
            Ok(()) => {}
        }
    }

    pub(super) fn modify(&mut self, now: Instant, leg: LegId, server: ServerId, request: &Request) {
        let Some((id, side, other)) = self.calls.find_across(leg) else { return };
        let Some(call) = self.calls.get_mut(id) else { return };
        let method = request.method();
        self.media.let_move(now, call, side);
        let payload = match self.media.translate(now, call, side, request, true) {
            Ok(payload) => payload,
            Err(obstacle) => {
                return self.user_agent.decline(now, server, &obstacle.rejection_inside());
            }
        };
        let taken = other.is_some_and(|other| self.user_agent.modify(now, other, method, payload));
        if !taken {
            // RFC 3261 §14.2: the other side is changing the session too.
            self.media.settle_offer(now, call, side, false);
            self.user_agent.respond(now, server, 491, &Payload::empty());
        } else {
            call.modifying = Some((side, server));
            (call.offer, call.has_early_answer) = (self.media.offer_in(side, request), false);
        }
    }

    /// One side cancels its re-INVITE. What the other side still answers is dropped.
    pub(super) fn modify_cancelled(&mut self, now: Instant, leg: LegId) {
        let Some((id, side)) = self.calls.find(leg) else { return };
        let Some(call) = self.calls.get_mut(id) else { return };
        let pending = call.modifying.take_if(|(from, _)| *from == side);
        let other = call.leg(side.other());
        if let (Some(_), Some(other)) = (pending, other) {
            self.user_agent.cancel_modify(now, other);
            self.media.settle_offer(now, call, side, false);
        }
    }

    pub(super) fn modified(&mut self, now: Instant, leg: LegId, response: &Response) {
        let Some((id, side)) = self.calls.find(leg) else { return };
        let Some(call) = self.calls.get_mut(id) else { return };
        if call.takeover.is_some() {
            return self.side_answered(now, id, side, response);
        }
        let accepted = (200..300).contains(&response.status());
        let checked = match accepted {
            true => self.media.check_answer(call, side, response),
            false => Ok(()),
        };
        if let Err(error) = checked {
            if let Some((_, server)) = call.modifying.take() {
                let refusal = Rejection::new(488).with_warning(media_failure(&error));
                self.user_agent.decline(now, server, &refusal);
            }
            return self.end_for_media(now, id, &error);
        }
        // A 2xx to a re-INVITE without an offer makes one, which the ACK answers.
        call.offer = match call.offer.take() {
            None if accepted && self.user_agent.owes_ack(leg) => {
                self.media.offer_in(side, response)
            }
            _ => None,
        };
        self.media.settle_offer(now, call, side.other(), accepted);
        let payload = match accepted {
            true => self.media.translate_response(now, call, side, response),
            false => Payload::relay(response),
        };
        if let Some((_, server)) = call.modifying.take() {
            self.user_agent.respond(now, server, response.status(), &payload);
        }
        if accepted {
            self.replicate(now, id);
        }
    }

    pub(super) fn cross(&mut self, now: Instant, leg: LegId, server: ServerId, request: &Request) {
        let Some((id, side, other)) = self.calls.find_across(leg) else { return };
        let payload = Payload::relay(request);
        let method = request.method();
        if let Some(call) = self.calls.get_mut(id).filter(|_| method == Method::Update) {
            self.media.let_move(now, call, side);
        }
        let seq = other.and_then(|other| self.user_agent.request(now, other, method, &payload));
        match (seq, self.calls.get_mut(id)) {
            (Some(seq), Some(call)) => call.crossing.push((side, server, seq)),
            // An UPDATE without an offer tells us a Contact, which is none of the other side's business.
            _ if method == Method::Update => {
                self.user_agent.respond(now, server, 200, &Payload::empty());
            }
            _ => self.user_agent.respond(now, server, 480, &Payload::empty()),
        }
    }

    pub(super) fn crossed(&mut self, now: Instant, leg: LegId, response: &Response) {
        let Some((id, side)) = self.calls.find(leg) else { return };
        let Some(call) = self.calls.get_mut(id) else { return };
        let seq = response.cseq().0;
        let at =
            call.crossing.iter().position(|(from, _, have)| *from == side.other() && *have == seq);
        if let Some(at) = at {
            let (_, server, _) = call.crossing.swap_remove(at);
            self.user_agent.respond(now, server, response.status(), &Payload::relay(response));
        }
    }
}
