//! What a process has used.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Resources that a process has used since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// CPU time in the program, in microseconds.
    pub user_us: u64,
    /// CPU time in the kernel for the program, in microseconds.
    pub system_us: u64,
    /// Most memory resident at any time, in KiB.
    pub max_rss_kib: u64,
}

impl Usage {
    /// CPU time in all.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        Duration::from_micros(self.user_us + self.system_us)
    }
}
