//! Sites and their call servers.

use std::net::SocketAddr;
use std::time::Duration;

use crate::reader::{Table, kind};

/// A place that can fail as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    pub name: String,
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
}

impl Site {
    pub(crate) fn read(table: &Table<'_>) -> Self {
        let name = table.name().to_owned();
        let limits = Limits::default().read(table);
        let mut call_servers = table.named("call_servers", |blade| {
            limits.read(blade).call_server(format!("{name}.{}", blade.name()), &name, blade)
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
        Self { name, call_servers }
    }
}

impl CallServer {
    /// Where this call server's address stands in the file.
    #[must_use]
    pub fn address_path(&self) -> String {
        match self.name.strip_prefix(&format!("{}.", self.site)) {
            Some(blade) => format!("sites.{}.call_servers.{blade}.address", self.site),
            None => format!("sites.{}.address", self.site),
        }
    }
}

/// What a site sets for all its call servers, and each of them may change.
#[derive(Debug, Clone, Copy)]
struct Limits {
    max_calls: u32,
    retry_after: Duration,
    ring_timeout: Duration,
    response_timeout: Duration,
    max_call_duration: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_calls: 10_000,
            retry_after: Duration::from_secs(5),
            ring_timeout: Duration::from_secs(60),
            response_timeout: Duration::from_secs(4),
            max_call_duration: Duration::from_secs(2 * 3600),
        }
    }
}

impl Limits {
    /// These limits with the changes of `table`.
    fn read(self, table: &Table<'_>) -> Self {
        let shortest = Duration::from_millis(100);
        let second = Duration::from_secs(1);
        Self {
            max_calls: table.or("max_calls", kind::count(1..=1_000_000), self.max_calls),
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
        }
    }

    fn call_server(self, name: String, site: &str, table: &Table<'_>) -> CallServer {
        CallServer {
            name,
            site: site.to_owned(),
            address: table.required("address", kind::address, kind::NO_ADDRESS),
            max_calls: self.max_calls,
            retry_after: self.retry_after,
            ring_timeout: self.ring_timeout,
            response_timeout: self.response_timeout,
            max_call_duration: self.max_call_duration,
        }
    }
}
