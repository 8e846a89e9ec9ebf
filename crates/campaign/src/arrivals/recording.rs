//! Calls that were made once and are made again: `model = "replay"`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use topology::reader::{Table, kind};

use crate::rows::{CallRows, Columns};

/// Arrivals from a CSV file: one call for each row, at the time in its column `at`.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    /// A relative path is resolved against the campaign's own folder.
    pub file: PathBuf,
    /// Times as fast as it was.
    pub speed: f64,
    /// In the order of time. Generators share them.
    pub rows: Arc<CallRows>,
}

impl Replay {
    pub(super) fn read(table: &Table<'_>, folder: &Path) -> Self {
        let speed = table.or("speed", kind::number(0.001..=1_000.0), 1.0);
        let (file, rows) = CallRows::read_from(table, folder, Columns::WithTimes);
        Self { file, speed, rows: Arc::new(rows) }
    }

    /// Calls in the first `length` of the phase.
    #[must_use]
    pub fn count(&self, length: Duration) -> usize {
        let is_within = |at: Duration| at.div_f64(self.speed) < length;
        self.rows.count_while(is_within)
    }
}
