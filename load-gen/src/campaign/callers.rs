//! How callers behave once they have dialled.

use std::time::Duration;

use topology::Distribution;
use topology::reader::{Table, kind};

/// People, by their times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Callers {
    /// From answer to BYE, where it is the caller who hangs up.
    pub talk: Distribution,
    /// From INVITE to CANCEL: how long a caller waits for an answer before giving up.
    pub patience: Distribution,
    /// Share of the calls that the caller hangs up after `talk`; the PSAP ends the others.
    ///
    /// A PSAP whose own talk time is over first hangs up in either case.
    pub caller_hangs_up: f64,
    /// Nobody waits longer than this, whatever `patience` draws.
    pub ring_limit: Duration,
}

impl Callers {
    pub(super) fn read(table: &Table<'_>) -> Self {
        let talk = Distribution::LogNormal { median: Duration::from_secs(90), sigma: 0.6 };
        let patience = Distribution::Exponential { mean: Duration::from_secs(49) };
        Self {
            talk: table.or("talk", kind::distribution, talk),
            patience: table.or("patience", kind::distribution, patience),
            caller_hangs_up: table.or("caller_hangs_up", kind::share, 0.5),
            ring_limit: table.or(
                "ring_limit",
                kind::duration(Duration::from_secs(1)),
                Duration::from_secs(180),
            ),
        }
    }
}
