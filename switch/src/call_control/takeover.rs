//! Calls of a call server that has fallen go on here: both legs are adopted, and both sides hear where the call is now
//! (a target refresh, RFC 3261 §12.2.1.2), with our addresses for its media.
//!
//! ```text
//!              re-INVITE to both             both answer 2xx
//!   replica ──────────────────► taking over ────────────────► a call like any other, replicated in its turn
//!                                    ├── one side refuses or is gone: the other is hung up, the call is lost
//!                                    └── both answer 481: it was over before, and nobody lost it
//! ```

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sip_proto::Rejection;
use sip_proto::message::{Payload, Response};
use sip_proto::reason::Reason;
use sip_proto::sdp::Session;
use sip_proto::user_agent::LegId;
use telemetry::{CallRecord, Outcome};

use super::CallControl;
use super::call::{Awaited, Call, CallId, Deadline, Side};
use super::descriptions::Descriptions;
use super::itinerary::Itinerary;
use super::media::{Obstacle, Relay, at};
use crate::call_server::Replica;

/// What is known of a call that is being taken over.
#[derive(Debug, Default)]
pub(super) struct Takeover {
    sides: [Hearing; 2],
}

/// What one side has said to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Hearing {
    #[default]
    Awaited,
    Accepted,
    /// It does not know the call.
    Gone,
}

impl CallControl {
    /// `owner` is down, or has started again: its calls go on here.
    pub(super) fn take_over_all(&mut self, now: Instant, owner: SocketAddr) {
        if self.draining {
            return;
        }
        for replica in self.disk.journal.take_of(owner) {
            self.take_over(now, owner, replica);
        }
    }

    fn take_over(&mut self, now: Instant, owner: SocketAddr, replica: Replica) {
        let answered = replica.record.answer_us.unwrap_or_default();
        let lasted = Duration::from_micros(self.micros(now).saturating_sub(answered));
        if lasted >= self.settings.max_call_duration {
            return;
        }
        let adopted = self.user_agent.adopt(&replica.a).and_then(|a| {
            let b = self.user_agent.adopt(&replica.b);
            b.map(|b| (a, b)).inspect_err(|_| self.user_agent.disown(now, a))
        });
        let (a, b) = match adopted {
            Ok(legs) => legs,
            Err(unfit) => {
                tracing::warn!(call_server = self.settings.name, %unfit, "a call cannot be taken over");
                return;
            }
        };
        let takeovers = replica.takeovers.saturating_add(1);
        let from = self.neighbours.name_of(owner);
        let link = replica.trunk_group.and_then(|name| self.disk.links.named(&name));
        self.wards.owe(owner, replica.id);
        self.counts.taken_over += 1;
        let has_room = self.calls.len() < self.settings.max_calls as usize && self.memory.take();
        let call = Call {
            nonce: 0,
            a,
            b: Some(b),
            invite: None,
            itinerary: Itinerary::default(),
            refusal: Rejection::new(480),
            deadline: None,
            modifying: None,
            crossing: Vec::new(),
            link,
            relay: replica.relay.map(|hosts| Relay::taken_over(hosts, takeovers)),
            descriptions: Descriptions::agreed(replica.said),
            replica: None,
            takeover: Some(Takeover::default()),
            record: CallRecord {
                node: self.settings.name.clone(),
                site: Some(self.settings.site.clone()),
                reason: Some(history(replica.record.reason, &from)),
                outcome: Outcome::Answered,
                media: Vec::new(),
                ..replica.record
            },
        };
        if !has_room {
            self.hang_up_both(now, &call);
            return self.lose(now, call, "there was no room for it");
        }
        let id = self.insert(call);
        self.legs.insert(b, (id, Side::B));
        let due = now + self.user_agent.give_up_after();
        self.await_until(now, id, Some(Deadline { due, awaited: Awaited::TakenOver }));
        match self.offers(now, id) {
            Ok([to_a, to_b]) => {
                self.offer(now, a, to_a);
                self.offer(now, b, to_b);
            }
            Err(obstacle) => {
                self.give_up_takeover(
                    now,
                    id,
                    &format!("its media cannot pass here: {obstacle:?}"),
                );
            }
        }
    }

    fn offer(&mut self, now: Instant, leg: LegId, description: Option<Vec<u8>>) {
        let payload = description.map_or_else(Payload::empty, Payload::sdp);
        self.user_agent.refresh(now, leg, payload);
    }

