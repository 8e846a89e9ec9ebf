//! What supervision measures, and for whom.

use std::fmt;

use serde::{Serialize, Serializer};
use topology::reader::{Raw, kind};

/// A figure over the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Indicator {
    /// Answer seizure ratio (ITU-T E.425 §2.2): answered attempts among all attempts.
    Asr,
    /// The same of attempts to emergency numbers: what French law has operators watch (arrêté du 29 août 2023).
    EmergencyAsr,
    /// The same of all other attempts.
    OrdinaryAsr,
    /// The same of what each site was given.
    SiteAsr,
    /// Calls that arrive at a PSAP, relative to its own baseline: 1 is as many as usual.
    Arrivals,
    /// How often sites restarted.
    Restarts,
}

/// What has a figure of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum By {
    /// The network as a whole.
    All,
    /// Each called number.
    Number,
    /// Each département that callers are in.
    Department,
    /// Each called number in each département.
    NumberDepartment,
    Site,
    Psap,
    TrunkGroup,
}

const INDICATORS: [(&str, Indicator); 6] = [
    ("asr", Indicator::Asr),
    ("emergency_asr", Indicator::EmergencyAsr),
    ("ordinary_asr", Indicator::OrdinaryAsr),
    ("site_asr", Indicator::SiteAsr),
    ("arrivals", Indicator::Arrivals),
    ("restarts", Indicator::Restarts),
];

const BYS: [(&str, By); 7] = [
    ("all", By::All),
    ("number", By::Number),
    ("department", By::Department),
    ("number_department", By::NumberDepartment),
    ("site", By::Site),
    ("psap", By::Psap),
    ("trunk_group", By::TrunkGroup),
];

impl Indicator {
    pub(crate) fn kind(raw: Raw<'_>) -> Result<Self, String> {
        kind::choice(&INDICATORS)(raw)
    }

    /// A bound in the unit of this indicator: a share, times the baseline, or a number of restarts.
    pub(crate) fn bound(self, raw: Raw<'_>) -> Result<f64, String> {
        match self {
            Self::Arrivals => kind::number(0.0..=1_000.0)(raw),
            Self::Restarts => kind::number(0.0..=1_000_000.0)(raw),
            _ => kind::share(raw),
        }
    }

    /// What may have this figure of its own; the first is the default.
    pub(super) fn choices(self) -> &'static [By] {
        match self {
            Self::Arrivals => &[By::Psap, By::All],
            Self::Restarts => &[By::Site, By::All],
            Self::SiteAsr => &[By::Site],
            _ => &[
                By::All,
                By::Number,
                By::Department,
                By::NumberDepartment,
                By::Site,
                By::TrunkGroup,
            ],
        }
    }

    /// The name in files and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        let named = INDICATORS.iter().find(|(_, indicator)| *indicator == self);
        named.map(|(name, _)| *name).expect("the table names every indicator")
    }
}

impl fmt::Display for Indicator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Indicator {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl By {
    pub(super) fn kind(raw: Raw<'_>) -> Result<Self, String> {
        kind::choice(&BYS)(raw)
    }

    /// The name in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        let named = BYS.iter().find(|(_, by)| *by == self);
        named.map(|(name, _)| *name).expect("the table names every one")
    }
}
