//! What the screen shows at one moment, as plain figures.

use std::time::Duration;

use campaign::Campaign;

use super::history::{CallCounts, Moment};

/// One picture.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scene {
    /// Campaign and network.
    pub(crate) title: String,
    pub(crate) phase: String,
    /// By the clock of the campaign.
    pub(crate) elapsed: Duration,
    pub(crate) length: Duration,
    pub(crate) ending: RunStatus,
    pub(crate) counts: CallCounts,
    /// Sentences against the run so far: those against the generator first.
    pub(crate) against: Vec<String>,
    /// How each threshold stands, in the order of the campaign.
    pub(crate) thresholds: Vec<ThresholdRow>,
    /// Each second, the latest last.
    pub(crate) history: Vec<Moment>,
    pub(crate) sites: Vec<SiteRow>,
    pub(crate) psaps: Vec<PsapRow>,
    /// What happened, and when; the latest last.
    pub(crate) notes: Vec<(Duration, String)>,
}

/// A threshold, measured so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ThresholdRow {
    pub(crate) subject: String,
    /// In words: `97.4 %`; `None` while nothing is known.
    pub(crate) measured: Option<String>,
    /// In words: `at least 95 %`.
    pub(crate) bounds: String,
    pub(crate) holds: Option<bool>,
    /// Whether it is known before the run is over.
    pub(crate) is_live: bool,
}

/// Whether the run still goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum RunStatus {
    #[default]
    Running,
    Draining,
    Stopping,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct SiteRow {
    pub(crate) name: String,
    pub(crate) state: &'static str,
    pub(crate) calls: u64,
    /// Offered so far.
    pub(crate) offered: u64,
    pub(crate) restarts: u64,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct PsapRow {
    pub(crate) name: String,
    pub(crate) waiting: u64,
    /// Positions that ring, talk or wrap up, and all of them.
    pub(crate) busy: u64,
    pub(crate) positions: u64,
    pub(crate) answered: u64,
}

/// The phase of a campaign at `at`: its name, or that it is over.
pub(crate) fn phase(campaign: &Campaign, at: Duration) -> String {
    let mut end = Duration::ZERO;
    for phase in &campaign.phases {
        end += phase.duration;
        if at < end {
            return phase.name.clone();
        }
    }
    "the last calls end".to_owned()
}
