//! Requests inside a dialog pass by loose routing (RFC 3261 §16.12); BYE gives the circuit back.

use std::net::SocketAddr;
use std::time::Instant;

use sip_proto::flow::Flow;
use sip_proto::message::{Method, Request, Response, address_of};
use sip_proto::reason::Reason;
use sip_proto::timer::TIMER_C;
use sip_proto::transaction::{ServerId, Target};
use sip_proto::{Rejection, Transport};
use telemetry::Party;

use super::call::{Bearing, Call, CallId, Owner, Side, State};
use super::{TrunkGroup, Wake};

/// re-INVITEs of one call that may be on their way at once. One from each side is usual (glare, RFC 3261
/// §14.1); more must be an attack.
const MOST_CHANGES: usize = 4;

impl TrunkGroup {
    /// True if a request follows our Record-Route, and so is inside a dialog, were its To without a tag.
    pub(super) fn has_recorded(&self, request: &Request) -> bool {
        let route = request.topmost_route();
        let user = route.as_ref().and_then(|route| route.uri().user());
        user == Some(&self.settings.name) && request.is_routed_to(self.address)
    }

    /// A request of an unknown dialog is answered 481: otherwise anybody could send messages anywhere through us.
    pub(super) fn refuse_unknown(&mut self, now: Instant, server: ServerId) {
        self.records.counts.unknown_dialog += 1;
        self.transactions.reject(now, server, &Rejection::new(481));
    }

    /// We have refused a request inside a known dialog. Who sends a BYE has ended the call, whatever the answer
    /// (RFC 3261 §15.1.1).
    pub(super) fn refused_inside(
        &mut self,
        now: Instant,
        request: &Request,
        source: SocketAddr,
        (id, from): (CallId, Side),
    ) {
        let is_heard = from == Side::Caller || self.may_send(id, request, source);
        let at = self.records.micros(now);
        let Some(call) = self.calls.get_mut(id).filter(|_| is_heard) else { return };
        if let Some(dialog) = &mut call.record.dialog {
            dialog.note_request(at, from.described(), request);
            dialog.note(at, "the trunk group refuses it");
        }
        if bearing_of(call, from, request) == Bearing::Ends {
            note_end(call, from, request);
            self.end_across(now, id, from, request);
        }
    }

    /// Forwards a request of `from` inside the dialog of the call `id`.
    pub(super) fn forward_inside(
        &mut self,
        now: Instant,
        server: ServerId,
        request: &Request,
        flow: Flow,
        (id, from): (CallId, Side),
    ) {
        if from == Side::Site && !self.may_send(id, request, flow.source()) {
            return self.refuse_unknown(now, server);
        }
        self.follow(id, from, flow);
        let target = self.target_of(id, from, request);
        let (method, at) = (request.method(), self.records.micros(now));
        let Some(call) = self.calls.get_mut(id) else { return };
        if let Some(dialog) = &mut call.record.dialog {
            dialog.note_request(at, from.described(), request);
        }
        if method == Method::Invite && call.inside.len() >= MOST_CHANGES {
            self.transactions.reject(now, server, &Rejection::new(491));
            return;
        }
        let bearing = bearing_of(call, from, request);
        if bearing == Bearing::Ends {
            note_end(call, from, request);
            if from == Side::Caller {
                self.note_acknowledged(now, id);
            } else {
                // Whatever the caller says to it, the site has ended the call.
                self.release(id, false);
            }
        } else if bearing != Bearing::None {
            self.note_life(now, id, from);
        }
        let (forward, strict) = self.changes(request, flow.source());
        let request = strict.as_ref().unwrap_or(request);
        let owner = Owner::Inside { call: id, server, bearing };
        let client = self.transactions.forward(now, request, &forward, target, owner);
        if method == Method::Invite {
            self.transactions.trying(now, server);
            self.transactions.own(server, owner);
            if let Some(call) = self.calls.get_mut(id) {
                call.inside.push((server, client));
                self.deadlines.set(Wake::Inside(id, server), now + TIMER_C);
            }
        }
    }

