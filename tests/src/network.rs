//! The boxes of a topology on the simulated network.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use load_gen::campaign::Campaign;
use load_gen::{Generator, Shard};
use media::{Clip, Clips};
use node::Node as _;
use psap_mock::Psap;
use sip_proto::timer::Timers;
use sip_proto::user_agent::{Invite, LegId};
use sip_proto::wall::WallClock;
use switch::{CallServer, PoolMonitor, TrunkGroup};
use telemetry::{Audit, BoxKind, Ledger, LostNode, Outcome, Rules};
use topology::{Layers, Topology};

use crate::account::Account;
use crate::ladder::Ladder;
use crate::link::Link;
use crate::phone::{Phone, invite};
use crate::simnet::Simnet;

/// Unix time at the start of each simulation: 2 June 2021, 14:45:00 UTC.
const START: Duration = Duration::from_secs(1_622_645_100);

/// Where the callers are.
pub const CALLER: &str = "127.0.0.1:5070";
/// Where the load generator is.
pub const GENERATOR: &str = "127.0.0.1:5071";
/// Where the pool monitor is.
pub const MONITOR: &str = "127.0.0.1:5072";

/// A network as configured, running in virtual time.
#[derive(Debug)]
pub struct Network {
    pub net: Simnet,
    pub topology: Arc<Topology>,
    addresses: BTreeMap<String, SocketAddr>,
    /// Call servers and PSAPs that were killed, for the ledger.
    lost: Vec<LostNode>,
    seed: u64,
    attempts: u128,
    clips: Clips,
}

impl Network {
    /// Every box of the network that `text` describes, a telephone called `caller`, and a pool
    /// monitor.
    ///
    /// # Panics
    /// When `text` describes no network.
    #[must_use]
    pub fn new(text: &str, link: Link, seed: u64) -> Self {
        let topology = Topology::parse("test.toml", text, &Layers::none()).expect("a good network");
        let topology = Arc::new(topology);
        let mut network = Self {
            net: Simnet::new(seed, link),
            topology: Arc::clone(&topology),
            addresses: BTreeMap::new(),
            lost: Vec::new(),
            seed,
            attempts: 0,
            clips: clips(&topology),
        };
        for group in &topology.trunk_groups {
            network.name(&group.name, group.address);
            let (seed, wall, now) = (network.next_seed(), network.wall(), network.net.now());
            let trunk = TrunkGroup::new(group.clone(), &topology, group.address, seed, wall, now);
            network.net.attach(group.address, trunk);
        }
        for call_server in topology.call_servers() {
            network.name(&call_server.name, call_server.address);
            network.start_call_server(&call_server.name);
        }
        for psap in &topology.psaps {
            network.name(&psap.name, psap.address);
            network.start_psap(&psap.name);
        }
        network.phone("caller", CALLER);
        let monitor = address(MONITOR);
        network.name("monitor", monitor);
        let node = PoolMonitor::new(&topology, monitor, network.next_seed(), network.net.now());
        network.net.attach(monitor, node);
        network
    }

    /// Puts a telephone on the network, or in the place of another box.
    pub fn phone(&mut self, name: &str, at: &str) -> SocketAddr {
        let at = address(at);
        let seed = self.next_seed();
        self.name(name, at);
        self.net.attach(at, Phone::new(at, seed));
        at
    }

    /// Puts a load generator on the network and starts its campaign.
    ///
    /// # Panics
    /// When the campaign does not fit the network.
    pub fn start_campaign(&mut self, campaign: &Campaign) {
        let groups = self.topology.trunk_groups.iter();
        let config = load_gen::Config {
            name: "generator".to_owned(),
            address: address(GENERATOR),
            shard: Shard::WHOLE,
            timers: Timers::RFC3261,
            clock: self.wall(),
            nonce: campaign.seed,
            media_ports: self.topology.media.ports.clone(),
            idle_after: self.topology.media.idle_after,
            clips: self.clips.clone(),
            trunk_groups: groups.map(|group| (group.name.clone(), group.address)).collect(),
        };
        let generator = Generator::new(config, campaign).expect("a campaign for this network");
        self.name("generator", address(GENERATOR));
        self.net.attach(address(GENERATOR), generator);
        self.net.act(address(GENERATOR), |generator: &mut Generator, now| {
            generator.handle_command(now, load_gen::Command::Start { at: now });
        });
    }

    /// The address of a box.
    ///
    /// # Panics
    /// When no box has this name: a mistake of the test.
    #[must_use]
    pub fn at(&self, name: &str) -> SocketAddr {
        *self.addresses.get(name).expect("a box of this name")
    }

    /// Pulls the plug of a call server or a PSAP, and remembers it for the ledger.
    pub fn kill(&mut self, name: &str) {
        self.net.kill(self.at(name));
        let kind =
            if self.topology.psap(name).is_some() { BoxKind::Psap } else { BoxKind::CallServer };
        let why = "lost power".to_owned();
        self.lost.push(LostNode { kind, node: name.to_owned(), why });
    }

