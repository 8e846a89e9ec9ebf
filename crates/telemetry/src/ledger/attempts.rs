//! All attempts of a run, each with what every box said of it.
//!
//! ```text
//!   Attempts ──read──► Attempt ──add──► tallies of the summary, series of the page, rows of the archive …
//!              └────► Ledger
//! ```

use std::collections::BTreeMap;

use super::chain::{Chain, ChainFinding, Path};
use super::compact_record::{CompactRecord, put_digits};
use super::contradictions::Contradictions;
use super::names::{Name, Names};
use super::record_store::RecordStore;
use super::result::{Ledger, LostAt};
use super::rules::Rules;
use super::shard::{SHARDS, Shard};
use super::silent_boxes::SilentBoxes;
use crate::heard::Heard;
use crate::record::Entry;
use crate::terms::{BoxKind, Outcome};

/// Every attempt that has a record. They are read in the order of their ids, and only a small part of them is in memory at a time.
#[derive(Debug)]
pub struct Attempts {
    pub(super) store: RecordStore,
    pub(super) silent: SilentBoxes,
    pub(super) rules: Rules,
    /// How many attempts the generators say they started.
    pub(super) started: u64,
}

/// Goes through the attempts of a run: whoever counts them, draws them or writes them down.
pub trait AttemptReader {
    /// Takes an attempt. Each comes once, in the order of their ids.
    fn add(&mut self, attempt: &Attempt<'_>);
}

/// One attempt: the record of its caller, and what the other boxes wrote of it.
#[derive(Debug)]
pub struct Attempt<'a> {
    chain: Chain<'a>,
    /// Its id.
    digits: &'a str,
    caller: Option<Entry<'a>>,
    reached: Destination<'a>,
    counted: Counted<'a>,
}

/// Where an attempt ended up, joined from the records of the boxes behind the caller.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Destination<'a> {
    pub site: Option<&'a str>,
    pub psap: Option<&'a str>,
}

/// What the ledger counted an attempt as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted<'a> {
    /// `None`: it is no attempt of the campaign.
    pub outcome: Option<Outcome>,
    /// The box in which it was lost, and why.
    pub lost_in: Option<&'a str>,
    pub why: Option<&'a str>,
    /// How records contradict each other: the first sentence.
    pub fault: Option<&'a str>,
}

/// A call that came to a PSAP, as that tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival<'a> {
    pub psap: &'a str,
    pub start_us: u64,
    pub answer_us: Option<u64>,
    pub outcome: Outcome,
}

impl Attempts {
    /// Shows each attempt to every reader, in one pass, and compares what its boxes wrote.
    pub fn read(&self, readers: &mut [&mut dyn AttemptReader]) -> Ledger {
        let mut ledger = Ledger::default();
        let mut contradictions = self.store.contradictions.clone();
        let mut losses = BTreeMap::new();
        let (mut shard, mut digits) = (Shard::default(), String::new());
        for number in 0..SHARDS {
            if let Err(error) = self.store.load(number, &mut shard) {
                contradictions.add(|| format!("records that were put aside are gone: {error}"));
                continue;
            }
            for records in shard.attempts() {
                let chain = self.chain(&shard, records);
                let mut own = Contradictions::default();
                let finding = chain.check(&mut own);
                count(&mut ledger, &mut losses, &chain, finding);
                put_digits(chain.attempt(), &mut digits);
                let attempt = Attempt::new(chain, &digits, finding, own.first());
                readers.iter_mut().for_each(|reader| reader.add(&attempt));
                contradictions.absorb(own);
            }
        }
        self.close_sum(&mut ledger, &mut contradictions);
        ledger.lost_at = lost_at(losses, &self.store.names);
        (ledger.fault_count, ledger.faults) = contradictions.into_parts();
        ledger.balanced = ledger.in_progress == 0 && ledger.fault_count == 0;
        ledger
    }

    /// What their comparison comes to.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.read(&mut [])
    }

    fn chain<'a>(&'a self, store: &'a Shard, records: &'a [CompactRecord]) -> Chain<'a> {
        let Self { silent, rules, .. } = self;
        let (names, path) = (&self.store.names, Path::default());
        Chain { records, store, names, silent, rules, path }.followed()
    }

    fn close_sum(&self, ledger: &mut Ledger, contradictions: &mut Contradictions) {
        let started = self.started;
        let ended =
            ledger.answered + ledger.rejected + ledger.abandoned + ledger.timed_out + ledger.lost;
        // A lost generator does not say what it started.
        if ended > started && self.silent.lost_generator.is_none() {
            contradictions.add(|| {
                format!("the generators started {started} attempts, but {ended} have records")
            });
        }
        ledger.offered = started.max(ended);
        ledger.in_progress = started.saturating_sub(ended);
        // Where records of callers are missing, as after a full disk, other boxes tell of calls that no caller tells of: these
        // are no strangers'.
        ledger.foreign = ledger.foreign.saturating_sub(ledger.in_progress);
    }
}

