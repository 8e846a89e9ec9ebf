//! What one box knows about one attempt, once the attempt is over: as it writes it, and as the ledger takes it.
//!
//! ```text
//!   box ──► CallRecord ──► a line of JSON ──► Entry ──► the ledger, and whoever goes through the attempts
//!                └── in virtual time ───────────┘
//! ```

use media::StreamReport;
use serde::{Deserialize, Serialize};

use crate::dialog_record::DialogRecord;
use crate::heard::{Heard, first};
use crate::terms::{BoxKind, CallerClass, Outcome, Party};
use crate::text::{Text, Tried};

/// One line of a record file.
///
/// Every box that an attempt passes writes its own record. Times are Unix microseconds by the clock
/// of that box.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallRecord {
    /// The caller's half of Session-ID (RFC 7989), 32 hexadecimal digits: one id through all boxes.
    pub attempt: String,
    pub kind: BoxKind,
    /// Name of the box that writes this record.
    pub node: String,
    /// Call-ID of the dialog towards the caller; empty when the box never learned it.
    pub call_id: String,
    /// What was dialled: `15`, `urn:service:sos.fire`.
    pub number: String,
    /// INSEE code of the caller's commune.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commune: Option<String>,
    /// Where the attempt ended up, as far as this box knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub psap: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trunk_group: Option<String>,
    /// Next boxes that were tried, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<String>,
    /// The calls that it placed for this attempt, in order. Only call servers place any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub legs: Vec<LegRecord>,
    /// When the schedule wanted the call to start. Only a generator knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intended_us: Option<u64>,
    /// When the INVITE was sent (generator) or received (all others).
    pub start_us: u64,
    /// First provisional response above 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring_us: Option<u64>,
    /// The 200 to the INVITE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_us: Option<u64>,
    /// When the ACK of its 200 came. Before that a callee does not know whether anybody heard it (RFC 3261 §13.3.1.4).
    /// Only boxes with a dialog towards the caller tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack_us: Option<u64>,
    /// When this end hung up an answered call: its BYE followed at once, or as soon as it might (RFC 3261 §15). Only the two
    /// ends tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bye_us: Option<u64>,
    pub end_us: u64,
    pub outcome: Outcome,
    /// Final SIP status of the INVITE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Q.850 cause (RFC 3326).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<Party>,
    /// A sentence, when something went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What this box received of each stream of the call, if it had media.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<StreamReport>,
    /// The person who calls: the number of their first call in the campaign. Only a generator knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<u64>,
    /// Which call of that person this is: 1, 2, 3 …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt_of_caller: Option<u32>,
    /// What that person wanted with their first call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<CallerClass>,
    /// Who called and what happened in the dialog, of a call that no generator of ours has made. Only the box that the caller
    /// reached tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialog: Option<Box<DialogRecord>>,
}

impl CallRecord {
    /// The record of an attempt that came to this box, or began there, at `start_us`. Nothing else is known yet.
    #[must_use]
    pub fn open(kind: BoxKind, node: &str, attempt: String, start_us: u64) -> Self {
        Self {
            attempt,
            kind,
            node: node.to_owned(),
            call_id: String::new(),
            number: String::new(),
            commune: None,
            site: None,
            psap: None,
            trunk_group: None,
            tried: Vec::new(),
            legs: Vec::new(),
            intended_us: None,
            start_us,
            ring_us: None,
            answer_us: None,
            ack_us: None,
            bye_us: None,
            end_us: start_us,
            outcome: Outcome::TimedOut,
            status: None,
            cause: None,
            ended_by: None,
            reason: None,
            media: Vec::new(),
            caller: None,
            attempt_of_caller: None,
            class: None,
            dialog: None,
        }
    }

    /// A next box is tried. Most calls try one, and thousands of records are open at a time: there is room for no more.
    pub fn note_tried(&mut self, name: &str) {
        self.tried.reserve_exact(1);
        self.tried.push(name.to_owned());
    }

    /// A call server places a call for this attempt.
    pub fn note_leg(&mut self, call_id: String, start_us: u64) {
        self.legs.reserve_exact(1);
        self.legs.push(LegRecord { call_id, start_us, end_us: None, status: None });
    }

    /// The attempt id as a number, or `None` when it is not 32 hexadecimal digits.
    #[must_use]
    pub fn attempt_key(&self) -> Option<u128> {
        attempt_key(&self.attempt)
    }
}

