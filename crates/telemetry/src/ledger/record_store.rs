//! The records of all boxes, packed. What is more than a little waits in a file, so that memory does not grow with a run.
//!
//! ```text
//!   records ──► part: 0│1│2│…│63   part: 0│1│2│…│63   part: 0│1│2│…│63   …
//!                     │                  │                  │
//!                     └────── shard 0 ───┴──────────────────┴──► unpacked, in order
//!               ◄──── in memory ─────►◄──── in a file without a name ───►
//! ```

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::contradictions::Contradictions;
use super::names::{Names, Renamed};
use super::packed::PackedPart;
use super::shard::{SHARDS, Shard};
use crate::record::Entry;

/// What is kept in memory of the packed records, in bytes, where there is a folder for the rest: those of 200,000 attempts.
const IN_MEMORY: usize = 64 * 1024 * 1024;
/// Records that come one by one are put away when there are so many bytes of them.
const PART: usize = 512 * 1024;

/// Records of all boxes. Takes them in parts, and gives them back shard by shard.
#[derive(Debug)]
pub(super) struct RecordStore {
    pub(super) names: Names,
    pub(super) contradictions: Contradictions,
    /// Records of callers that were put away.
    callers: u64,
    parts: Vec<Part>,
    /// Those that have come one by one, and their bytes.
    open: PackedPart,
    opened: usize,
    aside: Aside,
}

/// Records that came together, those of each shard behind those of the one before.
#[derive(Debug)]
struct Part {
    names: Renamed,
    /// Where each shard ends.
    ends: [u32; SHARDS],
    place: Place,
}

#[derive(Debug)]
enum Place {
    Memory(Box<[u8]>),
    /// In the file, from this byte.
    File(u64),
}

/// Where packed records are.
#[derive(Debug)]
struct Aside {
    /// Bytes that may be kept in memory.
    room: usize,
    /// Where a file may be.
    folder: Option<PathBuf>,
    file: Option<File>,
    length: u64,
}

impl RecordStore {
    pub(super) fn new() -> Self {
        Self {
            names: Names::new(),
            contradictions: Contradictions::default(),
            callers: 0,
            parts: Vec::new(),
            open: PackedPart::new(),
            opened: 0,
            aside: Aside { room: IN_MEMORY, folder: None, file: None, length: 0 },
        }
    }

    /// Lets it put into `folder` what is more than a little.
    pub(super) fn put_aside_in(&mut self, folder: &Path) {
        self.aside.folder = Some(folder.to_owned());
    }

    /// Takes one record of any box.
    pub(super) fn add(&mut self, entry: &Entry<'_>) {
        let shard = entry.attempt_key().map_or(0, super::shard::shard);
        let before = self.open.shards[shard].len();
        self.open.add(entry);
        self.opened += self.open.shards[shard].len() - before;
        if self.opened >= PART {
            self.settle();
        }
    }

    /// Records of callers so far.
    pub(super) const fn callers(&self) -> u64 {
        self.callers + self.open.callers
    }

    /// Puts away what came one by one.
    pub(super) fn settle(&mut self) {
        self.opened = 0;
        let mut open = std::mem::replace(&mut self.open, PackedPart::new());
        self.absorb(&mut open);
        self.open = open;
    }

    /// Takes all that `part` has, which is empty then and keeps its memory.
    pub(super) fn absorb(&mut self, part: &mut PackedPart) {
        let names = self.names.take_in(&part.names);
        part.names.clear();
        self.callers += std::mem::take(&mut part.callers);
        self.contradictions.absorb(std::mem::take(&mut part.contradictions));
        let mut bytes = Vec::with_capacity(part.shards.iter().map(Vec::len).sum());
        let mut ends = [0; SHARDS];
        for (shard, end) in part.shards.iter_mut().zip(&mut ends) {
            bytes.append(shard);
            *end = u32::try_from(bytes.len()).expect("a part is of some megabytes");
        }
        if !bytes.is_empty() {
            let place = self.aside.put(bytes);
            self.parts.push(Part { names, ends, place });
        }
    }

    /// Unpacks a shard into `into`, and brings it in order.
    pub(super) fn load(&self, number: usize, into: &mut Shard) -> io::Result<()> {
        into.clear();
        let mut read = Vec::new();
        for Part { names, ends, place } in &self.parts {
            let from = number.checked_sub(1).map_or(0, |before| ends[before]) as usize;
            let to = ends[number] as usize;
            let bytes = match place {
                Place::Memory(bytes) => &bytes[from..to],
                Place::File(start) => {
                    read.resize(to - from, 0);
                    self.aside.get(start + from as u64, &mut read)?;
                    &read[..]
                }
            };
            into.unpack(bytes, names).ok_or(io::ErrorKind::InvalidData)?;
        }
        into.records.sort_unstable();
        Ok(())
    }
}

