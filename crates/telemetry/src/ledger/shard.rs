//! The records of a part of all attempts, unpacked: those whose ids begin with the same bits.

use super::compact_dialog::{CompactAnswerer, CompactLeg, CompactServer};
use super::compact_record::{CompactCallerRecord, CompactRecord, NOTHING};
use super::names::Names;
use crate::heard::Heard;
use crate::record::Entry;
use crate::terms::BoxKind;

/// Records are gone through in so many shards, by the first bits of the attempt: one of them is in memory at a time.
pub(super) const SHARDS: usize = 64;

/// The shard of an attempt.
pub(super) const fn shard(attempt: u128) -> usize {
    (attempt >> (128 - SHARDS.ilog2())) as usize
}

/// Records, compact.
#[derive(Debug, Default)]
pub(super) struct Shard {
    pub(super) records: Vec<CompactRecord>,
    pub(super) callers: Vec<CompactCallerRecord>,
    pub(super) answerers: Vec<CompactAnswerer>,
    pub(super) servers: Vec<CompactServer>,
    pub(super) legs: Vec<CompactLeg>,
    pub(super) heard: Vec<Heard>,
    /// Numbers, communes and Call-IDs of callers, one after the other.
    pub(super) texts: String,
}

impl Shard {
    /// Nothing is left, but its memory.
    pub(super) fn clear(&mut self) {
        self.records.clear();
        self.callers.clear();
        self.answerers.clear();
        self.servers.clear();
        self.legs.clear();
        self.heard.clear();
        self.texts.clear();
    }

    /// The records of each attempt, in the order of their ids.
    pub(super) fn attempts(&self) -> impl Iterator<Item = &[CompactRecord]> {
        self.records.chunk_by(|one, next| one.attempt() == next.attempt())
    }

    /// The record behind a record, as far as it was kept. `attempt` is its id in digits.
    pub(super) fn entry<'a>(
        &'a self,
        record: &CompactRecord,
        names: &'a Names,
        attempt: &'a str,
    ) -> Entry<'a> {
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
        let entry = record.entry(names, attempt, delays);
        let heard = self.heard.get(heard as usize).copied();
        caller.complete(&self.texts, Entry { heard, ..entry })
    }

    /// What the end that wrote this record heard.
    pub(super) fn heard(&self, record: &CompactRecord) -> Option<Heard> {
        let heard = match record.kind {
            BoxKind::Generator => self.caller(record).heard,
            _ => self.answerer(record).heard,
        };
        self.heard.get(heard as usize).copied()
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
