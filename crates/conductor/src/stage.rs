//! Where a campaign is played: what the conductor sees of a network, and what it does to it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use contract::{BoxOrder, CallServerSnapshot, GeneratorSnapshot, MemberSnapshot, MemberState};
use operations::{FaultAction, Impairment, ImpairmentOrder, OrderAnswer};
use topology::Topology;

use crate::order::SiteOrder;

/// A network with its callers, as the conductor works on it.
pub trait Stage {
    /// How long it is since the campaign began, by its clock.
    fn time(&self) -> Duration;

    /// How long it may take to put the network back after the last call, by the clock of the campaign. It depends on
    /// whether somebody waits for it.
    fn put_back_limit(&self) -> Duration;

    /// What the boxes show now.
    fn observe(&self) -> Observation;

    /// Does something to all machines of a site, or to a PSAP.
    ///
    /// # Errors
    /// Why it was not done.
    fn inject(&mut self, target: &str, action: FaultAction) -> Result<(), String>;

    /// Impairs the ways of a site, trunk group or PSAP, or heals them.
    ///
    /// # Errors
    /// Why it was not done.
    fn impair(&mut self, way: &ImpairedWay) -> Result<(), String>;

    /// Gives all call servers of a site an order. `None`: the answer is not known yet, and [`Conductor::answered`] takes it
    /// later, or there will be none. How an order ends that was accepted, `answered` takes in any case.
    ///
    /// [`Conductor::answered`]: crate::Conductor::answered
    fn order(&mut self, order: SiteOrder) -> Option<OrderAnswer>;

    /// Tells all callers something.
    fn tell_callers(&mut self, what: Announcement);

    /// Ends the campaign before its time: nobody calls any more.
    fn drain_callers(&mut self);
}

/// The ways of a box that are impaired, or healed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImpairedWay {
    /// Which impairment of the campaign.
    pub id: u32,
    /// Chance follows from it.
    pub seed: u64,
    /// A site, trunk group or PSAP.
    pub of: String,
    /// Only the ways to this one.
    pub other: Option<String>,
    /// `None`: it ends.
    pub what: Option<Impairment>,
}

impl ImpairedWay {
    /// What the box `name` is told of it in this network.
    #[must_use]
    pub fn order(&self, name: &str, network: &Topology) -> ImpairmentOrder {
        ImpairmentOrder {
            id: self.id,
            seed: ImpairmentOrder::seed_of(self.seed, name),
            peers: self.other.as_ref().map(|other| network.ips_of(other).into_iter().collect()),
            what: self.what,
        }
    }

    /// The boxes that apply it.
    #[must_use]
    pub fn boxes(&self, network: &Topology) -> Vec<String> {
        let of_site = network.call_servers().filter(|one| one.site == self.of);
        let names: Vec<String> = of_site.map(|one| one.name.clone()).collect();
        if names.is_empty() { vec![self.of.clone()] } else { names }
    }
}

/// What the boxes show at one moment.
#[derive(Debug, Clone, Default)]
pub struct Observation {
    pub callers: GeneratorSnapshot,
    /// Calls that each PSAP was offered so far.
    pub psaps: BTreeMap<String, u64>,
    /// What the call servers of each site have counted so far.
    pub sites: BTreeMap<String, SiteCounts>,
    /// Sites of which a trunk group finds a call server down.
    pub silent: BTreeSet<String>,
}

impl Observation {
    /// Adds what a trunk group shows of the sites.
    pub fn add_members(&mut self, members: &[MemberSnapshot]) {
        let down = members.iter().filter(|member| member.state == MemberState::Down);
        self.silent.extend(down.map(|member| member.site.clone()));
    }

    /// Adds what one call server of a site shows.
    pub fn add(&mut self, site: &str, shown: &CallServerSnapshot) {
        let counts = self.sites.entry(site.to_owned()).or_default();
        counts.offered += shown.counts.offered;
        counts.answered += shown.counts.answered;
        counts.restarts += u64::from(shown.restarts);
    }
}

/// What the call servers of a site have counted together.
#[derive(Debug, Default, Clone, Copy)]
pub struct SiteCounts {
    pub offered: u64,
    pub answered: u64,
    pub restarts: u64,
}

/// What the public is told in a crisis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announcement {
    /// Whoever is not answered is advised to dial again.
    RedialAdvice,
    /// The ten-digit numbers of the PSAPs are published.
    TenDigitNumbers,
}

/// As the callers are told it.
impl From<Announcement> for BoxOrder {
    fn from(announcement: Announcement) -> Self {
        match announcement {
            Announcement::RedialAdvice => Self::Advise,
            Announcement::TenDigitNumbers => Self::PublishTenDigits,
        }
    }
}
