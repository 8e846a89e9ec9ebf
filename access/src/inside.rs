//! Requests inside a dialog: the last of our own Route values says where they go, the flow of a telephone or the network.

use std::time::Instant;

use sip_proto::message::{Forward, Method, Request, address_of};
use sip_proto::transaction::{Failure, ServerId, Target};
use sip_proto::{Rejection, Transport};

use crate::bindings::PhoneFlow;
use crate::fork::refusal_of;
use crate::{AccessNode, Owner, secured};

/// Where a request inside a dialog goes.
#[derive(Debug, Clone, Copy)]
struct Next {
    target: Target,
    /// It is a telephone.
    flow: Option<PhoneFlow>,
}

impl AccessNode {
    pub(crate) fn inside(
        &mut self,
        now: Instant,
        id: ServerId,
        request: &Request,
        from: PhoneFlow,
    ) {
        let next = match self.next(request) {
            Ok(next) => next,
            Err(rejection) => return self.transactions.reject(now, id, &rejection),
        };
        if let Err(rejection) = self.inspect_next(request, &next) {
            return self.transactions.reject(now, id, &rejection);
        }
        let forward = self.forward_inside(request, from);
        if request.method() == Method::Invite {
            let fork = self.open_fork(now, id, request, from);
            let owner = Owner::Fork(fork);
            let client = self.transactions.forward(now, request, &forward, next.target, owner);
            self.add_branch(fork, client, next.flow);
        } else {
            let owner = Owner::Forwarded(id, next.flow);
            self.transactions.forward(now, request, &forward, next.target, owner);
        }
    }

    /// The ACK of a 2xx has no transaction (RFC 3261 §16.11), and nobody answers it.
    pub(crate) fn forward_ack(&mut self, ack: &Request, from: PhoneFlow) {
        if ack.max_forwards() == Some(0) {
            return;
        }
        if let Ok(next) = self.next(ack)
            && self.inspect_next(ack, &next).is_ok()
        {
            let forward = self.forward_inside(ack, from);
            self.transactions.forward_ack(ack, &forward, next.target);
        }
    }

    /// RFC 4320 §4.2: who has waited in vain is told nothing, as its own timer is over too.
    pub(crate) fn forwarded_failed(
        &mut self,
        now: Instant,
        server: ServerId,
        flow: Option<PhoneFlow>,
        failure: Failure,
    ) {
        if failure == Failure::Unreachable {
            if let Some(flow) = flow {
                self.lose_flow(flow);
            }
            self.transactions.reject(now, server, &refusal_of(failure, flow.is_some()));
        }
    }

    fn forward_inside(&self, request: &Request, from: PhoneFlow) -> Forward<'static> {
        Forward {
            source: from.peer,
            uri: None,
            record_route: None,
            pop_routes: request.own_routes(self.names.addresses()),
            push_route: None,
            lines: b"",
            without: &[],
        }
    }

    /// What is `sips:` goes to a telephone over TLS, or not at all.
    fn inspect_next(&mut self, request: &Request, next: &Next) -> Result<(), Rejection> {
        match next.flow {
            _ if !secured::is_sips(request) => Ok(()),
            Some(flow) if flow.transport.is_secured() => Ok(()),
            _ => Err(self.sips_not_allowed("the next hop is not secured")),
        }
    }

    fn next(&self, request: &Request) -> Result<Next, Rejection> {
        let ours = request.own_routes(self.names.addresses());
        let last = ours.checked_sub(1).and_then(|last| request.route(last));
        let Some(last) = last else { return Err(Rejection::new(481)) };
        let last = last.uri();
        let user = last.user().unwrap_or_default();
        if let Some(flow) = self.tokens.read(user) {
            return Ok(Next { target: flow.target(), flow: Some(flow) });
        }
        if user != self.settings.name {
            return Err(Rejection::new(403).with_warning("this Route was not made here".to_owned()));
        }
        let route = request.route(ours);
        let uri = route.map_or_else(|| request.uri(), |route| route.uri());
        let tcp = uri.param("transport").is_some_and(|name| name.eq_ignore_ascii_case("tcp"));
        match address_of(&uri).filter(|peer| self.core.contains(&peer.ip())) {
            Some(peer) => {
                let transport = tcp.then_some(Transport::Tcp);
                Ok(Next { target: Target { transport, ..Target::to(peer) }, flow: None })
            }
            // Otherwise anybody could send messages anywhere through us.
            None => Err(Rejection::new(403)
                .with_warning("the next hop is no box of this network".to_owned())),
        }
    }
}