    /// Starts a box that was killed: it knows nothing of the calls it had.
    pub fn revive(&mut self, name: &str) {
        if self.topology.psap(name).is_some() {
            self.start_psap(name)
        } else {
            self.start_call_server(name)
        }
        self.net.note(Some(self.at(name)), "starts again");
    }

    /// Dials `number` from the telephone `caller` at the trunk group `mobile`.
    pub fn dial(&mut self, number: &str) -> LegId {
        let invite = self.invite(number, "mobile");
        self.net.act(self.at("caller"), |phone: &mut Phone, now| phone.dial(now, invite))
    }

    /// The INVITE of a new attempt, for a test to change before it is dialled.
    #[must_use]
    pub fn invite(&mut self, number: &str, next_hop: &str) -> Invite {
        self.attempts += 1;
        invite(number, self.at("caller"), self.at(next_hop), self.attempts)
    }

    pub fn hang_up(&mut self, phone: &str, leg: LegId) {
        self.net.act(self.at(phone), |phone: &mut Phone, now| phone.hang_up(now, leg));
    }

    /// What the telephone `caller` knows of a call.
    #[must_use]
    pub fn call(&self, leg: LegId) -> &crate::phone::Call {
        self.net.node::<Phone>(self.at("caller")).call(leg)
    }

    pub fn run_for(&mut self, time: Duration) {
        self.net.run_for(time);
    }

    /// Runs until no box has a call any more, looking once a second. False when `limit` is over
    /// first.
    pub fn run_until_idle(&mut self, limit: Duration) -> bool {
        let end = self.net.now() + limit;
        while self.net.now() < end {
            self.net.run_for(Duration::from_secs(1));
            if self.held().is_empty() {
                return true;
            }
        }
        false
    }

    /// What boxes that are alive still hold: one sentence for each.
    #[must_use]
    pub fn held(&self) -> Vec<String> {
        let mut held = Vec::new();
        let mut expect_zero = |name: &str, what: &str, count: u64| {
            if count > 0 {
                held.push(format!("{name}: {count} {what}"));
            }
        };
        for group in &self.topology.trunk_groups {
            let now = self.trunk_group(&group.name);
            expect_zero(&group.name, "calls", now.calls as u64);
            let seized = now.members.iter().map(|member| u64::from(member.seized)).sum();
            expect_zero(&group.name, "circuits", seized);
        }
        for name in self.live_call_servers() {
            let now = self.call_server(&name);
            expect_zero(&name, "calls", now.calls as u64);
            expect_zero(&name, "streams", now.media.streams as u64);
        }
        for name in self.live_psaps() {
            let now = self.psap(&name);
            let places =
                now.in_progress + now.waiting + now.positions.ringing + now.positions.talking;
            expect_zero(&name, "calls, queue places or positions", places as u64);
            expect_zero(&name, "streams", now.media.streams as u64);
        }
        if self.net.is_alive(address(GENERATOR)) {
            let now = self.generator();
            expect_zero("generator", "calls", now.in_progress);
            expect_zero("generator", "streams", now.media.streams as u64);
        }
        expect_zero("caller", "legs", self.net.node::<Phone>(self.at("caller")).legs() as u64);
        held
    }

    /// `offered = answered + rejected + abandoned + timed out + lost + in progress` for each box
    /// that has lived from the start, by its records, and its counters say the same. Returns what
    /// does not hold.
    #[must_use]
    pub fn unbalanced(&self) -> Vec<String> {
        let mut account = Account::new(self.net.records());
        for group in &self.topology.trunk_groups {
            let (name, now) = (group.name.as_str(), self.trunk_group(&group.name));
            account.expect_all(name, now.counts.offered, now.calls as u64);
            account.expect(name, Outcome::Rejected, now.counts.rejected);
            account.expect(name, Outcome::Abandoned, now.counts.abandoned);
            account.expect(name, Outcome::Lost, now.counts.lost);
            let seized = now.members.iter().map(|member| u64::from(member.seized)).sum();
            account.expect_circuits(name, seized, now.calls as u64);
        }
        let is_old = |name: &String| !self.lost.iter().any(|lost| lost.node == *name);
        let call_servers: Vec<_> = self.live_call_servers().into_iter().filter(is_old).collect();
        for name in &call_servers {
            let now = self.call_server(name);
            account.expect_all(name, now.counts.offered, now.calls as u64);
            account.expect(name, Outcome::Rejected, now.counts.rejected);
            account.expect(name, Outcome::Abandoned, now.counts.abandoned);
            account.expect(name, Outcome::Lost, now.counts.lost);
        }
        let psaps: Vec<_> = self.live_psaps().into_iter().filter(is_old).collect();
        for name in &psaps {
            let now = self.psap(name);
            account.expect_all(name, now.offered, now.in_progress as u64);
        }
        if self.net.is_alive(address(GENERATOR)) {
            let now = self.generator();
            account.expect_all("generator", now.offered, now.in_progress);
            account.expect("generator", Outcome::Answered, now.answered);
            account.expect("generator", Outcome::Rejected, now.rejected);
            account.expect("generator", Outcome::Abandoned, now.abandoned);
            account.expect("generator", Outcome::TimedOut, now.timed_out);
            account.expect("generator", Outcome::Lost, now.lost);
        }
        account.mistakes()
    }

