//! From the caller's INVITE to the answer: routing, one answering point after the other.

use std::net::SocketAddr;
use std::time::Instant;

use sip_proto::Rejection;
use sip_proto::flow::Sender;
use sip_proto::message::{Payload, Request, Response, host_port};
use sip_proto::reason::{Reason, cause_of_status};
use sip_proto::user_agent::{Failure, Invite, LegId};
use telemetry::CallRecord;
use topology::{Carriage, Psap};

use super::CallControl;
use super::call::{Awaited, Call, Setup};
use super::calls::CallId;
use super::dialog_notes;
use super::ending::{incompatible, media_failure};
use super::leg_end::LegEnd;
use super::media_relay::{MediaRelay, Obstacle};
use super::route_list::RouteList;
use super::side::Side;
use crate::latent_defects;

impl CallControl {
    pub(super) fn offered(&mut self, now: Instant, a: LegId, invite: Request, source: SocketAddr) {
        let (record, link) = self.open_record(now, &invite, source);
        let admitted = self
            .admit(now, &invite, link, &record.number)
            .and_then(|()| RouteList::find(&self.topology, &invite))
            .and_then(|route_list| Ok((route_list, self.admit_source(now, source.ip())?)));
        match admitted {
            Ok((route_list, counts_at)) => {
                if !self.starved && !self.memory.take() {
                    self.starve();
                }
                let forgotten = latent_defects::leaves_unanswered(&self.disk, &record.number);
                let unanswered = self.starved || forgotten;
                if self.starved {
                    self.notes.note(&record.call_id, || "has no memory for it, and lets it wait");
                } else if forgotten {
                    let text = "takes it in and forgets it (defect silent-lock)";
                    self.notes.note(&record.call_id, || text);
                }
                let relayed = self.is_relayed(&invite, source);
                let offer = self.media.offer_in(Side::A, &invite);
                let id = self.insert(Call {
                    setup: Some(Box::new(Setup::new(invite.clone(), route_list))),
                    counts_at,
                    offer,
                    relay: relayed
                        .then(|| MediaRelay::new(source.ip(), Sender::of(&invite, source))),
                    ..Call::new(a, link, record)
                });
                self.neighbours.report_load(&mut self.user_agent, now, self.calls.len());
                if !unanswered {
                    self.try_next(now, id);
                }
            }
            Err(rejection) => {
                let overload = if self.overloaded { "its processor is overloaded: " } else { "" };
                self.notes.note(&record.call_id, || {
                    format!("{overload}refuses it: {}", rejection.in_words())
                });
                self.user_agent.reject(now, a, &rejection, &Payload::empty());
                self.records.rejected(now, record, &rejection);
            }
        }
    }

    /// A new call has arrived, by this link to a trunk group or from elsewhere.
    fn open_record(
        &mut self,
        now: Instant,
        invite: &Request,
        source: SocketAddr,
    ) -> (CallRecord, Option<usize>) {
        self.records.counts.offered += 1;
        let attempt = invite.session_id().map(|id| id.local().to_owned());
        // A caller without Session-ID gets one here (RFC 7989 §7).
        let attempt = attempt.unwrap_or_else(|| self.user_agent.uuid().into());
        let mut record = self.records.open(now, attempt, invite);
        let group = invite.record_route().and_then(|route| Some(route.uri().user()?.to_owned()));
        let link = self.disk.links.of_call(source, group.as_deref());
        if link.is_none() {
            record.dialog = dialog_notes::begin(invite, source);
        }
        (record, link)
    }

    /// A new call was refused: too many transactions are alive.
    pub(super) fn found_no_room(
        &mut self,
        now: Instant,
        invite: &Request,
        source: SocketAddr,
        rejection: &Rejection,
    ) {
        let (record, _) = self.open_record(now, invite, source);
        self.records.rejected(now, record, rejection);
    }

