//! INVITEs on their way: to the trunk group, or to all telephones of a user, of which one answers (RFC 3261 §16.6, §16.7).

use std::time::Instant;

use sip_proto::Rejection;
use sip_proto::message::{Name, Request, Response};
use sip_proto::timer::TIMER_C;
use sip_proto::transaction::{ClientId, Failure, ServerId};

use crate::bindings::PhoneFlow;
use crate::fork::{Branch, Fork, ForkId, Refusal, Way, refusal_of};
use crate::{AccessNode, Owner, Wake};

impl AccessNode {
    pub(crate) fn open_fork(
        &mut self,
        now: Instant,
        server: ServerId,
        invite: &Request,
        from: PhoneFlow,
    ) -> ForkId {
        self.transactions.trying(now, server);
        let fork = self.forks.insert(Fork {
            server,
            invite: invite.clone(),
            from,
            branches: Vec::new(),
            best: None,
            is_answered: false,
            is_cancelled: false,
        });
        self.transactions.own(server, Owner::Fork(fork));
        self.deadlines.set(Wake::Fork(fork), now + TIMER_C);
        fork
    }

    /// INVITEs without a final response.
    pub(crate) fn setups(&self) -> usize {
        self.forks.iter().filter(|(_, fork)| !fork.is_answered).count()
    }

    pub(crate) fn add_branch(&mut self, id: ForkId, client: ClientId, flow: Option<PhoneFlow>) {
        if let Some(fork) = self.forks.get_mut(id) {
            fork.branches.push(Branch { client, flow, way: None });
        }
    }

    /// Sends the INVITE to a telephone by the next of its flows. Without one, nothing happens.
    pub(crate) fn try_telephone(&mut self, now: Instant, id: ForkId, mut way: Way) {
        let (Some(fork), Some(bound)) = (self.forks.get(id), way.flows.pop()) else { return };
        let (invite, from) = (fork.invite.clone(), fork.from);
        let client = self.send_to(now, &invite, from, &bound, way.caller, Owner::Fork(id));
        if let Some(fork) = self.forks.get_mut(id) {
            fork.branches.push(Branch { client, flow: Some(bound.flow), way: Some(way) });
        }
    }

    pub(crate) fn fork_response(
        &mut self,
        now: Instant,
        id: ForkId,
        client: ClientId,
        response: &Response,
    ) {
        let (status, bytes) = (response.status(), response.without_topmost_via());
        let Some(fork) = self.forks.get_mut(id) else { return };
        match (status, bytes) {
            (100, _) => {}
            (101..=199, bytes) => {
                let (server, is_open) = (fork.server, !fork.is_answered);
                self.deadlines.set(Wake::Fork(id), now + TIMER_C);
                if let Some(bytes) = bytes.filter(|_| is_open) {
                    self.transactions.respond_bytes(now, server, status, bytes);
                }
            }
            (200..=299, bytes) => {
                // All go to the caller, who ends those that it does not want (RFC 3261 §16.7 item 5).
                fork.is_answered = true;
                fork.branches.retain(|branch| branch.client != client);
                let server = fork.server;
                if let Some(bytes) = bytes {
                    self.transactions.respond_bytes(now, server, status, bytes);
                }
                self.cancel_branches(
                    now,
                    id,
                    b"Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n",
                );
                self.close_if_done(now, id);
            }
            (_, Some(bytes)) => {
                fork.branches.retain(|branch| branch.client != client);
                self.refused(now, id, Refusal::Theirs(status, bytes));
                if status >= 600 {
                    self.cancel_branches(now, id, b"");
                }
            }
            (_, None) => {}
        }
    }

