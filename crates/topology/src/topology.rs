//! The whole network, and the way from a file to it.

use std::collections::BTreeSet;
use std::path::Path;

use crate::check;
use crate::equipment::Equipment;
use crate::media::Media;
use crate::pool::{Pool, SipTimers};
use crate::problem::Problems;
use crate::psap::Psap;
use crate::reader::{Document, Layers, Table, kind};
use crate::release::Release;
use crate::route::{Route, Routes};
use crate::site::{CallServer, Site};
use crate::trunk_group::TrunkGroup;

/// Environment variables of a network begin with this: `TOCSIN__SITES__ALPHA__ADDRESS`.
pub const ENVIRONMENT_PREFIX: &str = "TOCSIN";

const SECTIONS: [&str; 9] = [
    "timers",
    "pool",
    "equipment",
    "media",
    "releases",
    "sites",
    "trunk_groups",
    "psaps",
    "routes",
];

/// A network whose every reference resolves. All lists are in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Topology {
    /// The key `name`, else the file's name without its ending.
    pub name: String,
    pub timers: SipTimers,
    pub pool: Pool,
    pub media: Media,
    /// Those of the file and, last, [`Release::sound`].
    pub releases: Vec<Release>,
    pub sites: Vec<Site>,
    pub trunk_groups: Vec<TrunkGroup>,
    pub psaps: Vec<Psap>,
    pub routes: Routes,
}

/// Whether a `--set` key belongs to a network file, and not to the campaign that names it.
#[must_use]
pub fn is_network_key(key: &str) -> bool {
    let section = key.split(['.', '[']).next().unwrap_or_default();
    SECTIONS.contains(&section)
}

impl Topology {
    /// Reads and checks the file at `path` with `layers` over it.
    pub fn load(path: &Path, layers: &Layers) -> Result<Self, Problems> {
        Self::decode(Document::load(path, layers)?, path)
    }

    /// Reads and checks `text`; `file` names it in messages.
    pub fn parse(file: &str, text: &str, layers: &Layers) -> Result<Self, Problems> {
        Self::decode(Document::parse(file, text, layers)?, Path::new(file))
    }

    /// The keys that a network file may hold, as far as `text` leads to them; see [`Document::known_keys`].
    ///
    /// # Errors
    /// When `text` is no network.
    pub fn known_keys(text: &str) -> Result<BTreeSet<String>, Problems> {
        let document = Document::parse("network.toml", text, &Layers::none())?;
        document.read(|root| Self::read(root, "network", Path::new("")));
        let keys = document.known_keys();
        document.finish(keys)
    }

    fn decode(document: Document, path: &Path) -> Result<Self, Problems> {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        let topology = document.read(|root| Self::read(root, &stem, folder));
        check::check(&document, &topology);
        document.finish(topology)
    }

    fn read(root: &Table<'_>, default_name: &str, folder: &Path) -> Self {
        let media = root.section("media", |table| Media::read(table, folder));
        let equipment = root.section("equipment", |table| Equipment::default().read(table));
        let sites = root.named("sites", |table| Site::read(table, &media, &equipment));
        let mut releases = root.named("releases", Release::read);
        releases.push(Release::sound());
        Self {
            name: root.or("name", kind::name, default_name.to_owned()),
            timers: root.section("timers", SipTimers::read),
            pool: root.section("pool", Pool::read),
            trunk_groups: root.named("trunk_groups", |table| TrunkGroup::read(table, &sites)),
            psaps: Psap::read_all(root, &media),
            routes: Routes::new(root.tables("routes", Route::read)),
            media,
            releases,
            sites,
        }
    }

    /// The call servers of all sites.
    pub fn call_servers(&self) -> impl Iterator<Item = &CallServer> {
        self.sites.iter().flat_map(|site| &site.call_servers)
    }

    /// The PSAP called `name`.
    #[must_use]
    pub fn psap(&self, name: &str) -> Option<&Psap> {
        self.psaps.iter().find(|psap| psap.name == name)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_part_of_a_key_tells_whose_it_is() {
        assert!(is_network_key("sites.alpha.address") && is_network_key("routes[0].psaps"));
        assert!(!is_network_key("seed") && !is_network_key("phases[0].name"));
    }
}
