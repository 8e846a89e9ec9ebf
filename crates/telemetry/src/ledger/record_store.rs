//! The records of boxes as they come in, compact. Stores that were filled apart are put together.

use super::compact_dialog::{CompactAnswerer, CompactLeg, CompactServer};
use super::compact_record::{CompactCallerRecord, CompactRecord, NOTHING};
use super::contradictions::Contradictions;
use super::names::Names;
use crate::heard::Heard;
use crate::record::Entry;
use crate::terms::{BoxKind, Outcome};

/// Records are kept in so many shards, by the first bits of the attempt: each grows and is sorted by itself.
const SHARDS: usize = 64;
/// Bytes of a usual record in its file, rather too few: room that is not used costs nothing.
const RECORD: u64 = 400;
/// A file may have holes, and its length say nothing.
const MOST_EXPECTED: u64 = 16_000_000;

/// Records, compact.
#[derive(Debug)]
pub(super) struct RecordStore {
    pub(super) shards: Vec<Vec<CompactRecord>>,
    pub(super) names: Names,
    pub(super) callers: Vec<CompactCallerRecord>,
    pub(super) answerers: Vec<CompactAnswerer>,
    pub(super) servers: Vec<CompactServer>,
    pub(super) legs: Vec<CompactLeg>,
    pub(super) heard: Vec<Heard>,
    /// Numbers, communes and Call-IDs of callers, one after the other.
    pub(super) texts: String,
    pub(super) contradictions: Contradictions,
}

impl RecordStore {
    pub(super) fn new() -> Self {
        Self {
            shards: vec![Vec::new(); SHARDS],
            names: Names::new(),
            callers: Vec::new(),
            answerers: Vec::new(),
            servers: Vec::new(),
            legs: Vec::new(),
            heard: Vec::new(),
            texts: String::new(),
            contradictions: Contradictions::default(),
        }
    }

    /// Takes one record of any box.
    pub(super) fn add(&mut self, entry: &Entry<'_>) {
        let at = |what: &str| {
            let Entry { attempt, kind, node, .. } = entry;
            format!("record of attempt {} in {kind} {}: {what}", &**attempt, &**node)
        };
        let Some(key) = entry.attempt_key() else {
            self.contradictions.add(|| at("the attempt id is not 32 hexadecimal digits"));
            return;
        };
        if let Some((later, earlier)) = disorder(entry) {
            self.contradictions.add(|| at(&format!("{later} is before {earlier}")));
        }
        if entry.outcome == Outcome::Answered && entry.answer_us.is_none() {
            self.contradictions.add(|| at("it is answered but has no answer time"));
        }
        if entry.ack_us.is_some() && entry.answer_us.is_none() {
            self.contradictions.add(|| at("it was acknowledged but has no answer time"));
        }
        let mut record = CompactRecord::new(key, entry, &mut self.names);
        match entry.kind {
            BoxKind::Generator => record.rest = self.keep_caller(entry),
            BoxKind::Psap => {
                let heard = self.keep_heard(entry.heard);
                self.answerers.push(CompactAnswerer::new(entry, heard));
                record.rest = place_of_last(&self.answerers);
            }
            BoxKind::CallServer => {
                self.servers.push(CompactServer::new(entry, &mut self.legs));
                record.rest = place_of_last(&self.servers);
            }
            BoxKind::TrunkGroup => {}
        }
        self.shards[shard(key)].push(record);
    }

    fn keep_caller(&mut self, entry: &Entry<'_>) -> u32 {
        let heard = self.keep_heard(entry.heard);
        self.callers.push(CompactCallerRecord::new(entry, heard, &mut self.texts));
        place_of_last(&self.callers)
    }

    fn keep_heard(&mut self, heard: Option<Heard>) -> u32 {
        let Some(heard) = heard else { return NOTHING };
        self.heard.push(heard);
        place_of_last(&self.heard)
    }

    /// Makes room for the records of so many bytes of files, which saves moving them again and again.
    pub(super) fn expect(&mut self, bytes: u64) {
        let records = (bytes / RECORD).min(MOST_EXPECTED) as usize;
        self.shards.iter_mut().for_each(|shard| shard.reserve(records / SHARDS));
        self.callers.reserve(records / 4);
        self.answerers.reserve(records / 4);
        self.servers.reserve(records / 4);
        self.legs.reserve(records / 4);
        self.heard.reserve(records / 2);
        self.texts.reserve(records / 4 * 64);
    }