    /// Compares the records of all boxes, attempt by attempt. `started` attempts were made by
    /// generators.
    #[must_use]
    pub fn ledger(&self, started: u64, foreign_callers: bool) -> Ledger {
        let mut audit = Audit::new(Rules { foreign_callers, ..Rules::default() });
        self.net.records().iter().for_each(|record| audit.add(record));
        audit.close(started, &self.lost).0
    }

    /// How many records of `kind` have `outcome`.
    #[must_use]
    pub fn count(&self, kind: BoxKind, outcome: Outcome) -> usize {
        let fits =
            |record: &&telemetry::CallRecord| record.kind == kind && record.outcome == outcome;
        self.net.records().iter().filter(fits).count()
    }

    /// A picture of what crossed between these boxes.
    #[must_use]
    pub fn ladder(&self, title: &str, boxes: &[&str]) -> Ladder<'_> {
        let columns = boxes.iter().map(|name| ((*name).to_owned(), self.at(name))).collect();
        Ladder::new(title, columns, self.net.trace())
    }

    #[must_use]
    pub fn trunk_group(&self, name: &str) -> switch::trunk_group::Snapshot {
        self.net.node::<TrunkGroup>(self.at(name)).snapshot()
    }

    #[must_use]
    pub fn call_server(&self, name: &str) -> switch::call_server::Snapshot {
        self.net.node::<CallServer>(self.at(name)).snapshot()
    }

    #[must_use]
    pub fn psap(&self, name: &str) -> psap_mock::Snapshot {
        self.net.node::<Psap>(self.at(name)).snapshot()
    }

    #[must_use]
    pub fn generator(&self) -> load_gen::Snapshot {
        self.net.node::<Generator>(address(GENERATOR)).snapshot()
    }

    /// Names of the call servers that have power.
    #[must_use]
    pub fn live_call_servers(&self) -> Vec<String> {
        let all = self.topology.call_servers();
        all.filter(|one| self.net.is_alive(one.address)).map(|one| one.name.clone()).collect()
    }

    fn live_psaps(&self) -> Vec<String> {
        let live = self.topology.psaps.iter().filter(|psap| self.net.is_alive(psap.address));
        live.map(|psap| psap.name.clone()).collect()
    }

    fn start_call_server(&mut self, name: &str) {
        let (seed, wall) = (self.next_seed(), self.wall());
        let topology = Arc::clone(&self.topology);
        if let Some(settings) = topology.call_servers().find(|one| one.name == name).cloned() {
            let at = settings.address;
            let node = CallServer::new(settings, Arc::clone(&topology), at, seed, wall);
            self.net.attach(at, node);
        }
    }

    fn start_psap(&mut self, name: &str) {
        let (seed, wall) = (self.next_seed(), self.wall());
        if let Some(settings) = self.topology.psap(name).cloned() {
            let at = settings.address;
            let timers = self.topology.timers;
            let timers = Timers { t1: timers.t1, t2: timers.t2, t4: timers.t4 };
            let psap = Psap::new(settings, timers, wall, seed).with_clips(self.clips.clone());
            self.net.attach(at, psap);
        }
    }

    fn name(&mut self, name: &str, at: SocketAddr) {
        self.addresses.insert(name.to_owned(), at);
    }

    /// Unix time for records.
    fn wall(&self) -> WallClock {
        let start: Instant = self.net.now() - self.net.elapsed();
        WallClock::new(start, START)
    }

    const fn next_seed(&mut self) -> u64 {
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.seed
    }
}

/// # Panics
/// When `text` is no address: a mistake of the test.
fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address with a port")
}

/// Noise in the place of the files that the network names: a second for each, unlike any other.
fn clips(topology: &Topology) -> Clips {
    let sound = |name: &str| {
        let seed = name.bytes().fold(7_u32, |seed, byte| seed.wrapping_mul(31) + u32::from(byte));
        let noise = |at: u32| ((at + seed).wrapping_mul(2_654_435_761) >> 19) as i16;
        Arc::new(Clip::new(&(0..8_000).map(noise).collect::<Vec<_>>()))
    };
    topology.media.clips.iter().map(|clip| (clip.name.clone(), sound(&clip.name))).collect()
}
