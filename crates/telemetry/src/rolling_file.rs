//! A file that does not grow for ever: when it is full it becomes the older half, in place of the one before.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Appends lines. At `limit` bytes it begins anew and keeps what it had beside it, as `calls.older.jsonl`.
#[derive(Debug)]
pub struct RollingFile {
    path: PathBuf,
    file: File,
    limit: u64,
    written: u64,
    /// The last byte ended a line: only there the file may be cut.
    is_between_lines: bool,
    has_rolled: bool,
}

impl RollingFile {
    /// Creates the file, or empties the one that is there.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn create(path: &Path, limit: u64) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            file: File::create(path)?,
            limit,
            written: 0,
            is_between_lines: true,
            has_rolled: false,
        })
    }

    /// Begins anew. What it had is the older half now.
    fn roll(&mut self) -> io::Result<()> {
        let older = self.path.with_extension("older.jsonl");
        let forgets = self.has_rolled;
        fs::rename(&self.path, &older)?;
        self.file = File::create(&self.path)?;
        (self.written, self.has_rolled) = (0, true);
        if forgets {
            let path = self.path.display();
            tracing::warn!(%path, "the oldest call records are forgotten: the file was full once more");
        }
        Ok(())
    }
}

impl Write for RollingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.written >= self.limit && self.is_between_lines {
            self.roll()?;
        }
        let taken = self.file.write(bytes)?;
        self.written += taken as u64;
        self.is_between_lines = bytes[..taken].last().is_none_or(|byte| *byte == b'\n');
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_file_keeps_its_newest_lines_and_cuts_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("calls.jsonl");
        let mut file = RollingFile::create(&path, 100).expect("a file");
        for number in 0..1_000 {
            // In two parts, as a disk that was full for a moment takes it.
            let line = format!("line {number}\n");
            let (one, other) = line.as_bytes().split_at(3);
            file.write_all(one).expect("room");
            file.write_all(other).expect("room");
        }
        let read = |path: &Path| fs::read_to_string(path).expect("a file");
        let (newer, older) = (read(&path), read(&folder.path().join("calls.older.jsonl")));
        let lines: Vec<&str> = older.lines().chain(newer.lines()).collect();
        let last: Vec<String> =
            (1_000 - lines.len()..1_000).map(|number| format!("line {number}")).collect();
        assert_eq!(lines, last);
        assert!(older.len() + newer.len() < 250 && lines.len() > 10, "{older}{newer}");
    }
}