    /// A branch ended without a final response. A flow that is dead is forgotten, and the telephone is tried by another one of its
    /// flows (RFC 5626 §5.3.1).
    pub(crate) fn branch_failed(
        &mut self,
        now: Instant,
        id: ForkId,
        client: ClientId,
        failure: Failure,
    ) {
        let Some(fork) = self.forks.get_mut(id) else { return };
        let Some(place) = fork.branches.iter().position(|branch| branch.client == client) else {
            return;
        };
        let Branch { flow, way, .. } = fork.branches.remove(place);
        let goes_on = !fork.is_answered && !fork.is_cancelled;
        if let Some(flow) = flow.filter(|_| failure == Failure::Unreachable) {
            self.lose_flow(flow);
        }
        match way.filter(|way| goes_on && !way.flows.is_empty()) {
            // What this flow came to says nothing of the telephone.
            Some(way) => self.try_telephone(now, id, way),
            None => {
                self.refused(now, id, Refusal::Ours(refusal_of(failure, flow.is_some())));
            }
        }
    }

    pub(crate) fn lose_flow(&mut self, flow: PhoneFlow) {
        if self.bindings.forget_flow(flow) {
            self.counts.flows_lost += 1;
        }
    }

    /// A branch has come to nothing.
    fn refused(&mut self, now: Instant, id: ForkId, refusal: Refusal) {
        let Some(fork) = self.forks.get_mut(id) else { return };
        if fork.best.as_ref().is_none_or(|best| refusal.rank() < best.rank()) {
            fork.best = Some(refusal);
        }
        self.close_if_done(now, id);
    }

    /// With the last branch the INVITE has its answer. One that was answered with 2xx is kept while copies of that may come: each goes
    /// on to the caller, as nobody but the callee sends it again (RFC 6026 §7.2, RFC 3261 §13.3.1.4).
    fn close_if_done(&mut self, now: Instant, id: ForkId) {
        let is_done = self.forks.get(id).is_some_and(|fork| fork.branches.is_empty());
        if !is_done {
            return;
        }
        if self.forks.get(id).is_some_and(|fork| fork.is_answered) {
            let give_up = self.transactions.timers().give_up();
            return self.deadlines.set(Wake::Fork(id), now + give_up);
        }
        self.deadlines.clear(Wake::Fork(id));
        let Some(fork) = self.forks.remove(id) else { return };
        match fork.best {
            Some(Refusal::Theirs(status, bytes)) => {
                self.transactions.respond_bytes(now, fork.server, status, bytes);
            }
            Some(Refusal::Ours(rejection)) => {
                self.transactions.reject(now, fork.server, &rejection)
            }
            None => self.transactions.reject(now, fork.server, &Rejection::new(480)),
        }
    }

    /// The caller has hung up before an answer (RFC 3261 §16.10).
    pub(crate) fn cancelled(&mut self, now: Instant, id: ForkId, cancel: &Request) {
        let reason: String =
            cancel.headers(Name::Reason).map(|value| format!("Reason: {value}\r\n")).collect();
        if let Some(fork) = self.forks.get_mut(id) {
            fork.is_cancelled = true;
        }
        self.cancel_branches(now, id, reason.as_bytes());
    }

    fn cancel_branches(&mut self, now: Instant, id: ForkId, lines: &[u8]) {
        let Some(fork) = self.forks.get(id) else { return };
        let clients: Vec<ClientId> = fork.branches.iter().map(|branch| branch.client).collect();
        for client in clients {
            self.transactions.cancel(now, client, lines.to_vec());
            self.transactions.limit(now, client);
        }
    }

    /// Timer C: it rings for ever. Or it was answered, and no copies of the answer come any more.
    pub(crate) fn fork_overdue(&mut self, now: Instant, id: ForkId) {
        let Some(fork) = self.forks.get_mut(id) else { return };
        if fork.is_answered && fork.branches.is_empty() {
            self.forks.remove(id);
            return;
        }
        fork.best.get_or_insert(Refusal::Ours(Rejection::new(408)));
        fork.is_cancelled = true;
        self.cancel_branches(now, id, b"");
    }
}
