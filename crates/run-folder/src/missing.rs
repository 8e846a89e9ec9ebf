//! What the disk refused: a sentence for each file that a run misses.

use account::summary::{RunVerdict, Summary};

/// What could not be written, one sentence each.
#[derive(Debug, Default)]
pub(crate) struct Missing {
    pub(crate) sentences: Vec<String>,
}

impl Missing {
    pub(crate) fn note<T>(&mut self, file: &str, result: anyhow::Result<T>) -> Option<T> {
        result.map_err(|error| self.sentences.push(unwritten(file, &error))).ok()
    }
}

pub(crate) fn unwritten(file: &str, error: &anyhow::Error) -> String {
    format!("{file} could not be written: {error:#}; make room and run tocsin report")
}

/// A run of which something is missing.
pub fn degrade(summary: &mut Summary, why: String) {
    if summary.verdict != RunVerdict::Invalid {
        summary.verdict = RunVerdict::Degraded;
    }
    summary.reasons.push(why);
}
