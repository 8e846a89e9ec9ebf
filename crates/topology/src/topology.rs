//! The whole network.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::access::Access;
use crate::limits::SipLimits;
use crate::media::Media;
use crate::pool::{Pool, SipTimers};
use crate::psap::Psap;
use crate::region::Region;
use crate::release::Release;
use crate::route::Routes;
use crate::site::{CallServer, Site};
use crate::tcp::TcpLimits;
use crate::trunk_group::TrunkGroup;

/// A network whose every reference resolves. All lists are in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Topology {
    /// The key `name`, else the file's name without its ending.
    pub name: String,
    pub timers: SipTimers,
    pub tcp: TcpLimits,
    /// Of each box.
    pub sip: SipLimits,
    pub pool: Pool,
    pub media: Media,
    /// Those of the file and, last, [`Release::sound`].
    pub releases: Vec<Release>,
    pub sites: Vec<Site>,
    pub trunk_groups: Vec<TrunkGroup>,
    /// Where telephones register.
    pub access: Vec<Access>,
    /// No département is in two of them.
    pub regions: Vec<Region>,
    pub psaps: Vec<Psap>,
    pub routes: Routes,
}

impl Topology {
    /// The call servers of all sites.
    pub fn call_servers(&self) -> impl Iterator<Item = &CallServer> {
        self.sites.iter().flat_map(|site| &site.call_servers)
    }

    /// The PSAP called `name`.
    #[must_use]
    pub fn psap(&self, name: &str) -> Option<&Psap> {
        self.psaps.iter().find(|psap| psap.name == name)
    }

    /// The IP addresses of a site with all of its call servers, of a trunk group or of a PSAP; none of what there is not.
    #[must_use]
    pub fn ips_of(&self, name: &str) -> BTreeSet<IpAddr> {
        let call_servers = self.call_servers().filter(|one| one.site == name);
        let sites = call_servers
            .flat_map(|one| one.media_addresses.iter().copied().chain([one.address.ip()]));
        let groups = self.trunk_group(name).map(|group| group.address.ip());
        let psaps = self.psap(name).map(|psap| psap.address.ip());
        sites.chain(groups).chain(psaps).collect()
    }

    /// The names of the sites that are redundant with each other, in the order of the file.
    #[must_use]
    pub fn pool_sites(&self) -> Vec<String> {
        let in_pool = self.sites.iter().filter(|site| site.in_pool);
        in_pool.map(|site| site.name.clone()).collect()
    }

    /// The release called `name`.
    #[must_use]
    pub fn release(&self, name: &str) -> Option<&Release> {
        self.releases.iter().find(|release| release.name == name)
    }

    /// The trunk group called `name`.
    #[must_use]
    pub fn trunk_group(&self, name: &str) -> Option<&TrunkGroup> {
        self.trunk_groups.iter().find(|group| group.name == name)
    }
}