    /// Timer C of a re-INVITE: the other side has it, and has sent no final response.
    pub(super) fn inside_overdue(&mut self, now: Instant, id: CallId, server: ServerId) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let pending = call.inside.iter().find(|(have, _)| *have == server).copied();
        if let Some((server, client)) = pending {
            call.inside.retain(|(have, _)| *have != server);
            self.transactions.cancel(now, client, Vec::new());
            self.transactions.limit(now, client);
            self.transactions.reject(now, server, &Rejection::new(408));
        }
    }

    /// The ACK of a 2xx has no transaction of its own (RFC 3261 §16.11).
    pub(super) fn forward_ack(&mut self, now: Instant, ack: &Request, flow: Flow) {
        let source = flow.source();
        if let Some((id, from)) = self.dialog_of(ack, source)
            && ack.max_forwards() != Some(0)
        {
            self.follow(id, from, flow);
            if from == Side::Caller {
                self.note_acknowledged(now, id);
            }
            let at = self.records.micros(now);
            if let Some(dialog) =
                self.calls.get_mut(id).and_then(|call| call.record.dialog.as_mut())
            {
                dialog.note_request(at, from.described(), ack);
            }
            let target = self.target_of(id, from, ack);
            let (forward, strict) = self.changes(ack, source);
            self.transactions.forward_ack(strict.as_ref().unwrap_or(ack), &forward, target);
        }
    }

    pub(super) fn inside_response(
        &mut self,
        now: Instant,
        id: CallId,
        server: ServerId,
        bearing: Bearing,
        response: &Response,
    ) {
        let status = response.status();
        if status == 100 {
            return;
        }
        // Who has lost the call to another member, and is alive after all, may still answer the BYE.
        if (200..300).contains(&status) && bearing != Bearing::Ends {
            self.move_circuit(id);
        }
        if let Some(bytes) = response.without_topmost_via() {
            self.transactions.respond_bytes(now, server, status, bytes);
        }
        if status >= 200 {
            self.note_response(now, id, response);
            self.inside_done(now, id, server, bearing, status);
        }
    }

    /// What an end has answered to the other one stands in the record of a telephone's call. The 200 to a BYE says nothing.
    fn note_response(&mut self, now: Instant, id: CallId, response: &Response) {
        let at = self.records.micros(now);
        let (status, method) = (response.status(), response.cseq().1);
        let is_usual = method == Method::Bye && (200..300).contains(&status);
        let call = self.calls.get_mut(id).filter(|_| !is_usual);
        if let Some(dialog) = call.and_then(|call| call.record.dialog.as_mut()) {
            dialog.note_response(at, "the other side", method.as_str(), status);
        }
    }

    pub(super) fn inside_failed(
        &mut self,
        now: Instant,
        id: CallId,
        server: ServerId,
        bearing: Bearing,
    ) {
        // RFC 3261 §16.9: as if a 408 had come; but not for other requests (RFC 4320 §4.2): their client has timed out too.
        let is_invite = self
            .calls
            .get(id)
            .is_some_and(|call| call.inside.iter().any(|(have, _)| *have == server));
        if is_invite {
            self.transactions.reject(now, server, &Rejection::new(408));
        }
        self.inside_done(now, id, server, bearing, 408);
    }

    fn inside_done(
        &mut self,
        now: Instant,
        id: CallId,
        server: ServerId,
        bearing: Bearing,
        status: u16,
    ) {
        let Some(call) = self.calls.get_mut(id) else { return };
        call.inside.retain(|(have, _)| *have != server);
        self.deadlines.clear(Wake::Inside(id, server));
        match bearing {
            Bearing::Ends => self.bye_done(now, id, status),
            Bearing::Shows(sender) => self.shown_by_response(now, id, sender, status),
            Bearing::None => {}
        }
    }

    /// The call that a request is inside of, and who sent it. Its tags must be those of the call, and what
    /// claims to come from a site must come from one that has had the call. A peer of RFC 2543 has no tag, which
    /// is a tag like any other, the empty one (RFC 3261 §12.1.1, §12.1.2).
    pub(super) fn dialog_of(
        &self,
        request: &Request,
        source: SocketAddr,
    ) -> Option<(CallId, Side)> {
        let (call_id, to_tag) = (request.call_id(), request.to_tag().unwrap_or_default());
        let find = |tag| self.calls.find(call_id, tag);
        let (id, from) = match find(request.from_tag()) {
            Some(id) => (id, self.sender_of(id, request, source)),
            None => (find(to_tag)?, Side::Site),
        };
        let call = self.calls.get(id)?;
        let method = request.method();
        // From the caller without a tag of the callee: the INVITE once more, or a callee without a tag.
        let begins = call.state != State::Answered
            || !call.answered_tag.is_empty()
            || (method == Method::Invite && request.cseq().0 <= call.seq);
        if from == Side::Caller && to_tag.is_empty() && begins {
            return None;
        }
        let known = match call.state {
            // The other answers of a fork are acknowledged and ended by the caller.
            State::Answered => {
                site_tag(request, from) == &*call.answered_tag
                    || matches!(method, Method::Ack | Method::Bye)
            }
            // An early dialog.
            _ => matches!(
                method,
                Method::Bye
                    | Method::Update
                    | Method::Info
                    | Method::Prack
                    | Method::Message
                    | Method::Options
            ),
        };
        let credible = from == Side::Caller
            || self.has_branch_at(call, |at| at.ip() == source.ip())
            || self.may_take_over(call, source);
        (known && credible).then_some((id, from))
    }

    /// Who has sent a request with the caller's tag in From: the caller, unless neither end has a tag.
    fn sender_of(&self, id: CallId, request: &Request, source: SocketAddr) -> Side {
        let is_untagged = request.from_tag().is_empty() && request.to_tag().is_none();
        match self.calls.get(id).filter(|_| is_untagged) {
            Some(call) if self.has_branch_at(call, |at| at == source) => Side::Site,
            _ => Side::Caller,
        }
    }

    /// True if a branch of the call went to an address that `fits`.
    fn has_branch_at(&self, call: &Call, fits: impl Fn(SocketAddr) -> bool) -> bool {
        let mut members = call.branches.iter().filter_map(|(_, index)| self.members.get(*index));
        members.any(|member| fits(member.address))
    }

    /// The address of the member that has taken a call over.
    fn taken_over_by(&self, call: &Call) -> Option<SocketAddr> {
        self.members.get(call.taken_by?).map(|member| member.address)
    }

    /// Requests to the caller go by the way of its last one: a translator may have given it another port, or it has opened
    /// another connection.
    fn follow(&mut self, id: CallId, from: Side, flow: Flow) {
        if let (Side::Caller, Some(call)) = (from, self.calls.get_mut(id)) {
            call.flow.follow(flow);
        }
    }

    /// The next hop. Towards a site it is always a member that has had the call or has taken it over. Towards the caller it is
    /// the route after ours, or else the Request-URI, unless only its own way leads there ([`Flow`]).
    fn target_of(&self, id: CallId, from: Side, request: &Request) -> Target {
        let route = request.route(request.own_routes(&[self.address]));
        let uri = route.map_or_else(|| request.uri(), |route| route.uri());
        let tcp = uri.param("transport").is_some_and(|name| name.eq_ignore_ascii_case("tcp"));
        // Of a URI that asks for TLS or is no SIP URI, only the route matters.
        let is_ours = uri.scheme().eq_ignore_ascii_case("sip");
        let wanted = address_of(&uri).filter(|peer| is_ours && *peer != self.address);
        let call = self.calls.get(id);
        let peer = match (from, call) {
            (Side::Site, Some(call)) if wanted.is_none() => return call.flow.back(),
            (Side::Site, Some(call)) => return call.flow.target(&uri, route.is_none()),
            (Side::Caller, Some(call)) => {
                let member = call.member();
                let member = member.or_else(|| call.branches.last().map(|(_, index)| *index));
                let member = member.and_then(|index| self.members.get(index));
                let successor = self.taken_over_by(call);
                let had_it = |peer: &SocketAddr| {
                    successor == Some(*peer) || self.has_branch_at(call, |at| at == *peer)
                };
                wanted
                    .filter(had_it)
                    .or(successor)
                    .or_else(|| member.map(|member| member.address))
                    .unwrap_or(self.address)
            }
            (_, None) => self.address,
        };
        Target { transport: tcp.then_some(Transport::Tcp), ..Target::to(peer) }
    }
}

/// The tag that the site gave the dialog.
fn site_tag(request: &Request, from: Side) -> &str {
    match from {
        Side::Caller => request.to_tag().unwrap_or_default(),
        Side::Site => request.from_tag(),
    }
}

/// What a request of `from` has to do with the call. The BYE for another branch of a fork is not its end.
fn bearing_of(call: &Call, from: Side, request: &Request) -> Bearing {
    if call.state != State::Answered || site_tag(request, from) != &*call.answered_tag {
        Bearing::None
    } else if request.method() == Method::Bye {
        Bearing::Ends
    } else {
        Bearing::Shows(from)
    }
}

/// Writes into the record who has hung up, and why; the first one counts.
fn note_end(call: &mut Call, from: Side, bye: &Request) {
    if call.record.ended_by.is_some() {
        return;
    }
    let cause = Reason::of(bye).map_or(16, |reason| reason.q850_cause());
    call.record.cause = Some(cause);
    // "Temporary failure" and "Network out of order" are causes of the network, not of an end.
    call.record.ended_by = Some(match from {
        _ if matches!(cause, 38 | 41) => Party::Network,
        Side::Caller => Party::Caller,
        Side::Site => Party::Callee,
    });
}
