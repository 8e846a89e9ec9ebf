//! Which calls are kept.

use std::fmt;
use std::str::FromStr;

use media::SoundVerdict;
use serde::{Deserialize, Serialize};
use telemetry::{CallRecord, Outcome};

/// Which calls are kept, besides those of telephones that nobody emulates.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Keep {
    /// None, not even those.
    Off,
    /// Those that some box saw end badly.
    #[default]
    Failed,
    /// Those, and this share of all others, 0 to 1.
    Share(f64),
    All,
}

/// A text that says no [`Keep`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} says not which calls are kept: write failed, all, off, or a share such as 0.01")]
pub struct KeepError(String);

impl Keep {
    /// Whether an attempt is kept although nothing was wrong with it: the same at every box.
    #[must_use]
    pub fn chooses(self, attempt: u128) -> bool {
        match self {
            Self::Off | Self::Failed => false,
            Self::All => true,
            // The id is random; its upper half may hold a serial number.
            Self::Share(share) => {
                let mixed =
                    (attempt as u64 ^ (attempt >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                (mixed >> 11) as f64 / (1_u64 << 53) as f64 <= share && share > 0.0
            }
        }
    }
}

impl FromStr for Keep {
    type Err = KeepError;

    fn from_str(text: &str) -> Result<Self, KeepError> {
        match text {
            "off" => Ok(Self::Off),
            "failed" => Ok(Self::Failed),
            "all" => Ok(Self::All),
            share => match share.parse::<f64>() {
                Ok(share) if (0.0..=1.0).contains(&share) => Ok(Self::Share(share)),
                _ => Err(KeepError(text.chars().take(40).collect())),
            },
        }
    }
}

impl TryFrom<String> for Keep {
    type Error = KeepError;

    fn try_from(text: String) -> Result<Self, KeepError> {
        text.parse()
    }
}

impl From<Keep> for String {
    fn from(keep: Keep) -> Self {
        keep.to_string()
    }
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Failed => f.write_str("failed"),
            Self::All => f.write_str("all"),
            Self::Share(share) => write!(f, "{share}"),
        }
    }
}

/// Whether this box saw the call end badly: refused, without an end, lost, or with somebody who did not hear the other.
#[must_use]
pub(crate) fn ended_badly(record: &CallRecord) -> bool {
    let is_deaf = |verdict: SoundVerdict| {
        matches!(verdict, SoundVerdict::Silent | SoundVerdict::Garbled | SoundVerdict::WrongParty)
    };
    matches!(record.outcome, Outcome::Rejected | Outcome::TimedOut | Outcome::Lost)
        || record.media.iter().any(|stream| stream.verdict.is_some_and(is_deaf))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_said_in_a_word_or_a_share() {
        for text in ["off", "failed", "all", "0.01", "1", "0"] {
            let keep: Keep = text.parse().expect("a choice");
            assert_eq!(keep.to_string(), text);
        }
        for text in ["", "none", "-0.1", "1.5", "NaN", "10 %"] {
            let said = text.parse::<Keep>().expect_err(text).to_string();
            assert!(said.contains("write failed, all, off, or a share"), "{said}");
        }
    }

    #[test]
    fn a_share_is_a_share_and_the_same_everywhere() {
        let ids = (0..100_000_u128).map(|n| n << 64 | n.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let chosen = ids.filter(|id| Keep::Share(0.01).chooses(*id)).count();
        assert!((800..1_200).contains(&chosen), "{chosen}");
        assert!(Keep::Share(1.0).chooses(u128::MAX) && !Keep::Share(0.0).chooses(0));
        assert!(Keep::All.chooses(7) && !Keep::Failed.chooses(7) && !Keep::Off.chooses(7));
    }
}
