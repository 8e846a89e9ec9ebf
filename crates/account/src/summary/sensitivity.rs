//! How much hangs on what was assumed: the campaign run again with each assumed key changed, one at a time.

use serde::{Deserialize, Serialize};

use super::compared::Spread;

/// The assumed keys of a campaign, the one with the largest effect on people who were never reached first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SensitivityFigures {
    pub keys: Vec<KeyEffect>,
    /// Runs that were asked for and not made, as after Ctrl-C.
    pub runs_missing: u64,
}

/// What one assumed key does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KeyEffect {
    pub key: String,
    /// As the campaign has it.
    pub value: String,
    pub why: Option<String>,
    /// In which the campaign says that the result holds.
    pub range: Option<[String; 2]>,
    /// From the smallest value to the largest.
    pub trials: Vec<Trial>,
    /// Why the conclusion hangs on it, a sentence each; empty when it does not.
    pub decisive: Vec<String>,
}

/// The campaign with another value of a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Trial {
    pub value: String,
    /// Of the campaign's own value.
    pub factor: f64,
    /// Share of emergency attempts that was not routed.
    pub not_routed_share: Option<Spread>,
    /// People.
    pub never_reached: Option<Spread>,
}

impl KeyEffect {
    /// The lowest and the highest of what trials, and the campaign itself with `own`, came to.
    #[must_use]
    pub fn ends(&self, own: f64, pick: impl Fn(&Trial) -> Option<Spread>) -> (f64, f64) {
        let medians = self.trials.iter().filter_map(|trial| Some(pick(trial)?.median));
        medians.fold((own, own), |(low, high), median| (low.min(median), high.max(median)))
    }
}
