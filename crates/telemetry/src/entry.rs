//! A call record as the books take it: borrowed from its line, without what no summary asks for.
//!
//! A long campaign has millions of records. What is not copied out of a line costs next to nothing.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use media::{StreamReport, Verdict};
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::record::{BoxKind, CallRecord, CallerClass, Outcome, Party};

/// Boxes tried that are remembered.
const TRIED: usize = 3;

/// What the books keep of a [`CallRecord`]; its fields mean the same.
#[derive(Debug, Clone, Deserialize)]
pub struct Entry<'a> {
    #[serde(borrow)]
    pub attempt: Text<'a>,
    pub kind: BoxKind,
    #[serde(borrow)]
    pub node: Text<'a>,
    #[serde(borrow)]
    pub call_id: Text<'a>,
    #[serde(borrow)]
    pub number: Text<'a>,
    #[serde(borrow, default)]
    pub commune: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub site: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub psap: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub trunk_group: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub tried: Tried<'a>,
    #[serde(default)]
    pub intended_us: Option<u64>,
    pub start_us: u64,
    #[serde(default)]
    pub ring_us: Option<u64>,
    #[serde(default)]
    pub answer_us: Option<u64>,
    #[serde(default)]
    pub bye_us: Option<u64>,
    pub end_us: u64,
    pub outcome: Outcome,
    #[serde(default)]
    pub status: Option<u16>,
    #[serde(default)]
    pub cause: Option<u16>,
    #[serde(default)]
    pub ended_by: Option<Party>,
    #[serde(borrow, default)]
    pub reason: Option<Text<'a>>,
    /// The first stream of the call, which at its ends is the only one.
    #[serde(default, deserialize_with = "first", rename = "media")]
    pub heard: Option<Heard>,
    #[serde(default)]
    pub caller: Option<u64>,
    #[serde(default)]
    pub attempt_of_caller: Option<u32>,
    #[serde(default)]
    pub class: Option<CallerClass>,
}

/// What the books keep of a [`StreamReport`]; its fields mean the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
pub struct Heard {
    #[serde(default)]
    pub verdict: Option<Verdict>,
    pub received: u64,
    pub expected: u64,
    pub lost: u64,
    pub discarded: u64,
    pub mean_jitter_us: u64,
    #[serde(default)]
    pub round_trip_us: Option<u64>,
    #[serde(default)]
    pub mos: Option<f64>,
    #[serde(default)]
    pub stopped_us: Option<u64>,
}

/// Text that is borrowed unless its JSON has escapes in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text<'a>(Cow<'a, str>);

/// The boxes that were tried, the latest first; more than three are not remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tried<'a>(pub(crate) [Option<Text<'a>>; TRIED]);

impl<'a> Tried<'a> {
    /// The latest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.iter().flatten().map(|text| &**text)
    }

    fn push(&mut self, text: Text<'a>) {
        self.0.rotate_right(1);
        self.0[0] = Some(text);
    }
}

impl Entry<'_> {
    /// The attempt id as a number, or `None` when it is not 32 hexadecimal digits.
    #[must_use]
    pub fn attempt_key(&self) -> Option<u128> {
        attempt_key(&self.attempt)
    }

    /// Writes itself over `record`, whose memory is used again.
    pub fn copy_to(&self, record: &mut CallRecord) {
        let texts = [
            (&mut record.attempt, &self.attempt),
            (&mut record.node, &self.node),
            (&mut record.call_id, &self.call_id),
            (&mut record.number, &self.number),
        ];
        texts.into_iter().for_each(|(to, from)| (**from).clone_into(to));
        let optional = [
            (&mut record.commune, &self.commune),
            (&mut record.site, &self.site),
            (&mut record.psap, &self.psap),
            (&mut record.trunk_group, &self.trunk_group),
            (&mut record.reason, &self.reason),
        ];
        for (to, from) in optional {
            match (&mut *to, from) {
                (Some(to), Some(from)) => (**from).clone_into(to),
                (None, Some(from)) => *to = Some((**from).to_owned()),
                (_, None) => *to = None,
            }
        }
        record.tried.clear();
        record.tried.extend(self.tried.iter().rev().map(str::to_owned));
        record.kind = self.kind;
        record.intended_us = self.intended_us;
        record.start_us = self.start_us;
        record.ring_us = self.ring_us;
        record.answer_us = self.answer_us;
        record.bye_us = self.bye_us;
        record.end_us = self.end_us;
        record.outcome = self.outcome;
        record.status = self.status;
        record.cause = self.cause;
        record.ended_by = self.ended_by;
        record.caller = self.caller;
        record.attempt_of_caller = self.attempt_of_caller;
        record.class = self.class;
        record.media.clear();
        record.media.extend(self.heard.map(StreamReport::from));
    }
}

/// The number behind 32 hexadecimal digits.
pub(crate) fn attempt_key(text: &str) -> Option<u128> {
    // from_str_radix alone would also accept a sign.
    if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(text, 16).ok()
}

