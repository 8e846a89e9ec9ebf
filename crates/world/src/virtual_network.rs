//! The boxes of a topology on the simulated network.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use campaign::Campaign;
use contract::{BoxOrder, Effect, EffectEnd, Node as _, NodeKind, Reply, Snapshot, StoredDisk};
use load_gen::{Generator, Shard};
use media::Clips;
use operations::{Action, ImpairmentOrder};
use psap_mock::Psap;
use sip_proto::timer::Timers;
use sip_proto::wall_clock::WallClock;
use switch::{CallServer, PoolMonitor, TrunkGroup};
use telemetry::{BoxKind, LostNode};
use topology::Topology;
use trace::{DatedStart, Hub, KeptTally, Recorder, TracedBox};

use crate::link::Link;
use crate::simnet::{NoticeListener, Simnet};

/// Unix time at the start of each simulation: 2 June 2021, 14:45:00 UTC.
pub const START: Duration = Duration::from_secs(1_622_645_100);

/// Where the load generator is.
pub const GENERATOR: &str = "127.0.0.1:5071";
/// Where the pool monitor is.
pub const MONITOR: &str = "127.0.0.1:5072";

/// A network as configured, running in virtual time.
#[derive(Debug)]
pub struct VirtualNetwork<L> {
    pub net: Simnet<L>,
    pub topology: Arc<Topology>,
    addresses: BTreeMap<String, SocketAddr>,
    names: BTreeMap<SocketAddr, String>,
    /// Call servers and PSAPs that lost power, for the ledger.
    lost: Vec<LostNode>,
    /// What is on the disks of call servers that have no power.
    disks: BTreeMap<String, StoredDisk>,
    seed: u64,
    clips: Clips,
    /// Ends of commands that nobody has asked for yet, with the call server.
    effects: Vec<(SocketAddr, Effect)>,
    /// Takes the messages of calls, if anybody wants them.
    hub: Option<Hub>,
}

impl<L: NoticeListener> VirtualNetwork<L> {
    /// Every box of a network, and a pool monitor.
    #[must_use]
    pub fn new(topology: Arc<Topology>, clips: Clips, link: Link, seed: u64, listener: L) -> Self {
        let mut world = Self {
            net: Simnet::new(seed, link, listener),
            topology: Arc::clone(&topology),
            addresses: BTreeMap::new(),
            names: BTreeMap::new(),
            lost: Vec::new(),
            disks: BTreeMap::new(),
            seed,
            clips,
            effects: Vec::new(),
            hub: None,
        };
        for group in &topology.trunk_groups {
            world.name(&group.name, group.address);
            world.start_trunk_group(&group.name);
        }
        for call_server in topology.call_servers() {
            world.name(&call_server.name, call_server.address);
            world.start_call_server(&call_server.name);
        }
        for psap in &topology.psaps {
            world.name(&psap.name, psap.address);
            world.start_psap(&psap.name);
        }
        world
    }

    /// From now on the messages of calls are kept, of all boxes that there are and will be, as `hub` finds right.
    pub fn keep_calls(&mut self, hub: Hub) {
        self.hub = Some(hub);
        for name in self.addresses.keys().cloned().collect::<Vec<_>>() {
            self.record(&name);
        }
    }

    /// The counts of what is kept, if anything is.
    #[must_use]
    pub fn kept(&self) -> Option<KeptTally> {
        self.hub.as_ref().map(Hub::tally)
    }

    /// Gives a box that has just started a recorder.
    fn record(&mut self, name: &str) {
        let Some(hub) = &self.hub else { return };
        let address = self.at(name);
        let Some(kind) = self.kind_of(name) else { return };
        let seen_by = TracedBox { kind, name: name.to_owned(), address };
        let unix_us = u64::try_from(START.as_micros()).unwrap_or(u64::MAX);
        let start = DatedStart { instant: self.net.now() - self.net.elapsed(), unix_us };
        self.net.record(address, Recorder::new(hub, seen_by, start));
    }

    /// Which kind of box, of those that calls go through, has this name; `None` for another one.
    fn kind_of(&self, name: &str) -> Option<BoxKind> {
        let address = self.addresses.get(name)?;
        if self.topology.psap(name).is_some() {
            Some(BoxKind::Psap)
        } else if self.topology.trunk_group(name).is_some() {
            Some(BoxKind::TrunkGroup)
        } else if self.topology.call_servers().any(|one| one.name == name) {
            Some(BoxKind::CallServer)
        } else {
            self.net.has_node::<Generator>(*address).then_some(BoxKind::Generator)
        }
    }

    /// Adds the pool monitor, which tells how the states of the members change.
    pub fn start_monitor(&mut self) {
        let monitor = address(MONITOR);
        self.name("monitor", monitor);
        let seed = self.next_seed();
        let node = PoolMonitor::new(&self.topology, monitor, seed, self.net.now());
        self.net.attach(monitor, node);
    }

    /// Puts a load generator on the network and starts its campaign.
    ///
    /// # Panics
    /// When the campaign does not fit the network.
    pub fn start_campaign(&mut self, campaign: &Campaign) {
        self.start_shard(campaign, Shard::WHOLE);
    }

