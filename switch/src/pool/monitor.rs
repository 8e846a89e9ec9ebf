//! The pool monitor: probes every call server with OPTIONS and reports each change of state.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use contract::{MemberState, Node, PoolMonitorSnapshot, Reply};
use serde::Serialize;
use sip_proto::message::Payload;
use sip_proto::user_agent::{Config, Event, Probe, UserAgent};
use sip_proto::{Packet, Rejection, Transport};
use topology::{Pool, Topology};

use super::watch::Watch;

/// Watches the whole pool for the management plane; the trunk groups keep watches of their own.
#[derive(Debug)]
pub struct PoolMonitor {
    user_agent: UserAgent,
    pool: Pool,
    members: Vec<Member>,
    next_round: Option<Instant>,
    changes: std::collections::VecDeque<Change>,
}

#[derive(Debug)]
struct Member {
    name: String,
    site: String,
    address: SocketAddr,
    watch: Watch,
}

/// The name under which it reports.
const MONITOR: &str = "pool-monitor";

/// A call server changed its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The box that found it so.
    pub seen_by: String,
    /// How long it had shown no sign of life by then: the time until a fall was found.
    pub silent_for: Duration,
    pub call_server: String,
    pub site: String,
    pub from: MemberState,
    pub to: MemberState,
}

impl PoolMonitor {
    /// A monitor at `address` that begins to probe at `now`.
    #[must_use]
    pub fn new(topology: &Topology, address: SocketAddr, seed: u64, now: Instant) -> Self {
        let members = topology.call_servers().map(|call_server| Member {
            name: call_server.name.clone(),
            site: call_server.site.clone(),
            address: call_server.address,
            watch: Watch::new(&topology.pool, now),
        });
        Self {
            user_agent: UserAgent::new(Config {
                timers: crate::timers::sip_timers(topology),
                ..Config::new(address, seed)
            }),
            pool: topology.pool,
            members: members.collect(),
            next_round: Some(now),
            changes: std::collections::VecDeque::new(),
        }
    }

    fn probe_all(&mut self, now: Instant) {
        for member in &self.members {
            self.user_agent.probe(now, member.address, self.pool.probe_timeout);
        }
        self.next_round = Some(now + self.pool.probe_interval);
    }

    fn settle(&mut self, now: Instant) {
        while let Some(event) = self.user_agent.poll_event() {
            match event {
                Event::Probed { peer, outcome } => self.take_probe(now, peer, &outcome),
                // A monitor takes no requests. They are answered, since unanswered ones would stay for ever.
                Event::Offered { leg, .. } => {
                    self.user_agent.reject(now, leg, &Rejection::new(403), &Payload::empty());
                }
                Event::OutOfDialog { id, .. } | Event::Request { id, .. } => {
                    self.user_agent.respond(now, id, 403, &Payload::empty());
                }
                _ => {}
            }
        }
    }

    fn take_probe(&mut self, now: Instant, peer: SocketAddr, outcome: &Probe) {
        for member in self.members.iter_mut().filter(|member| member.address == peer) {
            let from = member.watch.state();
            match outcome {
                Probe::Alive(response) => member.watch.probe_answered(now, response.status()),
                Probe::Silent => member.watch.silent(),
            }
            let to = member.watch.state();
            if from != to {
                self.changes.push_back(Change {
                    seen_by: MONITOR.to_owned(),
                    silent_for: member.watch.silent_for(now),
                    call_server: member.name.clone(),
                    site: member.site.clone(),
                    from,
                    to,
                });
            }
        }
    }
}

impl Node for PoolMonitor {
    type Command = std::convert::Infallible;
    type Event = Change;
    type Snapshot = PoolMonitorSnapshot;

    fn handle_packet(&mut self, now: Instant, packet: Packet) {
        self.user_agent.handle_packet(now, packet);
        self.settle(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.user_agent.handle_timeout(now);
        if self.next_round.is_some_and(|at| at <= now) {
            self.probe_all(now);
        }
        self.settle(now);
    }

    fn handle_unreachable(&mut self, now: Instant, transport: Transport, peer: SocketAddr) {
        self.user_agent.handle_unreachable(now, transport, peer);
        self.settle(now);
    }

    fn handle_command(&mut self, _now: Instant, command: Self::Command) -> Reply {
        match command {}
    }

    fn handle_drain(&mut self, _now: Instant) {
        self.next_round = None;
    }

    fn poll_transmit(&mut self) -> Option<Packet> {
        self.user_agent.poll_transmit()
    }

    fn poll_event(&mut self) -> Option<Change> {
        self.changes.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        [self.user_agent.poll_timeout(), self.next_round].into_iter().flatten().min()
    }

    fn snapshot(&self) -> PoolMonitorSnapshot {
        let state = |member: &Member| (member.name.clone(), member.watch.state());
        PoolMonitorSnapshot { members: self.members.iter().map(state).collect() }
    }

    fn is_drained(&self) -> bool {
        self.next_round.is_none() && self.user_agent.legs() == 0
    }
}