/// A call that a call server placed towards an answering point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegRecord {
    /// The Call-ID that the answering point knows it by.
    pub call_id: String,
    /// When its INVITE was sent.
    pub start_us: u64,
    /// When the answering point had told that it was over: by a final refusal, by its BYE or by its answer to ours. `None`: it
    /// had not when the record was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_us: Option<u64>,
    /// The final status of its INVITE, if one came while the call server waited for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

/// A [`LegRecord`], borrowed from its line.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LegEntry<'a> {
    #[serde(borrow)]
    pub call_id: Text<'a>,
    pub start_us: u64,
    #[serde(default)]
    pub end_us: Option<u64>,
    #[serde(default)]
    pub status: Option<u16>,
}

/// What the ledger keeps of a [`CallRecord`], borrowed from its line; its fields mean the same.
///
/// A long campaign has millions of records. What no summary asks for is not copied out of a line.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
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
    /// Empty in what comes back from the ledger.
    #[serde(borrow, default)]
    pub legs: Vec<LegEntry<'a>>,
    #[serde(default)]
    pub intended_us: Option<u64>,
    pub start_us: u64,
    #[serde(default)]
    pub ring_us: Option<u64>,
    #[serde(default)]
    pub answer_us: Option<u64>,
    #[serde(default)]
    pub ack_us: Option<u64>,
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

impl Entry<'_> {
    /// The attempt id as a number, or `None` when it is not 32 hexadecimal digits.
    #[must_use]
    pub fn attempt_key(&self) -> Option<u128> {
        attempt_key(&self.attempt)
    }

    /// When the call was due: the start where no schedule is known.
    #[must_use]
    pub fn due_us(&self) -> u64 {
        self.intended_us.unwrap_or(self.start_us)
    }

    /// From when it was due until it rang, or was answered without a ring; `None` when neither came.
    #[must_use]
    pub fn post_dial_delay_us(&self) -> Option<u64> {
        let first = self.ring_us.or(self.answer_us)?;
        Some(first.saturating_sub(self.due_us()))
    }

    /// From when it was due until it was answered.
    #[must_use]
    pub fn setup_us(&self) -> Option<u64> {
        Some(self.answer_us?.saturating_sub(self.due_us()))
    }

    /// How much later than it was due it started.
    #[must_use]
    pub fn lag_us(&self) -> u64 {
        self.start_us.saturating_sub(self.due_us())
    }

    /// From the answer to the end.
    #[must_use]
    pub fn talk_us(&self) -> Option<u64> {
        Some(self.end_us.saturating_sub(self.answer_us?))
    }
}

impl<'a> From<&'a CallRecord> for Entry<'a> {
    fn from(record: &'a CallRecord) -> Self {
        let text = |text: &'a String| Text::from(&text[..]);
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
            tried: Tried::last_of(&record.tried),
            legs: record.legs.iter().map(LegEntry::from).collect(),
            intended_us: record.intended_us,
            start_us: record.start_us,
            ring_us: record.ring_us,
            answer_us: record.answer_us,
            ack_us: record.ack_us,
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

impl<'a> From<&'a LegRecord> for LegEntry<'a> {
    fn from(leg: &'a LegRecord) -> Self {
        let call_id = leg.call_id[..].into();
        Self { call_id, start_us: leg.start_us, end_us: leg.end_us, status: leg.status }
    }
}

