//! From the caller's INVITE to the answer: admission, routing, one answering point after the other.

use std::net::SocketAddr;
use std::time::Instant;

use sip_proto::Rejection;
use sip_proto::message::{Payload, Request, Response, host_port};
use sip_proto::reason::{Reason, cause_of_status};
use sip_proto::user_agent::{Failure, Invite, LegId};
use telemetry::{BoxKind, CallRecord};
use topology::{Carriage, Psap, is_emergency};

use super::CallControl;
use super::call::{Awaited, Call, CallId, Deadline, Side};
use crate::call_server::Refused;

use super::descriptions::Descriptions;
use super::itinerary::Itinerary;
use super::media::{Obstacle, Relay};
use crate::record;

impl CallControl {
    pub(super) fn offered(&mut self, now: Instant, a: LegId, invite: Request, source: SocketAddr) {
        self.counts.offered += 1;
        let record = self.open_record(now, &invite);
        let group = invite.record_route().and_then(|route| Some(route.uri().user()?.to_owned()));
        let link = self.disk.links.of_call(source, group.as_deref());
        let admitted = self
            .admit(now, &invite, link, &record.number)
            .and_then(|()| Itinerary::find(&self.topology, &invite));
        match admitted {
            Ok(itinerary) => {
                if !self.memory.take() {
                    self.fail("its memory for calls is full");
                }
                let swallowed = self.swallows(&record.number);
                let id = self.insert(Call {
                    nonce: 0,
                    a,
                    b: None,
                    itinerary,
                    refusal: Rejection::new(480),
                    deadline: None,
                    modifying: None,
                    crossing: Vec::new(),
                    relay: self.is_relayed(&invite, source).then(|| Relay::new(source.ip())),
                    descriptions: Descriptions::default(),
                    replica: None,
                    takeover: None,
                    invite: Some(invite),
                    link,
                    record,
                });
                self.report_load(now);
                if !swallowed {
                    self.try_next(now, id);
                }
            }
            Err(rejection) => {
                self.user_agent.reject(now, a, &rejection, &Payload::empty());
                self.record_rejection(now, record, &rejection);
            }
        }
    }

    /// Who may come in. A refusal here is cheap and says when to try again.
    fn admit(
        &mut self,
        now: Instant,
        invite: &Request,
        link: Option<usize>,
        number: &str,
    ) -> Result<(), Rejection> {
        if self.overloaded {
            return Err(self.too_much(invite));
        }
        // Sound software knows how much memory calls take; what leaks it does not know.
        let most = self.settings.max_calls.min(self.settings.equipment.contexts);
        let full = self.calls.len() >= most as usize;
        let locked = self.disk.locked && !self.swallows(number);
        if self.disk.shedding && !is_emergency(number) {
            self.counts.shed += 1;
            // Not a 503, which would speak of all calls: a trunk group would hold emergency calls back too.
            return Err(
                Rejection::new(480).with_reason(Reason::q850(42, "Switching equipment congestion"))
            );
        }
        let unaudited = link.is_some_and(|link| self.disk.links.admit(now, link) == Err(Refused));
        if self.draining || full || locked || unaudited {
            self.counts.shed += 1;
            let (cause, text) = match unaudited && !full && !locked {
                true => (34, "No circuit/channel available"),
                false => (42, "Switching equipment congestion"),
            };
            return Err(Rejection::new(503)
                .with_retry_after(self.settings.retry_after)
                .with_reason(Reason::q850(cause, text)));
        }
        if self.is_poisoned_by(number) {
            self.fail("a call that the software cannot bear");
        }
        if self.has_no_trunk_member(number) {
            // Not a 503: the machine believes itself to be well, and nobody looks for another site.
            return Err(
                Rejection::new(480).with_reason(Reason::q850(34, "No circuit/channel available"))
            );
        }
        // RFC 3261 §16.3 item 3, which RFC 7332 asks of back-to-back user agents too.
        if invite.max_forwards() == Some(0) {
            return Err(Rejection::new(483).with_reason(Reason::q850(25, "Exchange routing error")));
        }
        Ok(())
    }

