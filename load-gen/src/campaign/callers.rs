//! How callers behave once they have dialled.

use std::time::Duration;

use topology::Distribution;
use topology::reader::{Raw, Table, kind};

/// People, by their times.
#[derive(Debug, Clone, PartialEq)]
pub struct Callers {
    /// From answer to BYE, where it is the caller who hangs up.
    pub talk: Distribution,
    /// From INVITE to CANCEL: how long a caller waits for an answer before giving up.
    /// `None`: as long as the network lets it ring.
    pub patience: Option<Distribution>,
    /// Share of the calls that the caller hangs up after `talk`; the PSAP ends the others.
    ///
    /// A PSAP whose own talk time is over first hangs up in either case.
    pub caller_hangs_up: f64,
}

impl Callers {
    pub(super) fn read(table: &Table<'_>) -> Self {
        let talk = Distribution::LogNormal { median: Duration::from_secs(90), sigma: 0.6 };
        let exponential = Distribution::Exponential { mean: Duration::from_secs(49) };
        Self {
            talk: table.or("talk", kind::distribution, talk),
            patience: table.or("patience", patience, Some(exponential)),
            caller_hangs_up: table.or("caller_hangs_up", kind::share, 0.5),
        }
    }
}

fn patience(raw: Raw<'_>) -> Result<Option<Distribution>, String> {
    match kind::text(raw).as_deref() {
        Ok("endless") => Ok(None),
        _ => kind::distribution(raw)
            .map(Some)
            .map_err(|refusal| format!("{refusal}; \"endless\" waits for the network")),
    }
}
