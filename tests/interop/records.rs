//! The call records of a network, read as plain JSON.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// The boxes of ours that a call of a foreign caller passes.
pub(crate) const PATH: [&str; 3] = ["trunk_group", "call_server", "psap"];

/// What became of each call, in the words of each box.
#[derive(Debug)]
pub(crate) struct Records(Vec<Value>);

impl Records {
    /// Reads all record files of a folder.
    pub(crate) fn read(folder: &Path) -> Self {
        let mut records = Vec::new();
        for entry in fs::read_dir(folder).expect("the folder of the network") {
            let path = entry.expect("an entry of a folder").path();
            if path.extension().is_some_and(|extension| extension == "jsonl") {
                let text = fs::read_to_string(&path).expect("a record file");
                let record = |line| serde_json::from_str(line).expect("a record on each line");
                records.extend(text.lines().map(record));
            }
        }
        Self(records)
    }

    /// Checks that boxes of `kind` saw `count` calls, all with this `outcome`.
    pub(crate) fn expect(&self, kind: &str, outcome: &str, count: usize) -> &Self {
        let outcomes: Vec<_> = self.of(kind).map(|record| record["outcome"].as_str()).collect();
        let right = outcomes.iter().filter(|found| **found == Some(outcome)).count();
        let said = (outcomes.len(), right);
        assert_eq!(said, (count, count), "{kind}: calls, and those {outcome}; {:#?}", self.0);
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

    fn of(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(move |record| record["kind"] == kind)
    }
}
