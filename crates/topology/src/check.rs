//! Mistakes that only show when the whole network is seen.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

use crate::access::Access;
use crate::psap::{Psap, WhenFull, unknown_psap};
use crate::reader::{Document, suggestion};
use crate::route::{EVERYWHERE, Route};
use crate::topology::Topology;
use crate::trunk_group::Policy;

/// Names that no PSAP has, with which the names of others are compared.
const MOST_COMPARED: usize = 20;

/// Reports every mistake in how the parts of `topology` fit together.
pub(crate) fn check(document: &Document, topology: &Topology) {
    presence(document, topology);
    names(document, topology);
    addresses(document, topology);
    users(document, &topology.access);
    psap_numbers(document, &topology.psaps);
    releases(document, topology);
    regions(document, topology);
    let routes: Vec<&Route> = topology.routes.iter().collect();
    route_overlaps(document, &routes);
    let unknown = route_psaps(document, &routes, &topology.psaps);
    unreached_psaps(document, &routes, &topology.psaps, &unknown);
}

/// A network without one of these carries no call.
fn presence(document: &Document, topology: &Topology) {
    let needed = [
        ("[sites.NAME]", topology.sites.is_empty()),
        ("[psaps.NAME]", topology.psaps.is_empty()),
        ("[[routes]]", topology.routes.iter().next().is_none()),
    ];
    for (header, _) in needed.into_iter().filter(|(_, absent)| *absent) {
        document.report("", format!("the network needs at least one {header}"));
    }
}

/// Call records and operator commands name a box by its name alone.
fn names(document: &Document, topology: &Topology) {
    let sites = topology.sites.iter().map(|site| ("sites", &site.name));
    let groups = topology.trunk_groups.iter().map(|group| ("trunk_groups", &group.name));
    let psaps = topology.psaps.iter().map(|psap| ("psaps", &psap.name));
    let mut owners: HashMap<&str, &str> = HashMap::new();
    let access = topology.access.iter().map(|access| ("access", &access.name));
    for (section, name) in sites.chain(groups).chain(psaps).chain(access) {
        if let Some(owner) = owners.insert(name, section) {
            let message = format!("{owner}.{name} has this name too; give each box its own name");
            document.report(&format!("{section}.{name}"), message);
        }
    }
}

/// Whoever calls a user of an access node means one.
fn users(document: &Document, access: &[Access]) {
    for node in access {
        let mut owners: HashMap<&str, &str> = HashMap::new();
        for account in &node.accounts {
            for user in [Some(&account.name), account.number.as_ref()].into_iter().flatten() {
                if let Some(owner) = owners.insert(user, &account.name) {
                    let (key, name) = (format!("access.{}.accounts", node.name), &account.name);
                    let fix = "give each user its own";
                    let message =
                        format!("{owner:?} and {name:?} are both called by {user:?}; {fix}");
                    document.report(&key, message);
                }
            }
        }
    }
}

/// Two boxes cannot listen on one address. Port 0 is the system's choice, so it never clashes.
fn addresses(document: &Document, topology: &Topology) {
    let sites = topology.call_servers().map(|call_server| {
        let box_name = format!("call server {:?}", call_server.name);
        (call_server.address, call_server.address_path(), box_name)
    });
    let groups = topology.trunk_groups.iter().map(|group| {
        let path = format!("trunk_groups.{}.address", group.name);
        (group.address, path, format!("trunk group {:?}", group.name))
    });
    let psaps = topology.psaps.iter().map(|psap| {
        let path = format!("psaps.{}.address", psap.name);
        (psap.address, path, format!("PSAP {:?}", psap.name))
    });
    let access = topology.access.iter().flat_map(|access| {
        let own = [("address", access.address)].into_iter().chain(access.listeners());
        own.map(move |(key, address)| {
            let path = format!("access.{}.{key}", access.name);
            (address, path, format!("access node {:?}", access.name))
        })
    });
    let mut owners: HashMap<SocketAddr, String> = HashMap::new();
    for (address, path, box_name) in sites.chain(groups).chain(psaps).chain(access) {
        if address.port() == 0 {
            continue;
        }
        if let Some(owner) = owners.get(&address) {
            let fix = "give each box its own address or port";
            document.report(&path, format!("{address} is already the address of {owner}; {fix}"));
        } else {
            owners.insert(address, box_name);
        }
    }
}

/// A site runs a release of the file, or the one without defects.
fn releases(document: &Document, topology: &Topology) {
    let mut names = HashSet::new();
    for release in &topology.releases {
        if !names.insert(&release.name) {
            let sound = crate::release::SOUND;
            document.report(
                &format!("releases.{sound}"),
                "is the release without defects; choose another name",
            );
        }
    }
    for call_server in topology.call_servers() {
        let name = &call_server.equipment.release;
        if topology.release(name).is_none() {
            let known: Vec<&str> = topology.releases.iter().map(|one| &one.name[..]).collect();
            let path = format!("sites.{}.release", call_server.site);
            let path = if document.holds(&path) { path } else { "equipment.release".to_owned() };
            document.report(
                &path,
                format!("no release is called {name:?}; the releases are {}", known.join(", ")),
            );
        }
    }
}

