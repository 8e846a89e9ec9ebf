//! A network at one moment, as `GET /v1/state` shows it and every second of `GET /v1/events`.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use contract::{
    BoxState, CallServerSnapshot, DirectoryEntry, MemberState, PsapSnapshot, Snapshot,
    TowardsCounts, TrunkGroupSnapshot,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ManagedSites;
use super::command_result::CanaryView;
use super::network_view::{NetworkView, SitePlace};
use super::run_view::RunView;

/// All that is drawn of a network, as its boxes showed themselves at most a second ago.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StateView {
    /// Unix time in milliseconds.
    pub at_ms: u64,
    /// Null for a network that is served by hand.
    pub run: Option<RunView>,
    pub trunk_groups: Vec<TrunkGroupState>,
    pub sites: Vec<SiteState>,
    pub psaps: Vec<PsapState>,
    pub links: Vec<LinkState>,
    /// The ways from sites to PSAPs on which there was a call.
    pub psap_links: Vec<PsapLinkState>,
    /// Commands that wait for a word after their first site.
    pub canaries: Vec<CanaryView>,
}

/// A trunk group at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TrunkGroupState {
    pub name: String,
    /// `up`, `draining`, `gone` or `unknown`.
    pub state: String,
    pub calls: u64,
    pub circuits: u32,
    pub seized: u32,
    /// So far, as all counts here.
    pub offered: u64,
    pub answered: u64,
    pub rejected: u64,
    pub lost: u64,
}

/// A site at one moment: the sum, and the worst state, of its call servers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SiteState {
    pub name: String,
    /// `up`, `shedding`, `draining`, `locked`, `isolated`, `hung`, `starting`, `off`, `gone` or `unknown`.
    pub state: String,
    pub calls: u64,
    pub contexts: u32,
    pub contexts_used: u32,
    pub release: String,
    /// Latent defects in it, by name.
    pub defects: Vec<String>,
    pub restarts: u32,
    pub offered: u64,
    pub answered: u64,
    pub rejected: u64,
    pub lost: u64,
    /// Messages that wait for the processor.
    pub waiting: u64,
}

/// A PSAP at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PsapState {
    pub name: String,
    /// `up`, `gone` or `unknown`.
    pub state: String,
    /// Calls in the queue.
    pub waiting: u64,
    /// Positions by what they do.
    pub idle: u64,
    pub ringing: u64,
    pub talking: u64,
    pub wrap_up: u64,
    pub offered: u64,
    pub answered: u64,
    pub abandoned: u64,
    pub oldest_waiting_s: Option<f64>,
}

/// The circuits from a trunk group to a call server at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LinkState {
    pub trunk_group: String,
    pub call_server: String,
    pub site: String,
    /// As the trunk group sees the call server: `up`, `suspect`, `down`, `draining`, or `unknown`.
    pub state: String,
    pub circuits: u32,
    pub seized: u32,
    pub offered: u64,
    pub answered: u64,
    pub failed: u64,
}

/// The calls from a site to a PSAP.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PsapLinkState {
    pub site: String,
    pub psap: String,
    pub offered: u64,
    pub answered: u64,
}

impl StateView {
    /// What `sites` show now.
    #[must_use]
    pub fn of_sites(sites: &dyn ManagedSites) -> Self {
        let run = sites.feed().run();
        let canaries = sites.canaries().view();
        Self { canaries, ..Self::of(sites.network(), &sites.boxes(), run) }
    }

    /// What `boxes` show, at the places that they have in `network`.
    #[must_use]
    pub fn of(
        network: &NetworkView,
        boxes: &BTreeMap<String, DirectoryEntry>,
        run: Option<RunView>,
    ) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let group = |name: &String| trunk_group(name, boxes.get(name));
        let psap = |name: &String| psap(name, boxes.get(name), now.as_micros());
        let site = |place: &SitePlace| site(place, boxes);
        Self {
            at_ms: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
            run,
            trunk_groups: network.trunk_groups.iter().map(|place| group(&place.name)).collect(),
            sites: network.sites.iter().map(site).collect(),
            psaps: network.psaps.iter().map(|place| psap(&place.name)).collect(),
            links: links(network, boxes),
            psap_links: psap_links(network, boxes),
            canaries: Vec::new(),
        }
    }
}

/// The word for a box whose state is not as usual.
const fn unusual(entry: Option<&DirectoryEntry>) -> Option<&'static str> {
    match entry {
        None => Some("unknown"),
        Some(entry) => match entry.state {
            BoxState::Unknown => Some("unknown"),
            BoxState::Stopped | BoxState::Failed | BoxState::Lost => Some("gone"),
            BoxState::Draining | BoxState::Drained => Some("draining"),
            BoxState::Running => None,
        },
    }
}