    /// The same with a part of the calls.
    ///
    /// # Panics
    /// When the campaign does not fit the network.
    pub fn start_shard(&mut self, campaign: &Campaign, shard: Shard) {
        let groups = self.topology.trunk_groups.iter();
        let config = load_gen::Config {
            name: "generator".to_owned(),
            address: address(GENERATOR),
            shard,
            timers: self.timers(),
            clock: self.wall(),
            nonce: campaign.seed,
            media_ports: self.topology.media.ports.clone(),
            idle_after: self.topology.media.idle_after,
            audit: self.topology.timers.audit,
            clips: self.clips.clone(),
            trunk_groups: groups.map(|group| (group.name.clone(), group.address)).collect(),
            ten_digits: load_gen::TenDigits::of(&self.topology),
            request_uri: None,
        };
        let generator = Generator::new(config, campaign).expect("a campaign for this network");
        self.name("generator", address(GENERATOR));
        self.net.attach(address(GENERATOR), generator);
        self.record("generator");
        self.net.act(address(GENERATOR), |generator: &mut Generator, now| {
            generator.handle_command(now, load_gen::Command::Start { at: now })
        });
    }

    /// The address of a box.
    ///
    /// # Panics
    /// When no box has this name: a mistake of the caller.
    #[must_use]
    pub fn at(&self, name: &str) -> SocketAddr {
        *self.addresses.get(name).expect("a box of this name")
    }

    /// The name of the box at an address.
    #[must_use]
    pub fn name_of(&self, address: SocketAddr) -> Option<&str> {
        self.names.get(&address).map(String::as_str)
    }

    /// Gives a box at `at` a name.
    pub fn name(&mut self, name: &str, at: SocketAddr) {
        self.addresses.insert(name.to_owned(), at);
        self.names.insert(at, name.to_owned());
    }

    /// Pulls the plug of a trunk group, a call server or a PSAP, and remembers it for the ledger.
    pub fn kill(&mut self, name: &str) {
        if self.net.has_node::<CallServer>(self.at(name)) {
            let disk = self.net.node::<CallServer>(self.at(name)).stored_disk();
            self.disks.insert(name.to_owned(), disk);
        }
        let kind = self.kind_of(name);
        self.net.kill(self.at(name));
        if let Some(kind) = kind {
            let why = "lost power".to_owned();
            self.lost.push(LostNode { kind, node: name.to_owned(), why });
        }
    }

    /// A call server or PSAP does nothing until [`thaw`](Self::thaw).
    pub fn freeze(&mut self, name: &str) {
        self.net.freeze(self.at(name));
    }

    pub fn thaw(&mut self, name: &str) {
        self.net.thaw(self.at(name));
    }

    /// A box lets its packets suffer from now on, or not any more.
    pub fn impair(&mut self, name: &str, order: ImpairmentOrder) {
        self.net.impair(self.at(name), order);
    }

    /// Starts a box that was killed, in service at once and as it was delivered: it knows nothing of the calls it had.
    pub fn revive(&mut self, name: &str) {
        self.disks.remove(name);
        self.start(name);
    }

    /// Gives a box that was killed its power back: a call server boots, with what was on its disk; any other box is in service at once.
    pub fn power_on(&mut self, name: &str) {
        self.start(name);
    }

    fn start(&mut self, name: &str) {
        if self.topology.psap(name).is_some() {
            self.start_psap(name)
        } else if self.topology.trunk_group(name).is_some() {
            self.start_trunk_group(name)
        } else {
            self.start_call_server(name)
        }
        self.record(name);
        self.net.note(Some(self.at(name)), "starts again");
    }

    /// The boxes that lost power at some time.
    #[must_use]
    pub fn lost(&self) -> &[LostNode] {
        &self.lost
    }

    /// Whether a box has power.
    /// What a box shows, unless it has no power, or a box of another kind has taken its address.
    #[must_use]
    pub fn shown(&self, kind: NodeKind, name: &str) -> Option<Snapshot> {
        let at = self.at(name);
        match kind {
            NodeKind::CallServer if self.net.has_node::<CallServer>(at) => {
                Some(self.call_server(name).into())
            }
            NodeKind::TrunkGroup if self.net.has_node::<TrunkGroup>(at) => {
                Some(self.trunk_group(name).into())
            }
            NodeKind::Psap if self.net.has_node::<Psap>(at) => Some(self.psap(name).into()),
            _ => None,
        }
    }

    #[must_use]
    pub fn is_alive(&self, name: &str) -> bool {
        self.net.is_alive(self.at(name))
    }

    /// Gives a call server an operator's command.
    pub fn command(&mut self, call_server: &str, action: Action) -> Reply {
        let at = self.at(call_server);
        if action.is_power() && self.net.is_alive(at) {
            // The supply of a machine works even if the machine stands still.
            self.net.thaw(at);
        }
        if !self.net.is_alive(at) || self.net.is_frozen(at) {
            return Reply::Silent;
        }
        self.net.act(at, |machine: &mut CallServer, now| machine.handle_command(now, action))
    }

