//! Settings of the whole network: SIP timers, and how trunk groups watch the pool.

use std::time::Duration;

use crate::reader::{Table, kind};

/// Base timers of every SIP transaction (RFC 3261 §17.1.1.1, table 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SipTimers {
    /// Estimate of the round trip; the first interval of retransmission.
    pub t1: Duration,
    /// Longest interval of retransmission, except of INVITE.
    pub t2: Duration,
    /// How long a message may stay in the network.
    pub t4: Duration,
    /// From whom nothing has come inside a call for so long is asked whether it still has the call; see the call servers, PSAPs
    /// and callers.
    pub audit: Duration,
}

impl Default for SipTimers {
    fn default() -> Self {
        Self {
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
            audit: Duration::from_secs(60),
        }
    }
}

impl SipTimers {
    pub(crate) fn read(table: &Table<'_>) -> Self {
        let base = Self::default();
        let shortest = Duration::from_millis(1);
        let timers = Self {
            t1: table.or("t1", kind::duration(shortest), base.t1),
            t2: table.or("t2", kind::duration(shortest), base.t2),
            t4: table.or("t4", kind::duration(shortest), base.t4),
            audit: table.or("audit", kind::duration(Duration::from_secs(1)), base.audit),
        };
        if timers.t2 < timers.t1 {
            table.report("t2", "must not be shorter than t1 (RFC 3261 §17.1.2.2)");
        }
        timers
    }
}

/// How a trunk group judges the call servers, by OPTIONS and by the fate of its calls.
///
/// A member goes up → suspect → down by failures in a row, and up again by successes in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// Between two OPTIONS to the same call server.
    pub probe_interval: Duration,
    /// An OPTIONS without a response for this long is a failure.
    pub probe_timeout: Duration,
    /// Failures in a row until a member is suspect.
    pub suspect_after: u32,
    /// Failures in a row until a member is down.
    pub down_after: u32,
    /// Successes in a row until a member that was down is up.
    pub up_after: u32,
    /// A member that was down gets its share of new calls back over this long, evenly from nothing to all.
    pub readmit_over: Duration,
    /// Each answered call is told to a partner, the next in the order of the file at another site, which goes on with it
    /// if its call server falls.
    pub replicate_calls: bool,
    /// A call server that starts asks the others for the configuration of the pool, stale circuits and all.
    pub sync_configuration: bool,
}

impl Default for Pool {
    fn default() -> Self {
        Self {
            probe_interval: Duration::from_secs(2),
            probe_timeout: Duration::from_secs(1),
            suspect_after: 1,
            down_after: 3,
            up_after: 2,
            readmit_over: Duration::ZERO,
            replicate_calls: false,
            sync_configuration: false,
        }
    }
}

impl Pool {
    pub(crate) fn read(table: &Table<'_>) -> Self {
        let base = Self::default();
        let shortest = Duration::from_millis(10);
        let pool = Self {
            probe_interval: table.or(
                "probe_interval",
                kind::duration(shortest),
                base.probe_interval,
            ),
            probe_timeout: table.or("probe_timeout", kind::duration(shortest), base.probe_timeout),
            suspect_after: table.or("suspect_after", kind::count(1..=100), base.suspect_after),
            down_after: table.or("down_after", kind::count(1..=100), base.down_after),
            up_after: table.or("up_after", kind::count(1..=100), base.up_after),
            readmit_over: table.or(
                "readmit_over",
                kind::duration(Duration::ZERO),
                base.readmit_over,
            ),
            replicate_calls: table.or("replicate_calls", kind::flag, base.replicate_calls),
            sync_configuration: table.or("sync_configuration", kind::flag, base.sync_configuration),
        };
        if pool.probe_timeout > pool.probe_interval {
            table.report("probe_timeout", "must not be longer than probe_interval");
        }
        if pool.suspect_after > pool.down_after {
            table.report("suspect_after", "must not be more than down_after");
        }
        pool
    }

    /// How long it takes, by probes alone, to find a member down that has just fallen silent: at best, when the fall comes
    /// just before a probe, and at worst, when it comes just after one.
    #[must_use]
    pub fn detection(&self) -> std::ops::RangeInclusive<Duration> {
        let best = self.probe_interval * (self.down_after - 1) + self.probe_timeout;
        best..=best + self.probe_interval
    }
}