fn trunk_group(name: &str, entry: Option<&DirectoryEntry>) -> TrunkGroupState {
    let state = unusual(entry).unwrap_or("up").to_owned();
    let named = TrunkGroupState { name: name.to_owned(), state, ..TrunkGroupState::default() };
    let shown = entry.and_then(|entry| entry.snapshot.as_ref()).and_then(Snapshot::trunk_group);
    let Some(TrunkGroupSnapshot { calls, draining, counts, members, .. }) = shown else {
        return named;
    };
    let is_up = named.state == "up";
    TrunkGroupState {
        state: if *draining && is_up { "draining".to_owned() } else { named.state },
        calls: if is_up { *calls as u64 } else { 0 },
        circuits: members.iter().map(|member| member.circuits).sum(),
        seized: members.iter().map(|member| member.seized).sum(),
        offered: counts.offered,
        answered: counts.answered,
        rejected: counts.rejected,
        lost: counts.lost,
        ..named
    }
}

/// The worst of the words for the states of its call servers is that of a site.
const WORST_FIRST: [&str; 10] = [
    "gone", "off", "hung", "starting", "isolated", "locked", "draining", "shedding", "unknown",
    "up",
];

fn site(place: &SitePlace, boxes: &BTreeMap<String, DirectoryEntry>) -> SiteState {
    let mut site = SiteState { name: place.name.clone(), ..SiteState::default() };
    let mut states = Vec::new();
    for name in &place.call_servers {
        let entry = boxes.get(name);
        let shown = entry.and_then(|entry| entry.snapshot.as_ref()).and_then(Snapshot::call_server);
        let gone = unusual(entry);
        states.push(gone.unwrap_or_else(|| shown.map_or("up", word)));
        let Some(one) = shown else { continue };
        if gone != Some("gone") {
            site.calls += one.calls as u64;
            site.contexts_used += one.contexts_used;
            site.waiting += one.waiting as u64;
        }
        site.contexts += one.contexts;
        site.release.clone_from(&one.release);
        let more = one.defects.iter().filter(|defect| !site.defects.contains(defect));
        let more: Vec<String> = more.cloned().collect();
        site.defects.extend(more);
        site.restarts += one.restarts;
        site.offered += one.counts.offered;
        site.answered += one.counts.answered;
        site.rejected += one.counts.rejected;
        site.lost += one.counts.lost;
    }
    let worst = WORST_FIRST.into_iter().find(|word| states.contains(word));
    worst.unwrap_or("unknown").clone_into(&mut site.state);
    site
}

fn word(shown: &CallServerSnapshot) -> &'static str {
    let states = [
        (shown.off, "off"),
        (shown.hung, "hung"),
        (shown.starting, "starting"),
        (shown.isolated, "isolated"),
        (shown.locked, "locked"),
        (shown.draining, "draining"),
        (shown.shedding, "shedding"),
    ];
    states.into_iter().find(|(is, _)| *is).map_or("up", |(_, word)| word)
}

fn psap(name: &str, entry: Option<&DirectoryEntry>, now_us: u128) -> PsapState {
    let state = unusual(entry).unwrap_or("up").to_owned();
    let named = PsapState { name: name.to_owned(), state, ..PsapState::default() };
    let shown = entry.and_then(|entry| entry.snapshot.as_ref()).and_then(Snapshot::psap);
    let Some(PsapSnapshot { positions, waiting, oldest_waiting_us, offered, service, .. }) = shown
    else {
        return named;
    };
    let since = |us: &u64| now_us.saturating_sub(u128::from(*us)) as f64 / 1e6;
    PsapState {
        waiting: *waiting as u64,
        idle: positions.idle as u64,
        ringing: positions.ringing as u64,
        talking: positions.talking as u64,
        wrap_up: positions.wrap_up as u64,
        offered: *offered,
        answered: service.answered,
        abandoned: service.abandoned,
        oldest_waiting_s: oldest_waiting_us.as_ref().map(since),
        ..named
    }
}

fn links(network: &NetworkView, boxes: &BTreeMap<String, DirectoryEntry>) -> Vec<LinkState> {
    let link = |place: &super::network_view::LinkPlace| {
        let entry = boxes.get(&place.trunk_group).and_then(|entry| entry.snapshot.as_ref());
        let members = entry.and_then(Snapshot::trunk_group).map(|group| &group.members);
        let is_it = |one: &&contract::MemberSnapshot| one.call_server == place.call_server;
        let member = members.and_then(|members| members.iter().find(is_it));
        let state = match member.map(|one| one.state) {
            None => "unknown",
            Some(MemberState::Up) => "up",
            Some(MemberState::Suspect) => "suspect",
            Some(MemberState::Down) => "down",
            Some(MemberState::Draining) => "draining",
        };
        let counts = member.map(|one| one.counts).unwrap_or_default();
        LinkState {
            trunk_group: place.trunk_group.clone(),
            call_server: place.call_server.clone(),
            site: place.site.clone(),
            state: state.to_owned(),
            circuits: place.circuits,
            seized: member.map_or(0, |one| one.seized),
            offered: counts.offered,
            answered: counts.answered,
            failed: counts.failed,
        }
    };
    network.links.iter().map(link).collect()
}