    /// The end of a command that a call server accepted with this ticket, once, if it is over.
    pub fn effect(&mut self, call_server: &str, ticket: u64) -> Option<Effect> {
        let at = self.at(call_server);
        if !self.net.is_alive(at) {
            let end = EffectEnd::Aborted("the machine was lost".to_owned());
            return Some(Effect { ticket, end });
        }
        if self.net.is_frozen(at) {
            return None;
        }
        let told: Vec<Effect> = self.net.act(at, |machine: &mut CallServer, _| {
            std::iter::from_fn(|| machine.poll_effect()).collect()
        });
        self.effects.extend(told.into_iter().map(|effect| (at, effect)));
        let place =
            self.effects.iter().position(|(from, one)| *from == at && one.ticket == ticket)?;
        Some(self.effects.swap_remove(place).1)
    }

    /// Tells all callers what an order to generators says.
    pub fn tell_callers(&mut self, order: &BoxOrder) {
        if let Some(command) = load_gen::Command::announcement(order) {
            self.net.act(address(GENERATOR), |generator: &mut Generator, now| {
                generator.handle_command(now, command)
            });
        }
    }

    /// Ends everything: callers hang up, then all boxes drain, and late messages have their time.
    pub fn drain(&mut self) {
        if self.has_generator() {
            self.net.act(address(GENERATOR), |generator: &mut Generator, now| {
                generator.handle_drain(now);
            });
            self.net.run_for(self.timers().give_up());
        }
        self.net.drain_all();
        self.net.run_for(self.timers().give_up() * 2);
    }

    /// What the listener has heard, when all is over.
    pub fn into_listener(self) -> L {
        self.net.into_listener()
    }

    pub fn run_for(&mut self, time: Duration) {
        self.net.run_for(time);
    }

    #[must_use]
    pub fn trunk_group(&self, name: &str) -> contract::TrunkGroupSnapshot {
        self.net.node::<TrunkGroup>(self.at(name)).snapshot()
    }

    #[must_use]
    pub fn call_server(&self, name: &str) -> contract::CallServerSnapshot {
        self.net.node::<CallServer>(self.at(name)).snapshot()
    }

    #[must_use]
    pub fn psap(&self, name: &str) -> contract::PsapSnapshot {
        self.net.node::<Psap>(self.at(name)).snapshot()
    }

    /// Calls that a PSAP was offered so far: all that supervision asks of it, and cheap.
    #[must_use]
    pub fn psap_offered(&self, name: &str) -> u64 {
        match self.is_alive(name) {
            true => self.net.node::<Psap>(self.at(name)).offered(),
            false => 0,
        }
    }

    /// What the load generator counts.
    ///
    /// # Panics
    /// When no campaign was started.
    #[must_use]
    pub fn generator(&self) -> contract::GeneratorSnapshot {
        self.net.node::<Generator>(address(GENERATOR)).snapshot()
    }

    /// Whether a campaign was started.
    #[must_use]
    pub fn has_generator(&self) -> bool {
        self.net.is_alive(address(GENERATOR))
    }

    fn start_trunk_group(&mut self, name: &str) {
        let (seed, wall, now) = (self.next_seed(), self.wall(), self.net.now());
        let topology = Arc::clone(&self.topology);
        if let Some(mut group) = topology.trunk_group(name).cloned() {
            // Its calls are those of many people.
            group.sources.peers.push(address(GENERATOR).ip().into());
            let at = group.address;
            self.net.attach(at, TrunkGroup::new(group, &topology, at, seed, wall, now));
        }
    }

    fn start_call_server(&mut self, name: &str) {
        let (seed, wall) = (self.next_seed(), self.wall());
        let topology = Arc::clone(&self.topology);
        if let Some(settings) = topology.call_servers().find(|one| one.name == name).cloned() {
            let at = settings.address;
            let now = self.net.now();
            let node = CallServer::new(settings, Arc::clone(&topology), at, seed, wall, now);
            let node = match self.disks.remove(name) {
                Some(disk) => node.powered_on(now, &disk),
                None => node,
            };
            self.net.attach(at, node);
        }
    }

    fn start_psap(&mut self, name: &str) {
        let (seed, wall) = (self.next_seed(), self.wall());
        if let Some(settings) = self.topology.psap(name).cloned() {
            let at = settings.address;
            let psap =
                Psap::new(settings, self.timers(), wall, seed).with_clips(self.clips.clone());
            self.net.attach(at, psap);
        }
    }

    fn timers(&self) -> Timers {
        let timers = self.topology.timers;
        Timers { t1: timers.t1, t2: timers.t2, t4: timers.t4 }
    }

    /// Unix time for records.
    #[must_use]
    pub fn wall(&self) -> WallClock {
        let start: Instant = self.net.now() - self.net.elapsed();
        WallClock::new(start, START)
    }

    /// A seed that no other box has got.
    pub const fn next_seed(&mut self) -> u64 {
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.seed
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("a constant of this file")
}
