//! A call record cut down to what the audit compares: 48 bytes instead of about 1,000.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::record::{BoxKind, CallRecord, Outcome};

/// Index into [`Names`]. Zero is "no name".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Name(u16);

impl Name {
    pub(super) const NONE: Self = Self(0);

    pub(super) fn known(self) -> Option<Self> {
        (self != Self::NONE).then_some(self)
    }
}

/// The texts that repeat in every record: names of boxes, and reasons.
#[derive(Debug)]
pub(super) struct Names {
    texts: Vec<String>,
    index: HashMap<String, Name>,
}

impl Names {
    pub(super) fn new() -> Self {
        Self { texts: vec![String::new()], index: HashMap::new() }
    }

    /// Remembers a text. After 65,534 different ones, the rest share one entry.
    pub(super) fn keep(&mut self, text: &str) -> Name {
        if text.is_empty() {
            return Name::NONE;
        }
        if let Some(name) = self.index.get(text) {
            return *name;
        }
        let full = usize::from(u16::MAX);
        let Some(free) = u16::try_from(self.texts.len()).ok().filter(|free| *free < u16::MAX)
        else {
            if self.texts.len() == full {
                self.texts.push("(one of too many names)".to_owned());
            }
            return Name(u16::MAX);
        };
        self.texts.push(text.to_owned());
        self.index.insert(text.to_owned(), Name(free));
        Name(free)
    }

    pub(super) fn keep_opt(&mut self, text: Option<&str>) -> Name {
        text.map_or(Name::NONE, |text| self.keep(text))
    }

    pub(super) fn text(&self, name: Name) -> &str {
        &self.texts[usize::from(name.0)]
    }
}

/// One record, compact. The order of the fields is the order in which the audit sorts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slip {
    /// High and low half of the attempt id; a `u128` would pad the struct to 64 bytes.
    attempt: (u64, u64),
    pub(super) kind: BoxKind,
    pub(super) node: Name,
    /// Hash of the Call-ID, to tell a record written twice from a second call of one attempt.
    pub(super) call: u32,
    pub(super) outcome: Outcome,
    pub(super) established: bool,
    pub(super) rang: bool,
    /// From answer to end; saturates at 49 days.
    pub(super) talk_ms: u32,
    /// The next box, the last one tried.
    pub(super) next: Name,
    /// The ones tried before it, the latest first; more than two are not remembered.
    pub(super) earlier: [Name; 2],
    pub(super) site: Name,
    pub(super) psap: Name,
    pub(super) trunk_group: Name,
    /// Why the call was lost, if it was; in a call server also what else befell it.
    pub(super) why: Name,
}

impl Slip {
    pub(super) fn new(key: u128, record: &CallRecord, names: &mut Names) -> Self {
        let talk_us = record.answer_us.map_or(0, |answer| record.end_us.saturating_sub(answer));
        let lost = record.outcome == Outcome::Lost;
        let mut tried = record.tried.iter().rev().map(String::as_str);
        Self {
            attempt: ((key >> 64) as u64, key as u64),
            kind: record.kind,
            node: names.keep(&record.node),
            call: hash(&record.call_id),
            outcome: record.outcome,
            established: record.answer_us.is_some(),
            rang: record.ring_us.is_some(),
            talk_ms: u32::try_from(talk_us / 1_000).unwrap_or(u32::MAX),
            next: names.keep_opt(tried.next()),
            earlier: [names.keep_opt(tried.next()), names.keep_opt(tried.next())],
            site: names.keep_opt(record.site.as_deref()),
            psap: names.keep_opt(record.psap.as_deref()),
            trunk_group: names.keep_opt(record.trunk_group.as_deref()),
            why: names.keep_opt(
                record.reason.as_deref().filter(|_| lost || record.kind == BoxKind::CallServer),
            ),
        }
    }

    pub(super) const fn attempt(&self) -> u128 {
        ((self.attempt.0 as u128) << 64) | self.attempt.1 as u128
    }

    /// The box lost the call, and says why.
    pub(super) fn has_lost(&self) -> bool {
        self.outcome == Outcome::Lost && self.why != Name::NONE
    }

    /// The boxes that this record names, itself included.
    pub(super) fn boxes(&self) -> impl Iterator<Item = Name> {
        [self.node, self.next, self.site, self.psap, self.trunk_group]
            .into_iter()
            .chain(self.earlier)
            .filter_map(Name::known)
    }
}

fn hash(text: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish() as u32
}

/// Where an attempt ended up, joined from the records of the boxes behind the caller.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Destination<'a> {
    pub site: Option<&'a str>,
    pub psap: Option<&'a str>,
}

/// Site and PSAP of every attempt that reached one.
#[derive(Debug)]
pub struct Destinations {
    /// Sorted by attempt.
    pub(super) found: Vec<(u128, Name, Name)>,
    pub(super) names: Names,
}

impl Destinations {
    /// Looks up an attempt by its [key](CallRecord::attempt_key).
    #[must_use]
    pub fn find(&self, attempt: u128) -> Destination<'_> {
        let Ok(at) = self.found.binary_search_by_key(&attempt, |(key, ..)| *key) else {
            return Destination::default();
        };
        let (_, site, psap) = self.found[at];
        Destination { site: self.text(site), psap: self.text(psap) }
    }

    fn text(&self, name: Name) -> Option<&str> {
        name.known().map(|name| self.names.text(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_small_enough_for_four_million() {
        assert!(size_of::<Slip>() <= 48, "{}", size_of::<Slip>());
    }

    #[test]
    fn names_come_back_and_too_many_share_one_entry() {
        let mut names = Names::new();
        assert_eq!(names.keep(""), Name::NONE);
        let alpha = names.keep("alpha");
        assert_eq!(names.keep("alpha"), alpha);
        assert_eq!(names.text(alpha), "alpha");
        for i in 0..70_000 {
            names.keep(&i.to_string());
        }
        let shared = names.keep("x");
        assert_eq!(names.keep("y"), shared);
        assert_eq!(names.text(shared), "(one of too many names)");
        assert_eq!(names.text(alpha), "alpha");
    }
}
