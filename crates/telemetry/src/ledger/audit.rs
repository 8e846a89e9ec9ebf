//! Collects the records of all boxes, then goes through them attempt by attempt.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::attempts::Attempts;
use super::contradictions::Contradictions;
use super::names::{Name, Names};
use super::record_store::RecordStore;
use super::result::{Ledger, LostAt};
use super::rules::{LostNode, Rules};
use super::silent_boxes::SilentBoxes;
use crate::record::{CallRecord, Entry};
use crate::scan::{self, Misread};

/// An open comparison of records. Add all records in any order, then [`close`](Self::close) it.
///
/// One million attempts with four records each take about 500 MB.
#[derive(Debug)]
pub struct Audit {
    rules: Rules,
    store: RecordStore,
}

impl Audit {
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self { rules, store: RecordStore::new() }
    }

    /// Takes one record of any box.
    pub fn add(&mut self, record: &CallRecord) {
        self.store.add(&Entry::from(record));
    }

    /// Takes the records of files, each read once, with all processors.
    pub fn read(&mut self, files: &[PathBuf]) -> Misread {
        let lengths = files.iter().filter_map(|file| std::fs::metadata(file).ok());
        self.store.expect(lengths.map(|file| file.len()).sum());
        // Stores are filled again and again: fresh memory costs more than the records in it.
        let spare = Mutex::new(Vec::new());
        let take = || spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        scan::read(
            files,
            || take().unwrap_or_else(RecordStore::new),
            RecordStore::add,
            |mut store| {
                self.store.absorb(&mut store);
                spare.lock().unwrap_or_else(PoisonError::into_inner).push(store);
            },
        )
    }

    /// Records of callers so far.
    #[must_use]
    pub fn callers(&self) -> u64 {
        self.store.callers.len() as u64
    }

    /// Compares everything.
    ///
    /// `started` is how many attempts the generators say they started; `lost` are the boxes that
    /// were lost during the run.
    #[must_use]
    pub fn close(self, started: u64, lost: &[LostNode]) -> (Ledger, Attempts) {
        let Self { rules, mut store } = self;
        let silent = SilentBoxes::new(&rules, lost, &mut store.names);
        let mut contradictions = std::mem::take(&mut store.contradictions);
        store.sort();
        let attempts = Attempts { store, silent, rules };
        let mut ledger = Ledger::default();
        let losses = attempts.close(&mut contradictions, &mut ledger);
        close_sum(
            &mut ledger,
            &mut contradictions,
            started,
            attempts.silent.lost_generator.is_some(),
        );
        ledger.lost_at = lost_at(&losses, &attempts.store.names);
        (ledger.fault_count, ledger.faults) = contradictions.into_parts();
        ledger.balanced = ledger.in_progress == 0 && ledger.fault_count == 0;
        (ledger, attempts)
    }
}

fn close_sum(
    ledger: &mut Ledger,
    contradictions: &mut Contradictions,
    started: u64,
    generator_lost: bool,
) {
    let ended =
        ledger.answered + ledger.rejected + ledger.abandoned + ledger.timed_out + ledger.lost;
    // A lost generator does not say what it started.
    if ended > started && !generator_lost {
        contradictions
            .add(|| format!("the generators started {started} attempts, but {ended} have records"));
    }
    ledger.offered = started.max(ended);
    ledger.in_progress = started.saturating_sub(ended);
    // Where records of callers are missing, as after a full disk, other boxes tell of calls that no caller tells of: these are
    // no strangers'.
    ledger.foreign = ledger.foreign.saturating_sub(ledger.in_progress);
}

fn lost_at(losses: &[(Name, Name)], names: &Names) -> Vec<LostAt> {
    let mut counts = BTreeMap::<(Name, Name), u64>::new();
    losses.iter().for_each(|place| *counts.entry(*place).or_default() += 1);
    let text = |name| names.text(name).to_owned();
    let mut places: Vec<LostAt> = counts
        .into_iter()
        .map(|((node, why), attempts)| LostAt { node: text(node), why: text(why), attempts })
        .collect();
    places.sort_by(|a, b| b.attempts.cmp(&a.attempts).then_with(|| a.node.cmp(&b.node)));
    places
}
