//! Record files from their beginning to their end, once, with all processors.
//!
//! ```text
//!   files ──► pieces of a few MiB ──► a thread for each processor: lines ──► Entry ──► compact
//!                                                    in the order of the files  └──► one place
//! ```
//!
//! A line belongs to the piece in which it begins. A process that was killed leaves half a line at the end of its file:
//! it is skipped and counted. Any other line that is no record is named.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use crate::line;
use crate::reader::ReadError;
use crate::record::{CallRecord, Entry};

/// Bytes of a piece.
const PIECE: u64 = 4 * 1024 * 1024;
/// What is read more at a time when the last line of a piece goes on beyond it.
const MORE: usize = 64 * 1024;
/// A longer line is no record.
const LONGEST_LINE: usize = 16 * 1024 * 1024;
/// Unreadable lines that are named; the others are only counted.
const SENTENCES_KEPT: usize = 20;

/// What could not be read of record files.
#[derive(Debug, Default)]
pub struct Misread {
    /// One for each file or line; only the first twenty are kept.
    pub sentences: Vec<String>,
    /// Files that end in half a line.
    pub truncated: u64,
}

impl Misread {
    fn add(&mut self, error: &ReadError) {
        if self.sentences.len() < SENTENCES_KEPT {
            self.sentences.push(error.to_string());
        }
    }
}

/// A part of a file, in bytes.
#[derive(Debug, Clone, Copy)]
struct Piece {
    file: usize,
    from: u64,
    to: u64,
}

/// What came out of a piece.
struct Part<T> {
    entries: T,
    lines: u64,
    /// Lines that are no record, by their number in the piece.
    bad: Vec<(u64, serde_json::Error)>,
    bad_count: usize,
    half_line: bool,
    failed: Option<io::Error>,
}

/// Reads all files. Each piece is put into a container of its own; `take` gets them in the order of the files.
pub(crate) fn read<T: Send>(
    files: &[PathBuf],
    make: impl Fn() -> T + Sync,
    put: impl Fn(&mut T, &Entry<'_>) + Sync,
    mut take: impl FnMut(T),
) -> Misread {
    let mut misread = Misread::default();
    let pieces = cut(files, &mut misread);
    let mut position = ReadPosition::default();
    share_out(
        &pieces,
        |piece, buffer| read_piece(&files[piece.file], piece, buffer, make(), &put),
        |piece, part| take(position.note(piece.file, &files[piece.file], part, &mut misread)),
    );
    misread
}

/// The records of one attempt, in the order of the files. What cannot be read is left out.
#[must_use]
pub fn find_records(files: &[PathBuf], attempt: &str) -> Vec<CallRecord> {
    let of_attempt = |record: CallRecord| (record.attempt == attempt).then_some(record);
    let mut found = search_records(files, attempt, of_attempt);
    found.dedup();
    found
}

/// What `pick` takes of the records that have `word` in a text of theirs, in the order of the files. What cannot be read is left
/// out.
pub fn search_records<T: Send>(
    files: &[PathBuf],
    word: &str,
    pick: impl Fn(CallRecord) -> Option<T> + Sync,
) -> Vec<T> {
    // As JSON writes it.
    let word = serde_json::Value::from(word).to_string();
    let finder = memchr::memmem::Finder::new(&word[1..word.len() - 1]);
    let find = |piece: Piece, buffer: &mut Vec<u8>| {
        let bytes = load(&files[piece.file], piece, buffer).unwrap_or_default();
        let mut picked = Vec::new();
        let mut from = 0;
        while let Some(at) = bytes.get(from..).and_then(|rest| finder.find(rest)) {
            let at = from + at;
            let start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |end| end + 1);
            let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end);
            picked.extend(serde_json::from_slice(&bytes[start..end]).ok().and_then(&pick));
            // A line may say the word more than once.
            from = end + 1;
        }
        picked
    };
    let mut found = Vec::new();
    share_out(&cut(files, &mut Misread::default()), find, |_, picked| found.extend(picked));
    found
}