    /// RFC 3261 §21.5.4. A trunk group that obeys overload control is told in Via what it may send; a Retry-After would
    /// keep all its calls away (RFC 7339 §5.10.2).
    fn too_much(&mut self, invite: &Request) -> Rejection {
        self.counts.shed += 1;
        self.counts.overload += 1;
        let rejection =
            Rejection::new(503).with_reason(Reason::q850(42, "Switching equipment congestion"));
        let mode = self.settings.equipment.processing.overload;
        match mode.gives_feedback() && invite.via().overload_offer().is_some() {
            true => rejection,
            false => rejection.with_retry_after(self.settings.retry_after),
        }
    }

    /// Whether the media of a call passes through here: as its trunk group wants it, which has put its name into its
    /// Record-Route. That of a call from elsewhere does.
    fn is_relayed(&self, invite: &Request, source: SocketAddr) -> bool {
        let groups = &self.topology.trunk_groups;
        let by_route = || {
            let route = invite.record_route()?;
            let name = route.uri().user()?.to_owned();
            groups.iter().find(|group| group.name == name)
        };
        let group = groups.iter().find(|group| group.address == source).or_else(by_route);
        group.is_none_or(|group| group.media == Carriage::Relay)
    }

    /// Offers the call to the next answering point, or refuses it.
    fn try_next(&mut self, now: Instant, id: CallId) {
        let topology = std::sync::Arc::clone(&self.topology);
        let Some(call) = self.call_mut(id) else { return };
        let Some(psap) = call.itinerary.next(&topology) else {
            self.refuse(now, id);
            return;
        };
        call.record.psap = Some(psap.name.clone());
        call.record.tried.push(psap.name.clone());
        let attempt = call.record.attempt.clone();
        let rerouted = call.record.tried.len() > 1;
        let Some(invite) = call.invite.clone() else { return };
        self.turn_media(now, id, psap.address.ip());
        let payload = match self.carry(now, id, Side::A, &invite, false) {
            Ok(payload) => payload,
            Err(obstacle) => return self.refuse_media(now, id, obstacle),
        };
        let invite = b_leg_invite(&invite, psap, attempt, payload);
        let b = self.user_agent.connect(now, invite);
        self.counts.rerouted += u64::from(rerouted);
        self.legs.insert(b, (id, Side::B));
        if let Some(call) = self.call_mut(id) {
            call.b = Some(b);
        }
        let due = now + self.settings.response_timeout;
        self.await_until(now, id, Some(Deadline { due, awaited: Awaited::Response }));
    }

    pub(super) fn progress(&mut self, now: Instant, b: LegId, response: &Response) {
        let Some((id, _)) = self.find(b) else { return };
        let at = self.micros(now);
        let payload = self.carry_back(now, id, Side::B, response);
        let Some(call) = self.call_mut(id) else { return };
        call.record.ring_us.get_or_insert(at);
        let a = call.a;
        self.carry_session_id(b, a);
        self.user_agent.ring(now, a, response.status(), &payload);
    }

    pub(super) fn answered(&mut self, now: Instant, b: LegId, response: &Response) {
        let Some((id, _)) = self.find(b) else { return };
        let at = self.micros(now);
        self.counts.answered += 1;
        let due = now + self.settings.max_call_duration;
        self.await_until(now, id, Some(Deadline { due, awaited: Awaited::End }));
        let payload = self.carry_back(now, id, Side::B, response);
        self.expect_media(now, id);
        let Some(call) = self.call_mut(id) else { return };
        call.record.answer_us = Some(at);
        call.record.status = Some(200);
        call.invite = None;
        let a = call.a;
        self.carry_session_id(b, a);
        self.replicate(now, id);
        self.user_agent.accept(now, a, &payload);
    }

    pub(super) fn failed(&mut self, now: Instant, b: LegId, failure: &Failure) {
        let Some((id, _)) = self.find(b) else { return };
        self.legs.remove(&b);
        let topology = std::sync::Arc::clone(&self.topology);
        let Some(call) = self.call_mut(id) else { return };
        call.b = None;
        call.refusal = refusal_for(failure);
        if let Failure::Response(response) = failure
            && (300..400).contains(&response.status())
        {
            call.itinerary.redirect(&topology, response);
        }
        self.try_next(now, id);
    }