    /// Whether the media of a call passes through here. The settings of its trunk group say so, which is known by the source
    /// or by the name in Record-Route. Media of a call from elsewhere does pass.
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
        let Some(call) = self.calls.get_mut(id) else { return };
        let Some(setup) = &mut call.setup else { return };
        let Some(psap) = setup.route_list.next(&self.topology) else {
            return self.refuse(now, id);
        };
        let invite = setup.invite.clone();
        self.records.towards.offered(&self.topology, psap);
        call.record.psap = Some(psap.name.clone());
        call.record.note_tried(&psap.name);
        let record = &call.record;
        self.notes.note(&record.call_id, || format!("routes {} to {}", record.number, psap.name));
        let attempt = call.record.attempt.clone();
        let rerouted = call.record.tried.len() > 1;
        call.has_early_answer = false;
        self.media.begin_attempt(now, call, psap.address.ip());
        let payload = match self.media.translate(now, call, Side::A, &invite, false) {
            Ok(payload) => payload,
            Err(obstacle) => return self.refuse_media(now, id, obstacle),
        };
        let invite = b_leg_invite(&invite, psap, attempt, payload);
        // Media that passes by is sent for the caller's ACK, and not for one of ours that comes before it.
        let awaits_caller = call.relay.is_none();
        let b = match awaits_caller {
            true => self.user_agent.connect_owing_ack(now, invite),
            false => self.user_agent.connect(now, invite),
        };
        let call_id = self.user_agent.calling_id(b).unwrap_or_default().to_owned();
        call.record.note_leg(call_id, self.records.micros(now));
        self.records.counts.rerouted += u64::from(rerouted);
        self.calls.set_b_leg(id, b);
        let due = now + self.settings.response_timeout;
        self.calls.await_until(id, Awaited::Response, due);
    }

    pub(super) fn progress(&mut self, now: Instant, b: LegId, response: &Response) {
        let Some((id, _)) = self.calls.find(b) else { return };
        let Some(call) = self.calls.get_mut(id) else { return };
        let at = self.records.micros(now);
        let answers = response.has_body() && call.offer.is_some();
        call.has_early_answer |=
            answers && self.media.check_answer(call, Side::B, response).is_ok();
        let payload = self.media.translate_response(now, call, Side::B, response);
        call.record.ring_us.get_or_insert(at);
        let a = call.a;
        self.carry_session_id(b, a);
        self.user_agent.ring(now, a, response.status(), &payload);
    }

    pub(super) fn answered(&mut self, now: Instant, b: LegId, response: &Response) {
        let Some((id, _)) = self.calls.find(b) else { return };
        let Some(call) = self.calls.get_mut(id) else { return };
        if let Err(error) = self.media.check_answer(call, Side::B, response) {
            let why = media_failure(&error);
            let refusal = Rejection::new(488).with_reason(incompatible()).with_warning(why);
            return self.give_up_b_leg(now, id, refusal);
        }
        // Without an offer of the caller, the answering point has made one, which the ACK answers.
        call.offer = match call.offer.take() {
            None => self.media.offer_in(Side::B, response),
            Some(_) => None,
        };
        self.records.counts.answered += 1;
        let due = now + self.settings.max_call_duration;
        self.calls.await_until(id, Awaited::End, due);
        let Some(call) = self.calls.get_mut(id) else { return };
        let payload = self.media.translate_response(now, call, Side::B, response);
        self.media.answered(now, call);
        self.records.towards.answered(&self.topology, call.record.psap.as_deref());
        call.record.answer_us = Some(self.records.micros(now));
        call.record.status = Some(200);
        if let Some(leg) = call.record.legs.last_mut() {
            leg.status = Some(response.status());
        }
        call.setup = None;
        let a = call.a;
        self.carry_session_id(b, a);
        self.replicate(now, id);
        self.user_agent.accept(now, a, &payload);
    }

    pub(super) fn failed(&mut self, now: Instant, b: LegId, failure: &Failure) {
        let end = LegEnd::of_failure(failure, self.records.micros(now));
        let Some((id, _)) = self.calls.find(b) else { return self.leg_over(b, end) };
        self.note_leg_end(id, end);
        self.calls.take_b_leg(id);
        let Some(call) = self.calls.get_mut(id) else { return };
        if let Some(setup) = &mut call.setup {
            setup.refusal = refusal_for(failure);
            setup.told = told_with(failure, setup.refusal.status);
            if let Failure::Response(response) = failure
                && (300..400).contains(&response.status())
            {
                setup.route_list.redirect(&self.topology, response);
            }
        }
        self.try_next(now, id);
    }

    /// The answering point has not answered in time, or not as it must: the next one is tried, and `refusal` is for the
    /// caller if there is none. If the first one answers after all, the user agent ends that dialog.
    pub(super) fn give_up_b_leg(&mut self, now: Instant, id: CallId, refusal: Rejection) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let reason = refusal.reason.clone();
        let psap = call.record.psap.as_deref().unwrap_or("the answering point");
        self.notes.note(&call.record.call_id, || format!("gives up {psap}: {}", refusal.status));
        if let Some(setup) = &mut call.setup {
            (setup.refusal, setup.told) = (refusal, Payload::empty());
        }
        let last = call.record.legs.len().saturating_sub(1);
        if let Some(b) = self.calls.take_b_leg(id) {
            self.calls.await_end(b, id, last);
            self.user_agent.hang_up(now, b, reason.as_ref());
        }
        self.try_next(now, id);
    }

    /// The media of this call cannot pass.
    fn refuse_media(&mut self, now: Instant, id: CallId, obstacle: Obstacle) {
        let rejection = obstacle.rejection(self.settings.retry_after);
        let setup = self.calls.get_mut(id).and_then(|call| call.setup.as_mut());
        if let Some(setup) = setup {
            (setup.refusal, setup.told) = (rejection, Payload::empty());
        }
        self.refuse(now, id);
    }

    fn refuse(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.remove(now, id) else { return };
        let Some(setup) = call.setup else { return };
        self.user_agent.reject(now, call.a, &setup.refusal, &setup.told);
        self.records.rejected(now, call.record, &setup.refusal);
    }

    /// RFC 7989 §7: each end has its half of the Session-ID, so B's half is passed on to A.
    fn carry_session_id(&mut self, from: LegId, to: LegId) {
        if let Some(half) = self.user_agent.peer_session_id(from).map(str::to_owned) {
            self.user_agent.set_session_id(to, &half);
        }
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

/// The refusal that the caller gets when this failure was the last one. A 5xx or 408 of an answering point is changed:
/// the trunk group would take it for one of this call server, and try the same answering points over another site.
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
            let warning = response.warning().map(str::to_owned);
            Rejection { warning, ..Rejection::new(status).with_reason(reason) }
        }
        Failure::Timeout => {
            Rejection::new(480).with_reason(Reason::q850(102, "Recovery on timer expiry"))
        }
        Failure::Unreachable => {
            Rejection::new(480).with_reason(Reason::q850(27, "Destination out of order"))
        }
    }
}

/// What else the caller is told with that refusal: all that the answering point has said, or, if the status is another one,
/// why and until when.
fn told_with(failure: &Failure, status: u16) -> Payload {
    match failure {
        Failure::Response(response) if response.status() == status => Payload::relay(response),
        Failure::Response(response) => Payload::relay(response).only(&["Warning", "Retry-After"]),
        Failure::Timeout | Failure::Unreachable => Payload::empty(),
    }
}
