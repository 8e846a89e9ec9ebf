//! Requests inside a dialog pass by loose routing (RFC 3261 §16.12); BYE gives the circuit back.

use std::net::SocketAddr;
use std::time::Instant;

use sip_proto::message::{Forward, Method, Request, Response, address_of};
use sip_proto::transaction::{ServerId, Target};
use sip_proto::{Rejection, Transport};
use telemetry::{CallRecord, Outcome, Party};

use super::TrunkGroup;
use super::call::{CallId, Owner, key};

/// Who sent a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    Caller,
    Site,
}

impl TrunkGroup {
    /// Forwards a request of a known dialog. An unknown one is answered 481: else we would carry anybody's messages anywhere.
    pub(super) fn forward_inside(
        &mut self,
        now: Instant,
        server: ServerId,
        request: &Request,
        source: SocketAddr,
    ) {
        let Some((id, from)) = self.dialog_of(request) else {
            self.counts.unknown_dialog += 1;
            self.transactions.reject(now, server, &Rejection::new(481));
            return;
        };
        let target = self.target_of(id, from, request);
        let method = request.method();
        let remote = if from == From::Caller { request.to_tag() } else { Some(request.from_tag()) };
        let Some(call) = self.call_mut(id) else { return };
        // The BYE for another branch of a fork is not the end of this call.
        let ends = method == Method::Bye && remote == Some(&*call.answered_tag);
        if ends {
            call.record.ended_by =
                Some(if from == From::Caller { Party::Caller } else { Party::Callee });
        }
        let forward = self.changes(request, source);
        let owner = Owner::Inside { call: id, server, ends };
        let client = self.transactions.forward(now, request, &forward, target, owner);
        if method == Method::Invite {
            self.transactions.trying(now, server);
            self.transactions.own(server, owner);
            if let Some(call) = self.call_mut(id) {
                call.inside.push((server, client));
            }
        }
    }

    /// The ACK of a 2xx has no transaction of its own (RFC 3261 §16.11).
    pub(super) fn forward_ack(&mut self, ack: &Request, source: SocketAddr) {
        if let Some((id, from)) = self.dialog_of(ack)
            && ack.max_forwards() != Some(0)
        {
            let target = self.target_of(id, from, ack);
            let forward = self.changes(ack, source);
            self.transactions.forward_ack(ack, &forward, target);
        }
    }

    pub(super) fn inside_response(
        &mut self,
        now: Instant,
        id: CallId,
        server: ServerId,
        ends: bool,
        response: &Response,
    ) {
        let status = response.status();
        if status == 100 {
            return;
        }
        if let Some(bytes) = response.without_topmost_via() {
            self.transactions.respond_bytes(now, server, status, bytes);
        }
        if status >= 200 {
            self.inside_done(now, id, server, ends);
        }
    }

    pub(super) fn inside_failed(&mut self, now: Instant, id: CallId, server: ServerId, ends: bool) {
        // RFC 3261 §16.9: as if a 408 had come; RFC 4320 §4.2 keeps it from non-INVITE, whose client has timed out too.
        let is_invite = self
            .call_mut(id)
            .is_some_and(|call| call.inside.iter().any(|(have, _)| *have == server));
        if is_invite {
            self.transactions.reject(now, server, &Rejection::new(408));
        }
        self.inside_done(now, id, server, ends);
    }

    fn inside_done(&mut self, now: Instant, id: CallId, server: ServerId, ends: bool) {
        let Some(call) = self.call_mut(id) else { return };
        call.inside.retain(|(have, _)| *have != server);
        if ends {
            self.release(id, false);
            let Some(call) = self.remove(id) else { return };
            self.records.push_back(CallRecord {
                end_us: self.micros(now),
                outcome: Outcome::Answered,
                cause: Some(16),
                ..call.record
            });
        }
    }

    fn dialog_of(&self, request: &Request) -> Option<(CallId, From)> {
        let to_tag = request.to_tag()?;
        let call_id = request.call_id();
        let find = |tag| self.by_key.get(key(call_id, tag).as_str()).copied();
        let found = find(request.from_tag()).map(|id| (id, From::Caller));
        found.or_else(|| find(to_tag).map(|id| (id, From::Site)))
    }

    /// The next hop: the route after ours, or else the Request-URI; and if that is a name, where the other side is known to be.
    fn target_of(&self, id: CallId, from: From, request: &Request) -> Target {
        let ours = request.is_routed_to(self.address);
        let route = if ours { request.second_route() } else { request.topmost_route() };
        let uri = route.map_or_else(|| request.uri(), |route| route.uri());
        let tcp = uri.param("transport").is_some_and(|name| name.eq_ignore_ascii_case("tcp"));
        let known = self.calls.get(id.slot).map(|call| match from {
            From::Site => call.source,
            From::Caller => {
                let member = call.circuit.as_ref().and_then(|(index, _)| self.members.get(*index));
                member.map_or(call.source, |member| member.address)
            }
        });
        let peer = address_of(&uri).filter(|peer| *peer != self.address).or(known);
        Target { peer: peer.unwrap_or(self.address), transport: tcp.then_some(Transport::Tcp) }
    }

    fn changes(&self, request: &Request, source: SocketAddr) -> Forward<'static> {
        Forward {
            source,
            uri: None,
            record_route: None,
            pop_route: request.is_routed_to(self.address),
            push_route: None,
            lines: b"",
        }
    }
}
