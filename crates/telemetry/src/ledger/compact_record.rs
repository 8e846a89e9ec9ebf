//! A call record cut down to what the audit compares and the archive keeps: 72 bytes instead of about 1,000, 88 more for that
//! of a caller, and 12 to 16 more for that of a PSAP, of a call server, and for each call that one placed. Whatever the ledger keeps of a record goes in and out here.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::names::{Name, Names};
use crate::heard::Heard;
use crate::record::Entry;
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

    /// Gives every name the place that it has elsewhere.
    pub(super) fn rename(&mut self, place: impl Fn(Name) -> Name) {
        let [earlier, before] = &mut self.earlier;
        let boxes = [&mut self.node, &mut self.next, earlier, before];
        let names = [&mut self.site, &mut self.psap, &mut self.trunk_group, &mut self.why];
        boxes.into_iter().chain(names).for_each(|name| *name = place(*name));
    }

    pub(super) const fn attempt(&self) -> u128 {
        ((self.attempt.0 as u128) << 64) | self.attempt.1 as u128
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

    /// The record behind it, as far as it was kept. `caller` is the rest of a caller's, or [`CompactCallerRecord::NOBODY`]; `ack`
    /// and `bye` are delays of the others.
    pub(super) fn entry<'a>(
        &self,
        names: &'a Names,
        caller: &CompactCallerRecord,
        texts: &'a str,
        heard: Option<Heard>,
        [ack, bye]: [Option<u64>; 2],
    ) -> Entry<'a> {
        let text = |name: Name| name.known().map(|name| names.text(name).into());
        let [earlier, before] = self.earlier;
        let (number, commune, call_id) = caller.texts(texts);
        Entry {
            attempt: digits(self.attempt()).into(),
            kind: self.kind,
            node: names.text(self.node).into(),
            call_id,
            number,
            commune,
            site: text(self.site),
            psap: text(self.psap),
            trunk_group: text(self.trunk_group),
            tried: Tried([text(self.next), text(earlier), text(before)]),
            legs: Vec::new(),
            intended_us: caller.intended_us,
            start_us: self.start_us,
            ring_us: self.at(self.ring_after),
            answer_us: self.at(self.answer_after),
            ack_us: ack.map(|after| self.start_us.saturating_add(after)),
            bye_us: caller.bye_us.or_else(|| bye.map(|after| self.start_us.saturating_add(after))),
            end_us: self.end_us,
            outcome: self.outcome,
            status: (self.status != 0).then_some(self.status),
            cause: (self.cause != 0).then_some(self.cause),
            ended_by: self.ended_by,
            reason: text(self.why),
            heard,
            caller: caller.caller,
            attempt_of_caller: caller.attempt_of_caller,
            class: caller.class,
        }
    }
}

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

    /// Puts its texts at the end of `texts`.
    pub(super) fn new(entry: &Entry<'_>, heard: u32, texts: &mut String) -> Self {
        let commune = entry.commune.as_deref();
        let record = Self {
            intended_us: entry.intended_us,
            bye_us: entry.bye_us,
            caller: entry.caller,
            attempt_of_caller: entry.attempt_of_caller,
            class: entry.class,
            text: texts.len(),
            number: length(&entry.number),
            commune: commune.map(length),
            call_id: length(&entry.call_id),
            heard,
        };
        for text in [&*entry.number, commune.unwrap_or_default(), &*entry.call_id] {
            texts.push_str(text);
        }
        record
    }

    /// Number, commune and Call-ID.
    fn texts<'a>(&self, texts: &'a str) -> (Text<'a>, Option<Text<'a>>, Text<'a>) {
        let mut rest = &texts[self.text..];
        let mut text = |length: u32| {
            let (text, after) = rest.split_at(length as usize);
            rest = after;
            Text::from(text)
        };
        (text(self.number), self.commune.map(&mut text), text(self.call_id))
    }
}

fn length(text: &str) -> u32 {
    u32::try_from(text.len()).expect("a line of a record file is shorter than 4 GiB")
}

/// 32 hexadecimal digits, several times faster than by `format!`.
fn digits(attempt: u128) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let mut text = String::with_capacity(32);
    for byte in attempt.to_be_bytes() {
        text.push(DIGITS[usize::from(byte >> 4)]);
        text.push(DIGITS[usize::from(byte & 15)]);
    }
    text
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
            assert_eq!(digits(attempt), format!("{attempt:032x}"));
        }
    }
}
