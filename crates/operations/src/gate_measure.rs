//! What a gate judges by, what is counted for it, and what was measured.

use std::fmt;
use std::ops::Sub;

use topology::reader::{Raw, kind};

/// What a gate judges by. Whatever it is, a canary that restarts more often than it may does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GateIndicator {
    /// Answer seizure ratio of the calls that the canary was given, as a share of that of all other sites: 1 is as well as they.
    /// What the pool as a whole hides, because calls that the canary refuses are answered elsewhere, shows here.
    SiteAsrVsOthers,
    /// Answer seizure ratio of the calls that the canary was given.
    SiteAsr,
    /// How often the canary restarted while it was observed.
    Restarts,
    /// Answer seizure ratio of all attempts in the network.
    Asr,
    /// The same of attempts to emergency numbers.
    EmergencyAsr,
    /// The same of all other attempts.
    OrdinaryAsr,
}

const INDICATORS: [(&str, Option<GateIndicator>); 7] = [
    ("site_asr_vs_others", Some(GateIndicator::SiteAsrVsOthers)),
    ("site_asr", Some(GateIndicator::SiteAsr)),
    ("restarts", Some(GateIndicator::Restarts)),
    ("asr", Some(GateIndicator::Asr)),
    ("emergency_asr", Some(GateIndicator::EmergencyAsr)),
    ("ordinary_asr", Some(GateIndicator::OrdinaryAsr)),
    ("arrivals", None),
];

impl GateIndicator {
    pub(crate) fn kind(raw: Raw<'_>) -> Result<Self, String> {
        kind::choice(&INDICATORS)(raw)?.ok_or_else(|| {
            "cannot judge a canary: arrivals belong to a PSAP, not to a site".to_owned()
        })
    }

    /// A bound in the unit of this indicator: a share, or a number of restarts.
    pub(crate) fn bound(self, raw: Raw<'_>) -> Result<f64, String> {
        match self {
            Self::Restarts => kind::number(0.0..=1_000_000.0)(raw),
            _ => kind::share(raw),
        }
    }
}

impl fmt::Display for GateIndicator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = INDICATORS.iter().find(|(_, indicator)| *indicator == Some(*self));
        f.write_str(named.map(|(name, _)| *name).expect("the table names every indicator"))
    }
}

/// Calls, and those of them that were answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallCounts {
    pub offered: u64,
    pub answered: u64,
}

impl CallCounts {
    /// Answer seizure ratio, once there are `least` calls.
    pub(crate) fn asr(self, least: u32) -> Option<f64> {
        let enough = self.offered >= u64::from(least.max(1));
        enough.then(|| self.answered as f64 / self.offered as f64)
    }
}

impl Sub for CallCounts {
    type Output = Self;

    /// What came after `earlier`. A machine that was lost and replaced counts anew.
    fn sub(self, earlier: Self) -> Self {
        Self {
            offered: self.offered.saturating_sub(earlier.offered),
            answered: self.answered.saturating_sub(earlier.answered),
        }
    }
}

/// What was counted since the start of the campaign, as a gate looks at it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GateCounts {
    /// At the canary.
    pub site: CallCounts,
    pub restarts: u64,
    /// At all other sites together.
    pub others: CallCounts,
    /// By callers, whichever site they came to.
    pub emergency: CallCounts,
    pub ordinary: CallCounts,
}

impl Sub for GateCounts {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            site: self.site - earlier.site,
            restarts: self.restarts.saturating_sub(earlier.restarts),
            others: self.others - earlier.others,
            emergency: self.emergency - earlier.emergency,
            ordinary: self.ordinary - earlier.ordinary,
        }
    }
}

/// What was seen of a canary when the gate is to decide.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Measured {
    /// The worst value of the indicator; `None`: too little to judge.
    pub value: Option<f64>,
    /// What was counted while it was observed.
    pub counts: GateCounts,
}

impl From<Option<f64>> for Measured {
    fn from(value: Option<f64>) -> Self {
        Self { value, ..Self::default() }
    }
}
