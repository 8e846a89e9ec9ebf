//! Log lines about connections: one now and then, however many end badly.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::tcp_input::Cause;
use super::way::Way;

/// Between two lines: peers must not fill the log.
const INTERVAL: Duration = Duration::from_secs(10);

/// What is told of connections that were closed or refused.
#[derive(Debug)]
pub(super) struct Complaint {
    /// The address of the box.
    address: SocketAddr,
    told: Option<Instant>,
    /// Connections since then of which nothing was told.
    untold: u64,
}

impl Complaint {
    pub(super) const fn new(address: SocketAddr) -> Self {
        Self { address, told: None, untold: 0 }
    }

    /// A connection was closed or refused for this.
    pub(super) fn add(&mut self, way: Way, cause: &Cause) {
        let now = Instant::now();
        if self.told.is_some_and(|told| now < told + INTERVAL) {
            self.untold += 1;
            return;
        }
        let (address, others) = (self.address, std::mem::take(&mut self.untold));
        self.told = Some(now);
        let (peer, transport) = (way.peer, way.transport.token());
        tracing::warn!(%address, %peer, transport, %cause, others, "a connection was closed or refused");
    }
}
