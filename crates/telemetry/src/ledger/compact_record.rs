//! A call record cut down to what the audit compares and the archive keeps: 72 bytes instead of about 1,000, 88 more for that
//! of a caller, and 12 to 16 more for that of a PSAP, of a call server, and for each call that one placed. Whatever the ledger keeps of a record goes in and out here,
//! also packed: some 50 bytes.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::names::{Name, Names, Renamed};
use crate::record::Entry;
use crate::small_numbers::{read_all, read_octet, read_word, write_all};
use crate::terms::{BoxKind, CallerClass, Outcome, Party};
use crate::text::{Text, Tried};

/// In place of a delay: there was none.
pub(super) const NEVER: u32 = u32::MAX;
/// In place of an index: there is nothing.
pub(super) const NOTHING: u32 = u32::MAX;

/// One record, compact. The order of the fields is the order in which the audit sorts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CompactRecord {
    /// High and low half of the attempt id; a `u128` would pad the struct.
    attempt: (u64, u64),
    pub(super) kind: BoxKind,
    pub(super) node: Name,
    /// Hash of the Call-ID, to tell a record written twice from a second call of one attempt.
    pub(super) call: u32,
    pub(super) outcome: Outcome,
    start_us: u64,
    end_us: u64,
    /// From the start, in microseconds; saturates at 71 minutes.
    ring_after: u32,
    answer_after: u32,
    /// The next box, the last one tried.
    pub(super) next: Name,
    /// The ones tried before it, the latest first; more than two are not remembered.
    pub(super) earlier: [Name; 2],
    pub(super) site: Name,
    pub(super) psap: Name,
    pub(super) trunk_group: Name,
    /// The sentence of the record, when something went wrong.
    pub(super) why: Name,
    pub(super) status: u16,
    cause: u16,
    pub(super) ended_by: Option<Party>,
    /// Where the rest of the record is: the [`CompactCallerRecord`] of a caller, and what a call server or a PSAP says of its
    /// dialog (`compact_dialog.rs`).
    pub(super) rest: u32,
}

impl CompactRecord {
    pub(super) fn new(key: u128, entry: &Entry<'_>, names: &mut Names) -> Self {
        let after = |at| after(entry.start_us, at);
        let mut tried = entry.tried.iter();
        let mut next = || tried.next();
        let tried = [next(), next(), next()];
        Self {
            attempt: ((key >> 64) as u64, key as u64),
            kind: entry.kind,
            node: names.keep(&entry.node),
            call: hash(&entry.call_id),
            outcome: entry.outcome,
            start_us: entry.start_us,
            end_us: entry.end_us,
            ring_after: after(entry.ring_us),
            answer_after: after(entry.answer_us),
            next: names.keep_opt(tried[0]),
            earlier: [names.keep_opt(tried[1]), names.keep_opt(tried[2])],
            site: names.keep_opt(entry.site.as_deref()),
            psap: names.keep_opt(entry.psap.as_deref()),
            trunk_group: names.keep_opt(entry.trunk_group.as_deref()),
            why: names.keep_opt(entry.reason.as_deref()),
            status: entry.status.unwrap_or(0),
            cause: entry.cause.unwrap_or(0),
            ended_by: entry.ended_by,
            rest: NOTHING,
        }
    }

