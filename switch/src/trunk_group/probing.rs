//! OPTIONS to every member, and what their answers and silences say of it.

use std::time::Instant;

use contract::MemberState;
use sip_proto::transaction::ClientId;

use super::call::Owner;
use super::{TrunkGroup, Wake};
use crate::pool::{Change, Watch};

impl TrunkGroup {
    pub(super) fn probe_round(&mut self, now: Instant) {
        for index in 0..self.members.len() {
            let Some(peer) = self.members.get(index).map(|member| member.address) else { continue };
            let id = self.transactions.probe(now, peer, Owner::Probe(index));
            self.probes.insert(index, id);
            self.deadlines.set(Wake::ProbeTimeout(index), now + self.probing.timeout);
        }
        self.deadlines.set(Wake::ProbeRound, now + self.probing.interval);
    }

    pub(super) fn probe_answered(&mut self, now: Instant, index: usize, id: ClientId, status: u16) {
        if status >= 200 && self.probes.get(&index) == Some(&id) {
            self.probe_over(index);
            self.judge(now, index, |watch| watch.probe_answered(now, status));
        }
    }

    /// Lets a member's watch take something in, and tells when its state has changed.
    pub(super) fn judge(&mut self, now: Instant, index: usize, take: impl FnOnce(&mut Watch)) {
        let Some(member) = self.members.get_mut(index) else { return };
        let from = member.watch.state();
        let silent_for = member.watch.silent_for(now);
        take(&mut member.watch);
        let to = member.watch.state();
        if from != to && to == MemberState::Down {
            member.falls += 1;
            member.found_after = Some(silent_for);
        }
        if from != to {
            self.changes.push_back(Change {
                seen_by: self.settings.name.clone(),
                silent_for,
                call_server: member.name.clone(),
                site: member.site.clone(),
                from,
                to,
            });
        }
    }

    /// The transaction of a probe has failed.
    pub(super) fn probe_failed(&mut self, now: Instant, index: usize, id: ClientId) {
        if self.probes.get(&index) == Some(&id) {
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
        self.probes.remove(&index)
    }
}
