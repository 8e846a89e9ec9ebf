//! What a process has used.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use trace::KeptCounts;

/// Resources that a process has used since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// CPU time in the program, in microseconds.
    pub user_us: u64,
    /// CPU time in the kernel for the program, in microseconds.
    pub system_us: u64,
    /// Most memory resident at any time, in KiB.
    pub max_rss_kib: u64,
    /// What became of its call records.
    #[serde(default)]
    pub records: RecordCounts,
    /// Snapshots that it did not tell its parent, because that did not read.
    #[serde(default)]
    pub snapshots_dropped: u64,
    /// What became of the messages of its calls.
    #[serde(default)]
    pub trace: KeptCounts,
}

/// The call records of a process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordCounts {
    /// In the file, or waiting for it.
    pub written: u64,
    /// Of these, those that wait.
    pub waiting: u64,
    /// Bytes that wait for the file.
    pub waiting_bytes: u64,
    /// Given up: they found no place in the file, and none to wait any more.
    pub dropped: u64,
}

impl Usage {
    /// CPU time in all.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        Duration::from_micros(self.user_us + self.system_us)
    }
}
