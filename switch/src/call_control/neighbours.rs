//! The other call servers of the pool, and the messages that all of them get after a start.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use sip_proto::message::Request;
use sip_proto::user_agent::UserAgent;
use topology::Topology;

use super::pool_message::PoolMessage;

/// After a start, each of so many first calls is followed by a report of the load to the neighbours.
const LOAD_REPORTS: u32 = 20;

/// The neighbours of one call server.
#[derive(Debug)]
pub(super) struct Neighbours {
    others: Vec<SocketAddr>,
    names: HashMap<SocketAddr, String>,
    /// The call server that takes over if this one falls: the next in the order of the file that is at another site.
    partner: Option<SocketAddr>,
    /// When the first start is announced to the others; [`announce_restart`](Self::announce_restart) announces later ones.
    first_start: Option<Instant>,
    reports_left: u32,
    last_message: HashMap<SocketAddr, Instant>,
}

impl Neighbours {
    /// Those of the call server `settings`, which starts at `start`.
    pub(super) fn new(
        topology: &Topology,
        settings: &topology::CallServer,
        start: Instant,
    ) -> Self {
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
            first_start: topology.pool.replicate_calls.then_some(start),
            reports_left: 0,
            last_message: HashMap::new(),
        }
    }

    pub(super) const fn partner(&self) -> Option<SocketAddr> {
        self.partner
    }

    /// The name of a neighbour.
    pub(super) fn name_of(&self, address: SocketAddr) -> String {
        self.names.get(&address).cloned().unwrap_or_else(|| address.to_string())
    }

    /// The neighbour that has sent `request`. Over TCP it may come from any port; Via then names the port that the
    /// neighbour listens at.
    pub(super) fn sender(&self, request: &Request, source: SocketAddr) -> Option<SocketAddr> {
        let via = request.via();
        let named = via.ip().map(|ip| SocketAddr::new(ip, via.port().unwrap_or(5060)));
        let credible = named.filter(|named| named.ip() == source.ip());
        [Some(source), credible].into_iter().flatten().find(|at| self.others.contains(at))
    }

    /// A neighbour has started, or tells of its load. Returns how long ago it did the last time.
    pub(super) fn note_message(&mut self, now: Instant, from: SocketAddr) -> Option<Duration> {
        let last = self.last_message.insert(from, now);
        last.map(|last| now.saturating_duration_since(last))
    }

    /// When the first start must be announced.
    pub(super) const fn announcement_due(&self) -> Option<Instant> {
        self.first_start
    }

    /// Tells the others of the first start: the machine may replace one that has died, and knows none of its calls.
    pub(super) fn announce_first_start(&mut self, user_agent: &mut UserAgent, now: Instant) {
        if self.first_start.take().is_some() {
            self.send_all(user_agent, now, &PoolMessage::InService);
        }
    }

    /// This start is not the first one.
    pub(super) const fn skip_first_start(&mut self) {
        self.first_start = None;
    }

    /// The machine has started again.
    pub(super) fn announce_restart(
        &mut self,
        user_agent: &mut UserAgent,
        now: Instant,
        asks_configuration: bool,
    ) {
        if asks_configuration {
            self.send_all(user_agent, now, &PoolMessage::AskConfiguration);
        }
        self.reports_left = LOAD_REPORTS;
        self.send_all(user_agent, now, &PoolMessage::InService);
    }

    /// A call was admitted, and `calls` are in progress now. Soon after a start the neighbours are told so.
    pub(super) fn report_load(&mut self, user_agent: &mut UserAgent, now: Instant, calls: usize) {
        if self.reports_left > 0 {
            self.reports_left -= 1;
            self.send_all(user_agent, now, &PoolMessage::Load { calls });
        }
    }

    fn send_all(&self, user_agent: &mut UserAgent, now: Instant, message: &PoolMessage) {
        for other in &self.others {
            message.send(user_agent, now, *other);
        }
    }
}