impl<'a> Attempt<'a> {
    fn new(
        chain: Chain<'a>,
        digits: &'a str,
        finding: ChainFinding,
        fault: Option<&'a str>,
    ) -> Self {
        let caller = chain.records.first().filter(|record| record.kind == BoxKind::Generator);
        let (site, psap) = chain.destination();
        let text = |name: Name| name.known().map(|name| chain.names.text(name));
        let reached = Destination { site: text(site), psap: text(psap) };
        let caller = caller.map(|record| chain.store.entry(record, chain.names, digits));
        let counted = match finding {
            ChainFinding::Counted(outcome) => {
                Counted { outcome: Some(outcome), fault, ..Counted::default() }
            }
            ChainFinding::Lost { node, why } => {
                Counted { outcome: Some(Outcome::Lost), lost_in: text(node), why: text(why), fault }
            }
            ChainFinding::Foreign | ChainFinding::Orphan => Counted { fault, ..Counted::default() },
        };
        Self { chain, digits, caller, reached, counted }
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
    pub const fn counted(&self) -> &Counted<'a> {
        &self.counted
    }

    /// What its two ends heard: the caller, and the PSAP that talked with them.
    #[must_use]
    pub fn heard(&self) -> [Option<Heard>; 2] {
        // A PSAP that only rang, or whose site died before the caller heard the answer, is not the one who talked; nor is the
        // same PSAP with a call of another site.
        let talked = self.chain.path.psap.filter(|psap| psap.outcome == Outcome::Answered);
        [
            self.caller.as_ref().and_then(|caller| caller.heard),
            talked.and_then(|psap| self.chain.store.heard(psap)),
        ]
    }

    /// The calls that came to PSAPs.
    pub fn arrivals(&self) -> impl Iterator<Item = Arrival<'a>> {
        let names = self.chain.names;
        self.chain.of_kind(BoxKind::Psap).map(|record| Arrival {
            psap: names.text(record.node),
            start_us: record.start_us(),
            answer_us: record.answered_at(),
            outcome: record.outcome,
        })
    }

    /// Whether a box on its way was lost and has no record of its end: when that box fell, the call may have fallen with it.
    #[must_use]
    pub fn fell_with_a_box(&self) -> bool {
        self.chain.fell_with_a_box()
    }

    /// The records of boxes of one kind, as far as the ledger kept them.
    pub fn of(&self, kind: BoxKind) -> impl Iterator<Item = Entry<'a>> {
        let of_kind = self.chain.of_kind(kind);
        of_kind.map(|record| self.entry(record))
    }

    /// All its records, from the caller to the PSAP, as far as the ledger kept them.
    pub fn records(&self) -> impl Iterator<Item = Entry<'a>> {
        self.chain.records.iter().map(|record| self.entry(record))
    }

    fn entry(&self, record: &CompactRecord) -> Entry<'a> {
        self.chain.store.entry(record, self.chain.names, self.digits)
    }
}

fn count(
    ledger: &mut Ledger,
    losses: &mut BTreeMap<(Name, Name), u64>,
    chain: &Chain<'_>,
    finding: ChainFinding,
) {
    ledger.failures.count(chain, &finding);
    match finding {
        ChainFinding::Counted(Outcome::Answered) => ledger.answered += 1,
        ChainFinding::Counted(Outcome::Rejected) => ledger.rejected += 1,
        ChainFinding::Counted(Outcome::Abandoned) => ledger.abandoned += 1,
        ChainFinding::Counted(Outcome::TimedOut) => ledger.timed_out += 1,
        ChainFinding::Counted(Outcome::Lost) => ledger.lost += 1,
        ChainFinding::Lost { node, why } => {
            ledger.lost += 1;
            *losses.entry((node, why)).or_default() += 1;
        }
        ChainFinding::Foreign => ledger.foreign += 1,
        ChainFinding::Orphan => {}
    }
}

fn lost_at(losses: BTreeMap<(Name, Name), u64>, names: &Names) -> Vec<LostAt> {
    let text = |name| names.text(name).to_owned();
    let mut places: Vec<LostAt> = losses
        .into_iter()
        .map(|((node, why), attempts)| LostAt { node: text(node), why: text(why), attempts })
        .collect();
    places.sort_by(|a, b| b.attempts.cmp(&a.attempts).then_with(|| a.node.cmp(&b.node)));
    places
}
