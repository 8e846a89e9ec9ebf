//! Collects the records of all boxes.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::attempts::Attempts;
use super::packed::PackedPart;
use super::record_store::RecordStore;
use super::rules::{LostNode, Rules};
use super::silent_boxes::SilentBoxes;
use crate::record::{CallRecord, Entry};
use crate::scan::{self, Misread};

/// An open comparison of records. Add all records in any order, then [`close`](Self::close) it.
///
/// One million attempts with four records each take about 300 MB, nearly all of them in a file where there is a folder for it.
#[derive(Debug)]
pub struct Audit {
    rules: Rules,
    store: RecordStore,
}

impl Audit {
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self { rules, store: RecordStore::new() }
    }

    /// Lets it put into `folder` what is more than a little. Nobody sees it there, and nothing is left of it.
    #[must_use]
    pub fn putting_aside_in(mut self, folder: &Path) -> Self {
        self.store.put_aside_in(folder);
        self
    }

    /// Takes one record of any box.
    pub fn add(&mut self, record: &CallRecord) {
        self.store.add(&Entry::from(record));
    }

    /// Takes the records of files, each read once, with all processors.
    pub fn read(&mut self, files: &[PathBuf]) -> Misread {
        self.store.settle();
        // Parts are filled again and again: fresh memory costs more than the records in it.
        let spare = Mutex::new(Vec::new());
        let take = || spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        scan::read(
            files,
            || take().unwrap_or_else(PackedPart::new),
            PackedPart::add,
            |mut part| {
                self.store.absorb(&mut part);
                spare.lock().unwrap_or_else(PoisonError::into_inner).push(part);
            },
        )
    }

    /// Records of callers so far.
    #[must_use]
    pub fn callers(&self) -> u64 {
        self.store.callers()
    }

    /// All records are there: they can be compared, and attempts be read.
    ///
    /// `started` is how many attempts the generators say they started; `lost` are the boxes that
    /// were lost during the run.
    #[must_use]
    pub fn close(self, started: u64, lost: &[LostNode]) -> Attempts {
        let Self { rules, mut store } = self;
        store.settle();
        let silent = SilentBoxes::new(&rules, lost, &mut store.names);
        Attempts { store, silent, rules, started }
    }
}
