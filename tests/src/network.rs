//! The boxes of a topology on the simulated network.

use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use media::{Clip, Clips};
use psap_mock::Psap;
use sip_proto::user_agent::{Invite, LegId};
use switch::pool::Change;
use telemetry::{Audit, BoxKind, CallRecord, Ledger, Outcome, Rules};
use topology::{Layers, Topology};
use world::{BoxNotice, Link, NoticeListener, VirtualNetwork};

use crate::account::Account;
use crate::ladder::Ladder;
use crate::phone::{Phone, invite};

/// Where the callers are.
pub const CALLER: &str = "127.0.0.1:5070";

/// A network as configured, running in virtual time, with a telephone and a ladder.
#[derive(Debug)]
pub struct Network {
    world: VirtualNetwork<Notebook>,
    attempts: u128,
}

/// Keeps everything that boxes tell.
#[derive(Debug, Default)]
pub struct Notebook {
    records: Vec<CallRecord>,
    changes: Vec<(Duration, Change)>,
    recordings: Vec<psap_mock::Recorded>,
    restarts: Vec<(Duration, SocketAddr, String)>,
}

impl NoticeListener for Notebook {
    fn hear(&mut self, elapsed: Duration, from: SocketAddr, notice: BoxNotice) {
        match notice {
            BoxNotice::Record(record) => self.records.push(*record),
            BoxNotice::Change(change) => self.changes.push((elapsed, change)),
            BoxNotice::Recording(recorded) => self.recordings.push(*recorded),
            BoxNotice::Restarting { why } => self.restarts.push((elapsed, from, why)),
            BoxNotice::Hanging { .. } | BoxNotice::InService => {}
        }
    }
}

impl Deref for Network {
    type Target = VirtualNetwork<Notebook>;

    fn deref(&self) -> &VirtualNetwork<Notebook> {
        &self.world
    }
}

