//! Call records to a JSON Lines file.
//!
//! A full disk must not end a call server, and must not pass unnoticed either. Bytes that could
//! not be written stay in memory and are tried again; when that memory is full as well, whole
//! records are dropped and counted.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use crate::record::CallRecord;

/// Bytes collected before a write.
const BATCH: usize = 64 * 1024;
/// Bytes kept while the file cannot be written; about 20,000 records.
const BACKLOG: usize = 8 * 1024 * 1024;

/// Appends records to one file. Writes in batches, on [`flush`](Self::flush) and on drop.
#[derive(Debug)]
pub struct RecordWriter<W: Write = File> {
    file: W,
    /// Whole lines, the first of which may be partly written already.
    pending: Vec<u8>,
    written: u64,
    dropped: u64,
    error: Option<io::Error>,
}

impl RecordWriter {
    /// Creates the file, or empties the one that is there.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self::new(File::create(path)?))
    }
}

impl<W: Write> RecordWriter<W> {
    /// Writes to anything that takes bytes.
    pub const fn new(file: W) -> Self {
        Self { file, pending: Vec::new(), written: 0, dropped: 0, error: None }
    }

    /// Adds one record. Never fails: see [`error`](Self::error) and [`dropped`](Self::dropped).
    pub fn write(&mut self, record: &CallRecord) {
        if self.pending.len() >= BACKLOG && self.flush().is_err() {
            self.dropped += 1;
            return;
        }
        // A record holds only text, numbers and lists of text, and a Vec takes any bytes.
        serde_json::to_writer(&mut self.pending, record).expect("a record is always valid JSON");
        self.pending.push(b'\n');
        self.written += 1;
        // While the file fails, one attempt per batch is enough; it is not the record that is at
        // fault.
        let retry = self.error.is_none() || self.written.is_multiple_of(256);
        if self.pending.len() >= BATCH && retry {
            let _kept_in_self = self.flush();
        }
    }

    /// Hands all collected bytes to the file.
    ///
    /// # Errors
    /// When the file does not take them; they are kept for the next attempt.
    pub fn flush(&mut self) -> Result<(), &io::Error> {
        let (taken, result) = self.drain();
        self.pending.drain(..taken);
        match result.and_then(|()| self.file.flush()) {
            Ok(()) => Ok(()),
            Err(error) => Err(self.error.insert(error)),
        }
    }

    /// The last write error. It stays after later writes succeed: the operator must hear of it.
    pub const fn error(&self) -> Option<&io::Error> {
        self.error.as_ref()
    }

    /// Records accepted, in the file or still waiting.
    pub const fn written(&self) -> u64 {
        self.written
    }

    /// Records given up because the file failed and the memory for waiting records was full.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Bytes that the file has not taken yet.
    pub const fn waiting(&self) -> usize {
        self.pending.len()
    }

    /// Records that the file has not taken yet, or not the whole of them.
    pub fn waiting_records(&self) -> u64 {
        self.pending.iter().filter(|byte| **byte == b'\n').count() as u64
    }

    /// Writes as much as the file takes, and says how much that was. `write_all` would not say.
    fn drain(&mut self) -> (usize, io::Result<()>) {
        let mut taken = 0;
        while taken < self.pending.len() {
            match self.file.write(&self.pending[taken..]) {
                Ok(0) => return (taken, Err(io::ErrorKind::WriteZero.into())),
                Ok(n) => taken += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return (taken, Err(error)),
            }
        }
        (taken, Ok(()))
    }
}

impl<W: Write> Drop for RecordWriter<W> {
    fn drop(&mut self) {
        let (records, dropped) = (self.written, self.dropped);
        if let Err(error) = self.flush() {
            tracing::error!(%error, records, dropped, "call records could not be written");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::answered;
    use crate::terms::BoxKind;

    /// A disk with `room` bytes left.
    #[derive(Debug, Default)]
    struct Disk {
        room: usize,
        bytes: Vec<u8>,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let n = bytes.len().min(self.room);
            if n == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.room -= n;
            self.bytes.extend_from_slice(&bytes[..n]);
            Ok(n)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn records_are_lines_of_json() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("calls.jsonl");
        let mut writer = RecordWriter::create(&path).unwrap();
        for attempt in 0..3 {
            writer.write(&answered(BoxKind::Psap, "samu-59", attempt));
        }
        drop(writer);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 3);
        assert!(text.ends_with("}\n"));
    }

    #[test]
    fn after_a_full_disk_has_room_again_every_record_is_there_once() {
        let mut writer = RecordWriter::new(Disk { room: 1_000, ..Disk::default() });
        for attempt in 0..1_000 {
            writer.write(&answered(BoxKind::Psap, "samu-59", attempt));
        }
        assert_eq!(writer.flush().unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(writer.file.bytes.len(), 1_000);

        writer.file.room = usize::MAX;
        writer.flush().unwrap();
        assert!(writer.error().is_some(), "the operator must still hear of it");
        assert_eq!((writer.written(), writer.dropped(), writer.waiting()), (1_000, 0, 0));
        let text = String::from_utf8(std::mem::take(&mut writer.file.bytes)).unwrap();
        let attempts: Vec<u128> = text
            .lines()
            .map(|line| serde_json::from_str::<CallRecord>(line).unwrap().attempt_key().unwrap())
            .collect();
        assert!(attempts.into_iter().eq(0..1_000));
    }

    #[test]
    fn a_disk_that_stays_full_costs_bounded_memory_and_counts_what_it_drops() {
        let mut writer = RecordWriter::new(Disk::default());
        let record = answered(BoxKind::Psap, "samu-59", 1);
        let total = 40_000;
        for _ in 0..total {
            writer.write(&record);
        }
        assert!(writer.dropped() > 0);
        assert_eq!(writer.written() + writer.dropped(), total);
        assert!(writer.waiting() < BACKLOG + 1_000);
        assert_eq!(writer.waiting_records() + writer.dropped(), total);
    }
}
