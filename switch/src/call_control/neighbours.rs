//! What the call servers of a pool tell each other, with SIP MESSAGE (RFC 3428) and a body of JSON.
//!
//! | message | when | what the receiver does |
//! |---|---|---|
//! | `ask_configuration` | a machine has started | answers `configuration` |
//! | `configuration` | asked | keeps the table of circuits of the pool |
//! | `in_service`, `load` | a machine has started; with each of its first calls | takes note |
//! | `replica` | a call was answered, in a pool that replicates | writes it into its journal |

use std::net::SocketAddr;
use std::time::Instant;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use sip_proto::message::{Payload, Request};
use topology::Topology;

use super::CallControl;
use crate::call_server::Replica;

const CONTENT_TYPE: &str = "application/vnd.tocsin.pool+json";
/// Calls after a start with which the neighbours hear of the load.
const LOAD_REPORTS: u32 = 20;
/// Replicas kept: as many as calls may be in progress.
const MOST_REPLICAS: usize = 10_000;

/// The other call servers of the pool.
#[derive(Debug)]
pub(super) struct Neighbours {
    others: Vec<SocketAddr>,
    /// Who takes over, were this one to fall: the next in the order of the file.
    partner: Option<SocketAddr>,
    reports_left: u32,
    last_word: HashMap<SocketAddr, Instant>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "pool", rename_all = "snake_case")]
enum Word {
    AskConfiguration,
    Configuration { stale_circuits: bool },
    InService,
    Load { calls: usize },
    Replica(Replica),
}

impl Neighbours {
    pub(super) fn new(
        topology: &Topology,
        settings: &topology::CallServer,
        own: SocketAddr,
    ) -> Self {
        let pool: Vec<_> = topology.call_servers().filter(|one| one.in_pool).collect();
        let place = pool.iter().position(|one| one.name == settings.name);
        let next = place.and_then(|place| pool.get((place + 1) % pool.len()));
        let others = pool.iter().filter(|one| settings.in_pool && one.name != settings.name);
        Self {
            others: others.map(|one| one.address).collect(),
            partner: next.map(|one| one.address).filter(|address| *address != own),
            reports_left: 0,
            last_word: HashMap::new(),
        }
    }
}

impl CallControl {
    /// The machine has started again: reads the journal, and turns to the pool unless it is cut off.
    pub(crate) fn recover(&mut self, now: Instant, isolated: bool) {
        self.show_state();
        for replica in std::mem::take(&mut self.disk.journal) {
            self.read_replica(replica);
        }
        if isolated {
            return;
        }
        if self.topology.pool.sync_configuration {
            self.tell_all(now, &Word::AskConfiguration);
        }
        self.neighbours.reports_left = LOAD_REPORTS;
        self.tell_all(now, &Word::InService);
    }

    /// A call was admitted: after a start the neighbours hear of it.
    pub(super) fn report_load(&mut self, now: Instant) {
        if self.neighbours.reports_left > 0 {
            self.neighbours.reports_left -= 1;
            let calls = self.calls.len();
            self.tell_all(now, &Word::Load { calls });
        }
    }

    /// A call was answered: the partner gets a replica, in a pool that replicates.
    pub(super) fn replicate(&mut self, now: Instant, attempt: &str, number: &str) {
        if let Some(partner) = self.neighbours.partner
            && self.topology.pool.replicate_calls
        {
            let replica = Replica { attempt: attempt.to_owned(), number: number.to_owned() };
            self.tell(now, partner, &Word::Replica(replica));
        }
    }

    fn tell_all(&mut self, now: Instant, word: &Word) {
        for other in self.neighbours.others.clone() {
            self.tell(now, other, word);
        }
    }

    fn tell(&mut self, now: Instant, peer: SocketAddr, word: &Word) {
        let Ok(body) = serde_json::to_vec(word) else { return };
        let payload = Payload::empty().with_header("Content-Type", CONTENT_TYPE);
        self.user_agent.message(now, peer, &payload.with_body(body.into()));
    }

    /// A MESSAGE from outside any dialog. Returns the status of its answer. Only neighbours are listened to: there is
    /// nobody here to read what others write.
    pub(super) fn take_message(
        &mut self,
        now: Instant,
        request: &Request,
        source: SocketAddr,
    ) -> u16 {
        if !self.neighbours.others.contains(&source) {
            return 405;
        }
        let Ok(word) = serde_json::from_slice(&request.body()) else { return 400 };
        match word {
            Word::AskConfiguration => {
                let stale_circuits = self.disk.stale_circuits;
                self.tell(now, source, &Word::Configuration { stale_circuits });
            }
            Word::Configuration { stale_circuits } => self.disk.stale_circuits |= stale_circuits,
            Word::InService | Word::Load { .. } => {
                let last = self.neighbours.last_word.insert(source, now);
                self.hear_recovery(now, last);
            }
            Word::Replica(replica) => self.read_replica(replica),
        }
        200
    }

    fn read_replica(&mut self, replica: Replica) {
        self.choke_on(&replica);
        if self.disk.journal.len() == MOST_REPLICAS {
            self.disk.journal.remove(0);
        }
        self.disk.journal.push(replica);
    }
}
