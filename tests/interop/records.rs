//! The call records of a network, read as plain JSON.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::sound;

/// The boxes of ours that a call of a foreign caller passes.
pub(crate) const PATH: [&str; 3] = ["trunk_group", "call_server", "psap"];

/// What became of each call, in the words of each box.
#[derive(Debug)]
pub(crate) struct Records {
    records: Vec<Value>,
    folder: TempDir,
}

impl Records {
    /// Reads all record files of a folder.
    pub(crate) fn read(folder: TempDir) -> Self {
        let mut records = Vec::new();
        for entry in fs::read_dir(folder.path()).expect("the folder of the network") {
            let path = entry.expect("an entry of a folder").path();
            if path.extension().is_some_and(|extension| extension == "jsonl") {
                let text = fs::read_to_string(&path).expect("a record file");
                let record = |line| serde_json::from_str(line).expect("a record on each line");
                records.extend(text.lines().map(record));
            }
        }
        Self { records, folder }
    }

    /// Where the PSAPs of a network record their calls.
    pub(crate) fn recordings_in(folder: &TempDir) -> PathBuf {
        folder.path().join("recordings")
    }

    /// What the PSAPs recorded: what they heard, and what they said.
    pub(crate) fn recordings(&self) -> Vec<[Vec<i16>; 2]> {
        let entries = fs::read_dir(Self::recordings_in(&self.folder)).expect("recordings");
        let read = |entry: Result<fs::DirEntry, _>| {
            let channels = sound::read(&entry.expect("an entry of a folder").path());
            <[_; 2]>::try_from(channels).expect("a recording of two sides")
        };
        entries.map(read).collect()
    }

    /// Checks that boxes of `kind` have `count` streams, all of them heard and without loss.
    pub(crate) fn expect_heard(&self, kind: &str, count: usize) -> &Self {
        let streams: Vec<_> = self.of(kind).flat_map(media).collect();
        let is_right = |stream: &&Value| {
            stream["verdict"] == "heard"
                && stream["lost"] == 0
                && stream["received"].as_u64() > Some(0)
        };
        let right = streams.iter().copied().filter(is_right).count();
        assert_eq!((streams.len(), right), (count, count), "{kind}: streams; {streams:#?}");
        self
    }

    /// Checks that boxes of `kind` saw `count` calls, all with this `outcome`.
    pub(crate) fn expect(&self, kind: &str, outcome: &str, count: usize) -> &Self {
        let outcomes: Vec<_> = self.of(kind).map(|record| record["outcome"].as_str()).collect();
        let right = outcomes.iter().filter(|found| **found == Some(outcome)).count();
        let said = (outcomes.len(), right);
        assert_eq!(said, (count, count), "{kind}: calls, and those {outcome}; {:#?}", self.records);
        self
    }

    /// Checks that each of our boxes on the [`PATH`] saw `count` calls, all with this `outcome`.
    pub(crate) fn expect_on_path(&self, outcome: &str, count: usize) -> &Self {
        PATH.iter().fold(self, |records, kind| records.expect(kind, outcome, count))
    }

    /// Checks that a field has the same value in all records of the [`PATH`].
    pub(crate) fn expect_each_on_path(&self, field: &str, value: impl Into<Value>) -> &Self {
        let value = value.into();
        PATH.iter().fold(self, |records, kind| records.expect_each(kind, field, value.clone()))
    }

    /// Checks that a field has the same value in all records of `kind`.
    pub(crate) fn expect_each(&self, kind: &str, field: &str, value: impl Into<Value>) -> &Self {
        let value = value.into();
        for record in self.of(kind) {
            assert_eq!(record[field], value, "{field} of {record:#}");
        }
        self
    }

    /// How many records of `kind` have this value in a field.
    pub(crate) fn count(&self, kind: &str, field: &str, value: &str) -> usize {
        self.of(kind).filter(|record| record[field] == value).count()
    }

    /// The records of the boxes of one kind.
    pub(crate) fn of(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.records.iter().filter(move |record| record["kind"] == kind)
    }
}

/// What a record says of each of its streams.
pub(crate) fn media(record: &Value) -> impl Iterator<Item = &Value> {
    record["media"].as_array().into_iter().flatten()
}