/// Has all processors work on pieces. `take` gets what came of each, in their order.
fn share_out<R: Send>(
    pieces: &[Piece],
    work: impl Fn(Piece, &mut Vec<u8>) -> R + Sync,
    mut take: impl FnMut(Piece, R),
) {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let (to_us, results) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..threads.min(pieces.len()) {
            let (to_us, next, work) = (to_us.clone(), &next, &work);
            scope.spawn(move || {
                let mut buffer = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(piece) = pieces.get(number) else { return };
                    if to_us.send((number, work(*piece, &mut buffer))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(to_us);
        let mut early = BTreeMap::new();
        let mut wanted = 0;
        for (number, result) in results {
            early.insert(number, result);
            while let Some(result) = early.remove(&wanted) {
                take(pieces[wanted], result);
                wanted += 1;
            }
        }
    });
}

/// Where in the files reading has come to.
#[derive(Debug, Default)]
struct ReadPosition {
    file: usize,
    lines: u64,
    /// A disk that fails would fail again on every piece.
    has_failed: bool,
}

impl ReadPosition {
    fn note<T>(&mut self, file: usize, path: &Path, part: Part<T>, misread: &mut Misread) -> T {
        if file != self.file {
            *self = Self { file, ..Self::default() };
        }
        for (line, source) in part.bad {
            let line = self.lines + line;
            misread.add(&ReadError::Line { path: path.to_owned(), line, source });
        }
        if let Some(source) = part.failed
            && !self.has_failed
        {
            self.has_failed = true;
            misread.add(&ReadError::File { path: path.to_owned(), source });
        }
        misread.truncated += u64::from(part.half_line);
        self.lines += part.lines;
        part.entries
    }
}

fn cut(files: &[PathBuf], misread: &mut Misread) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (file, path) in files.iter().enumerate() {
        let length = match File::open(path).and_then(|file| file.metadata()) {
            Ok(metadata) => metadata.len(),
            Err(source) => {
                misread.add(&ReadError::File { path: path.clone(), source });
                continue;
            }
        };
        let starts = (0..length).step_by(PIECE as usize);
        pieces.extend(starts.map(|from| Piece { file, from, to: (from + PIECE).min(length) }));
    }
    pieces
}

fn read_piece<T>(
    path: &Path,
    piece: Piece,
    buffer: &mut Vec<u8>,
    entries: T,
    put: impl Fn(&mut T, &Entry<'_>),
) -> Part<T> {
    let mut part =
        Part { entries, lines: 0, bad: Vec::new(), bad_count: 0, half_line: false, failed: None };
    let bytes = match load(path, piece, buffer) {
        Ok(bytes) => bytes,
        Err(error) => {
            part.failed = Some(error);
            return part;
        }
    };
    let mut rest = bytes;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest);
        let (bytes, after) = end.map_or((rest, &[][..]), |end| (&rest[..end], &rest[end + 1..]));
        rest = after;
        part.lines += 1;
        // A line that is UTF-8 as a whole need not be looked at again, text by text.
        let entry = match std::str::from_utf8(bytes) {
            Ok(line) => line::read(line).map_or_else(|| serde_json::from_str(line), Ok),
            Err(_) => serde_json::from_slice(bytes),
        };
        match entry {
            Ok(entry) => put(&mut part.entries, &entry),
            Err(_) if end.is_none() => part.half_line = true,
            Err(error) => {
                part.bad_count += 1;
                if part.bad_count <= SENTENCES_KEPT {
                    part.bad.push((part.lines, error));
                }
            }
        }
    }
    part
}

