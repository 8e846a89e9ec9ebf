//! When people knew what, in `summary.json`: emulated beside published.

use operations::MilestoneTime;
use serde::{Deserialize, Serialize};

/// A milestone of the crisis, in minutes from the first harm: the first emergency attempt that the network failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CrisisTime {
    /// `detected`, `understood`, `informed:SAMU` …
    pub milestone: String,
    /// `null` when it was not reached by the end of the run, or nobody was harmed.
    pub emulated_min: Option<f64>,
    /// `null` when the campaign does not tell.
    pub published_min: Option<f64>,
}

impl From<&MilestoneTime> for CrisisTime {
    fn from(one: &MilestoneTime) -> Self {
        let minutes = |seconds: Option<f64>| seconds.map(|seconds| seconds / 60.0);
        Self {
            milestone: one.milestone.to_string(),
            emulated_min: minutes(one.emulated_s),
            published_min: minutes(one.published_s),
        }
    }
}

impl CrisisTime {
    /// Both times in whole minutes, for people.
    #[must_use]
    pub fn words(&self) -> [String; 2] {
        let minutes = |time: Option<f64>, none: &str| {
            time.map_or_else(|| none.to_owned(), |minutes| format!("{minutes:.0}"))
        };
        [minutes(self.emulated_min, "not reached"), minutes(self.published_min, "-")]
    }
}