    /// What each side is offered: the description that the other side has agreed to, with our addresses if media passes
    /// through here. From now on it does.
    fn offers(&mut self, now: Instant, id: CallId) -> Result<[Option<Vec<u8>>; 2], Obstacle> {
        let mut offers = [None, None];
        let Some(call) = self.calls.get_mut(id.slot).filter(|call| call.nonce == id.nonce) else {
            return Ok(offers);
        };
        for side in [Side::A, Side::B] {
            let Some(said) = call.descriptions.of(side).cloned() else { continue };
            // One that could not be read has crossed as it was, and does so again.
            let session = Session::parse(&said).ok();
            offers[at(side.other())] = Some(match (&mut call.relay, session) {
                (Some(relay), Some(session)) => {
                    let places = relay.places(&mut self.plane, now, side, &session, false)?;
                    relay.accept(&mut self.plane, now, side, &session);
                    relay.moved(&said, &session, &places)
                }
                _ => said.to_vec(),
            });
        }
        Ok(offers)
    }

    /// Whether this call awaits that its two sides hear of the take-over.
    pub(super) fn is_taking_over(&self, id: CallId) -> bool {
        let call = self.calls.get(id.slot).filter(|call| call.nonce == id.nonce);
        call.is_some_and(|call| call.takeover.is_some())
    }

    /// A side has answered our re-INVITE or UPDATE.
    pub(super) fn side_answered(
        &mut self,
        now: Instant,
        id: CallId,
        side: Side,
        response: &Response,
    ) {
        if response.status() >= 300 {
            let why = format!("{} refused it ({})", word(side), response.status());
            return self.give_up_takeover(now, id, &why);
        }
        // What it says of itself holds; the other side knows as much already.
        self.carry_back(now, id, side, response);
        let Some(takeover) = self.call_mut(id).and_then(|call| call.takeover.as_mut()) else {
            return;
        };
        takeover.sides[at(side)] = Hearing::Accepted;
        match takeover.sides[at(side.other())] {
            Hearing::Awaited => {}
            Hearing::Accepted => self.finish_takeover(now, id),
            Hearing::Gone => {
                let why = format!("{} no longer knew the call", word(side.other()));
                self.give_up_takeover(now, id, &why);
            }
        }
    }

    fn finish_takeover(&mut self, now: Instant, id: CallId) {
        let now_us = self.micros(now);
        let Some(call) = self.call_mut(id) else { return };
        call.takeover = None;
        let answered = call.record.answer_us.unwrap_or_default();
        let lasted = Duration::from_micros(now_us.saturating_sub(answered));
        let due = now + self.settings.max_call_duration.saturating_sub(lasted);
        self.await_until(now, id, Some(Deadline { due, awaited: Awaited::End }));
        self.replicate(now, id);
    }

    /// A side of a call that is being taken over does not know it. True if that is all for now, or for ever.
    pub(super) fn side_is_gone(&mut self, now: Instant, id: CallId, side: Side) -> bool {
        let Some(takeover) = self.call_mut(id).and_then(|call| call.takeover.as_mut()) else {
            return false;
        };
        takeover.sides[at(side)] = Hearing::Gone;
        match takeover.sides[at(side.other())] {
            Hearing::Awaited => true,
            Hearing::Accepted => false,
            Hearing::Gone => {
                // It was over, and word of its end never came.
                self.remove(now, id);
                self.counts.taken_over -= 1;
                true
            }
        }
    }

    /// The call cannot go on here: both sides are told, as far as they can be.
    pub(super) fn give_up_takeover(&mut self, now: Instant, id: CallId, why: &str) {
        let Some(call) = self.remove(now, id) else { return };
        self.hang_up_both(now, &call);
        self.lose(now, call, why);
    }

    fn hang_up_both(&mut self, now: Instant, call: &Call) {
        let reason = Reason::q850(41, "Temporary failure");
        for leg in [Some(call.a), call.b].into_iter().flatten() {
            self.user_agent.hang_up(now, leg, Some(&reason));
        }
    }
}

/// What the record says of a call that goes on.
fn history(before: Option<String>, from: &str) -> String {
    let now = format!("taken over from {from}");
    before.map_or_else(|| now.clone(), |before| format!("{before}; {now}"))
}

const fn word(side: Side) -> &'static str {
    match side {
        Side::A => "the caller's side",
        Side::B => "the answering point",
    }
}