impl Aside {
    fn put(&mut self, bytes: Vec<u8>) -> Place {
        if self.room < bytes.len()
            && let Some(place) = self.write(&bytes)
        {
            return place;
        }
        self.room = self.room.saturating_sub(bytes.len());
        Place::Memory(bytes.into_boxed_slice())
    }

    /// `None`: there is no folder, or its disk takes no more. Then memory must do.
    fn write(&mut self, bytes: &[u8]) -> Option<Place> {
        let folder = self.folder.as_ref()?;
        if self.file.is_none() {
            self.file = nameless(folder).ok();
        }
        let written = self.file.as_mut().is_some_and(|file| {
            let place = file.seek(SeekFrom::Start(self.length));
            place.and_then(|_| file.write_all(bytes)).is_ok()
        });
        if !written {
            self.folder = None;
            return None;
        }
        let place = Place::File(self.length);
        self.length += bytes.len() as u64;
        Some(place)
    }

    fn get(&self, from: u64, into: &mut [u8]) -> io::Result<()> {
        let mut file = self.file.as_ref().ok_or(io::ErrorKind::NotFound)?;
        file.seek(SeekFrom::Start(from))?;
        file.read_exact(into)
    }
}

/// A file that nobody finds and that is gone with the process.
fn nameless(folder: &Path) -> io::Result<File> {
    let mut number = 0;
    loop {
        let path = folder.join(format!(".records-{number}"));
        match File::options().read(true).write(true).create_new(true).open(&path) {
            Ok(file) => {
                fs::remove_file(path)?;
                return Ok(file);
            }
            // Another run is just making its own.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 100 => {
                number += 1
            }
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::answered;
    use crate::terms::BoxKind;

    fn filled(folder: Option<&Path>, room: usize, attempts: u128) -> RecordStore {
        let mut store = RecordStore::new();
        store.aside.room = room;
        if let Some(folder) = folder {
            store.put_aside_in(folder);
        }
        for attempt in 0..attempts {
            // Spread like random ids.
            let id = attempt.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
            for (kind, node) in [(BoxKind::Generator, "load-1"), (BoxKind::Psap, "samu-59")] {
                let mut record = answered(kind, node, id);
                record.reason = (attempt % 3 == 0).then(|| format!("reason {}", attempt % 11));
                store.add(&Entry::from(&record));
            }
        }
        store.settle();
        store
    }

    fn in_memory(store: &RecordStore) -> usize {
        let bytes = |part: &Part| match &part.place {
            Place::Memory(bytes) => bytes.len(),
            Place::File(_) => 0,
        };
        store.parts.iter().map(bytes).sum()
    }

    fn told(store: &RecordStore) -> Vec<String> {
        let (mut shard, mut told) = (Shard::default(), Vec::new());
        for number in 0..SHARDS {
            store.load(number, &mut shard).expect("what was put there");
            let entries = shard.records.iter().map(|one| shard.entry(one, &store.names, ""));
            told.extend(entries.map(|entry| format!("{entry:?}")));
        }
        told
    }

    #[test]
    fn memory_does_not_grow_with_the_records_and_what_is_put_aside_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let room = 3 * PART;
        let [few, many] =
            [20_000, 40_000].map(|attempts| filled(Some(folder.path()), room, attempts));
        assert!(in_memory(&few) <= room && in_memory(&many) <= room);
        assert!(few.aside.length > 0 && many.aside.length > 2 * few.aside.length);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nobody sees it");
        let all = filled(None, room, 20_000);
        assert_eq!(told(&few), told(&all), "in whatever place it waits");
        assert!(in_memory(&all) > room, "where there is no folder memory must do");
        // A record is some 50 octets, and a caller's and a PSAP's together are no more than 200.
        assert!(in_memory(&all) / 20_000 <= 200, "{}", in_memory(&all));
    }

    #[test]
    fn a_disk_that_takes_nothing_leaves_it_in_memory() {
        let store = filled(Some(Path::new("/nowhere")), 0, 9_000);
        assert_eq!((store.aside.length, store.callers()), (0, 9_000));
        assert_eq!(told(&store).len(), 18_000);
    }
}