impl DerefMut for Network {
    fn deref_mut(&mut self) -> &mut VirtualNetwork<Notebook> {
        &mut self.world
    }
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
        let clips = clips(&topology);
        let world = VirtualNetwork::new(Arc::new(topology), clips, link, seed, Notebook::default());
        let mut network = Self { world, attempts: 0 };
        network.phone("caller", CALLER);
        network.start_monitor();
        network
    }

    /// Call records so far, of all boxes, in the order in which they were written.
    #[must_use]
    pub fn records(&self) -> &[CallRecord] {
        &self.net.listener().records
    }

    /// Changes in the pool so far, with their times.
    #[must_use]
    pub fn changes(&self) -> &[(Duration, Change)] {
        &self.net.listener().changes
    }

    /// Restarts of call servers so far: when, which, why.
    #[must_use]
    pub fn restarts(&self) -> Vec<(Duration, &str, &str)> {
        let name = |at| self.name_of(at).unwrap_or("?");
        let all = self.net.listener().restarts.iter();
        all.map(|(at, box_at, why)| (*at, name(*box_at), &why[..])).collect()
    }

    /// Calls that were recorded so far.
    #[must_use]
    pub fn recordings(&self) -> &[psap_mock::Recorded] {
        &self.net.listener().recordings
    }

    /// Puts a telephone on the network, or in the place of another box.
    pub fn phone(&mut self, name: &str, at: &str) -> SocketAddr {
        let at = address(at);
        let seed = self.next_seed();
        self.name(name, at);
        self.net.attach(at, Phone::new(at, seed));
        at
    }

    /// Dials `number` from the telephone `caller` at the trunk group `mobile`.
    pub fn dial(&mut self, number: &str) -> LegId {
        let invite = self.invite(number, "mobile");
        let caller = self.at("caller");
        self.net.act(caller, |phone: &mut Phone, now| phone.dial(now, invite))
    }

    /// The INVITE of a new attempt, for a test to change before it is dialled.
    #[must_use]
    pub fn invite(&mut self, number: &str, next_hop: &str) -> Invite {
        self.attempts += 1;
        invite(number, self.at("caller"), self.at(next_hop), self.attempts)
    }

    pub fn hang_up(&mut self, phone: &str, leg: LegId) {
        let at = self.at(phone);
        self.net.act(at, |phone: &mut Phone, now| phone.hang_up(now, leg));
    }

    /// What the telephone `caller` knows of a call.
    #[must_use]
    pub fn call(&self, leg: LegId) -> &crate::phone::Call {
        self.net.node::<Phone>(self.at("caller")).call(leg)
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
        if self.has_generator() {
            let now = self.generator();
            expect_zero("generator", "calls", now.in_progress);
            expect_zero("generator", "people about to call again", now.about_to_redial);
            expect_zero("generator", "streams", now.media.streams as u64);
        }
        expect_zero("caller", "legs", self.net.node::<Phone>(self.at("caller")).legs() as u64);
        held
    }

    /// The SIP transactions of each box that has any; those that absorb late copies live for 64·T1.
    #[must_use]
    pub fn transactions(&self) -> Vec<String> {
        let groups = self.topology.trunk_groups.iter();
        let groups =
            groups.map(|group| (group.name.clone(), self.trunk_group(&group.name).transactions));
        let sites = self.live_call_servers().into_iter();
        let sites = sites.map(|name| (name.clone(), self.call_server(&name).transactions));
        let psaps = self.live_psaps().into_iter();
        let psaps = psaps.map(|name| (name.clone(), self.psap(&name).transactions));
        let all = groups.chain(sites).chain(psaps).filter(|(_, count)| *count > 0);
        all.map(|(name, count)| format!("{name}: {count} transactions")).collect()
    }

    /// `offered = answered + rejected + abandoned + timed out + lost + in progress` for each box
    /// that has lived from the start, by its records, and its counters say the same. Returns what
    /// does not hold.
    #[must_use]
    pub fn unbalanced(&self) -> Vec<String> {
        let mut account = Account::new(self.records());
        for group in &self.topology.trunk_groups {
            let (name, now) = (group.name.as_str(), self.trunk_group(&group.name));
            account.expect_all(name, now.counts.offered, now.calls as u64);
            account.expect(name, Outcome::Rejected, now.counts.rejected);
            account.expect(name, Outcome::Abandoned, now.counts.abandoned);
            account.expect(name, Outcome::Lost, now.counts.lost);
            let seized = now.members.iter().map(|member| u64::from(member.seized)).sum();
            account.expect_circuits(name, seized, now.calls as u64);
        }
        let is_old = |name: &String| !self.lost().iter().any(|lost| lost.node == *name);
        let call_servers: Vec<_> = self.live_call_servers().into_iter().filter(is_old).collect();
        for name in &call_servers {
            let now = self.call_server(name);
            let taken = now.counts.offered + now.counts.taken_over;
            account.expect_all(name, taken, now.calls as u64);
            account.expect(name, Outcome::Rejected, now.counts.rejected);
            account.expect(name, Outcome::Abandoned, now.counts.abandoned);
            account.expect(name, Outcome::Lost, now.counts.lost);
        }
        let psaps: Vec<_> = self.live_psaps().into_iter().filter(is_old).collect();
        for name in &psaps {
            let now = self.psap(name);
            account.expect_all(name, now.offered, now.in_progress as u64);
        }
        if self.has_generator() {
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
        self.records().iter().for_each(|record| audit.add(record));
        audit.close(started, self.lost()).ledger()
    }

    /// How many records of `kind` have `outcome`.
    #[must_use]
    pub fn count(&self, kind: BoxKind, outcome: Outcome) -> usize {
        let fits = |record: &&CallRecord| record.kind == kind && record.outcome == outcome;
        self.records().iter().filter(fits).count()
    }

    /// A picture of what crossed between these boxes.
    #[must_use]
    pub fn ladder(&self, title: &str, boxes: &[&str]) -> Ladder<'_> {
        let columns = boxes.iter().map(|name| ((*name).to_owned(), self.at(name))).collect();
        Ladder::new(title, columns, self.net.trace())
    }

    /// Names of the call servers that have power.
    #[must_use]
    pub fn live_call_servers(&self) -> Vec<String> {
        let all = self.topology.call_servers();
        all.filter(|one| self.net.is_alive(one.address)).map(|one| one.name.clone()).collect()
    }

    fn live_psaps(&self) -> Vec<String> {
        let is_there = |psap: &&topology::Psap| self.net.has_node::<Psap>(psap.address);
        let live = self.topology.psaps.iter().filter(is_there);
        live.map(|psap| psap.name.clone()).collect()
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
