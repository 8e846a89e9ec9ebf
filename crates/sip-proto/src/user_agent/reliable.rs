//! Provisional responses that are acknowledged (RFC 3262).
//!
//! ```text
//!   their INVITE with Require: 100rel ──► ours: 180, RSeq 7 ──► again after T1, doubling ──► PRACK ──► 200
//!   our INVITE with Supported: 100rel ──► theirs: 180, RSeq 7 ──► our PRACK at once
//! ```
//!
//! Ours are sent so only to a peer that demands it, one at a time. No offer crosses in PRACK: the offer of an INVITE has its answer
//! in the provisional response or in the 2xx, and to an INVITE without an offer none but 100 is sent (RFC 3262 §5). The TU sees
//! nothing of all this.

use std::collections::VecDeque;
use std::time::Instant;

use super::leg::{Leg, State};
use super::option_tag::RELIABLE;
use super::unacknowledged::{Pending, Reliable};
use super::{Event, LegId, Owner, UserAgent};
use crate::Rejection;
use crate::message::{Message, Method, Name, Payload, Request, Response};
use crate::reason::Reason;
use crate::transaction::ServerId;

/// Responses that wait for the PRACK of an earlier one; more say nothing new.
const MOST_WAITING: usize = 4;

impl UserAgent {
    /// What a new INVITE demands; `None` if it can do without.
    pub(super) fn reliable_of(&mut self, invite: &Request) -> Option<Box<Reliable>> {
        if !requires(invite) || !self.config.capabilities.supported.contains(&RELIABLE) {
            return None;
        }
        // RFC 3262 §3: from 1 to 2**31 - 1; far from the end, as it only grows.
        let first = (self.transactions.ids().nonce() as u32 >> 2) + 1;
        Some(Box::new(Reliable {
            invite_seq: invite.cseq().0,
            has_offer: invite.has_body(),
            first,
            newest: first - 1,
            pending: None,
            waiting: VecDeque::new(),
            answer: None,
        }))
    }

    /// Sends a provisional response of a leg whose peer demands PRACK, now or after that of an earlier one.
    pub(super) fn ring_reliably(
        &mut self,
        now: Instant,
        id: LegId,
        status: u16,
        payload: &Payload,
    ) {
        let t1 = self.transactions.timers().t1;
        let give_up_at = now + self.give_up_after();
        let Some(leg) = self.legs.get_mut(id) else { return };
        let (State::Offered { invite, .. }, Some(reliable)) = (&leg.state, &mut leg.reliable)
        else {
            return;
        };
        if !reliable.has_offer {
            return;
        }
        if reliable.pending.is_some() {
            if reliable.waiting.len() < MOST_WAITING {
                reliable.waiting.push_back((status, payload.clone()));
            }
            return;
        }
        reliable.newest += 1;
        let invite = *invite;
        let lines = format!("Require: {RELIABLE}\r\nRSeq: {}\r\n", reliable.newest);
        leg.has_rung = true;
        let sent = self.reply(now, invite, id, status, payload, lines.as_bytes());
        let pending = sent.map(|packet| Pending {
            packet,
            has_body: !payload.body().is_empty(),
            interval: t1,
            resend_at: now + t1,
            give_up_at,
        });
        if let Some(reliable) = self.legs.get_mut(id).and_then(|leg| leg.reliable.as_mut()) {
            reliable.pending = pending;
        }
        self.arm(id);
    }

    /// RFC 3262 §3: no 2xx before the PRACK of a description. True if the answer waits for it.
    pub(super) fn answers_after_prack(&mut self, id: LegId, payload: &Payload) -> bool {
        let Some(reliable) = self.legs.get_mut(id).and_then(|leg| leg.reliable.as_mut()) else {
            return false;
        };
        if reliable.pending.as_ref().is_some_and(|pending| pending.has_body) {
            reliable.answer = Some(payload.clone());
            return true;
        }
        reliable.pending = None;
        reliable.waiting.clear();
        false
    }

