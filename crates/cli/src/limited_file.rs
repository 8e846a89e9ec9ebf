//! A file in a folder that may hold only so much: a run must not fill the disk of the machine.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Fewest and most bytes between two looks at the folder: a sixteenth of what has room, since others write there too.
const STEP: (u64, u64) = (4 << 10, 1 << 20);

/// What the files of a folder may hold together.
#[derive(Debug)]
pub(crate) struct Limit {
    pub(crate) folder: PathBuf,
    pub(crate) bytes: u64,
}

/// Appends to a file until its folder, with all that others write there, holds so many bytes. Without a limit it looks at no
/// folder.
#[derive(Debug)]
pub(crate) struct LimitedFile<W> {
    file: W,
    limit: Option<Limit>,
    /// What may be written before the folder is looked at again.
    left: u64,
}

impl<W: Write> LimitedFile<W> {
    pub(crate) fn new(file: W, limit: Option<Limit>) -> Self {
        Self { file, limit, left: 0 }
    }
}

impl<W: Write> Write for LimitedFile<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(Limit { folder, bytes: most }) = &self.limit else {
            return self.file.write(bytes);
        };
        if self.left == 0 {
            let room = most.saturating_sub(size(folder));
            self.left = (room / 16).clamp(STEP.0, STEP.1).min(room);
        }
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        if room == 0 && !bytes.is_empty() {
            let (folder, mib) = (folder.display(), most >> 20);
            let why = format!("{folder} holds {mib} MiB, and may hold no more (--disk-limit)");
            return Err(io::Error::new(io::ErrorKind::StorageFull, why));
        }
        let taken = self.file.write(&bytes[..room])?;
        self.left -= taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Bytes in all files of a folder and of the folders in it. What cannot be read counts as nothing.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let of = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    // A record file of a program by itself may stand anywhere: what is around it is nobody's business, and long to walk.
    #[test]
    fn without_a_limit_no_folder_is_looked_at() {
        let mut file = LimitedFile::new(Vec::new(), None);
        file.write_all(&[1; 3 << 20]).expect("room");
        assert_eq!((file.file.len(), file.left), (3 << 20, 0));
    }

    #[test]
    fn what_a_folder_may_hold_is_held_and_no_byte_more() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("logs")).expect("a folder");
        fs::write(folder.path().join("logs/a.log"), [0; 300]).expect("a file");
        let path = folder.path().join("records.jsonl");
        let file = fs::File::create(&path).expect("a file");
        let limit = Limit { folder: folder.path().to_owned(), bytes: 1_000 };
        let mut limited = LimitedFile::new(file, Some(limit));
        limited.write_all(&[1; 600]).expect("room");
        let refused = limited.write_all(&[1; 200]).expect_err("no room");
        assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
        assert!(refused.to_string().contains("--disk-limit"), "{refused}");
        assert_eq!(size(folder.path()), 1_000);
        // Somebody makes room.
        fs::remove_file(folder.path().join("logs/a.log")).expect("it is there");
        limited.write_all(&[1; 300]).expect("room");
        assert_eq!(size(folder.path()), 1_000);
    }
}
