//! How long everything took, beside what was published.

use serde::{Deserialize, Serialize};

use super::evidence::Sign;
use crate::milestone::Milestone;

/// How long everything took, in seconds from the first harm: the first emergency attempt that the network failed. Never
/// negative; what people knew before is 0. What did not happen by the end of the run, and everything where nobody was harmed,
/// is `null`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CrisisReport {
    /// The first fault or command that touched a site, from the start of the campaign.
    pub fault_at_s: Option<f64>,
    /// The first harm, from the start of the campaign.
    pub harm_at_s: Option<f64>,
    pub detected_s: Option<f64>,
    pub understood_s: Option<f64>,
    pub activated_s: Option<f64>,
    pub informed: Vec<Informed>,
    pub advised_s: Option<f64>,
    pub published_s: Option<f64>,
    pub diagnosed_s: Option<f64>,
    pub recovered_s: Option<f64>,
    /// Every milestone that the settings know of, with what was published.
    pub milestones: Vec<MilestoneTime>,
    /// What people went by.
    pub signs: Vec<Sign>,
}

/// When somebody outside was told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Informed {
    pub who: String,
    pub after_s: Option<f64>,
}

/// A milestone of the crisis, emulated and published, each in seconds from the first harm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MilestoneTime {
    pub milestone: Milestone,
    pub emulated_s: Option<f64>,
    pub published_s: Option<f64>,
}

impl CrisisReport {
    /// A report of these times.
    pub(super) fn of(
        fault_at_s: Option<f64>,
        harm_at_s: Option<f64>,
        milestones: Vec<MilestoneTime>,
        signs: Vec<Sign>,
    ) -> Self {
        let after = |milestone: &Milestone| {
            milestones.iter().find(|one| one.milestone == *milestone)?.emulated_s
        };
        let informed = milestones.iter().filter_map(|one| match &one.milestone {
            Milestone::Informed(who) => {
                Some(Informed { who: who.clone(), after_s: one.emulated_s })
            }
            _ => None,
        });
        Self {
            fault_at_s,
            harm_at_s,
            detected_s: after(&Milestone::Detected),
            understood_s: after(&Milestone::Understood),
            activated_s: after(&Milestone::Activated),
            informed: informed.collect(),
            advised_s: after(&Milestone::Advised),
            published_s: after(&Milestone::Published),
            diagnosed_s: after(&Milestone::Diagnosed),
            recovered_s: after(&Milestone::Recovered),
            milestones,
            signs,
        }
    }
}