/// A département is in one region, and prefers no site twice; a policy by regions has some.
fn regions(document: &Document, topology: &Topology) {
    let mut owners: HashMap<&str, &str> = HashMap::new();
    for region in &topology.regions {
        let path = format!("regions.{}", region.name);
        for department in &region.departments {
            if let Some(owner) = owners.insert(department, &region.name) {
                let message = format!("{department} is in region {owner:?} already; remove one");
                document.report(&format!("{path}.departments"), message);
            }
        }
        let mut seen = HashSet::new();
        for site in region.sites.iter().filter(|site| !seen.insert(&site[..])) {
            let message = format!("names site {site:?} twice; remove one");
            document.report(&format!("{path}.sites"), message);
        }
    }
    let by_region = topology.trunk_groups.iter().filter(|group| group.policy == Policy::Affinity);
    for group in by_region.filter(|_| topology.regions.is_empty()) {
        document.report(
            &format!("trunk_groups.{}.policy", group.name),
            "needs at least one [regions.NAME] with departments and sites",
        );
    }
}

fn psap_numbers(document: &Document, psaps: &[Psap]) {
    let mut owners: HashMap<&str, &str> = HashMap::new();
    for psap in psaps.iter().filter(|psap| !psap.number.is_empty()) {
        if let Some(owner) = owners.insert(&psap.number, &psap.name) {
            let path = format!("psaps.{}.number", psap.name);
            let fix = "give each PSAP its own number";
            let message = format!("{} is already the number of PSAP {owner:?}; {fix}", psap.number);
            document.report(&path, message);
        }
    }
}

/// A number from a commune prefix has one route; a route that wins nothing can never match.
fn route_overlaps(document: &Document, routes: &[&Route]) {
    let mut owners: HashMap<(&str, &str), usize> = HashMap::new();
    for (index, route) in routes.iter().enumerate() {
        let pairs = route.numbers.iter().flat_map(|number| {
            route.communes.iter().map(move |commune| (number.as_str(), commune.as_str()))
        });
        let (mut taken, mut won) = (Vec::new(), 0);
        for pair in pairs {
            match owners.get(&pair) {
                Some(owner) => taken.push((pair, *owner)),
                None => {
                    owners.insert(pair, index);
                    won += 1;
                }
            }
        }
        let path = format!("routes[{index}]");
        if won == 0 && !taken.is_empty() {
            let mut earlier: Vec<usize> = taken.iter().map(|(_, owner)| *owner).collect();
            earlier.dedup();
            let earlier: Vec<String> = earlier.iter().map(|i| format!("routes[{i}]")).collect();
            let message = format!(
                "can never match: {} takes the same numbers from the same communes; remove one",
                earlier.join(" and ")
            );
            document.report(&path, message);
            continue;
        }
        for ((number, commune), owner) in taken {
            let from = if commune == EVERYWHERE { "every commune" } else { commune };
            let message = match owner == index {
                true => format!("{number} from {from} is listed twice; remove one"),
                false => format!("{number} from {from} already has routes[{owner}]; remove one"),
            };
            document.report(&path, message);
        }
    }
}

/// Reports the PSAPs that routes name and nobody defines, and returns their names.
fn route_psaps<'r>(document: &Document, routes: &[&'r Route], psaps: &[Psap]) -> Vec<&'r str> {
    let known: HashSet<&str> = psaps.iter().map(|psap| &psap.name[..]).collect();
    let mut unknown = Vec::new();
    for (index, route) in routes.iter().enumerate() {
        let path = format!("routes[{index}].psaps");
        let mut seen = HashSet::new();
        for name in &route.psaps {
            if !known.contains(&name[..]) {
                document.report_with(&path, || unknown_psap(name, psaps));
                unknown.push(&name[..]);
            } else if !seen.insert(name) {
                document.report(&path, format!("names PSAP {name:?} twice; remove one"));
            }
        }
    }
    unknown
}

/// A PSAP is reached by a route, or by redirection from one that is.
fn unreached_psaps(document: &Document, routes: &[&Route], psaps: &[Psap], unknown: &[&str]) {
    let redirected = psaps.iter().filter_map(|psap| match &psap.when_full {
        WhenFull::Redirect { psap: next, .. } => Some((&psap.name[..], &next[..])),
        _ => None,
    });
    let redirected: HashMap<&str, &str> = redirected.collect();
    let mut reached = HashSet::new();
    for mut name in routes.iter().flat_map(|route| &route.psaps).map(String::as_str) {
        // Where it has been, the way on is known already.
        while reached.insert(name)
            && let Some(next) = redirected.get(name)
        {
            name = next;
        }
    }
    for psap in psaps.iter().filter(|psap| !reached.contains(&psap.name[..])) {
        // Where a route misspells this name, one message for the one mistake is enough.
        let names = unknown.iter().copied().take(MOST_COMPARED);
        if suggestion::nearest(&psap.name, names).is_none() {
            let message = format!(
                "no route reaches this PSAP; add {:?} to the psaps of a route, or remove it",
                psap.name
            );
            document.report(&format!("psaps.{}", psap.name), message);
        }
    }
}