    /// The answering point kept silent, or let it ring for too long: the next one is tried. Should the first one answer after
    /// all, the user agent ends that dialog.
    pub(super) fn give_up_b_leg(&mut self, now: Instant, id: CallId, reason: &Reason) {
        let Some(call) = self.call_mut(id) else { return };
        call.refusal = Rejection::new(480).with_reason(reason.clone());
        if let Some(b) = call.b.take() {
            self.legs.remove(&b);
            self.user_agent.hang_up(now, b, Some(reason));
        }
        self.try_next(now, id);
    }

    /// There is no way for the media of this call.
    fn refuse_media(&mut self, now: Instant, id: CallId, obstacle: Obstacle) {
        let rejection = obstacle.rejection(self.settings.retry_after);
        if let Some(call) = self.call_mut(id) {
            call.refusal = rejection;
        }
        self.refuse(now, id);
    }

    fn refuse(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.remove(now, id) else { return };
        self.user_agent.reject(now, call.a, &call.refusal, &Payload::empty());
        self.record_rejection(now, call.record, &call.refusal);
    }

    /// RFC 7989 §7: the halves of the Session-ID belong to the two ends, so what B says of itself is what A hears.
    fn carry_session_id(&mut self, from: LegId, to: LegId) {
        if let Some(half) = self.user_agent.peer_session_id(from).map(str::to_owned) {
            self.user_agent.set_session_id(to, &half);
        }
    }

    fn open_record(&mut self, now: Instant, invite: &Request) -> CallRecord {
        let attempt = invite.session_id().map(|id| id.local().to_owned());
        // A caller without Session-ID gets one here (RFC 7989 §7).
        let attempt = attempt.unwrap_or_else(|| self.user_agent.uuid().into());
        let at = self.micros(now);
        let record = record::open(BoxKind::CallServer, &self.settings.name, attempt, invite, at);
        CallRecord { site: Some(self.settings.site.clone()), ..record }
    }

    pub(super) fn record_rejection(
        &mut self,
        now: Instant,
        record: CallRecord,
        rejection: &Rejection,
    ) {
        self.counts.rejected += 1;
        self.records.push_back(record::refused(record, rejection, self.wall.micros(now)));
    }
}

/// The B leg's INVITE: the caller's, with all its end-to-end headers and its body, towards `psap`.
fn b_leg_invite(invite: &Request, psap: &Psap, attempt: String, payload: Payload) -> Invite {
    let uri = invite.uri();
    let place = host_port(psap.address);
    // A service URN stays as it is and a Route leads to the answering point (NENA-STA-010 §3.1); a short number is translated
    // to the ten digits of the competent centre.
    let (uri, route) = match uri.service() {
        Some(_) => (uri.as_str().to_owned(), vec![format!("<sip:{place};lr>")]),
        None => (format!("sip:{}@{place}", psap.number), Vec::new()),
    };
    Invite {
        next_hop: psap.address,
        uri,
        from: invite.from_untagged(),
        to: invite.to_untagged(),
        max_forwards: invite.max_forwards().map_or(70, |hops| hops.saturating_sub(1)),
        route,
        session_id: Some(attempt),
        payload,
    }
}

/// What the caller is told when this failure was the last one. A 5xx or 408 of an answering point is not one of this call
/// server, so it must not look like one: the trunk group would try the same answering points over another site.
fn refusal_for(failure: &Failure) -> Rejection {
    match failure {
        Failure::Response(response) => {
            let status = response.status();
            let reason = Reason::of(response).unwrap_or_else(|| {
                Reason::q850(cause_of_status(status), "Answering point refused")
            });
            let status = match status {
                300..=399 | 401 | 407 | 408 | 487 | 500..=599 => 480,
                other => other,
            };
            Rejection::new(status).with_reason(reason)
        }
        Failure::Timeout => {
            Rejection::new(480).with_reason(Reason::q850(102, "Recovery on timer expiry"))
        }
        Failure::Unreachable => {
            Rejection::new(480).with_reason(Reason::q850(27, "Destination out of order"))
        }
    }
}