    /// Packs all but its rest.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.attempt().to_le_bytes());
        let ended_by = self.ended_by.map_or(0, |party| party as u8 + 1);
        bytes.push(self.kind as u8 | (self.outcome as u8) << 2 | ended_by << 5);
        bytes.extend_from_slice(&self.call.to_le_bytes());
        let after = |after: u32| after.wrapping_add(1).into();
        let times = [
            self.start_us,
            self.end_us.wrapping_sub(self.start_us),
            after(self.ring_after),
            after(self.answer_after),
        ];
        let [earlier, before] = self.earlier;
        let boxes = [self.node, self.next, earlier, before];
        let names = [self.site, self.psap, self.trunk_group, self.why];
        write_all(bytes, times);
        write_all(bytes, boxes.into_iter().chain(names).map(|name| name.number().into()));
        write_all(bytes, [self.status.into(), self.cause.into()]);
    }

    /// Unpacks it, without its rest. Its names have these places now.
    pub(super) fn read(bytes: &mut &[u8], names: &Renamed) -> Option<Self> {
        let (attempt, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        let key = u128::from_le_bytes(*attempt);
        let head = read_octet(bytes)?;
        let call = read_word(bytes)?;
        let [start_us, lasted, ring, answer] = read_all(bytes)?;
        let boxes: [u64; 8] = read_all(bytes)?;
        let name = |place: usize| names.place(u16::try_from(boxes[place]).ok()?);
        let [status, cause] = read_all(bytes)?;
        let after = |after: u64| u32::try_from(after).ok().map(|after| after.wrapping_sub(1));
        Some(Self {
            attempt: ((key >> 64) as u64, key as u64),
            kind: KINDS[usize::from(head & 3)],
            node: name(0)?,
            call,
            outcome: *OUTCOMES.get(usize::from(head >> 2 & 7))?,
            start_us,
            end_us: start_us.wrapping_add(lasted),
            ring_after: after(ring)?,
            answer_after: after(answer)?,
            next: name(1)?,
            earlier: [name(2)?, name(3)?],
            site: name(4)?,
            psap: name(5)?,
            trunk_group: name(6)?,
            why: name(7)?,
            status: u16::try_from(status).ok()?,
            cause: u16::try_from(cause).ok()?,
            ended_by: PARTIES[usize::from(head >> 5 & 3)],
            rest: NOTHING,
        })
    }

    pub(super) const fn attempt(&self) -> u128 {
        ((self.attempt.0 as u128) << 64) | self.attempt.1 as u128
    }

    pub(super) const fn start_us(&self) -> u64 {
        self.start_us
    }

    pub(super) const fn rang(&self) -> bool {
        self.ring_after != NEVER
    }

    /// Whether it ended with one of these statuses.
    pub(super) fn has_status(&self, any: &[u16]) -> bool {
        any.contains(&self.status)
    }

    pub(super) const fn established(&self) -> bool {
        self.answer_after != NEVER
    }

    /// From the INVITE to the answer.
    pub(super) fn answered_after(&self) -> Option<u64> {
        self.established().then_some(u64::from(self.answer_after))
    }

    /// The moment of the answer.
    pub(super) fn answered_at(&self) -> Option<u64> {
        self.at(self.answer_after)
    }

    /// From the INVITE to the end.
    pub(super) const fn lasted(&self) -> u64 {
        self.end_us.saturating_sub(self.start_us)
    }

    /// The boxes that it offered the call to, the latest first; `None`: there may be more.
    pub(super) fn tried(&self) -> (impl Iterator<Item = Name>, bool) {
        let [earlier, before] = self.earlier;
        let tried = [self.next, earlier, before].into_iter().filter_map(Name::known);
        (tried, before == Name::NONE)
    }

    fn at(&self, after: u32) -> Option<u64> {
        (after != NEVER).then(|| self.start_us.saturating_add(after.into()))
    }

    /// The box lost the call, and says why.
    pub(super) fn has_lost(&self) -> bool {
        self.outcome == Outcome::Lost && self.why != Name::NONE
    }

    /// It tells of the same moments in the same way.
    pub(super) fn is_copy_of(&self, other: &Self) -> bool {
        (self.start_us, self.end_us, self.outcome) == (other.start_us, other.end_us, other.outcome)
    }

    /// The boxes that this record names, itself included.
    pub(super) fn boxes(&self) -> impl Iterator<Item = Name> {
        [self.node, self.next, self.site, self.psap, self.trunk_group]
            .into_iter()
            .chain(self.earlier)
            .filter_map(Name::known)
    }

    /// The record behind it, as far as it was kept, without what is kept elsewhere. `attempt` is its id in digits; `ack` and `bye`
    /// are delays.
    pub(super) fn entry<'a>(
        &self,
        names: &'a Names,
        attempt: &'a str,
        [ack, bye]: [Option<u64>; 2],
    ) -> Entry<'a> {
        let text = |name: Name| name.known().map(|name| names.text(name).into());
        let [earlier, before] = self.earlier;
        let since = |after: Option<u64>| after.map(|after| self.start_us.saturating_add(after));
        Entry {
            attempt: attempt.into(),
            kind: self.kind,
            node: names.text(self.node).into(),
            call_id: "".into(),
            number: "".into(),
            commune: None,
            site: text(self.site),
            psap: text(self.psap),
            trunk_group: text(self.trunk_group),
            tried: Tried([text(self.next), text(earlier), text(before)]),
            legs: Vec::new(),
            intended_us: None,
            start_us: self.start_us,
            ring_us: self.at(self.ring_after),
            answer_us: self.at(self.answer_after),
            ack_us: since(ack),
            bye_us: since(bye),
            end_us: self.end_us,
            outcome: self.outcome,
            status: (self.status != 0).then_some(self.status),
            cause: (self.cause != 0).then_some(self.cause),
            ended_by: self.ended_by,
            reason: text(self.why),
            heard: None,
            caller: None,
            attempt_of_caller: None,
            class: None,
        }
    }
}