impl<'a> From<&'a CallRecord> for Entry<'a> {
    fn from(record: &'a CallRecord) -> Self {
        let text = |text: &'a String| Text::from(&text[..]);
        let mut tried = Tried::default();
        let last = record.tried.len().saturating_sub(TRIED);
        record.tried[last..].iter().for_each(|one| tried.push(text(one)));
        Self {
            attempt: text(&record.attempt),
            kind: record.kind,
            node: text(&record.node),
            call_id: text(&record.call_id),
            number: text(&record.number),
            commune: record.commune.as_ref().map(text),
            site: record.site.as_ref().map(text),
            psap: record.psap.as_ref().map(text),
            trunk_group: record.trunk_group.as_ref().map(text),
            tried,
            intended_us: record.intended_us,
            start_us: record.start_us,
            ring_us: record.ring_us,
            answer_us: record.answer_us,
            bye_us: record.bye_us,
            end_us: record.end_us,
            outcome: record.outcome,
            status: record.status,
            cause: record.cause,
            ended_by: record.ended_by,
            reason: record.reason.as_ref().map(text),
            heard: record.media.first().map(Heard::from),
            caller: record.caller,
            attempt_of_caller: record.attempt_of_caller,
            class: record.class,
        }
    }
}

impl From<&StreamReport> for Heard {
    fn from(report: &StreamReport) -> Self {
        Self {
            verdict: report.verdict,
            received: report.received,
            expected: report.expected,
            lost: report.lost,
            discarded: report.discarded,
            mean_jitter_us: report.mean_jitter_us,
            round_trip_us: report.round_trip_us,
            mos: report.mos,
            stopped_us: report.stopped_us,
        }
    }
}

impl From<Heard> for StreamReport {
    fn from(heard: Heard) -> Self {
        Self {
            verdict: heard.verdict,
            received: heard.received,
            expected: heard.expected,
            lost: heard.lost,
            discarded: heard.discarded,
            mean_jitter_us: heard.mean_jitter_us,
            round_trip_us: heard.round_trip_us,
            mos: heard.mos,
            stopped_us: heard.stopped_us,
            ..Self::default()
        }
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'a> From<Text<'a>> for Cow<'a, str> {
    fn from(text: Text<'a>) -> Self {
        text.0
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrow;
        impl<'de> Visitor<'de> for Borrow {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Borrow)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Tried<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Last;
        impl<'de> Visitor<'de> for Last {
            type Value = Tried<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of names")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut tried = Tried::default();
                while let Some(text) = list.next_element::<Text<'de>>()? {
                    tried.push(text);
                }
                Ok(tried)
            }
        }
        deserializer.deserialize_seq(Last)
    }
}

fn first<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Heard>, D::Error> {
    struct First;
    impl<'de> Visitor<'de> for First {
        type Value = Option<Heard>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of streams")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let first = list.next_element()?;
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok(first)
        }
    }
    deserializer.deserialize_seq(First)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::answered;

    fn rich() -> CallRecord {
        let names = ["alpha", "beta", "gamma", "delta"];
        let stream = StreamReport {
            from: Some("caller".to_owned()),
            verdict: Some(Verdict::Heard),
            received: 500,
            expected: 501,
            lost: 1,
            mos: Some(4.36),
            ..StreamReport::default()
        };
        CallRecord {
            site: Some("delta".to_owned()),
            tried: names.map(str::to_owned).to_vec(),
            reason: Some("it said \"no\"\n".to_owned()),
            media: vec![stream.clone(), stream],
            caller: Some(7),
            attempt_of_caller: Some(2),
            class: Some(CallerClass::Emergency),
            intended_us: Some(990_000),
            ..answered(BoxKind::Generator, "load-1", 0xab)
        }
    }

    #[test]
    fn a_line_and_its_record_give_the_same_entry() {
        let record = rich();
        let line = serde_json::to_string(&record).unwrap();
        let read: Entry<'_> = serde_json::from_str(&line).unwrap();
        let (read, made) = (format!("{read:?}"), format!("{:?}", Entry::from(&record)));
        assert_eq!(read, made);
        assert_eq!(
            Entry::from(&record).tried.iter().collect::<Vec<_>>(),
            ["delta", "gamma", "beta"]
        );
    }

    #[test]
    fn a_name_is_borrowed_from_its_line() {
        let line = serde_json::to_string(&rich()).unwrap();
        let read: Entry<'_> = serde_json::from_str(&line).unwrap();
        let borrowed = |text: &Text<'_>| matches!(text.0, Cow::Borrowed(_));
        assert!(borrowed(&read.node) && read.site.as_ref().is_some_and(borrowed));
        assert!(!borrowed(read.reason.as_ref().unwrap()), "a text with escapes cannot be");
        assert_eq!(read.reason.as_deref(), Some("it said \"no\"\n"));
    }

    #[test]
    fn a_copy_takes_the_place_of_what_was_there() {
        let mut scratch = rich();
        let plain = answered(BoxKind::Psap, "samu-59", 0xcd);
        Entry::from(&plain).copy_to(&mut scratch);
        assert_eq!(scratch, plain);
        Entry::from(&rich()).copy_to(&mut scratch);
        assert_eq!((scratch.media.len(), scratch.tried.len()), (1, 3));
        assert_eq!((scratch.reason, scratch.caller), (rich().reason, Some(7)));
    }

    #[test]
    fn what_is_no_record_is_no_entry() {
        for line in ["{}", "[]", "", r#"{"attempt":1}"#, r#"{"attempt":"a","kind":"tree"}"#] {
            assert!(serde_json::from_str::<Entry<'_>>(line).is_err(), "{line}");
        }
    }
}
