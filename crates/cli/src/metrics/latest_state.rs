//! What is known at the time of a scrape.

use std::collections::BTreeMap;
use std::sync::Arc;

use contract::{DirectoryEntry, Usage};
use node::Directory;

use crate::RecordSink;

/// What is known at the time of a scrape.
#[derive(Debug, Clone, Default)]
pub struct LatestState {
    /// Every box by its name.
    pub boxes: BTreeMap<String, DirectoryEntry>,
    /// What each process has used, by its name.
    pub processes: BTreeMap<String, Usage>,
}

/// Gives what is known, at once.
pub type Source = Arc<dyn Fn() -> LatestState + Send + Sync>;

/// The boxes of this process, and the process.
pub(crate) fn own(directory: Directory, records: RecordSink) -> Source {
    Arc::new(move || {
        let usage = Usage { records: records.counts(), ..node::usage() };
        let processes = [("self".to_owned(), usage)].into();
        LatestState { boxes: directory.entries(), processes }
    })
}
