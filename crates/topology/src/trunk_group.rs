//! Trunk groups: how calls enter the pool, and with how many circuits.

use std::net::SocketAddr;
use std::time::Duration;

use crate::limits::SourceLimits;
use crate::media::Carriage;
use crate::reader::{Table, kind};
use crate::site::{CallServer, Site, known_site};

/// A border element between callers and pool, such as a mobile operator's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrunkGroup {
    pub name: String,
    /// Where callers send their INVITE.
    pub address: SocketAddr,
    pub policy: Policy,
    /// No response from a call server for this long: the call is tried on another site.
    pub next_site_after: Duration,
    /// At least one, in the order of the file.
    pub members: Vec<Member>,
    /// A longer call gives its circuit back.
    pub max_call_duration: Duration,
    /// Whether the media of its calls passes through the call servers.
    pub media: Carriage,
    /// What becomes of the answered calls of a call server that is found down.
    pub when_site_dies: WhenSiteDies,
    pub sources: SourceLimits,
}

/// What a trunk group does with answered calls whose call server is found down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenSiteDies {
    /// They stay: whoever hangs up finds that nobody answers.
    Keep,
    /// The caller gets a BYE, as from a network that has lost a link (3GPP TS 24.229 §5.2.8.1.2).
    Release,
}

impl WhenSiteDies {
    const WORDS: [(&'static str, Self); 2] = [("keep", Self::Keep), ("release", Self::Release)];
}

/// The circuits of a trunk group towards one call server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub call_server: String,
    pub site: String,
    pub address: SocketAddr,
    /// Calls at once towards this call server.
    pub circuits: u32,
    /// Share of the calls under [`Policy::Weighted`], relative to the other members.
    pub weight: u32,
}

/// How a trunk group chooses a member for a new call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// At random, in proportion to the weights.
    Weighted,
    /// Each in turn.
    RoundRobin,
    /// The smallest part of its circuits in use.
    LeastLoaded,
    /// The same member for the same caller, as long as it is up.
    Sticky,
    /// Those at the sites of the caller's region in turn; if none of them takes the call, or the region is not known, all in turn.
    Affinity,
}

impl Policy {
    const WORDS: [(&'static str, Self); 5] = [
        ("weighted", Self::Weighted),
        ("round-robin", Self::RoundRobin),
        ("least-loaded", Self::LeastLoaded),
        ("sticky", Self::Sticky),
        ("affinity", Self::Affinity),
    ];

    /// The word that stands for this policy in a file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Weighted => "weighted",
            Self::RoundRobin => "round-robin",
            Self::LeastLoaded => "least-loaded",
            Self::Sticky => "sticky",
            Self::Affinity => "affinity",
        }
    }
}

impl TrunkGroup {
    /// Reads a trunk group; it leads to every site, unless its key `sites` names some.
    pub(crate) fn read(table: &Table<'_>, sites: &[Site]) -> Self {
        let shortest = Duration::from_millis(100);
        let capacity = Capacity { circuits: 30, weight: 1 }.read(table);
        let wanted = table.list("sites", |raw| known_site(kind::name(raw)?, sites));
        // Without the key: to the whole pool.
        let leads_to = |site: &Site| match table.has("sites") {
            true => wanted.contains(&site.name),
            false => site.in_pool,
        };
        let changes = table.named("members", |member| {
            let site = known_site(member.name().to_owned(), sites);
            match site {
                Ok(site) if !sites.iter().any(|s| s.name == site && leads_to(s)) => {
                    member.report_here(format!("this trunk group does not lead to site {site:?}"));
                }
                Ok(_) => {}
                Err(refusal) => member.report_here(refusal),
            }
            (member.name().to_owned(), capacity.read(member))
        });
        let members: Vec<Member> = sites
            .iter()
            .filter(|site| leads_to(site))
            .flat_map(|site| &site.call_servers)
            .map(|call_server| {
                let change = changes.iter().find(|(site, _)| *site == call_server.site);
                change.map_or(capacity, |(_, changed)| *changed).towards(call_server)
            })
            .collect();
        if members.is_empty() && !sites.is_empty() {
            table.report("sites", "must name a site, or be left out to lead to all of them");
        }
        let circuits: u32 = members.iter().map(|member| member.circuits).sum();
        Self {
            name: table.name().to_owned(),
            address: table.required("address", kind::address, kind::NO_ADDRESS),
            policy: table.or("policy", kind::choice(&Policy::WORDS), Policy::LeastLoaded),
            next_site_after: table.or(
                "next_site_after",
                kind::duration(shortest),
                Duration::from_secs(2),
            ),
            members,
            max_call_duration: table.or(
                "max_call_duration",
                kind::duration(Duration::from_secs(1)),
                Duration::from_secs(2 * 3600),
            ),
            media: table.or("media", kind::choice(&Carriage::WORDS), Carriage::Relay),
            when_site_dies: table.or(
                "when_site_dies",
                kind::choice(&WhenSiteDies::WORDS),
                WhenSiteDies::Keep,
            ),
            sources: SourceLimits::read(table, circuits, None),
        }
    }

    /// Calls at once over the whole trunk group.
    #[must_use]
    pub fn circuits(&self) -> u32 {
        self.members.iter().map(|member| member.circuits).sum()
    }
}

/// Circuits and weight towards each call server of a site.
#[derive(Debug, Clone, Copy)]
struct Capacity {
    circuits: u32,
    weight: u32,
}

impl Capacity {
    fn read(self, table: &Table<'_>) -> Self {
        Self {
            circuits: table.or("circuits", kind::count(1..=10_000), self.circuits),
            weight: table.or("weight", kind::count(1..=1_000), self.weight),
        }
    }

    fn towards(self, call_server: &CallServer) -> Member {
        Member {
            call_server: call_server.name.clone(),
            site: call_server.site.clone(),
            address: call_server.address,
            circuits: self.circuits,
            weight: self.weight,
        }
    }
}