/// In the order of their numbers.
const KINDS: [BoxKind; 4] =
    [BoxKind::Generator, BoxKind::TrunkGroup, BoxKind::CallServer, BoxKind::Psap];
const OUTCOMES: [Outcome; 5] =
    [Outcome::Answered, Outcome::Rejected, Outcome::Abandoned, Outcome::TimedOut, Outcome::Lost];
const PARTIES: [Option<Party>; 4] =
    [None, Some(Party::Caller), Some(Party::Callee), Some(Party::Network)];
const CLASSES: [Option<CallerClass>; 3] =
    [None, Some(CallerClass::Emergency), Some(CallerClass::Ordinary)];

/// What only the record of a caller says.
#[derive(Debug, Clone, Copy)]
pub(super) struct CompactCallerRecord {
    intended_us: Option<u64>,
    pub(super) bye_us: Option<u64>,
    caller: Option<u64>,
    attempt_of_caller: Option<u32>,
    class: Option<CallerClass>,
    /// Where its texts begin, and how long each of them is.
    pub(super) text: usize,
    number: u32,
    commune: Option<u32>,
    call_id: u32,
    /// Where what the caller heard is.
    pub(super) heard: u32,
}

impl CompactCallerRecord {
    /// Of a box that is no caller.
    pub(super) const NOBODY: Self = Self {
        intended_us: None,
        bye_us: None,
        caller: None,
        attempt_of_caller: None,
        class: None,
        text: 0,
        number: 0,
        commune: None,
        call_id: 0,
        heard: NOTHING,
    };

    /// Its texts and what the caller heard have no place yet.
    pub(super) fn new(entry: &Entry<'_>) -> Self {
        Self {
            intended_us: entry.intended_us,
            bye_us: entry.bye_us,
            caller: entry.caller,
            attempt_of_caller: entry.attempt_of_caller,
            class: entry.class,
            text: 0,
            number: length(&entry.number),
            commune: entry.commune.as_deref().map(length),
            call_id: length(&entry.call_id),
            heard: NOTHING,
        }
    }

    /// Packs it, without its texts. `start_us` is that of its record.
    pub(super) fn write(&self, start_us: u64, bytes: &mut Vec<u8>) {
        let class = self.class.map_or(0, |class| class as u8 + 1);
        let has = [
            self.intended_us.is_some(),
            self.bye_us.is_some(),
            self.caller.is_some(),
            self.attempt_of_caller.is_some(),
            self.commune.is_some(),
        ];
        let has = has.into_iter().rev().fold(0, |bits, one| bits << 1 | u8::from(one));
        bytes.push(has | class << 5);
        let numbers = [
            self.intended_us.map(|at| start_us.wrapping_sub(at)),
            self.bye_us.map(|at| at.wrapping_sub(start_us)),
            self.caller,
            self.attempt_of_caller.map(u64::from),
            self.commune.map(u64::from),
        ];
        write_all(bytes, numbers.into_iter().flatten());
        write_all(bytes, [self.number.into(), self.call_id.into()]);
    }

