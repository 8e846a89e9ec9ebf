//! The file of kept calls of one process.
//!
//! ```text
//!   "TOCSIN TRACE 1\n"  block  block  …      block: length u32, attempt u128, then so many bytes: lz4 of a KeptCall by postcard
//! ```
//!
//! A call is found by the heads of blocks, without an index, so a file whose writer was killed is as good as another.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::entry::KeptCall;

const MAGIC: &[u8; 15] = b"TOCSIN TRACE 1\n";
/// A block is not longer: what claims to be is damage.
const LONGEST_BLOCK: u32 = 64 << 20;
const BLOCK_HEAD: usize = 20;

/// Why a file of kept calls cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    #[error("cannot read {path}: {source}", path = path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{path} is no file of kept calls", path = path.display())]
    NoTrace { path: PathBuf },
    #[error("{path} is damaged at byte {at}", path = path.display())]
    Damaged { path: PathBuf, at: u64 },
}

/// Writes kept calls.
#[derive(Debug)]
pub struct TraceWriter<W> {
    output: W,
    written: u64,
}

impl<W: Write> TraceWriter<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// The first bytes cannot be written.
    pub fn new(mut output: W) -> io::Result<Self> {
        output.write_all(MAGIC)?;
        // Also a process that is killed before its first call leaves a file that can be read.
        output.flush()?;
        Ok(Self { output, written: MAGIC.len() as u64 })
    }

    /// Adds a call.
    ///
    /// # Errors
    /// It cannot be written; the file is as before, or ends in a part of a block, which readers leave out.
    pub fn write(&mut self, call: &KeptCall) -> io::Result<()> {
        let plain = postcard::to_allocvec(call).map_err(io::Error::other)?;
        let packed = lz4_flex::compress_prepend_size(&plain);
        let length = u32::try_from(packed.len()).map_err(io::Error::other)?;
        let mut block = Vec::with_capacity(BLOCK_HEAD + packed.len());
        block.extend_from_slice(&length.to_le_bytes());
        block.extend_from_slice(&call.attempt.to_le_bytes());
        block.extend_from_slice(&packed);
        self.output.write_all(&block)?;
        self.written += block.len() as u64;
        Ok(())
    }

    /// Hands what is buffered to the system.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    /// Bytes written so far.
    pub const fn written(&self) -> u64 {
        self.written
    }
}

/// Reads a file of kept calls.
#[derive(Debug)]
pub struct TraceReader {
    path: PathBuf,
    file: io::BufReader<File>,
    length: u64,
    at: u64,
}

