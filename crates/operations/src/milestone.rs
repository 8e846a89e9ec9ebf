//! What people reach one after the other while a crisis lasts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use topology::reader::{Raw, kind};

/// A moment that a crisis is told by, and that operations may wait for.
///
/// As text: `diagnosed`, `informed:SAMU`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Milestone {
    /// An alarm says that something is wrong.
    Detected,
    /// The operator knows that emergency calls are hit, not only some equipment.
    Understood,
    /// The crisis cell is at work.
    Activated,
    /// Somebody outside, such as a SAMU, a prefect or a ministry, has been told.
    Informed(String),
    /// The public has been advised to dial again.
    Advised,
    /// The ten-digit numbers of the PSAPs have been published.
    Published,
    /// The cause is known.
    Diagnosed,
    /// Emergency calls are answered as before.
    Recovered,
}

/// Text that is no [`Milestone`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be \"detected\", \"understood\", \"activated\", \"informed:WHO\", \"advised\", \
     \"published\", \"diagnosed\" or \"recovered\", got {0:?}"
)]
pub struct ParseMilestoneError(String);

const INFORMED: &str = "informed:";

impl Milestone {
    pub(crate) fn kind(raw: Raw<'_>) -> Result<Self, String> {
        let text = kind::text(raw)?;
        text.parse().map_err(|error: ParseMilestoneError| error.to_string())
    }
}

impl fmt::Display for Milestone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Detected => "detected",
            Self::Understood => "understood",
            Self::Activated => "activated",
            Self::Informed(who) => return write!(f, "{INFORMED}{who}"),
            Self::Advised => "advised",
            Self::Published => "published",
            Self::Diagnosed => "diagnosed",
            Self::Recovered => "recovered",
        })
    }
}

impl FromStr for Milestone {
    type Err = ParseMilestoneError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "detected" => Self::Detected,
            "understood" => Self::Understood,
            "activated" => Self::Activated,
            "advised" => Self::Advised,
            "published" => Self::Published,
            "diagnosed" => Self::Diagnosed,
            "recovered" => Self::Recovered,
            _ => match text.strip_prefix(INFORMED).map(str::trim) {
                Some(who) if !who.is_empty() => Self::Informed(who.to_owned()),
                _ => return Err(ParseMilestoneError(text.to_owned())),
            },
        })
    }
}

impl TryFrom<String> for Milestone {
    type Error = ParseMilestoneError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Milestone> for String {
    fn from(milestone: Milestone) -> Self {
        milestone.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_milestone_is_written_as_it_is_read() {
        for text in [
            "detected",
            "understood",
            "activated",
            "informed:SAMU",
            "informed:préfet du Nord",
            "advised",
            "published",
            "diagnosed",
            "recovered",
        ] {
            let milestone: Milestone = text.parse().expect(text);
            assert_eq!(milestone.to_string(), text);
            assert_eq!(serde_json::to_value(&milestone).expect("text"), text);
        }
        for text in ["", "informed", "informed:", "informed: ", "Diagnosed"] {
            assert!(text.parse::<Milestone>().is_err(), "{text:?}");
        }
    }
}
