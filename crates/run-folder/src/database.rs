//! `calls.sqlite` on its way from its rows to its verdict.

use account::archive::{self, ArchivedEvent, PartialDatabase};
use account::summary::Summary;

/// A database with every attempt, which is told the verdict before it gets its name, and again if the verdict changes.
#[derive(Debug)]
pub struct Database {
    file: PartialDatabase,
    started_us: u64,
    events: Vec<ArchivedEvent>,
}

impl Database {
    /// One with every row, of a run that began at `started_us`.
    pub(crate) const fn new(
        file: PartialDatabase,
        started_us: u64,
        events: Vec<ArchivedEvent>,
    ) -> Self {
        Self { file, started_us, events }
    }

    /// Writes down what is known of the run as a whole.
    pub(crate) fn judge(&self, summary: &Summary) -> anyhow::Result<()> {
        archive::tell_database(&self.file, &facts(summary, self.started_us), &self.events)
    }

    /// Gives the file its name.
    pub(crate) fn name(&mut self) -> anyhow::Result<()> {
        archive::name_database(&mut self.file)
    }
}

/// What the database knows of the run as a whole.
fn facts(summary: &Summary, started_us: u64) -> Vec<(&'static str, String)> {
    let ledger = &summary.ledger;
    vec![
        ("campaign", summary.campaign.clone()),
        ("network", summary.network.clone()),
        ("seed", summary.seed.to_string()),
        ("verdict", summary.verdict.as_str().to_owned()),
        ("exit_code", summary.exit_code().to_string()),
        ("reasons", summary.reasons.join("\n")),
        ("started_at", summary.started_at.clone()),
        ("started_us", started_us.to_string()),
        ("duration_s", summary.duration_s.to_string()),
        ("offered", ledger.offered.to_string()),
        ("answered", ledger.answered.to_string()),
        ("rejected", ledger.rejected.to_string()),
        ("abandoned", ledger.abandoned.to_string()),
        ("timed_out", ledger.timed_out.to_string()),
        ("lost", ledger.lost.to_string()),
        ("in_progress", ledger.in_progress.to_string()),
        ("balanced", ledger.balanced.to_string()),
        ("tocsin", env!("CARGO_PKG_VERSION").to_owned()),
    ]
}
