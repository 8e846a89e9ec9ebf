//! What people go by: signs that emergency calls are hit, each with a weight, added up.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::log::seconds;

/// The section `[crisis.evidence]`: how much each sign counts. With a sum of 1 people have understood, unless the file says
/// otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EvidenceWeights {
    /// An alarm on emergency calls.
    pub emergency_alarm: f64,
    /// An alarm on missing arrivals: of each PSAP.
    pub arrivals_alarm: f64,
    /// Any other alarm: restarts, and figures of all calls or of ordinary ones.
    pub equipment_alarm: f64,
    /// A PSAP that complains.
    pub psap: f64,
    /// Another operator that complains.
    pub operator: f64,
    /// A number of callers that complain.
    pub callers: f64,
}

impl Default for EvidenceWeights {
    fn default() -> Self {
        Self {
            emergency_alarm: 1.0,
            arrivals_alarm: 0.5,
            equipment_alarm: 0.1,
            psap: 0.25,
            operator: 0.3,
            callers: 0.2,
        }
    }
}

/// A sign that was taken note of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sign {
    /// Since the start of the campaign.
    #[serde(rename = "at_s", with = "seconds")]
    pub at: Duration,
    /// Who or what tells it: `alarm restarts`, `psap samu-59`.
    pub source: String,
    /// How much was added to the evidence.
    pub weight: f64,
    /// It was taken for an effect of the maintenance.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blamed_on_maintenance: bool,
}

/// All signs so far.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// What each source counts; it counts once.
    sources: BTreeMap<String, f64>,
    total: f64,
    /// In the order of time.
    signs: Vec<Sign>,
}

impl Evidence {
    /// Takes note of a sign. What its source counted before is no more counted.
    pub(super) fn add(&mut self, at: Duration, source: String, weight: f64, blamed: bool) {
        let before = self.sources.get(&source).copied().unwrap_or_default();
        if weight <= before {
            return;
        }
        self.total += weight - before;
        self.sources.insert(source.clone(), weight);
        let sign = Sign { at, source, weight: weight - before, blamed_on_maintenance: blamed };
        // Between two looks they are told one kind after the other.
        let place = self.signs.partition_point(|other| other.at <= at);
        self.signs.insert(place, sign);
    }

    /// When the sum came to `enough`.
    pub(super) fn reached(&self, enough: f64) -> Option<Duration> {
        let mut sum = 0.0;
        // Weights such as 0.1 add up to a little less than they should.
        let sign = self.signs.iter().find(|sign| {
            sum += sign.weight;
            sum >= enough - 1e-9
        });
        sign.map(|sign| sign.at)
    }

    pub(super) fn total(&self) -> f64 {
        self.total
    }

    pub(super) fn signs(&self) -> &[Sign] {
        &self.signs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_counts_once_and_most() {
        let mut evidence = Evidence::default();
        let s = Duration::from_secs;
        evidence.add(s(1), "alarm restarts".to_owned(), 0.02, true);
        evidence.add(s(2), "alarm restarts".to_owned(), 0.1, false);
        evidence.add(s(3), "alarm restarts".to_owned(), 0.1, false);
        evidence.add(s(4), "psap samu-59".to_owned(), 0.4, false);
        evidence.add(s(3), "operator Other".to_owned(), 0.5, false);
        assert!((evidence.total() - 1.0).abs() < 1e-9);
        let order: Vec<_> = evidence.signs().iter().map(|sign| sign.at.as_secs()).collect();
        assert_eq!(order, [1, 2, 3, 4]);
        assert_eq!((evidence.reached(0.1), evidence.reached(1.0)), (Some(s(2)), Some(s(4))));
        assert_eq!(evidence.reached(1.1), None);
    }
}