    /// RFC 3262 §3: again and again, as a 2xx; after 64·T1 the INVITE is refused.
    pub(super) fn resend_reliable(&mut self, now: Instant, id: LegId) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        let State::Offered { invite, .. } = leg.state else { return };
        let pending = leg.reliable.as_mut().and_then(|reliable| reliable.pending.as_mut());
        let Some(pending) = pending else { return };
        if pending.give_up_at <= now {
            let why = "no PRACK has come for a provisional response, which the INVITE demanded to be reliable";
            let reason = Reason::q850(102, "Recovery on timer expiry");
            let rejection = Rejection::new(504).with_reason(reason).with_warning(why);
            self.reject(now, id, &rejection, &Payload::empty());
            self.events.push_back(Event::GivenUp { leg: id, rejection: Box::new(rejection) });
        } else if pending.resend_at <= now {
            pending.interval *= 2;
            pending.resend_at = now + pending.interval;
            let packet = pending.packet.clone();
            self.transactions.resend_answer(invite, &packet);
        }
    }

    /// PRACK of the peer.
    pub(super) fn receive_prack(
        &mut self,
        now: Instant,
        id: LegId,
        server: ServerId,
        prack: &Request,
    ) {
        let Some(reliable) = self.legs.get_mut(id).and_then(|leg| leg.reliable.as_mut()) else {
            return self.refuse(now, server, &Rejection::new(481));
        };
        let sent = reliable.first..=reliable.newest;
        let acknowledged = rack(prack)
            .filter(|(seq, invite)| *invite == reliable.invite_seq && sent.contains(seq));
        let Some((seq, _)) = acknowledged else {
            return self.refuse(now, server, &Rejection::new(481));
        };
        if seq == reliable.newest {
            reliable.pending = None;
        }
        let answer = reliable.answer.take_if(|_| reliable.pending.is_none());
        let next = match reliable.pending {
            None if answer.is_none() => reliable.waiting.pop_front(),
            _ => None,
        };
        if prack.has_body() {
            let why = "no description is taken in PRACK: a re-INVITE after the answer may carry it";
            self.refuse(now, server, &Rejection::new(488).with_warning(why));
        } else {
            self.reply(now, server, id, 200, Payload::nothing(), b"");
        }
        match (answer, next) {
            (Some(answer), _) => self.accept(now, id, &answer),
            (None, Some((status, payload))) => self.ring_reliably(now, id, status, &payload),
            (None, None) => self.arm(id),
        }
    }

    /// A provisional response to our INVITE, of which an early dialog is noted. Acknowledges it if it wants that; false if it is a
    /// copy, or one before it is missing (RFC 3262 §4).
    pub(super) fn take_provisional(
        &mut self,
        now: Instant,
        id: LegId,
        response: &Response,
    ) -> bool {
        let Some(seq) = rseq(response).filter(|_| requires(response)) else { return true };
        let Some(leg) = self.legs.get_mut(id) else { return false };
        let Leg { state: State::Calling { terms: Some(terms), .. }, early, session, .. } = leg
        else {
            return false;
        };
        let tag = response.to_tag().unwrap_or_default();
        let Some(dialog) = early.iter_mut().find(|early| early.remote_tag() == tag) else {
            return false;
        };
        let heard = &mut terms.heard_reliably;
        match heard.iter_mut().find(|(of, _)| **of == *tag) {
            Some((_, newest)) if newest.checked_add(1) == Some(seq) => *newest = seq,
            Some(_) => return false,
            None => heard.push((tag.into(), seq)),
        }
        let fixed = format!("RAck: {seq} {} INVITE\r\n{session}", response.cseq().0);
        let (draft, target) = dialog.request(Method::Prack, fixed.as_bytes(), &Payload::empty());
        self.transactions.send(now, draft, target, Owner::Nobody);
        true
    }
}

fn requires(message: &Message) -> bool {
    message.list(Name::Require).any(|tag| tag.eq_ignore_ascii_case(RELIABLE))
}

fn rseq(response: &Response) -> Option<u32> {
    response.header(Name::RSeq)?.trim().parse().ok()
}

/// RAck: the RSeq, and the CSeq number of the INVITE (RFC 3262 §7.2).
fn rack(prack: &Request) -> Option<(u32, u32)> {
    let mut parts = prack.header(Name::RAck)?.split_ascii_whitespace();
    let (seq, invite) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    (parts.next() == Some("INVITE") && parts.next().is_none()).then_some((seq, invite))
}