    /// Unpacks it. Its texts and what the caller heard have no place yet.
    pub(super) fn read(start_us: u64, bytes: &mut &[u8]) -> Option<Self> {
        let head = read_octet(bytes)?;
        let mut number = |bit: u8| -> Option<Option<u64>> {
            match head >> bit & 1 {
                0 => Some(None),
                _ => read_all(bytes).map(|[number]| Some(number)),
            }
        };
        let (intended, bye, caller) = (number(0)?, number(1)?, number(2)?);
        let (nth, commune) = (number(3)?, number(4)?);
        let [number, call_id] = read_all(bytes)?;
        Some(Self {
            intended_us: intended.map(|before| start_us.wrapping_sub(before)),
            bye_us: bye.map(|after| start_us.wrapping_add(after)),
            caller,
            attempt_of_caller: nth.map(u32::try_from).transpose().ok()?,
            class: *CLASSES.get(usize::from(head >> 5))?,
            text: 0,
            number: u32::try_from(number).ok()?,
            commune: commune.map(u32::try_from).transpose().ok()?,
            call_id: u32::try_from(call_id).ok()?,
            heard: NOTHING,
        })
    }

    /// Bytes of all its texts.
    pub(super) fn text_length(&self) -> usize {
        let lengths = [self.number, self.commune.unwrap_or_default(), self.call_id];
        lengths.into_iter().map(|length| length as usize).sum()
    }

    /// The record with what only callers say.
    pub(super) fn complete<'a>(&self, texts: &'a str, entry: Entry<'a>) -> Entry<'a> {
        let mut rest = &texts[self.text..];
        let mut text = |length: u32| {
            let (text, after) = rest.split_at(length as usize);
            rest = after;
            Text::from(text)
        };
        Entry {
            number: text(self.number),
            commune: self.commune.map(&mut text),
            call_id: text(self.call_id),
            intended_us: self.intended_us,
            bye_us: self.bye_us.or(entry.bye_us),
            caller: self.caller,
            attempt_of_caller: self.attempt_of_caller,
            class: self.class,
            ..entry
        }
    }
}

/// The texts of a caller's record that are kept: number, commune and Call-ID.
pub(super) fn kept_texts<'a>(entry: &'a Entry<'_>) -> [&'a [u8]; 3] {
    let commune = entry.commune.as_deref().unwrap_or_default();
    [entry.number.as_bytes(), commune.as_bytes(), entry.call_id.as_bytes()]
}

fn length(text: &str) -> u32 {
    u32::try_from(text.len()).expect("a line of a record file is shorter than 4 GiB")
}

/// Writes 32 hexadecimal digits in place of `text`, several times faster than by `format!`.
pub(super) fn put_digits(attempt: u128, text: &mut String) {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    text.clear();
    for byte in attempt.to_be_bytes() {
        text.push(DIGITS[usize::from(byte >> 4)]);
        text.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// From `start_us` to `at`; saturates at 71 minutes.
pub(super) fn after(start_us: u64, at: Option<u64>) -> u32 {
    match at {
        None => NEVER,
        Some(at) => u32::try_from(at.saturating_sub(start_us)).unwrap_or(NEVER).min(NEVER - 1),
    }
}

pub(super) fn hash(text: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_small_enough_for_four_million() {
        assert!(size_of::<CompactRecord>() <= 72, "{}", size_of::<CompactRecord>());
    }

    #[test]
    fn an_attempt_has_the_digits_that_it_is_written_with() {
        for attempt in [0, 0xab, u128::MAX, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef] {
            let mut text = "before".to_owned();
            put_digits(attempt, &mut text);
            assert_eq!(text, format!("{attempt:032x}"));
        }
    }
}
