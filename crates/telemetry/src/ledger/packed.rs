//! Records in as few octets as they need: some 300 for an attempt with four records. They are packed while files are read, and
//! unpacked shard by shard when attempts are gone through.
//!
//! ```text
//!   attempt │ kind, outcome, who ended it │ Call-ID, times, names, status, cause │ what only this kind of box says
//! ```
//!
//! Names are numbers of the part in which the record was read.

use super::compact_dialog::{CompactAnswerer, CompactLeg, CompactServer};
use super::compact_record::{CompactCallerRecord, CompactRecord, NOTHING, kept_texts};
use super::contradictions::Contradictions;
use super::names::{Names, Renamed};
use super::shard::{SHARDS, Shard, shard};
use crate::heard::Heard;
use crate::record::Entry;
use crate::small_numbers::read_octet;
use crate::terms::{BoxKind, Outcome};

/// Some records on their way into the store, as those of a piece of a file.
#[derive(Debug)]
pub(super) struct PackedPart {
    pub(super) names: Names,
    pub(super) shards: Vec<Vec<u8>>,
    /// Records of callers.
    pub(super) callers: u64,
    pub(super) contradictions: Contradictions,
}

impl PackedPart {
    pub(super) fn new() -> Self {
        Self {
            names: Names::new(),
            shards: vec![Vec::new(); SHARDS],
            callers: 0,
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
        let bytes = &mut self.shards[shard(key)];
        CompactRecord::new(key, entry, &mut self.names).write(bytes);
        match entry.kind {
            BoxKind::Generator => {
                self.callers += 1;
                CompactCallerRecord::new(entry).write(entry.start_us, bytes);
                kept_texts(entry).into_iter().for_each(|text| bytes.extend_from_slice(text));
                write_heard(entry.heard, bytes);
            }
            BoxKind::Psap => {
                CompactAnswerer::new(entry).write(bytes);
                write_heard(entry.heard, bytes);
            }
            BoxKind::CallServer => {
                CompactServer::new(entry).write(bytes);
                let legs = entry.legs.iter().map(|leg| CompactLeg::new(entry.start_us, leg));
                legs.for_each(|leg| leg.write(bytes));
            }
            BoxKind::TrunkGroup => {}
        }
    }
}

impl Shard {
    /// Takes packed records, whose names have these places now. `None`: these are no packed records.
    pub(super) fn unpack(&mut self, mut bytes: &[u8], names: &Renamed) -> Option<()> {
        while !bytes.is_empty() {
            let mut record = CompactRecord::read(&mut bytes, names)?;
            record.rest = match record.kind {
                BoxKind::Generator => {
                    let mut caller = CompactCallerRecord::read(record.start_us(), &mut bytes)?;
                    caller.text = self.texts.len();
                    let (texts, after) = bytes.split_at_checked(caller.text_length())?;
                    bytes = after;
                    self.texts.push_str(std::str::from_utf8(texts).ok()?);
                    caller.heard = self.keep_heard(read_heard(&mut bytes)?);
                    place(&mut self.callers, caller)
                }
                BoxKind::Psap => {
                    let mut answerer = CompactAnswerer::read(&mut bytes)?;
                    answerer.heard = self.keep_heard(read_heard(&mut bytes)?);
                    place(&mut self.answerers, answerer)
                }
                BoxKind::CallServer => {
                    let mut server = CompactServer::read(&mut bytes)?;
                    server.first_leg = u32::try_from(self.legs.len()).ok()?;
                    for _ in 0..server.legs {
                        self.legs.push(CompactLeg::read(&mut bytes)?);
                    }
                    place(&mut self.servers, server)
                }
                BoxKind::TrunkGroup => NOTHING,
            };
            self.records.push(record);
        }
        Some(())
    }

    fn keep_heard(&mut self, heard: Option<Heard>) -> u32 {
        heard.map_or(NOTHING, |heard| place(&mut self.heard, heard))
    }
}

/// Puts a row at the end of `rows`, and tells where.
fn place<T>(rows: &mut Vec<T>, row: T) -> u32 {
    rows.push(row);
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

/// Zero where nothing was heard; else one, and what.
fn write_heard(heard: Option<Heard>, bytes: &mut Vec<u8>) {
    bytes.push(u8::from(heard.is_some()));
    if let Some(heard) = heard {
        heard.write(bytes);
    }
}

fn read_heard(bytes: &mut &[u8]) -> Option<Option<Heard>> {
    match read_octet(bytes)? {
        0 => Some(None),
        _ => Heard::read(bytes).map(Some),
    }
}
