//! What the call servers of a pool tell each other, with SIP MESSAGE (RFC 3428) and a body of JSON.
//!
//! | message | when | what the receiver does |
//! |---|---|---|
//! | `ask_configuration` | a machine has started | answers `configuration` |
//! | `configuration` | asked | keeps the table of circuits of the pool |
//! | `in_service`, `load` | a machine has started; with each of its first calls | takes note |
//! | `replica` | in a pool that replicates: a call was answered or has changed; the partner has started | writes it into its journal |
//! | `ended` | a call of which there is a replica is over | strikes it out |
//! | `taken_over` | calls go on at the partner, and their call server turns out to be alive | forgets them |

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
/// The other call servers of the pool.
#[derive(Debug)]
pub(super) struct Neighbours {
    others: Vec<SocketAddr>,
    names: HashMap<SocketAddr, String>,
    /// Who takes over, were this one to fall: the next in the order of the file that is at another site.
    pub(super) partner: Option<SocketAddr>,
    /// This is the first start: the others have not heard of it. Later ones are told by [`CallControl::recover`].
    greets: bool,
    reports_left: u32,
    last_word: HashMap<SocketAddr, Instant>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "pool", rename_all = "snake_case")]
pub(super) enum Word {
    AskConfiguration,
    Configuration { stale_circuits: bool },
    InService,
    Load { calls: usize },
    Replica(Box<Replica>),
    Ended { id: String },
    TakenOver { ids: Vec<String> },
}

impl Neighbours {
    pub(super) fn new(topology: &Topology, settings: &topology::CallServer) -> Self {
        let pool: Vec<_> = topology.call_servers().filter(|one| one.in_pool).collect();
        let place = pool.iter().position(|one| one.name == settings.name);
        let others = pool.iter().filter(|one| settings.in_pool && one.name != settings.name);
        let after = place.map_or(0, |place| place + 1);
        let in_turn = || pool.iter().cycle().skip(after).take(pool.len().saturating_sub(1));
        // Call servers of one site may fall together.
        let next = in_turn().find(|one| one.site != settings.site).or_else(|| in_turn().next());
        Self {
            others: others.clone().map(|one| one.address).collect(),
            names: others.map(|one| (one.address, one.name.clone())).collect(),
            partner: next.filter(|_| place.is_some()).map(|one| one.address),
            greets: topology.pool.replicate_calls,
            reports_left: 0,
            last_word: HashMap::new(),
        }
    }

    /// The name of a neighbour.
    pub(super) fn name_of(&self, address: SocketAddr) -> String {
        self.names.get(&address).cloned().unwrap_or_else(|| address.to_string())
    }

    /// The neighbour who has sent `request`. What comes by TCP comes from any port, and Via names the one that it is
    /// reached at.
    fn sender(&self, request: &Request, source: SocketAddr) -> Option<SocketAddr> {
        let via = request.via();
        let named = via.ip().map(|ip| SocketAddr::new(ip, via.port().unwrap_or(5060)));
        let honest = named.filter(|named| named.ip() == source.ip());
        [Some(source), honest].into_iter().flatten().find(|at| self.others.contains(at))
    }
}

impl CallControl {
    /// The machine has started again: reads the journal, and turns to the pool unless it is cut off.
    pub(crate) fn recover(&mut self, now: Instant, isolated: bool) {
        self.show_state();
        self.neighbours.greets = false;
        self.read_journal(now);
        if isolated {
            return;
        }
        if self.topology.pool.sync_configuration {
            self.tell_all(now, &Word::AskConfiguration);
        }
        self.neighbours.reports_left = LOAD_REPORTS;
        self.tell_all(now, &Word::InService);
    }

    /// A machine that replaces one that has died knows none of its calls; the others must hear so.
    pub(super) fn greet(&mut self, now: Instant) {
        if std::mem::take(&mut self.neighbours.greets) {
            self.tell_all(now, &Word::InService);
        }
    }

    /// When the others are greeted.
    pub(super) fn greeting_due(&self) -> Option<Instant> {
        self.neighbours.greets.then(|| self.wall.origin().0)
    }

    /// A call was admitted: after a start the neighbours hear of it.
    pub(super) fn report_load(&mut self, now: Instant) {
        if self.neighbours.reports_left > 0 {
            self.neighbours.reports_left -= 1;
            let calls = self.calls.len();
            self.tell_all(now, &Word::Load { calls });
        }
    }

    fn tell_all(&mut self, now: Instant, word: &Word) {
        for other in self.neighbours.others.clone() {
            self.tell(now, other, word);
        }
    }

    pub(super) fn tell(&mut self, now: Instant, peer: SocketAddr, word: &Word) {
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
        let Some(source) = self.neighbours.sender(request, source) else { return 405 };
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
                if matches!(word, Word::InService) {
                    self.neighbour_started(now, source);
                }
            }
            Word::Replica(replica) => return self.read_replica(now, source, *replica),
            Word::Ended { id } => self.disk.journal.strike(source, id),
            Word::TakenOver { ids } => self.give_away(now, source, &ids),
        }
        200
    }
}
