//! What a call server does as a member of its pool: after a start, when a neighbour tells something, and when one whose
//! replicas it keeps was probed.

use std::net::SocketAddr;
use std::time::Instant;

use sip_proto::message::Request;
use sip_proto::user_agent::Probe;

use super::CallControl;
use super::owner_watch::Finding;
use super::pool_message::PoolMessage;
use crate::latent_defects;

/// Calls named in one message.
const MOST_NAMED: usize = 1_000;

impl CallControl {
    /// The machine has started again: reads the journal, and turns to the pool unless it is cut off.
    pub(crate) fn recover(&mut self, now: Instant, isolated: bool) {
        self.show_state();
        self.neighbours.skip_first_start();
        self.read_journal(now);
        if !isolated {
            let asks = self.topology.pool.sync_configuration;
            self.neighbours.announce_restart(&mut self.user_agent, now, asks);
        }
    }

    /// A MESSAGE outside any dialog. Returns the status of its answer. Those of others than neighbours are refused.
    pub(super) fn receive_message(
        &mut self,
        now: Instant,
        request: &Request,
        source: SocketAddr,
    ) -> u16 {
        let Some(source) = self.neighbours.sender(request, source) else { return 405 };
        let Ok(message) = serde_json::from_slice(&request.body()) else { return 400 };
        match message {
            PoolMessage::AskConfiguration => {
                let stale_circuits = self.disk.stale_circuits;
                let answer = PoolMessage::Configuration { stale_circuits };
                answer.send(&mut self.user_agent, now, source);
            }
            PoolMessage::Configuration { stale_circuits } => {
                self.disk.stale_circuits |= stale_circuits;
            }
            PoolMessage::InService => {
                self.note_recovery(now, source);
                self.neighbour_started(now, source);
            }
            PoolMessage::Load { .. } => self.note_recovery(now, source),
            PoolMessage::Replica(replica) => return self.read_replica(now, source, *replica),
            PoolMessage::Ended { id } => self.disk.journal.remove(source, id),
            PoolMessage::TakenOver { ids } => self.give_up_calls(now, source, &ids),
        }
        200
    }

    /// A neighbour that has just started tells of its start or its load.
    fn note_recovery(&mut self, now: Instant, neighbour: SocketAddr) {
        let since = self.neighbours.note_message(now, neighbour);
        if latent_defects::crashes_on_recovery_messages(&self.disk, since) {
            self.fail("two recovery messages of a neighbour came too close to each other");
        }
    }

    /// A probe of a call server whose replicas are kept here has come to an end.
    pub(super) fn owner_probed(&mut self, now: Instant, owner: SocketAddr, outcome: &Probe) {
        match self.owner_watch.probed(now, owner, outcome) {
            Finding::Nothing => {}
            Finding::Alive { taken_over } => {
                for ids in taken_over.chunks(MOST_NAMED) {
                    let message = PoolMessage::TakenOver { ids: ids.to_vec() };
                    message.send(&mut self.user_agent, now, owner);
                }
            }
            Finding::Down => self.take_over_all(now, owner),
        }
    }
}