/// The lines that begin in the piece. The last one ends with a line feed unless it is the last of its file.
fn load<'a>(path: &Path, piece: Piece, buffer: &'a mut Vec<u8>) -> io::Result<&'a [u8]> {
    let mut file = File::open(path)?;
    // The byte before tells whether a line begins with the piece.
    let start = piece.from.saturating_sub(1);
    file.seek(SeekFrom::Start(start))?;
    buffer.clear();
    let length = usize::try_from(piece.to - start).map_err(io::Error::other)?;
    (&mut file).take(length as u64).read_to_end(buffer)?;
    let skip = match piece.from {
        0 => 0,
        _ => match memchr::memchr(b'\n', buffer) {
            Some(at) => at + 1,
            None => return Ok(&[]),
        },
    };
    if skip == buffer.len() {
        return Ok(&[]);
    }
    let mut searched = buffer.len() - 1;
    loop {
        if let Some(at) = memchr::memchr(b'\n', &buffer[searched..]) {
            buffer.truncate(searched + at + 1);
            return Ok(&buffer[skip..]);
        }
        searched = buffer.len();
        if searched > length + LONGEST_LINE {
            return Err(io::Error::other("it has a line of more than 16 MiB, which is no record"));
        }
        if (&mut file).take(MORE as u64).read_to_end(buffer)? == 0 {
            return Ok(&buffer[skip..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::record::tests::answered;
    use crate::terms::BoxKind;

    fn line(attempt: u128) -> String {
        serde_json::to_string(&answered(BoxKind::Psap, "samu-59", attempt)).unwrap() + "\n"
    }

    fn file(text: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text).unwrap();
        file
    }

    fn keys(files: &[&Path]) -> (Vec<u128>, Misread) {
        let files: Vec<PathBuf> = files.iter().map(|file| file.to_path_buf()).collect();
        let mut keys = Vec::new();
        let put = |keys: &mut Vec<u128>, entry: &Entry<'_>| keys.extend(entry.attempt_key());
        let misread = read(&files, Vec::new, put, |part| keys.extend(part));
        (keys, misread)
    }

    #[test]
    fn every_line_is_read_once_and_in_order_wherever_pieces_are_cut() {
        let one = line(0).len() as u64;
        let many = u128::from(3 * PIECE / one) + 5;
        let text: String = (0..many).map(line).collect();
        let (first, second) = (file(text.as_bytes()), file(line(7).as_bytes()));
        let (found, misread) = keys(&[first.path(), second.path()]);
        assert!(found.into_iter().eq((0..many).chain([7])));
        assert!(misread.sentences.is_empty() && misread.truncated == 0, "{misread:?}");
    }

    #[test]
    fn half_a_line_at_the_end_is_counted_and_a_whole_one_without_line_feed_is_a_record() {
        let half = file(format!("{}{}", line(1), &line(2)[..40]).as_bytes());
        let whole = file(line(3).trim_end().as_bytes());
        let (found, misread) = keys(&[half.path(), whole.path()]);
        assert_eq!((found, misread.truncated), (vec![1, 3], 1));
        assert!(misread.sentences.is_empty());
    }

    #[test]
    fn what_is_no_record_is_named_with_its_file_and_line() {
        let one = line(0).len() as u64;
        let before = u128::from(PIECE / one) + 9;
        let text: String = (0..before).map(line).collect();
        let bad = file(
            [text.as_bytes(), b"nonsense\n\xff\xfe\n", line(5).as_bytes()].concat().as_slice(),
        );
        let (found, misread) = keys(&[Path::new("/nowhere/calls.jsonl"), bad.path()]);
        assert_eq!(found.len() as u128, before + 1);
        assert!(misread.sentences[0].starts_with("cannot read /nowhere/calls.jsonl: "));
        for (sentence, number) in misread.sentences[1..].iter().zip([before + 1, before + 2]) {
            assert!(sentence.contains(&format!(":{number}: not a call record")), "{sentence}");
        }
        assert_eq!(misread.sentences.len(), 3);
    }

    #[test]
    fn the_records_of_one_attempt_are_found_wherever_they_are() {
        let one = line(0).len() as u64;
        let many = u128::from(2 * PIECE / one);
        let text: String = (0..many).map(line).collect();
        let (first, second) = (file(text.as_bytes()), file((line(7) + "nonsense").as_bytes()));
        let files = [first.path().to_owned(), second.path().to_owned()];
        let wanted = format!("{:032x}", 7);
        let found = find_records(&files, &wanted);
        assert_eq!(
            found,
            [answered(BoxKind::Psap, "samu-59", 7)],
            "the same line twice is told once"
        );
        assert_eq!(find_records(&files, &format!("{:032x}", many - 1)).len(), 1);
        assert!(find_records(&files, &format!("{many:032x}")).is_empty());
    }

    #[test]
    fn a_line_without_end_does_not_fill_the_memory() {
        let endless = file(&vec![b'x'; PIECE as usize + LONGEST_LINE + 2 * MORE]);
        let (found, misread) = keys(&[endless.path()]);
        assert!(found.is_empty());
        assert!(misread.sentences[0].contains("more than 16 MiB"), "{misread:?}");
        assert_eq!(misread.sentences.len(), 1);
    }
}
