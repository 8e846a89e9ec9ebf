//! An alarm that is raised or cleared.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::settings::Severity;

/// A change: something went out of bounds, or is within them again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// When it changed, since the start of the campaign.
    #[serde(rename = "at_s", with = "crate::log::seconds")]
    pub at: Duration,
    /// When it was raised; of a raised alarm the same as `at`.
    #[serde(rename = "raised_at_s", with = "crate::log::seconds")]
    pub raised_at: Duration,
    pub state: AlarmState,
    /// The name of its rule.
    pub rule: String,
    pub severity: Severity,
    /// What it is about, such as `site` or `number`, and the labels of the rule.
    pub labels: BTreeMap<String, String>,
    /// The figure, and the bound that it crossed or came back behind.
    pub value: f64,
    pub threshold: f64,
    /// The same for people.
    pub sentence: String,
}

/// Which way an alarm changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmState {
    Raised,
    Cleared,
}

impl Alarm {
    /// Whether it was raised, rather than cleared.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.state == AlarmState::Raised
    }
}
