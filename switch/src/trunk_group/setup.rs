//! From the caller's INVITE to its final response: one site after the other.
//!
//! What becomes of a call whose site dies stands in `site_down.rs`.

use std::net::SocketAddr;
use std::time::Instant;

use sip_proto::Rejection;
use sip_proto::dialog::Dialog;
use sip_proto::flow::Flow;
use sip_proto::message::{Forward, Request, Response, host_port};
use sip_proto::reason::{Reason, cause_of_status};
use sip_proto::sources::Excess;
use sip_proto::timer::TIMER_C;
use sip_proto::transaction::{ClientId, ServerId, Target};
use telemetry::{CallRecord, DialogRecord};

use super::call::{Call, CallId, Dialogs, Owner, State};
use super::members::Want;
use super::{TrunkGroup, Wake};

impl TrunkGroup {
    pub(super) fn offered(&mut self, now: Instant, server: ServerId, invite: Request, flow: Flow) {
        let record = self.open_record(now, &invite, flow.source());
        let merged = self.calls.find(invite.call_id(), invite.from_tag()).is_some();
        let unusable = invite.refuse_unusable_contact().err();
        if self.draining || merged || unusable.is_some() {
            // RFC 3261 §8.2.2.2: the same call over two paths.
            let merged = merged.then(|| Rejection::new(482));
            let rejection = unusable.or(merged).unwrap_or_else(|| self.busy());
            self.transactions.reject(now, server, &rejection);
            self.records.rejected(now, record, &rejection);
            return;
        }
        if self.calls.len() >= self.most_dialogs {
            self.records.counts.over_dialogs += 1;
            let rejection = Rejection::over_limit("dialogs (sip.dialogs)");
            self.transactions.reject(now, server, &rejection);
            return self.records.rejected(now, record, &rejection);
        }
        let ip = flow.source().ip();
        let limited = match self.sources.admit(now, ip, self.settings.sources.is_peer(ip)) {
            Ok(limited) => limited,
            Err(excess) => return self.refuse_excess(now, server, flow, record, excess),
        };
        // Until a site answers, only we can stop the caller's retransmissions.
        self.transactions.trying(now, server);
        let call = Call {
            caller_tag: invite.from_tag().into(),
            server,
            seq: invite.cseq().0,
            flow,
            invite: Some(invite),
            circuit: None,
            client: None,
            branches: Vec::new(),
            state: State::Trying,
            answered_tag: "".into(),
            dialogs: None,
            heard_at: now,
            sent_at: now,
            origin_state: None,
            counts_at: limited.then(|| flow.source().ip()),
            silent: None,
            taken_by: None,
            taken_seq: 0,
            is_orphan: false,
            inside: Vec::new(),
            record,
        };
        let id = self.calls.insert(call);
        self.transactions.own(server, Owner::Setup(id));
        self.try_next(now, id, None);
    }

    /// Notes what happens to a call inside.
    pub(super) fn note(&mut self, id: CallId, text: impl FnOnce() -> String) {
        if let Some(call) = self.calls.get_mut(id) {
            self.notes.note(&call.record.call_id, text);
        }
    }

    /// A new call has arrived.
    fn open_record(&mut self, now: Instant, invite: &Request, source: SocketAddr) -> CallRecord {
        self.records.counts.offered += 1;
        let attempt = invite.session_id().map(|id| id.local().to_owned());
        let attempt = attempt.unwrap_or_else(|| self.transactions.ids().uuid().into());
        let record = self.records.open(now, attempt, invite);
        CallRecord { dialog: DialogRecord::of(invite, source), ..record }
    }

    /// A new call was refused: too many transactions are alive.
    pub(super) fn found_no_room(
        &mut self,
        now: Instant,
        invite: &Request,
        source: SocketAddr,
        rejection: &Rejection,
    ) {
        let record = self.open_record(now, invite, source);
        self.records.rejected(now, record, rejection);
    }

    /// Its source has too many unfinished calls.
    fn refuse_excess(
        &mut self,
        now: Instant,
        server: ServerId,
        flow: Flow,
        record: CallRecord,
        excess: Excess,
    ) {
        if excess.is_new {
            let (trunk_group, ip) = (&self.settings.name, flow.source().ip());
            tracing::warn!(trunk_group, %ip, "a source has too many unfinished calls");
        }
        let rejection = excess.rejection();
        self.records.counts.limited += 1;
        self.transactions.reject(now, server, &rejection);
        self.records.rejected(now, record, &rejection);
    }

