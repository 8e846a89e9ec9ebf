//! What a run came to, in either world: its summary, and what the control room and the callers saw.

mod chronicle;
mod figures;
mod goodput;
mod pictures;
pub(crate) mod plot;
mod seen;
mod table;

use std::time::Duration;

use load_gen::summary::Summary;

use crate::page::Series;

pub(crate) use chronicle::{Event, Happening, chronicle, events, story};
pub(crate) use figures::Evidence;
pub(crate) use goodput::Goodput;
pub(crate) use pictures::pictures;
pub(crate) use seen::Seen;
pub(crate) use table::{comparison, table};

/// What one run came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) summary: Summary,
    pub(crate) room: Seen,
    pub(crate) evidence: Evidence,
    pub(crate) goodput: Goodput,
    pub(crate) series: Series,
    /// Restarts of call servers: when, which, why.
    pub(crate) restarts: Vec<(Duration, String, String)>,
    /// How long each fall had lasted when a trunk group found it: which call server, which trunk group, how long.
    pub(crate) detections: Vec<(String, String, Duration)>,
    /// What the pool's settings let expect: at best, and at worst.
    pub(crate) predicted: (Duration, Duration),
    /// Real time that it took.
    pub(crate) took: Duration,
}

impl Outcome {
    /// One line when it is done.
    pub(crate) fn line(&self) -> String {
        let ledger = &self.summary.ledger;
        let balanced = if ledger.balanced { "balanced" } else { "NOT BALANCED" };
        format!(
            "{:<14} {:>7} attempts, {balanced}, {:.1} s",
            self.name,
            ledger.offered,
            self.took.as_secs_f64()
        )
    }
}
