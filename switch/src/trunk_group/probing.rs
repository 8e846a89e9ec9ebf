//! OPTIONS to every member, and what follows from an answer or none.

use std::time::Instant;

use sip_proto::message::Response;
use sip_proto::transaction::ClientId;

use super::call::Owner;
use super::{TrunkGroup, Wake};

impl TrunkGroup {
    pub(super) fn probe_round(&mut self, now: Instant) {
        for (index, member) in self.members.iter_mut().enumerate() {
            let id = self.transactions.probe(now, member.address, Owner::Probe(index));
            member.probe = Some(id);
            self.deadlines.set(Wake::ProbeTimeout(index), now + self.pool.probe_timeout);
        }
        self.deadlines.set(Wake::ProbeRound, now + self.pool.probe_interval);
    }

    pub(super) fn probe_answered(
        &mut self,
        now: Instant,
        index: usize,
        id: ClientId,
        response: &Response,
    ) {
        let status = response.status();
        if let Some(state) = response.origin_state_id() {
            self.note_state(now, index, state);
        }
        if status >= 200 && self.is_awaited(index, id) {
            self.probe_over(index);
            self.members.update_watch(now, index, |watch| watch.probe_answered(now, status));
        }
    }

    /// The transaction of a probe has failed.
    pub(super) fn probe_failed(&mut self, now: Instant, index: usize, id: ClientId) {
        if self.is_awaited(index, id) {
            self.probe_overdue(now, index);
        }
    }

    /// The last probe of a member has had no answer.
    pub(super) fn probe_overdue(&mut self, now: Instant, index: usize) {
        if let Some(id) = self.probe_over(index) {
            self.transactions.forget(id);
            self.member_silent(now, index);
        }
    }

    /// Nothing is expected of the last probe of a member any more.
    fn probe_over(&mut self, index: usize) -> Option<ClientId> {
        self.deadlines.clear(Wake::ProbeTimeout(index));
        self.members.get_mut(index)?.probe.take()
    }

    fn is_awaited(&self, index: usize, id: ClientId) -> bool {
        self.members.get(index).is_some_and(|member| member.probe == Some(id))
    }
}
