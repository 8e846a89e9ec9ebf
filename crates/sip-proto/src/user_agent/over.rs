//! Legs that are over: a late 2xx to an INVITE or a re-INVITE of theirs is acknowledged all the same (RFC 3261 §13.2.2.4,
//! §14.1), or its sender would repeat it for 64·T1.

use std::time::Instant;

use super::acks::AckState;
use super::leg::{Leg, OverLeg, State};
use super::{LegId, Owner, UserAgent};
use crate::message::{Method, Payload, Response};

impl UserAgent {
    /// Keeps what is needed of a leg that has just been removed.
    pub(super) fn keep_over(&mut self, now: Instant, id: LegId, leg: Leg) {
        let changing = leg.our_modify.as_ref().is_some_and(|modify| {
            modify.method == Method::Invite && modify.client.is_some() && modify.retry_at.is_none()
        });
        let answer_due = changing || leg.answer_until.is_some_and(|until| until > now);
        let is_established = !matches!(leg.state, State::Calling { .. } | State::Offered { .. });
        let needed = is_established && (answer_due || !leg.acks.is_empty());
        if let Some(dialog) = leg.dialog.filter(|_| needed) {
            let (session, acks) = (leg.session, leg.acks);
            let over = OverLeg { dialog, session, acks, is_ended: true };
            self.over.insert(id, Box::new(over));
            self.forget.set(id, now + self.give_up_after());
        }
    }

    /// The dialog of this leg was ended without a BYE: the peer had said that it does not know it.
    pub(super) fn over_without_bye(&mut self, id: LegId) {
        if let Some(over) = self.over.get_mut(&id) {
            over.is_ended = false;
        }
    }

    /// Forgets what was to be forgotten by now.
    pub(super) fn forget_over(&mut self, now: Instant) {
        while let Some((_, id)) = self.forget.pop_due(now) {
            self.over.remove(&id);
        }
    }

    /// Acknowledges a 2xx to an INVITE of a leg that is over; a peer that still believes in the dialog then gets its BYE.
    /// False if the response is of no such leg.
    pub(super) fn acknowledge_over(
        &mut self,
        now: Instant,
        id: LegId,
        response: &Response,
    ) -> bool {
        let forget_at = now + self.give_up_after();
        let tag = response.to_tag().unwrap_or_default();
        let Some(over) = self.over.get_mut(&id).filter(|over| over.dialog.remote_tag() == tag)
        else {
            return false;
        };
        let seq = response.cseq().0;
        let plain = Payload::nothing();
        match over.acks.of(seq).cloned() {
            Some(AckState::Full(packet)) => self.transactions.resend(&packet),
            Some(AckState::Plain(ack)) => {
                let (draft, target) = over.dialog.ack(seq, over.session.as_bytes(), plain);
                self.transactions.send_ack_again(ack, draft, target);
            }
            Some(AckState::Owed) | None => {
                let (draft, target) = over.dialog.ack(seq, over.session.as_bytes(), plain);
                let ack = self.transactions.ack_id();
                self.transactions.send_ack(ack, draft, target);
                over.acks.note(seq, AckState::Plain(ack), forget_at);
                self.forget.set(id, forget_at);
            }
        }
        if !std::mem::replace(&mut over.is_ended, true) {
            let session = over.session.as_bytes();
            let (bye, target) = over.dialog.request(Method::Bye, session, &Payload::empty());
            self.transactions.send(now, bye, target, Owner::Nobody);
        }
        true
    }
}
