//! Who keeps the records of a program that serves boxes.

use std::path::Path;

use topology::Topology;

use crate::{BoxArgs, RecordSink};

/// What a program is about to serve.
#[derive(Debug)]
pub struct ToServe<'a> {
    /// `switch`, `psap`
    pub program: &'static str,
    /// The network file.
    pub file: &'a Path,
    pub topology: &'a Topology,
    /// The boxes of the network that it serves.
    pub boxes: Vec<String>,
}

/// Opens the place for the records of a program, once it is known what it serves.
pub type RecordKeeper<'a> = &'a dyn Fn(&ToServe<'_>) -> anyhow::Result<RecordSink>;

impl BoxArgs {
    /// The record file that the command line names, if it names one.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn record_file(&self) -> anyhow::Result<RecordSink> {
        match (&self.records, self.disk_limit) {
            (Some(path), Some(most)) => RecordSink::create_in_run(path, most),
            (path, _) => RecordSink::create(path.as_deref()),
        }
    }
}
