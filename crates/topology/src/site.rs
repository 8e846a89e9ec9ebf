//! Sites and their call servers.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::equipment::Equipment;
use crate::limits::SourceLimits;
use crate::media::{self, Media};
use crate::reader::{Table, kind};

/// A place that can fail as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    pub name: String,
    /// Whether it is one of the redundant sites that operators command together. A site outside the pool stands for
    /// something else, such as the switched network.
    pub in_pool: bool,
    /// At least one, in the order of the file.
    pub call_servers: Vec<CallServer>,
}

/// One back-to-back user agent of the pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallServer {
    /// The site's name for its only call server, else `site.blade`. Unique in the network.
    pub name: String,
    pub site: String,
    pub address: SocketAddr,
    /// Calls at once; beyond it a call is shed with 503.
    pub max_calls: u32,
    /// Retry-After of that 503 (RFC 3261 §20.33).
    pub retry_after: Duration,
    /// A B leg that rings this long without an answer: the next PSAP of the route is tried.
    pub ring_timeout: Duration,
    /// A B leg without any response for this long: the next PSAP of the route is tried.
    pub response_timeout: Duration,
    /// A longer call is ended by the call server.
    pub max_call_duration: Duration,
    /// Ports of each media address.
    pub media_ports: RangeInclusive<u16>,
    /// Where media is relayed: one address of each family that the two ends may have.
    pub media_addresses: Vec<IpAddr>,
    /// Its site is in the pool.
    pub in_pool: bool,
    pub equipment: Equipment,
    /// Of callers that come straight here; trunk groups and call servers are peers.
    pub sources: SourceLimits,
}

impl Site {
    pub(crate) fn read(table: &Table<'_>, media: &Media, equipment: &Equipment) -> Self {
        let name = table.name().to_owned();
        let in_pool = table.or("in_pool", kind::flag, true);
        let limits = Limits::new(media, equipment, in_pool).read(table, None);
        let mut call_servers = table.named("call_servers", |blade| {
            limits.read(blade, Some(&limits.sources)).call_server(
                format!("{name}.{}", blade.name()),
                &name,
                blade,
            )
        });
        if table.has("call_servers") {
            if table.has("address") {
                table.report("address", "belongs to one call server; move it to call_servers.NAME");
            }
        } else if table.has("address") {
            call_servers.push(limits.call_server(name.clone(), &name, table));
        }
        if call_servers.is_empty() {
            table.report_here("needs an address, or a table call_servers.NAME with one");
        }
        Self { name, in_pool, call_servers }
    }
}

impl CallServer {
    /// Calls whose media its ports can relay at once: two pairs of ports for each.
    #[must_use]
    pub fn relayed_calls(&self) -> u32 {
        let (first, last) = (*self.media_ports.start(), *self.media_ports.end());
        let pairs = (last.saturating_add(1) / 2).saturating_sub(first.div_ceil(2));
        // Two families may share a call, and then each port range has one end of it.
        u32::from(pairs) * self.media_addresses.len() as u32 / 2
    }

    /// Where this call server's address stands in the file.
    #[must_use]
    pub fn address_path(&self) -> String {
        match self.name.strip_prefix(&format!("{}.", self.site)) {
            Some(blade) => format!("sites.{}.call_servers.{blade}.address", self.site),
            None => format!("sites.{}.address", self.site),
        }
    }
}

/// `name`, if a site is called so.
pub(crate) fn known_site(name: String, sites: &[Site]) -> Result<String, String> {
    if sites.iter().any(|site| site.name == name) {
        return Ok(name);
    }
    let names: Vec<&str> = sites.iter().map(|site| &site.name[..]).collect();
    Err(format!("no site is called {name:?}; the sites are {}", names.join(", ")))
}

/// What a site sets for all its call servers, and each of them may change.
#[derive(Debug, Clone)]
struct Limits {
    max_calls: u32,
    retry_after: Duration,
    ring_timeout: Duration,
    response_timeout: Duration,
    max_call_duration: Duration,
    media_ports: RangeInclusive<u16>,
    media_addresses: Vec<IpAddr>,
    in_pool: bool,
    equipment: Equipment,
    sources: SourceLimits,
}

impl Limits {
    fn new(media: &Media, equipment: &Equipment, in_pool: bool) -> Self {
        Self {
            max_calls: 10_000,
            retry_after: Duration::from_secs(5),
            ring_timeout: Duration::from_secs(60),
            response_timeout: Duration::from_secs(4),
            max_call_duration: Duration::from_secs(2 * 3600),
            media_ports: media.ports.clone(),
            media_addresses: Vec::new(),
            in_pool,
            equipment: equipment.clone(),
            sources: SourceLimits::default(),
        }
    }

    /// These limits with the changes of `table`; `sources` are those of the site, for its blades.
    fn read(&self, table: &Table<'_>, sources: Option<&SourceLimits>) -> Self {
        let shortest = Duration::from_millis(100);
        let second = Duration::from_secs(1);
        let media_addresses = table.list("media_addresses", kind::ip);
        for (index, ip) in media_addresses.iter().enumerate() {
            if media_addresses.iter().take(index).any(|one| one.is_ipv4() == ip.is_ipv4()) {
                table.report("media_addresses", "must hold at most one IPv4 and one IPv6 address");
            }
        }
        let max_calls = table.or("max_calls", kind::count(1..=1_000_000), self.max_calls);
        Self {
            max_calls,
            sources: SourceLimits::read(table, max_calls, sources),
            // Retry-After counts whole seconds.
            retry_after: table.or("retry_after", kind::duration(second), self.retry_after),
            ring_timeout: table.or("ring_timeout", kind::duration(shortest), self.ring_timeout),
            response_timeout: table.or(
                "response_timeout",
                kind::duration(shortest),
                self.response_timeout,
            ),
            max_call_duration: table.or(
                "max_call_duration",
                kind::duration(second),
                self.max_call_duration,
            ),
            media_ports: table.or("media_ports", media::ports, self.media_ports.clone()),
            media_addresses: match media_addresses.is_empty() {
                true => self.media_addresses.clone(),
                false => media_addresses,
            },
            in_pool: self.in_pool,
            equipment: self.equipment.read(table),
        }
    }

    fn call_server(&self, name: String, site: &str, table: &Table<'_>) -> CallServer {
        let address = table.required("address", kind::address, kind::NO_ADDRESS);
        let media_addresses = match self.media_addresses.is_empty() {
            true => vec![address.ip()],
            false => self.media_addresses.clone(),
        };
        CallServer {
            name,
            site: site.to_owned(),
            address,
            max_calls: self.max_calls,
            retry_after: self.retry_after,
            ring_timeout: self.ring_timeout,
            response_timeout: self.response_timeout,
            max_call_duration: self.max_call_duration,
            media_ports: self.media_ports.clone(),
            media_addresses,
            in_pool: self.in_pool,
            equipment: self.equipment.clone(),
            sources: self.sources.clone(),
        }
    }
}
