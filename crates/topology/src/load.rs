//! The way from a file to a network: read, checked, whole.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use crate::access::Access;
use crate::check::check;
use crate::equipment::Equipment;
use crate::limits::SipLimits;
use crate::media::Media;
use crate::pool::{Pool, SipTimers};
use crate::problem::Problems;
use crate::psap::Psap;
use crate::reader::{Document, Layers, Table, kind};
use crate::region::Region;
use crate::release::Release;
use crate::route::{Route, Routes};
use crate::site::Site;
use crate::tcp::TcpLimits;
use crate::topology::Topology;
use crate::trunk_group::TrunkGroup;

/// Environment variables of a network begin with this: `TOCSIN__SITES__ALPHA__ADDRESS`.
pub const ENVIRONMENT_PREFIX: &str = "TOCSIN";

const SECTIONS: [&str; 13] = [
    "timers",
    "sip",
    "tcp",
    "pool",
    "equipment",
    "media",
    "releases",
    "sites",
    "trunk_groups",
    "access",
    "regions",
    "psaps",
    "routes",
];

/// Whether a `--set` key belongs to a network file, and not to the campaign that names it.
#[must_use]
pub fn is_network_key(key: &str) -> bool {
    let section = key.split(['.', '[']).next().unwrap_or_default();
    SECTIONS.contains(&section)
}

impl Topology {
    /// Reads and checks the file at `path` with `layers` over it.
    pub fn load(path: &Path, layers: &Layers) -> Result<Self, Problems> {
        let load = |layers: &Layers| Self::decode(Document::load(path, layers)?, path);
        load(layers).map_err(|problems| match layers.without_overrides() {
            Some(below) => problems.blaming_overrides(&[path], load(&below).err().as_ref()),
            None => problems,
        })
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
        check(&document, &topology);
        document.finish(topology)
    }

    fn read(root: &Table<'_>, default_name: &str, folder: &Path) -> Self {
        let media = root.section("media", |table| Media::read(table, folder));
        let equipment = root.section("equipment", |table| Equipment::default().read(table));
        let sites = root.named("sites", |table| Site::read(table, &media, &equipment));
        let mut releases = root.named("releases", Release::read);
        releases.push(Release::sound());
        let timers = root.section("timers", SipTimers::read);
        let sip = root.section("sip", SipLimits::read);
        let trunk_groups = root.named("trunk_groups", |table| TrunkGroup::read(table, &sites));
        let mut topology = Self {
            access: root.named("access", |table| Access::read(table, &trunk_groups, folder)),
            name: root.or("name", kind::name, default_name.to_owned()),
            timers,
            tcp: root.section("tcp", TcpLimits::read),
            sip,
            pool: root.section("pool", Pool::read),
            trunk_groups,
            regions: root.named("regions", |table| Region::read(table, &sites)),
            psaps: Psap::read_all(root, &media, timers, sip),
            routes: Routes::new(root.tables("routes", Route::read)),
            media,
            releases,
            sites,
        };
        topology.introduce();
        topology
    }

    /// Makes trunk groups and call servers peers of the boxes behind them: the calls of one of these are those of many people.
    fn introduce(&mut self) {
        let groups = self.trunk_groups.iter().map(|group| group.address.ip());
        let call_servers = self.call_servers().map(|one| one.address.ip());
        let boxes: Arc<BTreeSet<IpAddr>> = Arc::new(groups.chain(call_servers).collect());
        let of_call_servers = self
            .sites
            .iter_mut()
            .flat_map(|site| &mut site.call_servers)
            .map(|one| &mut one.sources);
        let of_psaps = self.psaps.iter_mut().map(|psap| &mut psap.sources);
        for sources in of_call_servers.chain(of_psaps) {
            sources.boxes = Arc::clone(&boxes);
        }
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