fn psap_links(
    network: &NetworkView,
    boxes: &BTreeMap<String, DirectoryEntry>,
) -> Vec<PsapLinkState> {
    let mut links = Vec::new();
    for site in &network.sites {
        let mut towards: BTreeMap<&String, TowardsCounts> = BTreeMap::new();
        let entries =
            site.call_servers.iter().filter_map(|name| boxes.get(name)?.snapshot.as_ref());
        for shown in entries.filter_map(Snapshot::call_server) {
            for (psap, more) in &shown.towards {
                let counts = towards.entry(psap).or_default();
                counts.offered += more.offered;
                counts.answered += more.answered;
            }
        }
        links.extend(towards.into_iter().map(|(psap, counts)| PsapLinkState {
            site: site.name.clone(),
            psap: psap.clone(),
            offered: counts.offered,
            answered: counts.answered,
        }));
    }
    links
}

#[cfg(test)]
mod tests {
    use contract::{MemberSnapshot, NodeKind};

    use super::super::network_view::LinkPlace;
    use super::*;

    fn entry(kind: NodeKind, state: BoxState, snapshot: Option<Snapshot>) -> DirectoryEntry {
        let listening = DirectoryEntry::listening(kind, ([127, 0, 0, 1], 5060).into());
        DirectoryEntry { state, snapshot, ..listening }
    }

    #[test]
    fn a_site_is_as_ill_as_its_worst_call_server_and_counts_what_lives() {
        let blade = |calls, locked| {
            let shown = CallServerSnapshot { calls, locked, ..CallServerSnapshot::default() };
            Some(Snapshot::from(shown))
        };
        let place = SitePlace {
            name: "beta".to_owned(),
            call_servers: vec!["beta.a".to_owned(), "beta.b".to_owned()],
            ..SitePlace::default()
        };
        let of = |a: (BoxState, usize, bool), b: Option<BoxState>| {
            let one = entry(NodeKind::CallServer, a.0, blade(a.1, a.2));
            let mut boxes = BTreeMap::from([("beta.a".to_owned(), one)]);
            if let Some(state) = b {
                let other = entry(NodeKind::CallServer, state, blade(4, false));
                boxes.insert("beta.b".to_owned(), other);
            }
            let site = site(&place, &boxes);
            (site.state, site.calls)
        };
        let running = BoxState::Running;
        assert_eq!(of((running, 3, false), Some(running)), ("up".to_owned(), 7));
        assert_eq!(of((running, 3, true), Some(running)), ("locked".to_owned(), 7));
        assert_eq!(of((running, 3, true), Some(BoxState::Lost)), ("gone".to_owned(), 3));
        assert_eq!(of((running, 3, false), None), ("unknown".to_owned(), 3));
    }

    #[test]
    fn calls_from_a_site_to_a_psap_are_those_of_all_its_call_servers() {
        let blade = |offered, answered| {
            let towards = [("samu-59".to_owned(), TowardsCounts { offered, answered })].into();
            let shown = CallServerSnapshot { towards, ..CallServerSnapshot::default() };
            entry(NodeKind::CallServer, BoxState::Running, Some(shown.into()))
        };
        let site = |name: &str, call_servers: &[&str]| SitePlace {
            name: name.to_owned(),
            call_servers: call_servers.iter().map(|&one| one.to_owned()).collect(),
            ..SitePlace::default()
        };
        let sites = vec![site("alpha", &["alpha"]), site("beta", &["beta.a", "beta.b"])];
        let network = NetworkView { sites, ..NetworkView::default() };
        let boxes = [("beta.a".to_owned(), blade(3, 1)), ("beta.b".to_owned(), blade(4, 2))].into();
        let link = PsapLinkState {
            site: "beta".to_owned(),
            psap: "samu-59".to_owned(),
            offered: 7,
            answered: 3,
        };
        assert_eq!(psap_links(&network, &boxes), [link]);
    }

    #[test]
    fn a_link_is_as_its_trunk_group_sees_it() {
        let place = LinkPlace {
            trunk_group: "mobile".to_owned(),
            call_server: "alpha".to_owned(),
            site: "alpha".to_owned(),
            circuits: 30,
        };
        let network = NetworkView { links: vec![place], ..NetworkView::default() };
        assert_eq!(links(&network, &BTreeMap::new())[0].state, "unknown");
        let member = MemberSnapshot {
            call_server: "alpha".to_owned(),
            site: "alpha".to_owned(),
            state: MemberState::Down,
            circuits: 30,
            seized: 2,
            falls: 1,
            found_after_us: None,
            counts: contract::MemberCounts { offered: 9, ..Default::default() },
            asked: None,
            kept_away: 0,
        };
        let group = TrunkGroupSnapshot { members: vec![member], ..TrunkGroupSnapshot::default() };
        let shown = entry(NodeKind::TrunkGroup, BoxState::Running, Some(group.into()));
        let seen = &links(&network, &BTreeMap::from([("mobile".to_owned(), shown)]))[0];
        assert_eq!((&*seen.state, seen.seized, seen.offered), ("down", 2, 9));
    }
}
