//! What the disk refused: a sentence for each file that a run misses.

use crate::folder::Folder;

/// What could not be written, one sentence each.
#[derive(Debug, Default)]
pub(crate) struct Missing {
    pub(crate) sentences: Vec<String>,
    files: Vec<String>,
}

impl Missing {
    pub(crate) fn note<T>(&mut self, file: &str, result: anyhow::Result<T>) -> Option<T> {
        let note = |error| {
            self.sentences.push(unwritten(file, &error));
            self.files.push(file.to_owned());
        };
        result.map_err(note).ok()
    }
}

impl Missing {
    /// Takes away what is left of files that could not be written: a part of one, or an older one.
    pub(crate) fn clear(&self, folder: &Folder) {
        for name in &self.files {
            let _ = std::fs::remove_file(folder.path().join(name));
        }
    }
}

pub(crate) fn unwritten(file: &str, error: &anyhow::Error) -> String {
    format!("{file} could not be written: {error:#}; make room and run tocsin report")
}