    /// Takes all that `other` has, which is empty then and keeps its memory.
    pub(super) fn absorb(&mut self, other: &mut Self) {
        let renamed = self.names.take_in(&other.names);
        other.names.clear();
        let shift = |base: usize, place: &mut u32| {
            if *place != NOTHING {
                *place = u32::try_from(base + *place as usize).unwrap_or(NOTHING);
            }
        };
        let [callers, answerers, servers] =
            [self.callers.len(), self.answerers.len(), self.servers.len()];
        let (legs, heard) = (self.legs.len(), self.heard.len());
        for (shard, others) in self.shards.iter_mut().zip(&mut other.shards) {
            shard.extend(others.drain(..).map(|mut record| {
                record.rename(|name| renamed.place(name));
                let base = match record.kind {
                    BoxKind::Generator => callers,
                    BoxKind::TrunkGroup => 0,
                    BoxKind::CallServer => servers,
                    BoxKind::Psap => answerers,
                };
                shift(base, &mut record.rest);
                record
            }));
        }
        let text = self.texts.len();
        self.callers.extend(other.callers.drain(..).map(|mut caller| {
            shift(heard, &mut caller.heard);
            caller.text += text;
            caller
        }));
        self.answerers.extend(other.answerers.drain(..).map(|mut answerer| {
            shift(heard, &mut answerer.heard);
            answerer
        }));
        self.servers.extend(other.servers.drain(..).map(|mut server| {
            shift(legs, &mut server.first_leg);
            server
        }));
        self.legs.append(&mut other.legs);
        self.heard.append(&mut other.heard);
        self.texts.push_str(&other.texts);
        other.texts.clear();
        self.contradictions.absorb(std::mem::take(&mut other.contradictions));
    }

    /// Brings the records in order, with all processors.
    pub(super) fn sort(&mut self) {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        let few = self.shards.iter().map(Vec::len).sum::<usize>() < 10_000;
        if few || threads == 1 {
            return self.shards.iter_mut().for_each(|shard| shard.sort_unstable());
        }
        std::thread::scope(|scope| {
            for shards in self.shards.chunks_mut(SHARDS.div_ceil(threads)) {
                scope.spawn(|| shards.iter_mut().for_each(|shard| shard.sort_unstable()));
            }
        });
    }

    /// The record behind a record, as far as it was kept.
    pub(super) fn entry(&self, record: &CompactRecord) -> Entry<'_> {
        let (caller, answerer) = (self.caller(record), self.answerer(record));
        let (heard, delays) = match record.kind {
            BoxKind::Generator => (caller.heard, [None; 2]),
            BoxKind::TrunkGroup => (NOTHING, [None; 2]),
            BoxKind::CallServer => {
                let server = self.servers.get(record.rest as usize);
                (NOTHING, [server.and_then(CompactServer::ack_after), None])
            }
            BoxKind::Psap => (answerer.heard, [answerer.ack_after(), answerer.bye_after()]),
        };
        let heard = self.heard.get(heard as usize).copied();
        record.entry(&self.names, caller, &self.texts, heard, delays)
    }

    /// What only callers say; of another box nothing.
    pub(super) fn caller(&self, record: &CompactRecord) -> &CompactCallerRecord {
        let caller = match record.kind {
            BoxKind::Generator => self.callers.get(record.rest as usize),
            _ => None,
        };
        caller.unwrap_or(&CompactCallerRecord::NOBODY)
    }

    /// What only PSAPs say; of another box nothing.
    pub(super) fn answerer(&self, record: &CompactRecord) -> &CompactAnswerer {
        let answerer = match record.kind {
            BoxKind::Psap => self.answerers.get(record.rest as usize),
            _ => None,
        };
        answerer.unwrap_or(&CompactAnswerer::NOBODY)
    }

    /// The calls that a call server placed, in order.
    pub(super) fn legs(&self, record: &CompactRecord) -> &[CompactLeg] {
        let server = match record.kind {
            BoxKind::CallServer => self.servers.get(record.rest as usize),
            _ => None,
        };
        server.map_or(&[], |server| server.legs(&self.legs))
    }
}

/// The shard of an attempt.
pub(super) const fn shard(attempt: u128) -> usize {
    (attempt >> 122) as usize
}

fn place_of_last<T>(rows: &[T]) -> u32 {
    u32::try_from(rows.len() - 1).unwrap_or(NOTHING)
}

/// The first pair of times that is in the wrong order, as (later, earlier).
fn disorder(entry: &Entry<'_>) -> Option<(&'static str, &'static str)> {
    let times = [
        ("the intended start", entry.intended_us),
        ("the start", Some(entry.start_us)),
        ("ringing", entry.ring_us),
        ("the answer", entry.answer_us),
        ("the ACK", entry.ack_us),
        ("the end", Some(entry.end_us)),
    ];
    let mut earlier: Option<(&str, u64)> = None;
    for (name, at) in times.into_iter().filter_map(|(name, at)| Some((name, at?))) {
        if let Some((before, limit)) = earlier
            && at < limit
        {
            return Some((name, before));
        }
        earlier = Some((name, at));
    }
    None
}
