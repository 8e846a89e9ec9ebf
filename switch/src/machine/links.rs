//! The links to trunk groups: in service, disconnected, aligning, or getting their circuits back.
//!
//! ```text
//!             disconnect                  reconnect, no call was cut
//!  InService ───────────► Disconnected ─────────────────────────────► Aligning ── `alignment` ──► InService
//!      ▲                        │ reconnect, n calls were cut
//!      └── n × `circuit_audit` ─┴──────────────────────────────────► Auditing: circuits come back one by one
//! ```

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use topology::Topology;

/// All links of a call server.
#[derive(Debug)]
pub(crate) struct Links {
    links: Vec<Link>,
    /// Sources of calls that said by which trunk group they come.
    learned: HashMap<SocketAddr, usize>,
    alignment: Duration,
    circuit_audit: Duration,
}

#[derive(Debug)]
struct Link {
    trunk_group: String,
    address: SocketAddr,
    state: State,
    /// Calls on it.
    calls: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    InService,
    Disconnected { cut: u32 },
    Aligning { until: Instant },
    Auditing { since: Instant, circuits: u32 },
}

/// A link has no circuit for a call yet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoCircuitYet;

impl Links {
    pub(crate) fn new(topology: &Topology, settings: &topology::CallServer) -> Self {
        let leads_here = |group: &&topology::TrunkGroup| {
            group.members.iter().any(|member| member.call_server == settings.name)
        };
        let link = |group: &topology::TrunkGroup| Link {
            trunk_group: group.name.clone(),
            address: group.address,
            state: State::InService,
            calls: 0,
        };
        Self {
            links: topology.trunk_groups.iter().filter(leads_here).map(link).collect(),
            learned: HashMap::new(),
            alignment: settings.equipment.alignment,
            circuit_audit: settings.equipment.circuit_audit,
        }
    }

    /// The link that a call came by: by its source, or by the trunk group that its Record-Route names.
    pub(crate) fn of_call(&mut self, source: SocketAddr, named: Option<&str>) -> Option<usize> {
        let by_source = || self.of_peer(source);
        let by_name = || self.links.iter().position(|link| Some(&link.trunk_group[..]) == named);
        let found = by_source().or_else(by_name);
        if let Some(index) = found
            && self.of_peer(source).is_none()
        {
            self.learned.insert(source, index);
        }
        found
    }

    /// The link to the trunk group of this name.
    pub(crate) fn named(&self, trunk_group: &str) -> Option<usize> {
        self.links.iter().position(|link| link.trunk_group == trunk_group)
    }

    /// The trunk group at the other end of a link.
    pub(crate) fn trunk_group(&self, link: usize) -> Option<&str> {
        self.links.get(link).map(|link| &link.trunk_group[..])
    }

    fn of_peer(&self, peer: SocketAddr) -> Option<usize> {
        self.links
            .iter()
            .position(|link| link.address == peer)
            .or_else(|| self.learned.get(&peer).copied())
    }

    /// Whether packets cross between here and `peer`.
    pub(crate) fn passes(&self, peer: SocketAddr) -> bool {
        let all_open = || self.links.iter().all(|link| link.state == State::InService);
        all_open()
            || self
                .of_peer(peer)
                .and_then(|index| self.links.get(index))
                .is_none_or(|link| matches!(link.state, State::InService | State::Auditing { .. }))
    }

    /// A call wants to come in by a link.
    pub(crate) fn admit(&self, now: Instant, link: usize) -> Result<(), NoCircuitYet> {
        let Some(link) = self.links.get(link) else { return Ok(()) };
        match link.state {
            State::Auditing { since, .. } if link.calls >= self.audited(now, since) => {
                Err(NoCircuitYet)
            }
            _ => Ok(()),
        }
    }

    fn audited(&self, now: Instant, since: Instant) -> u32 {
        let elapsed = now.saturating_duration_since(since).as_nanos();
        match self.circuit_audit.as_nanos() {
            0 => u32::MAX,
            each => u32::try_from(elapsed / each).unwrap_or(u32::MAX),
        }
    }

    pub(crate) fn call_began(&mut self, link: usize) {
        if let Some(link) = self.links.get_mut(link) {
            link.calls += 1;
        }
    }

    pub(crate) fn call_ended(&mut self, link: usize) {
        if let Some(link) = self.links.get_mut(link) {
            link.calls = link.calls.saturating_sub(1);
        }
    }

    /// The places of the links that a command names: one, or all. An error says that there is none of this name.
    pub(crate) fn select(&self, trunk_group: Option<&str>) -> Result<Vec<usize>, String> {
        let fits = |link: &Link| trunk_group.is_none_or(|name| name == link.trunk_group);
        let found: Vec<usize> =
            (0..).zip(&self.links).filter(|(_, link)| fits(link)).map(|(at, _)| at).collect();
        match (found.is_empty(), trunk_group) {
            (true, Some(name)) => {
                let names: Vec<_> = self.links.iter().map(|link| &link.trunk_group[..]).collect();
                let names = names.join(", ");
                Err(format!("no link leads to {name:?}; the links are {names}"))
            }
            (true, None) => Err("it has no links".to_owned()),
            (false, _) => Ok(found),
        }
    }

    pub(crate) fn is_connected(&self, link: usize) -> bool {
        let state = self.links.get(link).map(|link| link.state);
        !matches!(state, Some(State::Disconnected { .. }))
    }

    /// The trunk groups whose links are disconnected.
    pub(crate) fn disconnected(&self) -> impl Iterator<Item = &str> {
        let links = self.links.iter();
        links
            .filter(|link| matches!(link.state, State::Disconnected { .. }))
            .map(|link| &link.trunk_group[..])
    }

    /// Takes a link out. Its calls must be ended afterwards.
    pub(crate) fn disconnect(&mut self, link: usize) {
        if let Some(link) = self.links.get_mut(link) {
            link.state = State::Disconnected { cut: link.calls };
        }
    }

    /// Brings a link back. Returns how long it takes until all of it is in service.
    pub(crate) fn reconnect(&mut self, now: Instant, link: usize) -> Duration {
        let (alignment, audit) = (self.alignment, self.circuit_audit);
        let Some(link) = self.links.get_mut(link) else { return Duration::ZERO };
        match link.state {
            State::Disconnected { cut: 0 } => {
                link.state = State::Aligning { until: now + alignment };
                alignment
            }
            State::Disconnected { cut } => {
                link.state = State::Auditing { since: now, circuits: cut };
                audit * cut
            }
            _ => Duration::ZERO,
        }
    }

    /// The machine has started: no call is left, and what was aligned or audited is in service.
    pub(crate) fn restarted(&mut self) {
        for link in &mut self.links {
            link.calls = 0;
            link.state = match link.state {
                State::Disconnected { .. } => State::Disconnected { cut: 0 },
                _ => State::InService,
            };
        }
    }

    /// Puts links in service whose time of alignment or audit is over.
    pub(crate) fn settle(&mut self, now: Instant) {
        let audit = self.circuit_audit;
        for link in &mut self.links {
            let over = match link.state {
                State::Aligning { until } => until <= now,
                State::Auditing { since, circuits } => since + audit * circuits <= now,
                _ => false,
            };
            if over {
                link.state = State::InService;
            }
        }
    }

    /// When a link will be in service again.
    pub(crate) fn next(&self) -> Option<Instant> {
        let due = |link: &Link| match link.state {
            State::Aligning { until } => Some(until),
            State::Auditing { since, circuits } => Some(since + self.circuit_audit * circuits),
            _ => None,
        };
        self.links.iter().filter_map(due).min()
    }
}
