//! In a pool that replicates, the partner gets a replica of each answered call, and is told when the call ends.
//!
//! ```text
//!   answered, changed ──► replica ──► partner's journal ──► taken over, if this machine falls
//!   ended ──────────────► ended ────► removed
//! ```

use std::net::SocketAddr;
use std::time::Instant;

use telemetry::{CallRecord, Outcome};

use super::CallControl;
use super::call::Call;
use super::calls::CallId;
use super::pool_message::PoolMessage;
use crate::latent_defects;
use crate::machine::Replica;

impl CallControl {
    /// A call was answered, or its dialogs or its session have changed: the partner gets a replica.
    pub(super) fn replicate(&mut self, now: Instant, id: CallId) {
        let partner = self.neighbours.partner().filter(|_| self.topology.pool.replicate_calls);
        let (Some(partner), Some(call)) = (partner, self.calls.get(id)) else { return };
        let Some(replica) = self.replica_of(call) else { return };
        let name = replica.id.clone();
        PoolMessage::Replica(Box::new(replica)).send(&mut self.user_agent, now, partner);
        if let Some(call) = self.calls.get_mut(id) {
            call.replica = Some(name);
        }
    }

    fn replica_of(&self, call: &Call) -> Option<Replica> {
        call.record.answer_us?;
        let a = self.user_agent.save(call.a)?;
        let relay = call.relay.as_ref();
        let link = call.link.and_then(|link| self.disk.links.trunk_group(link));
        Some(Replica {
            id: a.dialog.local_tag().to_owned(),
            record: CallRecord { outcome: Outcome::Answered, ..call.record.clone() },
            b: self.user_agent.save(call.b?)?,
            a,
            said: call.descriptions.texts(),
            trunk_group: link.map(str::to_owned),
            relay: relay.map(|relay| relay.hosts()),
            takeovers: relay.map_or(0, |relay| relay.takeovers()),
        })
    }

    /// A call of which the partner has a replica is over.
    pub(super) fn end_replica(&mut self, now: Instant, id: String) {
        if let Some(partner) = self.neighbours.partner() {
            PoolMessage::Ended { id }.send(&mut self.user_agent, now, partner);
        }
    }

    /// The partner will not be told when this call ends.
    pub(super) fn forget_replica(&mut self, id: CallId) {
        if let Some(call) = self.calls.get_mut(id) {
            call.replica = None;
        }
    }

    /// A neighbour has started: it has lost its own calls, and if it is the partner, the replicas that it kept.
    pub(super) fn neighbour_started(&mut self, now: Instant, neighbour: SocketAddr) {
        self.take_over_all(now, neighbour);
        self.owner_watch.forget_untold(neighbour);
        if self.neighbours.partner() == Some(neighbour) {
            for id in self.calls.ids() {
                self.replicate(now, id);
            }
        }
    }

    /// A neighbour has sent a replica. Returns the status of the answer.
    pub(super) fn read_replica(
        &mut self,
        now: Instant,
        owner: SocketAddr,
        replica: Replica,
    ) -> u16 {
        if let Err(why) = replica.check() {
            tracing::warn!(call_server = self.settings.name, %owner, why, "a replica is refused");
            return 400;
        }
        if latent_defects::cannot_read(&self.disk, &replica) {
            self.fail(UNREADABLE);
        }
        let longest =
            u64::try_from(self.settings.max_call_duration.as_micros()).unwrap_or(u64::MAX);
        self.disk.journal.expire(self.records.micros(now).saturating_sub(longest));
        // RFC 3261 §21.5.1; the call goes on, but only where it is.
        let status = if self.disk.journal.write(owner, replica) { 200 } else { 500 };
        self.owner_watch.begin(now, owner);
        status
    }

    /// The machine has started: the journal is as it was.
    pub(super) fn read_journal(&mut self, now: Instant) {
        let cannot_read = |replica| latent_defects::cannot_read(&self.disk, replica);
        if self.disk.journal.replicas().any(cannot_read) {
            self.fail(UNREADABLE);
        }
        for owner in self.disk.journal.owners() {
            self.owner_watch.begin(now, owner);
        }
    }

    /// The partner has taken these calls over, since it has found this machine down. They are forgotten here without a BYE.
    pub(super) fn give_up_calls(&mut self, now: Instant, source: SocketAddr, ids: &[String]) {
        if self.neighbours.partner() != Some(source) {
            return;
        }
        let why = format!("taken over by {}", self.neighbours.name_of(source));
        for id in ids {
            let leg = self.user_agent.leg_tagged(id);
            let Some((id, _)) = leg.and_then(|leg| self.calls.find(leg)) else { continue };
            self.forget_replica(id);
            let Some(call) = self.remove(now, id) else { continue };
            for leg in call.legs() {
                self.user_agent.disown(now, leg);
            }
            self.records.lost(now, call.record, &why);
        }
    }
}

/// Why a machine with the defect `poison-replica` falls.
const UNREADABLE: &str = "a replicated record of a call cannot be read";
