//! What one box knows about one attempt, once the attempt is over.

use std::fmt;

use media::StreamReport;
use serde::{Deserialize, Serialize};

/// Why a callee lost a call that it had answered: no ACK came within 64·T1 (RFC 3261 §13.3.1.4).
pub const NO_ACK: &str = "no ACK came for the 200";

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
    /// When this box sent a BYE. Only generators tell.
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
}

/// Kinds of boxes, in the order in which an attempt passes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BoxKind {
    Generator,
    TrunkGroup,
    CallServer,
    Psap,
}

impl fmt::Display for BoxKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Generator => "generator",
            Self::TrunkGroup => "trunk group",
            Self::CallServer => "call server",
            Self::Psap => "PSAP",
        })
    }
}

/// What became of an attempt. Each attempt has exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// 200 received, and later a normal end, whoever hung up.
    Answered,
    /// A final response of 300 or above.
    Rejected,
    /// The caller gave up before the answer.
    Abandoned,
    /// No final response.
    TimedOut,
    /// An established call that died without a normal end.
    Lost,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Answered => "answered",
            Self::Rejected => "rejected",
            Self::Abandoned => "abandoned",
            Self::TimedOut => "timed out",
            Self::Lost => "lost",
        })
    }
}

/// What a person calls for. It stays with the person, whatever number they dial later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallerClass {
    /// The first number dialled was a short emergency number or a `urn:service:sos…`.
    Emergency,
    Ordinary,
}

/// Who ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    Caller,
    Callee,
    Network,
}

impl CallRecord {
    /// The attempt id as a number, or `None` when it is not 32 hexadecimal digits.
    #[must_use]
    pub fn attempt_key(&self) -> Option<u128> {
        crate::entry::attempt_key(&self.attempt)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An answered call as the box `node` saw it.
    pub(crate) fn answered(kind: BoxKind, node: &str, attempt: u128) -> CallRecord {
        CallRecord {
            attempt: format!("{attempt:032x}"),
            kind,
            node: node.to_owned(),
            call_id: format!("{attempt:x}@{node}"),
            number: "15".to_owned(),
            commune: Some("59350".to_owned()),
            site: None,
            psap: None,
            trunk_group: None,
            tried: Vec::new(),
            intended_us: None,
            start_us: 1_000_000,
            ring_us: Some(1_100_000),
            answer_us: Some(2_000_000),
            bye_us: None,
            end_us: 12_000_000,
            outcome: Outcome::Answered,
            status: Some(200),
            cause: Some(16),
            ended_by: Some(Party::Caller),
            reason: None,
            media: Vec::new(),
            caller: None,
            attempt_of_caller: None,
            class: None,
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
}
