//! Call records from a JSON Lines file, one at a time.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::record::CallRecord;

/// Why a record file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("cannot read {}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{}:{line}: not a call record: {source}", path.display())]
    Line { path: PathBuf, line: u64, source: serde_json::Error },
}

/// Opens a record file. Memory does not grow with its size.
///
/// # Errors
/// When the file cannot be opened.
pub fn read_records(path: &Path) -> Result<RecordReader, ReadError> {
    let file =
        File::open(path).map_err(|source| ReadError::File { path: path.to_owned(), source })?;
    Ok(RecordReader {
        path: path.to_owned(),
        file: BufReader::with_capacity(64 * 1024, file),
        buffer: Vec::new(),
        line: 0,
        truncated: 0,
    })
}

/// The records of one file, in file order.
///
/// A process that is killed leaves half a line at the end. That line is skipped and counted in
/// [`truncated`](Self::truncated); a bad line anywhere else is an error, and reading may go on
/// after it.
#[derive(Debug)]
pub struct RecordReader {
    path: PathBuf,
    file: BufReader<File>,
    buffer: Vec<u8>,
    line: u64,
    truncated: u64,
}

impl RecordReader {
    /// Half-written last lines met so far: 0 or 1.
    #[must_use]
    pub const fn truncated(&self) -> u64 {
        self.truncated
    }

    fn read_line(&mut self) -> io::Result<bool> {
        self.buffer.clear();
        self.line += 1;
        Ok(self.file.read_until(b'\n', &mut self.buffer)? > 0)
    }
}

impl Iterator for RecordReader {
    type Item = Result<CallRecord, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.read_line() {
            Ok(true) => {}
            Ok(false) => return None,
            Err(source) => {
                return Some(Err(ReadError::File { path: self.path.clone(), source }));
            }
        }
        match serde_json::from_slice(&self.buffer) {
            Ok(record) => Some(Ok(record)),
            Err(_) if !self.buffer.ends_with(b"\n") => {
                self.truncated += 1;
                None
            }
            Err(source) => {
                Some(Err(ReadError::Line { path: self.path.clone(), line: self.line, source }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::record::tests::answered;
    use crate::terms::BoxKind;

    fn file_with(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    fn line(attempt: u128) -> String {
        serde_json::to_string(&answered(BoxKind::Psap, "samu-59", attempt)).unwrap()
    }

    #[test]
    fn a_line_cut_short_by_a_kill_is_counted_and_the_rest_is_read() {
        let file = file_with(&format!("{}\n{}\n{}", line(1), line(2), &line(3)[..40]));
        let mut records = read_records(file.path()).unwrap();
        let attempts: Vec<_> = records.by_ref().map(|r| r.unwrap().attempt_key()).collect();
        assert_eq!(attempts, [Some(1), Some(2)]);
        assert_eq!(records.truncated(), 1);
    }

    #[test]
    fn a_last_line_that_lacks_only_its_line_feed_is_a_record() {
        let file = file_with(&line(1));
        let mut records = read_records(file.path()).unwrap();
        assert!(records.next().unwrap().is_ok());
        assert!(records.next().is_none());
        assert_eq!(records.truncated(), 0);
    }

    #[test]
    fn a_bad_line_in_the_middle_is_an_error_with_its_number() {
        let file = file_with(&format!("{}\nnonsense\n{}\n", line(1), line(2)));
        let results: Vec<_> = read_records(file.path()).unwrap().collect();
        let error = results[1].as_ref().unwrap_err().to_string();
        assert!(error.contains(":2: not a call record"), "{error}");
        assert!(results[2].is_ok());
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read_records(Path::new("/nowhere/calls.jsonl")).unwrap_err();
        assert!(error.to_string().starts_with("cannot read /nowhere/calls.jsonl: "));
    }
}