    /// Offers the call to the next site; if none is left, refuses it with `last`, or for want of a circuit.
    pub(super) fn try_next(&mut self, now: Instant, id: CallId, last: Option<Rejection>) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let index = match self.members.choose(now, call) {
            Ok(index) => index,
            Err(want) => {
                let rejection = last.unwrap_or_else(|| self.refusal_for(want));
                let why = match want {
                    Want::HeldBack => "has no other site for it: overload control holds it back",
                    Want::Site => "has no other site for it",
                };
                self.note(id, || why.to_owned());
                self.refuse(now, id, &rejection);
                return;
            }
        };
        let Some(member) = self.members.get_mut(index) else { return };
        member.counts.offered += 1;
        self.records.counts.rerouted += u64::from(!call.branches.is_empty());
        call.move_to(index, member);
        let (name, circuits) = (&member.name, &member.circuits);
        self.notes.note(&call.record.call_id, || {
            let (seized, limit) = (circuits.seized(), circuits.limit());
            format!("seizes a circuit towards {name} ({seized} of {limit})")
        });
        call.state = State::Trying;
        (call.sent_at, call.origin_state) = (now, None);
        let peer = member.address;
        let Some(invite) = &call.invite else { return };
        // RFC 7989 §7: an intermediary may give a call its Session-ID, so that it has one name in all records.
        let session = match invite.session_id() {
            Some(_) => String::new(),
            None => format!("Session-ID: {}\r\n", call.record.attempt),
        };
        let uri = invite.uri();
        let place = host_port(peer);
        // The pool is responsible for a short number, so its host may be set (RFC 3261 §16.5); a service URN stays as it is.
        let (uri, route) = match uri.user().filter(|_| uri.is_sip()) {
            Some(user) => (Some(format!("sip:{user}@{place}")), None),
            None => (None, Some(format!("<sip:{place};lr>"))),
        };
        let forward = Forward {
            source: call.flow.source(),
            uri: uri.as_deref(),
            record_route: Some(self.record_routes.towards(call.flow.transport())),
            pop_routes: invite.own_routes(&[self.address]),
            push_route: route.as_deref(),
            lines: session.as_bytes(),
            without: &[],
        };
        let client =
            self.transactions.forward(now, invite, &forward, Target::to(peer), Owner::Setup(id));
        call.client = Some(client);
        call.branches.reserve_exact(1);
        call.branches.push((client, index));
        self.wake_call_at(id, now + self.settings.next_site_after);
    }

    /// Why no site could be offered the call: held back (Q.850 42), circuits all seized (34), or no site in a state to take
    /// it.
    fn refusal_for(&self, want: Want) -> Rejection {
        if want == Want::HeldBack {
            // No Retry-After: it would keep more calls away than the sites have asked for.
            let congestion = Reason::q850(42, "Switching equipment congestion");
            return Rejection::new(503).with_reason(congestion);
        }
        self.busy().with_reason(if self.members.is_any_full() {
            Reason::q850(34, "No circuit/channel available")
        } else {
            Reason::q850(41, "Temporary failure")
        })
    }

    pub(super) fn setup_response(
        &mut self,
        now: Instant,
        id: CallId,
        client: ClientId,
        response: &Response,
    ) {
        let at = self.records.micros(now);
        self.note_branch_state(now, id, client, response);
        let Some(call) = self.calls.get_mut(id) else {
            if (200..300).contains(&response.status()) {
                // For the caller the call is over.
                self.transactions.end_answer(now, client, response, Owner::Nobody);
            }
            return;
        };
        let current = call.client == Some(client) && call.state != State::Answered;
        let index = call.member();
        if let Some(index) = index.filter(|_| current) {
            self.members.update_watch(now, index, |watch| watch.call_answered(now));
        }
        match response.status() {
            status @ 100..=199 if current => self.proceeding(now, id, status, response, at),
            200..=299 => self.answered(now, id, client, response, at),
            status @ 300.. if current => self.refused(now, id, status, response),
            // It comes from a site that was given up: CANCEL is on its way.
            _ => {}
        }
    }

    fn proceeding(&mut self, now: Instant, id: CallId, status: u16, response: &Response, at: u64) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let first = call.state == State::Trying;
        if first {
            call.state = State::Proceeding;
        }
        if status == 100 {
            // RFC 3261 §16.7 item 2: only 101 to 199 start Timer C again.
            if first {
                self.wake_call_at(id, now + TIMER_C);
            }
            return;
        }
        call.record.ring_us.get_or_insert(at);
        if let Some(dialog) = &mut call.record.dialog {
            dialog.note_answer(response);
        }
        let server = call.server;
        self.wake_call_at(id, now + TIMER_C);
        if let Some(bytes) = response.without_topmost_via() {
            self.transactions.respond_bytes(now, server, status, bytes);
        }
    }

    /// All 2xx go to the caller, who ends those that it does not want (RFC 3261 §16.7 item 5). The first one
    /// is the call, even if it comes from a site that was given up.
    fn answered(
        &mut self,
        now: Instant,
        id: CallId,
        client: ClientId,
        response: &Response,
        at: u64,
    ) {
        let status = response.status();
        // A call server with the same limit must be able to end the call first.
        let limit = now + self.settings.max_call_duration + self.transactions.timers().give_up();
        let Some(call) = self.calls.get_mut(id) else { return };
        let server = call.server;
        let first = call.state != State::Answered;
        if first {
            self.choose_branch(now, id, client);
            let Some(call) = self.calls.get_mut(id) else { return };
            call.state = State::Answered;
            call.answered_tag = response.to_tag().unwrap_or_default().into();
            let index = call.member();
            let member = index.and_then(|index| self.members.get(index));
            let peer = member.map_or(self.address, |member| member.address);
            let sent_by = self.transactions.sent_by();
            call.dialogs = call.invite.take().map(|invite| {
                let tag = &call.answered_tag;
                Box::new(Dialogs {
                    towards_caller: Dialog::in_place_of_callee(&invite, tag, call.flow),
                    towards_site: Dialog::in_place_of_caller(response, peer, sent_by),
                })
            });
            call.record.answer_us = Some(at);
            call.record.status = Some(status);
            if let Some(dialog) = &mut call.record.dialog {
                dialog.note_answer(response);
            }
            self.records.counts.answered += 1;
            if let Some(member) = index.and_then(|index| self.members.get_mut(index)) {
                member.counts.answered += 1;
            }
            self.wake_call_at(id, limit);
            self.begin_audits(now, id);
            if self.calls.get(id).is_some_and(|call| call.counts_at.is_some()) {
                self.deadlines.set(Wake::Ack(id), now + self.transactions.timers().t2);
            }
        }
        if let Some(bytes) = response.without_topmost_via() {
            self.transactions.respond_bytes(now, server, status, bytes);
        }
    }

    /// The branch of `client` was answered: the other one is cancelled (RFC 3261 §16.7 item 10), and the circuit is
    /// the one towards the site that answered.
    fn choose_branch(&mut self, now: Instant, id: CallId, client: ClientId) {
        let Some(call) = self.calls.get_mut(id).filter(|call| call.client != Some(client)) else {
            return;
        };
        let answering = call.branches.iter().find(|(branch, _)| *branch == client);
        let Some(index) = answering.map(|(_, index)| *index) else { return };
        if let Some(other) = call.client.replace(client) {
            // RFC 3326 §2: so that no missed call is shown there.
            let elsewhere = format!("Reason: {}\r\n", Reason::sip(200));
            self.transactions.cancel(now, other, elsewhere.into_bytes());
        }
        self.release(id, true);
        let Some(member) = self.members.get_mut(index) else { return };
        let Some(call) = self.calls.get_mut(id) else { return };
        call.move_to(index, member);
    }

    fn refused(&mut self, now: Instant, id: CallId, status: u16, response: &Response) {
        let (retry_after, at) = (response.retry_after(), self.records.micros(now));
        let Some(call) = self.calls.get_mut(id) else { return };
        if let (Some(dialog), Some(site)) = (&mut call.record.dialog, &call.record.site) {
            dialog.note_response(at, &format!("site {site}"), "the call", status);
        }
        let cancelled = call.is_cancelled();
        let index = call.member();
        self.release(id, true);
        if let (503, Some(after)) = (status, retry_after)
            && let Some(member) = index.and_then(|index| self.members.get_mut(index))
        {
            member.pause_until_retry(now, after);
        }
        // 408 and 5xx are about the site, not about the called number: another site may answer otherwise.
        let next = matches!(status, 408 | 500 | 502..=504) && !cancelled;
        if next {
            self.note(id, || format!("tries another site after {status}"));
            self.try_next(now, id, Some(self.relayed_refusal(status, response)));
            return;
        }
        let Some(call) = self.remove(now, id) else { return };
        if let Some(bytes) = response.without_topmost_via() {
            self.transactions.respond_bytes(now, call.server, status, bytes);
        }
        let reason = Reason::of(response);
        self.record_unanswered(now, call, status, reason.as_ref());
    }

    /// RFC 3261 §16.7 item 6: a 503 is about one site, so the caller gets a refusal of the whole pool instead.
    fn relayed_refusal(&self, status: u16, response: &Response) -> Rejection {
        let reason = Reason::of(response)
            .unwrap_or_else(|| Reason::q850(cause_of_status(status), "All sites refused"));
        self.busy().with_reason(reason)
    }

    /// The site said nothing for `next_site_after`, or Timer C ran out, or the answered call is over its limit.
    pub(super) fn overdue(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get(id) else { return };
        let (state, client) = (call.state, call.client);
        match state {
            State::Trying => self.site_is_silent(now, id),
            State::Proceeding => {
                if let Some(client) = client {
                    self.transactions.cancel(now, client, Vec::new());
                }
            }
            State::Cancelled => self.end_cancelled(now, id),
            State::Answered => {
                let why = "no BYE came within max_call_duration";
                self.end_both(now, id, Reason::q850(102, "Recovery on timer expiry"), why);
            }
        }
    }

    pub(super) fn setup_failed(&mut self, now: Instant, id: CallId, client: ClientId) {
        let Some(call) = self.calls.get_mut(id) else { return };
        if call.client != Some(client) || call.state == State::Answered {
            return;
        }
        if call.is_cancelled() {
            self.end_cancelled(now, id);
        } else {
            self.site_is_silent(now, id);
        }
    }

    /// The caller sent CANCEL; the CANCEL itself has been answered.
    pub(super) fn cancelled(
        &mut self,
        now: Instant,
        owner: Owner,
        invite: ServerId,
        reason: Vec<u8>,
    ) {
        match owner {
            Owner::Setup(id) => {
                // A site that answers no CANCEL within this time is dead, whatever it said before.
                let limit = now + self.settings.next_site_after;
                let at = self.records.micros(now);
                let Some(call) = self.calls.get_mut(id) else { return };
                call.state = State::Cancelled;
                if let Some(dialog) = &mut call.record.dialog {
                    dialog.note(at, "the caller sends CANCEL");
                }
                if let Some(client) = call.client {
                    self.transactions.cancel(now, client, reason);
                }
                self.wake_call_at(id, limit);
            }
            Owner::Inside { call, .. } => {
                let inside =
                    self.calls.get_mut(call).map(|call| call.inside.clone()).unwrap_or_default();
                if let Some((_, client)) = inside.into_iter().find(|(server, _)| *server == invite)
                {
                    self.transactions.cancel(now, client, reason);
                }
            }
            Owner::Audit(..) | Owner::Nobody | Owner::Probe(_) => {}
        }
    }

    /// No final response came after the CANCEL: the caller gets its 487 from us.
    fn end_cancelled(&mut self, now: Instant, id: CallId) {
        self.release(id, true);
        let Some(mut call) = self.remove(now, id) else { return };
        self.transactions.reject(now, call.server, &Rejection::new(487));
        // Whatever the site does with the call now, it has not said.
        call.record.reason = Some("the site sent no final response to the CANCEL".to_owned());
        self.record_unanswered(now, call, 487, None);
    }

    pub(super) fn refuse(&mut self, now: Instant, id: CallId, rejection: &Rejection) {
        let Some(call) = self.remove(now, id) else { return };
        self.transactions.reject(now, call.server, rejection);
        self.records.rejected(now, call.record, rejection);
    }

    fn record_unanswered(
        &mut self,
        now: Instant,
        call: Call,
        status: u16,
        reason: Option<&Reason>,
    ) {
        if call.is_cancelled() {
            self.records.abandoned(now, call.record, status, reason);
        } else {
            self.records.refused(now, call.record, status, reason);
        }
    }
}
