//! How a program that serves boxes ends.

use serde::{Deserialize, Serialize};

/// How serving ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessEnding {
    /// Everything in progress came to its end.
    Drained,
    /// Something was still in progress after the drain timeout.
    DrainTimedOut,
    /// Stopped on demand, without a drain or during it.
    Stopped,
    /// These boxes ended by a panic: a bug.
    Failed(Vec<String>),
}

impl ProcessEnding {
    /// The code for the end of the process: 4 when a drain did not end, 130 when stopped by force,
    /// 70 (`EX_SOFTWARE`) after a panic.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Drained => 0,
            Self::DrainTimedOut => 4,
            Self::Stopped => 130,
            Self::Failed(_) => 70,
        }
    }
}
