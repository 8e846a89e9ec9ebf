//! All attempts of a run after the audit, each with what every box said of it.
//!
//! ```text
//!   Attempts ──read──► Attempt ──add──► tallies of the summary, series of the page, rows of the archive …
//! ```

use super::chain::{Chain, ChainFinding};
use super::compact_record::CompactRecord;
use super::contradictions::Contradictions;
use super::names::Name;
use super::record_store::{RecordStore, shard};
use super::result::Ledger;
use super::rules::Rules;
use super::silent_boxes::SilentBoxes;
use crate::heard::Heard;
use crate::record::Entry;
use crate::terms::{BoxKind, Outcome};

/// Every attempt that has a record, in the order of their ids.
#[derive(Debug)]
pub struct Attempts {
    pub(super) store: RecordStore,
    pub(super) silent: SilentBoxes,
    pub(super) rules: Rules,
}

/// Goes through the attempts of a run: whoever counts them, draws them or writes them down.
pub trait AttemptReader<'a> {
    /// Takes an attempt. Each comes once, in the order of their ids.
    fn add(&mut self, attempt: &Attempt<'a>);
}

/// One attempt: the record of its caller, and what the other boxes wrote of it.
#[derive(Debug)]
pub struct Attempt<'a> {
    chain: Chain<'a>,
    store: &'a RecordStore,
    caller: Option<Entry<'a>>,
    reached: Destination<'a>,
    /// The PSAP at the end of the way that the caller's call took.
    answerer: Option<&'a CompactRecord>,
}

/// Where an attempt ended up, joined from the records of the boxes behind the caller.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Destination<'a> {
    pub site: Option<&'a str>,
    pub psap: Option<&'a str>,
}

/// What the ledger counted an attempt as.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted<'a> {
    /// `None`: it is no attempt of the campaign.
    pub outcome: Option<Outcome>,
    /// The box in which it was lost, and why.
    pub lost_in: Option<&'a str>,
    pub why: Option<&'a str>,
    /// How records contradict each other: the first sentence.
    pub fault: Option<String>,
}

impl Attempts {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Attempt<'_>> {
        self.all_records().map(|records| Attempt::new(self, records))
    }

    /// Shows each attempt to every reader, in one pass.
    pub fn read<'a>(&'a self, readers: &mut [&mut dyn AttemptReader<'a>]) {
        for attempt in self.iter() {
            readers.iter_mut().for_each(|reader| reader.add(&attempt));
        }
    }

    fn all_records(&self) -> impl Iterator<Item = &[CompactRecord]> {
        let is_same: fn(&CompactRecord, &CompactRecord) -> bool =
            |one, next| one.attempt() == next.attempt();
        self.store.shards.iter().flat_map(move |shard| shard.chunk_by(is_same))
    }

    fn chain<'a>(&'a self, records: &'a [CompactRecord]) -> Chain<'a> {
        Chain { records, store: &self.store, silent: &self.silent, rules: &self.rules }
    }

    /// Looks up an attempt by its [key](crate::CallRecord::attempt_key).
    #[must_use]
    pub fn find(&self, attempt: u128) -> Option<Attempt<'_>> {
        let records = &self.store.shards[shard(attempt)];
        let from = records.partition_point(|record| record.attempt() < attempt);
        let length =
            records[from..].iter().take_while(|record| record.attempt() == attempt).count();
        (length > 0).then(|| Attempt::new(self, &records[from..from + length]))
    }

    pub(super) fn close(
        &self,
        contradictions: &mut Contradictions,
        ledger: &mut Ledger,
    ) -> Vec<(Name, Name)> {
        let mut losses = Vec::new();
        for records in self.all_records() {
            let chain = self.chain(records);
            let finding = chain.check(contradictions);
            ledger.failures.count(&chain, &finding);
            match finding {
                ChainFinding::Counted(outcome) => *count(ledger, outcome) += 1,
                ChainFinding::Lost { node, why } => {
                    ledger.lost += 1;
                    losses.push((node, why));
                }
                ChainFinding::Foreign => ledger.foreign += 1,
                ChainFinding::Orphan => {}
            }
        }
        losses
    }
}

impl<'a> Attempt<'a> {
    fn new(all: &'a Attempts, records: &'a [CompactRecord]) -> Self {
        let (chain, store) = (all.chain(records), &all.store);
        let caller = records.first().filter(|record| record.kind == BoxKind::Generator);
        let path = chain.path();
        let (site, psap) = chain.destination(&path);
        let text = |name: Name| name.known().map(|name| store.names.text(name));
        let reached = Destination { site: text(site), psap: text(psap) };
        let caller = caller.map(|record| store.entry(record));
        Self { chain, store, caller, reached, answerer: path.psap }
    }

    /// The id as a number.
    #[must_use]
    pub fn key(&self) -> u128 {
        self.chain.attempt()
    }

    /// The record of the caller, as far as the ledger kept it. `None`: no generator made this attempt, or its record is lost.
    #[must_use]
    pub const fn caller(&self) -> Option<&Entry<'a>> {
        self.caller.as_ref()
    }

    /// Site and PSAP where it ended up.
    #[must_use]
    pub const fn reached(&self) -> Destination<'a> {
        self.reached
    }

    /// What it counts as.
    #[must_use]
    pub fn counted(&self) -> Counted<'a> {
        let mut contradictions = Contradictions::default();
        let finding = self.chain.check(&mut contradictions);
        let fault = contradictions.into_first();
        let text = |name: Name| name.known().map(|name| self.store.names.text(name));
        match finding {
            ChainFinding::Counted(outcome) => {
                Counted { outcome: Some(outcome), fault, ..Counted::default() }
            }
            ChainFinding::Lost { node, why } => {
                Counted { outcome: Some(Outcome::Lost), lost_in: text(node), why: text(why), fault }
            }
            ChainFinding::Foreign | ChainFinding::Orphan => Counted { fault, ..Counted::default() },
        }
    }

    /// What its two ends heard: the caller, and the PSAP that talked with them.
    #[must_use]
    pub fn heard(&self) -> [Option<Heard>; 2] {
        // A PSAP that only rang, or whose site died before the caller heard the answer, is not the one who talked; nor is the
        // same PSAP with a call of another site.
        let talked = self.answerer.filter(|psap| psap.outcome == Outcome::Answered);
        [
            self.caller.as_ref().and_then(|caller| caller.heard),
            talked.and_then(|psap| self.store.entry(psap).heard),
        ]
    }

    /// The records of boxes of one kind, as far as the ledger kept them.
    pub fn of(&self, kind: BoxKind) -> impl Iterator<Item = Entry<'a>> {
        let store = self.store;
        let of_kind = self.chain.records.iter().filter(move |record| record.kind == kind);
        of_kind.map(move |record| store.entry(record))
    }

    /// All its records, from the caller to the PSAP, as far as the ledger kept them.
    pub fn records(&self) -> impl Iterator<Item = Entry<'a>> {
        let store = self.store;
        self.chain.records.iter().map(move |record| store.entry(record))
    }
}

const fn count(ledger: &mut Ledger, outcome: Outcome) -> &mut u64 {
    match outcome {
        Outcome::Answered => &mut ledger.answered,
        Outcome::Rejected => &mut ledger.rejected,
        Outcome::Abandoned => &mut ledger.abandoned,
        Outcome::TimedOut => &mut ledger.timed_out,
        Outcome::Lost => &mut ledger.lost,
    }
}
