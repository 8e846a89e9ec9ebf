//! The call records of one process: all its boxes write into one file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use contract::RecordCounts;
use telemetry::{CallRecord, RecordWriter, RollingFile};

use crate::limited_file::{Limit, LimitedFile};

/// Where records go; cheap to clone. Without a file they are dropped.
#[derive(Debug, Clone, Default)]
pub struct RecordSink(Option<Arc<Open>>);

#[derive(Debug)]
struct Open {
    path: PathBuf,
    writer: Mutex<RecordWriter<LimitedFile<RollingFile>>>,
    begun: Begun,
    /// Where the messages of these calls go, if the command line names no other file.
    messages: Option<PathBuf>,
}

/// What is done once the boxes listen.
#[derive(Default)]
struct Begun(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Begun")
    }
}

impl RecordSink {
    /// Creates the file.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn create(path: Option<&Path>) -> anyhow::Result<Self> {
        path.map_or(Ok(Self(None)), |path| Self::open(path, u64::MAX, None, Begun::default(), None))
    }

    /// Creates a file in the folder of a run, which with all its files may hold so many bytes: what finds no room there waits, and
    /// is dropped at last.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn create_in_run(path: &Path, most: u64) -> anyhow::Result<Self> {
        // Records have a folder of their own in the run's.
        let run = path.parent().and_then(Path::parent).unwrap_or_else(|| Path::new("."));
        let limit = Limit { folder: run.to_owned(), bytes: most };
        Self::open(path, u64::MAX, Some(limit), Begun::default(), None)
    }

    /// Creates a file that holds twice `half` bytes at most: the oldest records go. The messages of the calls go to the file `messages`.
    /// `begun` is done once, when the boxes listen.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn create_limited(
        path: &Path,
        half: u64,
        messages: PathBuf,
        begun: impl FnOnce() + Send + 'static,
    ) -> anyhow::Result<Self> {
        let begun = Begun(Mutex::new(Some(Box::new(begun))));
        Self::open(path, half, None, begun, Some(messages))
    }

    fn open(
        path: &Path,
        half: u64,
        limit: Option<Limit>,
        begun: Begun,
        messages: Option<PathBuf>,
    ) -> anyhow::Result<Self> {
        let file = RollingFile::create(path, half)
            .with_context(|| format!("cannot create the record file {}", path.display()))?;
        let writer = Mutex::new(RecordWriter::new(LimitedFile::new(file, limit)));
        Ok(Self(Some(Arc::new(Open { path: path.to_owned(), writer, begun, messages }))))
    }

    /// Where the messages of these calls go, if nothing else is said.
    pub(crate) fn messages(&self) -> Option<&Path> {
        self.0.as_ref()?.messages.as_deref()
    }

    /// The boxes listen.
    pub(crate) fn begin(&self) {
        let due = self
            .0
            .as_ref()
            .and_then(|open| open.begun.0.lock().unwrap_or_else(PoisonError::into_inner).take());
        due.into_iter().for_each(|due| due());
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

    /// What has become of the records; those that can be written are, first.
    #[must_use]
    pub fn counts(&self) -> RecordCounts {
        let Some(open) = &self.0 else { return RecordCounts::default() };
        let mut writer = open.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let _kept_by_the_writer = writer.flush();
        RecordCounts {
            written: writer.written(),
            waiting: writer.waiting_records(),
            waiting_bytes: writer.waiting() as u64,
            dropped: writer.dropped(),
        }
    }

    /// A sentence about records that could not be written.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        let open = self.0.as_ref()?;
        let writer = open.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let error = writer.error()?;
        let lost = writer.dropped() + writer.waiting_records();
        Some(format!("{}: {lost} call records could not be written: {error}", open.path.display()))
    }
}
