//! The network as `GET /v1/network` shows it: what a map of it is drawn from.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use topology::{Defect, Topology};
use utoipa::ToSchema;

/// The boxes of the network file and the ways between them, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NetworkView {
    pub name: String,
    pub trunk_groups: Vec<TrunkGroupPlace>,
    pub sites: Vec<SitePlace>,
    pub psaps: Vec<PsapPlace>,
    /// From trunk groups to call servers.
    pub links: Vec<LinkPlace>,
    /// Software releases that sites can load, the sound one last.
    pub releases: Vec<ReleasePlace>,
    /// Latent defects that can be armed by hand.
    pub defects: Vec<DefectPlace>,
    /// How long it takes at worst, by probes alone, to find that a site is dead.
    pub detection_s: f64,
    /// Where the callers of the campaign are, by INSEE code; none without a campaign.
    pub communes: Vec<String>,
}

/// A trunk group of the network file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TrunkGroupPlace {
    pub name: String,
    pub address: String,
    /// By which it chooses a site.
    pub policy: String,
    pub circuits: u32,
}

/// A site of the network file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SitePlace {
    pub name: String,
    /// Whether it is redundant with the others.
    pub in_pool: bool,
    /// One, or several blades.
    pub call_servers: Vec<String>,
    /// Software that it starts with.
    pub release: String,
}

/// A PSAP of the network file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PsapPlace {
    pub name: String,
    pub number: String,
    pub positions: u32,
    pub queue_limit: u32,
}

/// The circuits from a trunk group to a call server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LinkPlace {
    pub trunk_group: String,
    pub call_server: String,
    pub site: String,
    pub circuits: u32,
}

/// A software release, and what sleeps in it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReleasePlace {
    pub name: String,
    /// Latent defects: to load the release arms them.
    pub defects: Vec<String>,
}

/// A latent defect of the catalogue.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DefectPlace {
    pub name: String,
    /// What it wants to know.
    pub keys: Vec<String>,
}

impl NetworkView {
    /// What can be seen of a network before it runs.
    #[must_use]
    pub fn of(topology: &Topology) -> Self {
        let trunk_groups = topology.trunk_groups.iter().map(|group| TrunkGroupPlace {
            name: group.name.clone(),
            address: group.address.to_string(),
            policy: group.policy.as_str().to_owned(),
            circuits: group.circuits(),
        });
        let sites = topology.sites.iter().map(|site| SitePlace {
            name: site.name.clone(),
            in_pool: site.in_pool,
            call_servers: site.call_servers.iter().map(|one| one.name.clone()).collect(),
            release: site
                .call_servers
                .first()
                .map(|one| one.equipment.release.clone())
                .unwrap_or_default(),
        });
        let psaps = topology.psaps.iter().map(|psap| PsapPlace {
            name: psap.name.clone(),
            number: psap.number.clone(),
            positions: psap.positions,
            queue_limit: psap.queue_limit,
        });
        let links = topology.trunk_groups.iter().flat_map(|group| {
            group.members.iter().map(|member| LinkPlace {
                trunk_group: group.name.clone(),
                call_server: member.call_server.clone(),
                site: member.site.clone(),
                circuits: member.circuits,
            })
        });
        let releases = topology.releases.iter().map(|release| ReleasePlace {
            name: release.name.clone(),
            defects: release.defects.iter().map(|defect| defect.name().to_owned()).collect(),
        });
        let defects = Defect::NAMES.into_iter().map(|name| DefectPlace {
            name: name.to_owned(),
            keys: Defect::keys(name).iter().map(|&key| key.to_owned()).collect(),
        });
        Self {
            name: topology.name.clone(),
            trunk_groups: trunk_groups.collect(),
            sites: sites.collect(),
            psaps: psaps.collect(),
            links: links.collect(),
            releases: releases.collect(),
            defects: defects.collect(),
            detection_s: topology.pool.detection().end().as_secs_f64(),
            communes: Vec::new(),
        }
    }

    /// How long it takes at worst to find that a site is dead.
    pub(super) fn detection(&self) -> Duration {
        Duration::try_from_secs_f64(self.detection_s).unwrap_or_default()
    }

    /// The sites that are redundant with each other.
    pub(super) fn pool(&self) -> Vec<String> {
        self.sites.iter().filter(|site| site.in_pool).map(|site| site.name.clone()).collect()
    }
}
