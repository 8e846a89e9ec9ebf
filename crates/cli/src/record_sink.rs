//! The call records of one process: all its boxes write into one file.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use telemetry::{CallRecord, RecordWriter};

/// Where records go; cheap to clone. Without a file they are dropped.
#[derive(Debug, Clone, Default)]
pub struct RecordSink(Option<Arc<Open>>);

#[derive(Debug)]
struct Open {
    path: PathBuf,
    writer: Mutex<RecordWriter>,
}

impl RecordSink {
    /// Creates the file.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn create(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self(None)) };
        let writer = RecordWriter::create(path)
            .with_context(|| format!("cannot create the record file {}", path.display()))?;
        Ok(Self(Some(Arc::new(Open { path: path.to_owned(), writer: Mutex::new(writer) }))))
    }

    /// Adds a record. Never waits for the disk longer than a write takes, never fails: see
    /// [`trouble`](Self::trouble).
    pub fn write(&self, record: &CallRecord) {
        if let Some(open) = &self.0 {
            open.writer.lock().unwrap_or_else(PoisonError::into_inner).write(record);
        }
    }

    /// Hands what is buffered to the system, so that it survives the death of this process.
    pub fn flush(&self) {
        if let Some(open) = &self.0 {
            // The error is kept by the writer and told at the end.
            let _ = open.writer.lock().unwrap_or_else(PoisonError::into_inner).flush();
        }
    }

    /// A sentence about records that could not be written.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        let open = self.0.as_ref()?;
        let writer = open.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let error = writer.error()?;
        let lost = writer.dropped();
        Some(format!("{}: {lost} call records could not be written: {error}", open.path.display()))
    }
}