impl TraceReader {
    /// Opens it.
    ///
    /// # Errors
    /// It cannot be read, or is another thing.
    pub fn open(path: &Path) -> Result<Self, TraceError> {
        let failed = |source| TraceError::Io { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let mut file = io::BufReader::with_capacity(4096, file);
        let mut magic = [0; MAGIC.len()];
        match file.read_exact(&mut magic) {
            Ok(()) if &magic == MAGIC => {}
            Err(source) if source.kind() != io::ErrorKind::UnexpectedEof => {
                return Err(failed(source));
            }
            Ok(()) | Err(_) => return Err(TraceError::NoTrace { path: path.to_owned() }),
        }
        Ok(Self { path: path.to_owned(), file, length, at: MAGIC.len() as u64 })
    }

    /// The next call that `wanted` says yes to; `None` at the end. A last block that is not whole is left out.
    ///
    /// # Errors
    /// It cannot be read, or is damaged.
    pub fn next_call(
        &mut self,
        mut wanted: impl FnMut(u128) -> bool,
    ) -> Result<Option<KeptCall>, TraceError> {
        loop {
            let mut head = [0; BLOCK_HEAD];
            if self.at + BLOCK_HEAD as u64 > self.length {
                return Ok(None);
            }
            self.file.read_exact(&mut head).map_err(|source| self.failed(source))?;
            let (length, attempt) = head.split_at(4);
            let length = u32::from_le_bytes(length.try_into().unwrap_or_default());
            let attempt = u128::from_le_bytes(attempt.try_into().unwrap_or_default());
            let end = self.at + BLOCK_HEAD as u64 + u64::from(length);
            if length > LONGEST_BLOCK {
                return Err(self.damaged());
            }
            if end > self.length {
                return Ok(None);
            }
            if !wanted(attempt) {
                self.file.seek_relative(i64::from(length)).map_err(|source| self.failed(source))?;
                self.at = end;
                continue;
            }
            let mut packed = vec![0; length as usize];
            self.file.read_exact(&mut packed).map_err(|source| self.failed(source))?;
            let call = unpack(&packed).ok_or_else(|| self.damaged())?;
            self.at = end;
            return Ok(Some(call));
        }
    }

    /// All parts of this attempt, each box's in the order in which it was written.
    ///
    /// # Errors
    /// As [`next_call`](Self::next_call).
    pub fn find(&mut self, attempt: u128) -> Result<Vec<KeptCall>, TraceError> {
        self.at = MAGIC.len() as u64;
        self.file.seek(SeekFrom::Start(self.at)).map_err(|source| self.failed(source))?;
        let mut parts = Vec::new();
        while let Some(part) = self.next_call(|id| id == attempt)? {
            parts.push(part);
        }
        Ok(parts)
    }

    fn failed(&self, source: io::Error) -> TraceError {
        TraceError::Io { path: self.path.clone(), source }
    }

    fn damaged(&self) -> TraceError {
        TraceError::Damaged { path: self.path.clone(), at: self.at }
    }
}

fn unpack(packed: &[u8]) -> Option<KeptCall> {
    let (size, _) = lz4_flex::block::uncompressed_size(packed).ok()?;
    if size > 4 * LONGEST_BLOCK as usize {
        return None;
    }
    let plain = lz4_flex::decompress_size_prepended(packed).ok()?;
    postcard::from_bytes(&plain).ok()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use sip_proto::Transport;
    use telemetry::BoxKind;

    use super::*;
    use crate::entry::{Direction, Entry, Seen, TracedBox};

    fn call(attempt: u128, text: &str) -> KeptCall {
        let message = Seen::Message {
            direction: Direction::Received,
            transport: Transport::Udp,
            peer: ([127, 0, 0, 2], 5060).into(),
            bytes: Bytes::copy_from_slice(text.as_bytes()),
        };
        KeptCall {
            attempt,
            seen_by: TracedBox {
                kind: BoxKind::CallServer,
                name: "alpha".to_owned(),
                address: ([127, 0, 0, 3], 5060).into(),
            },
            is_cut: false,
            entries: vec![
                Entry { at_us: 1, seen: message },
                Entry { at_us: 2, seen: Seen::Note("takes it".to_owned()) },
            ],
        }
    }

    fn written(calls: &[KeptCall]) -> Vec<u8> {
        let mut writer = TraceWriter::new(Vec::new()).expect("memory");
        calls.iter().for_each(|call| writer.write(call).expect("memory"));
        assert_eq!(writer.written(), writer.output.len() as u64);
        writer.output
    }

    #[test]
    fn a_call_is_found_again_also_after_the_writer_died() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.trace");
        let calls = [call(1, "INVITE"), call(2, "BYE"), call(1, "ACK")];
        let bytes = written(&calls);
        std::fs::write(&path, &bytes).expect("a file");
        let mut reader = TraceReader::open(&path).expect("a trace");
        assert_eq!(reader.find(1).expect("whole"), [calls[0].clone(), calls[2].clone()]);
        assert_eq!(reader.find(7).expect("whole"), []);
        for end in MAGIC.len()..bytes.len() {
            std::fs::write(&path, &bytes[..end]).expect("a file");
            let found =
                TraceReader::open(&path).expect("a trace").find(1).expect("cut, not damaged");
            assert!(calls.contains(&found.first().cloned().unwrap_or_else(|| calls[0].clone())));
        }
    }

    /// A call is found without unpacking those before it: what they hold may be anything.
    #[test]
    fn what_is_not_wanted_is_skipped_unread() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("c.trace");
        let mut bytes =
            written(&[call(1, &"INVITE sip:112 SIP/2.0\r\n".repeat(40)), call(2, "BYE")]);
        let first = MAGIC.len() + BLOCK_HEAD;
        let length = u32::from_le_bytes(bytes[MAGIC.len()..][..4].try_into().expect("four bytes"));
        bytes[first..first + length as usize].fill(0xff);
        std::fs::write(&path, &bytes).expect("a file");
        let mut reader = TraceReader::open(&path).expect("a trace");
        assert_eq!(reader.find(2).expect("whole"), [call(2, "BYE")]);
        assert!(reader.find(1).is_err());
    }

    #[test]
    fn what_is_no_trace_or_is_damaged_is_said() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("b.trace");
        for bytes in [&b""[..], b"TOCSIN", b"\x0a\x0d\x0d\x0aSHB and more than fifteen"] {
            std::fs::write(&path, bytes).expect("a file");
            let said = TraceReader::open(&path).expect_err("no trace").to_string();
            assert!(said.ends_with("b.trace is no file of kept calls"), "{said}");
        }
        let whole = written(&[call(1, &"INVITE sip:112 SIP/2.0\r\n".repeat(40))]);
        for at in MAGIC.len()..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            std::fs::write(&path, &bytes).expect("a file");
            // No panic and no hang; what it says is an error or another call.
            let _ = TraceReader::open(&path).expect("a trace").find(1);
        }
    }
}
