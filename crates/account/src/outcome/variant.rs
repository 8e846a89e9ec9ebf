//! What one run came to: a run on real sockets, a campaign in virtual time, or a variant of it.

use std::time::Duration;

use super::downtime::Downtime;
use super::figures::AttemptsByStep;
use super::goodput::Goodput;
use super::operations::OperationsReport;
use crate::series::Series;
use crate::summary::Summary;

/// The name of a run on real sockets.
pub const RUN: &str = "run";
/// The name of a campaign among its variants.
pub const BASE: &str = "base";

/// What one run came to.
#[derive(Debug)]
pub struct VariantOutcome {
    /// [`RUN`], [`BASE`], or the name of a variant.
    pub name: String,
    /// The same in words.
    pub title: String,
    pub summary: Summary,
    /// What operators did and supervision saw.
    pub operations: OperationsReport,
    pub evidence: AttemptsByStep,
    pub goodput: Goodput,
    pub series: Series,
    /// Restarts of call servers: when, which, why.
    pub restarts: Vec<(Duration, String, String)>,
    /// When sites did not work.
    pub downtimes: Vec<Downtime>,
    /// How long each fall had lasted when a trunk group found it: which call server, which trunk group, how long.
    pub detections: Vec<(String, String, Duration)>,
    /// What the pool's settings let expect: at best, and at worst.
    pub predicted: (Duration, Duration),
    /// Real time that it took.
    pub took: Duration,
}

impl VariantOutcome {
    /// One line when it is done.
    #[must_use]
    pub fn line(&self) -> String {
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
