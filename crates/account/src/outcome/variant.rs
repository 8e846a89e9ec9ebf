//! What one run came to: a run on real sockets, a campaign in virtual time, or a variant of it.

use std::time::Duration;

use super::downtime::Downtime;
use super::figures::AttemptsByStep;
use super::goodput::Goodput;
use super::operations::OperationsReport;
use crate::series::Series;
use crate::summary::Summary;
use crate::text::length;

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
    /// When their software began to hang, which, why.
    pub hangs: Vec<(Duration, String, String)>,
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
    /// Its verdict in a word; nothing was demanded where it says `no bounds`.
    fn verdict(&self) -> &'static str {
        if self.summary.has_no_bounds() { "no bounds" } else { self.summary.verdict.as_str() }
    }

    /// One line when it is done.
    #[must_use]
    pub fn line(&self) -> String {
        let ledger = &self.summary.ledger;
        let balanced = if ledger.balanced { "balanced" } else { "NOT BALANCED" };
        format!(
            "{:<16} {:<8} {:>7} offered, {balanced}, took {}",
            self.name,
            self.verdict(),
            ledger.offered,
            length(self.took.as_secs_f64())
        )
    }
}
