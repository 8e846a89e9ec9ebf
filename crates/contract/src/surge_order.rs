//! A surge by hand: more calls from some communes for a while.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// To a generator: for a while, people in some communes place more calls than its campaign has.
///
/// All that is drawn follows from it and from the seed of the campaign, however many generators share the load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurgeOrder {
    /// Which surge of the run, from 1.
    pub number: u32,
    /// Since the start of the campaign, in microseconds.
    pub from_us: u64,
    /// In microseconds.
    pub lasts_us: u64,
    /// Whole INSEE codes; each is as likely as the others where calls come by `PerSecond`.
    pub communes: Vec<String>,
    pub more: SurgeSize,
}

/// How many calls a surge adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SurgeSize {
    /// So many further calls for a thousand that the campaign has from there, each beside one of them.
    PerMille(u32),
    /// So many further calls in a thousand seconds, by chance as a Poisson process has them.
    PerThousandSeconds(u32),
}

impl SurgeOrder {
    /// When it begins and ends, from the start of the campaign.
    #[must_use]
    pub const fn span(&self) -> (Duration, Duration) {
        let end = self.from_us.saturating_add(self.lasts_us);
        (Duration::from_micros(self.from_us), Duration::from_micros(end))
    }
}
