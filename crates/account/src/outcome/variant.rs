//! What one run came to: a run on real sockets, a campaign in virtual time, or a variant of it.

use std::time::Duration;

use campaign::ComparedFigure;

use super::downtime::Downtime;
use super::evidence::Evidence;
use super::goodput::Goodput;
use super::operations::OperationsReport;
use crate::series::Series;
use crate::summary::{RunVerdict, SeedResult, Summary};
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
    pub evidence: Evidence,
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
    /// What its campaign compares, with its own bounds.
    pub figures: Vec<ComparedFigure>,
    /// What each seed came to, its own first; never empty.
    pub seeds: Vec<SeedResult>,
    /// Figures that are shares of another run's, until they are told.
    /// Empty until then.
    pub related: Vec<(usize, Vec<Option<f64>>)>,
}

impl VariantOutcome {
    /// Takes its own figures, in the order of its campaign: what its seed came to.
    pub fn keep_figures(&mut self, figures: Vec<Option<f64>>) {
        let run = &self.summary;
        self.seeds.push(SeedResult {
            seed: run.seed,
            verdict: run.verdict,
            reason: run.reasons.first().cloned(),
            ledger_hash: run.ledger_hash.clone(),
            harm: run.harm.as_ref().map(|harm| harm.whole).unwrap_or_default(),
            figures,
        });
    }

    /// Takes what another seed of the same campaign came to. That it was no good run is against all of them.
    pub fn absorb(&mut self, seed: SeedResult) {
        if !matches!(seed.verdict, RunVerdict::Pass | RunVerdict::Interrupted) {
            let why = seed.reason.as_deref().unwrap_or("");
            self.summary.fail(format!("seed {}: {}, {why}", seed.seed, seed.verdict.as_str()));
        }
        self.seeds.push(seed);
    }

    /// Its verdict in a word; nothing was demanded where it says `no bounds`. Bounds of figures are kept by all seeds together, and
    /// beside other runs, so that they are judged when all of these are over.
    fn verdict(&self) -> &'static str {
        let is_bounded = |figure: &ComparedFigure| figure.min.is_some() || figure.max.is_some();
        match self.summary.has_no_bounds() {
            true if self.figures.iter().any(is_bounded) => "to judge",
            true => "no bounds",
            false => self.summary.verdict.as_str(),
        }
    }

    /// One line when it is done.
    #[must_use]
    pub fn line(&self) -> String {
        let ledger = &self.summary.ledger;
        let balanced = if ledger.balanced { "balanced" } else { "NOT BALANCED" };
        format!(
            "{:<16} {:<9} {:>7} offered, {balanced}, took {}",
            self.name,
            self.verdict(),
            ledger.offered,
            length(self.took.as_secs_f64())
        )
    }
}
