//! Callers from a CSV file, in place of those of the mix: `[feed]`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use topology::reader::{Table, kind};

use super::rows::{CallRows, Columns};

/// A file whose rows say who calls, one row for each person.
#[derive(Debug, Clone, PartialEq)]
pub struct Feed {
    /// A relative path is resolved against the campaign's own folder.
    pub file: PathBuf,
    pub order: FeedOrder,
    /// Generators share them.
    pub rows: Arc<CallRows>,
}

/// Which row a person gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedOrder {
    /// The next one; after the last the first again.
    Sequential,
    /// Any of them, each as likely as the others.
    Random,
    /// The next one, and each only once: when they are used up, nobody calls any more.
    Once,
}

impl FeedOrder {
    const WORDS: [(&'static str, Self); 3] =
        [("sequential", Self::Sequential), ("random", Self::Random), ("once", Self::Once)];
}

impl Feed {
    pub(super) fn read(table: &Table<'_>, folder: &Path) -> Self {
        let order = table.or("order", kind::choice(&FeedOrder::WORDS), FeedOrder::Sequential);
        let (file, rows) = CallRows::read_from(table, folder, Columns::Callers);
        Self { file, order, rows: Arc::new(rows) }
    }

    /// How many people it has a row for, at most. `None`: as many as there are.
    #[must_use]
    pub fn most_callers(&self) -> Option<usize> {
        (self.order == FeedOrder::Once).then(|| self.rows.len())
    }
}
