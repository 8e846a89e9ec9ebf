//! How the shell of a program sees what becomes of the records of its boxes.

use std::fmt;
use std::sync::Arc;

use contract::RecordCounts;

/// Tells how many records were written, wait and were given up. By default there are none.
#[derive(Clone, Default)]
pub struct RecordWatch(Option<Arc<dyn Fn() -> RecordCounts + Send + Sync>>);

impl RecordWatch {
    /// Asks `look` each time.
    pub fn new(look: impl Fn() -> RecordCounts + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(look)))
    }

    pub(crate) fn look(&self) -> RecordCounts {
        self.0.as_ref().map(|look| look()).unwrap_or_default()
    }
}

impl fmt::Debug for RecordWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordWatch")
    }
}