/// The number behind 32 hexadecimal digits.
#[must_use]
pub fn attempt_key(text: &str) -> Option<u128> {
    let (high, low) = text.split_at_checked(16).filter(|_| text.len() == 32)?;
    let half = |digits: &str| {
        digits.bytes().try_fold(0_u64, |half, digit| {
            let value = match digit {
                b'0'..=b'9' => digit - b'0',
                b'a'..=b'f' => digit - b'a' + 10,
                b'A'..=b'F' => digit - b'A' + 10,
                _ => return None,
            };
            Some(half << 4 | u64::from(value))
        })
    };
    Some(u128::from(half(high)?) << 64 | u128::from(half(low)?))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::borrow::Cow;

    use media::SoundVerdict;

    use super::*;

    /// An answered call as the box `node` saw it.
    pub(crate) fn answered(kind: BoxKind, node: &str, attempt: u128) -> CallRecord {
        CallRecord {
            call_id: format!("{attempt:x}@{node}"),
            number: "15".to_owned(),
            commune: Some("59350".to_owned()),
            ring_us: Some(1_100_000),
            answer_us: Some(2_000_000),
            end_us: 12_000_000,
            outcome: Outcome::Answered,
            status: Some(200),
            cause: Some(16),
            ended_by: Some(Party::Caller),
            ..CallRecord::open(kind, node, format!("{attempt:032x}"), 1_000_000)
        }
    }

    #[test]
    fn names_on_disk_are_snake_case_and_absent_values_take_no_room() {
        let record = CallRecord {
            site: Some("alpha".to_owned()),
            ..answered(BoxKind::TrunkGroup, "mobile", 0xab)
        };
        let line = serde_json::to_string(&record).unwrap();
        assert!(line.contains(r#""kind":"trunk_group""#), "{line}");
        assert!(line.contains(r#""outcome":"answered""#), "{line}");
        assert!(!line.contains("psap"), "{line}");
        assert!(!line.contains(r#""caller":"#) && !line.contains("class"), "{line}");
        assert_eq!(serde_json::from_str::<CallRecord>(&line).unwrap(), record);
        let person = CallRecord {
            caller: Some(7),
            attempt_of_caller: Some(2),
            class: Some(CallerClass::Emergency),
            ..record
        };
        let line = serde_json::to_string(&person).unwrap();
        let wanted = r#""caller":7,"attempt_of_caller":2,"class":"emergency""#;
        assert!(line.contains(wanted), "{line}");
        assert_eq!(serde_json::from_str::<CallRecord>(&line).unwrap(), person);
    }

    // RFC 7989 §5: a UUID is 32 lower-case hexadecimal digits.
    #[test]
    fn an_attempt_id_is_thirty_two_hexadecimal_digits() {
        let mut record = answered(BoxKind::Psap, "samu-59", 0xab);
        assert_eq!(record.attempt_key(), Some(0xab));
        for bad in ["", "ab", "+0000000000000000000000000000000", &"g".repeat(32), &"0".repeat(33)]
        {
            record.attempt = bad.to_owned();
            assert_eq!(record.attempt_key(), None, "{bad:?}");
        }
    }

    fn rich() -> CallRecord {
        let names = ["alpha", "beta", "gamma", "delta"];
        let stream = StreamReport {
            from: Some("caller".to_owned()),
            verdict: Some(SoundVerdict::Heard),
            received: 500,
            expected: 501,
            lost: 1,
            mos: Some(4.36),
            ..StreamReport::default()
        };
        CallRecord {
            site: Some("delta".to_owned()),
            tried: names.map(str::to_owned).to_vec(),
            legs: vec![LegRecord {
                call_id: "b".to_owned(),
                start_us: 1,
                end_us: Some(2),
                status: Some(200),
            }],
            ack_us: Some(2_000_001),
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
        assert_eq!(read, Entry::from(&record));
        assert_eq!(
            Entry::from(&record).tried.iter().collect::<Vec<_>>(),
            ["delta", "gamma", "beta"]
        );
    }

    #[test]
    fn a_name_is_borrowed_from_its_line() {
        let line = serde_json::to_string(&rich()).unwrap();
        let read: Entry<'_> = serde_json::from_str(&line).unwrap();
        let borrowed = |text: &Text<'_>| matches!(Cow::from(text.clone()), Cow::Borrowed(_));
        assert!(borrowed(&read.node) && read.site.as_ref().is_some_and(borrowed));
        assert!(!borrowed(read.reason.as_ref().unwrap()), "a text with escapes cannot be");
        assert_eq!(read.reason.as_deref(), Some("it said \"no\"\n"));
    }

    #[test]
    fn an_entry_has_one_stream_and_the_last_three_boxes() {
        let record = rich();
        let entry = Entry::from(&record);
        assert_eq!(
            (entry.heard.map(|heard| heard.mos()), entry.tried.iter().count()),
            (Some(Some(4.36)), 3)
        );
        assert_eq!((entry.reason.as_deref(), entry.caller), (record.reason.as_deref(), Some(7)));
        let plain = answered(BoxKind::Psap, "samu-59", 0xcd);
        let entry = Entry::from(&plain);
        assert_eq!((entry.heard, entry.tried.iter().next(), entry.reason), (None, None, None));
    }

    #[test]
    fn what_is_no_record_is_no_entry() {
        for line in ["{}", "[]", "", r#"{"attempt":1}"#, r#"{"attempt":"a","kind":"tree"}"#] {
            assert!(serde_json::from_str::<Entry<'_>>(line).is_err(), "{line}");
        }
    }
}
