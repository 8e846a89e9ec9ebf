//! What became of the orders of a procedure.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::action::Action;

/// One try of an order, or an order that was never given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// When the result was known, since the start of the campaign.
    #[serde(rename = "at_s", with = "crate::log::seconds")]
    pub at: Duration,
    /// When the order went out; `None` when it did not.
    #[serde(rename = "given_at_s", with = "crate::log::optional_seconds")]
    pub given_at: Option<Duration>,
    pub site: String,
    #[serde(with = "crate::action::words")]
    pub action: Action,
    /// Somebody gave it while the campaign ran: it is none of the campaign's own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_hand: bool,
    #[serde(flatten)]
    pub result: OrderResult,
}

/// What is to be told of an operation beside its commands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationNote {
    /// Since the start of the campaign.
    #[serde(rename = "at_s", with = "crate::log::seconds")]
    pub at: Duration,
    /// The site that it is about, if it is about one.
    pub site: Option<String>,
    /// A sentence.
    pub text: String,
    /// Somebody did it by hand, and is named in place of the operation.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_hand: bool,
}

/// What a site says to an order, at once or later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderAnswer {
    /// It has done it.
    Done(String),
    /// It does it not.
    Refused(String),
    /// It has begun. Another answer tells how that ended.
    Accepted(String),
    /// What it had begun was cut short; by whom or what.
    Aborted(String),
}

impl From<Result<String, String>> for OrderAnswer {
    fn from(answer: Result<String, String>) -> Self {
        answer.map_or_else(Self::Refused, Self::Done)
    }
}

/// How an order ended, or that it was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", content = "text", rename_all = "kebab-case")]
pub enum OrderResult {
    /// The site did it, and said this: its effect is there.
    Done(String),
    /// The site began to do it, and said this. A later entry of the same order tells how that ended, if the campaign lasted so
    /// long.
    Accepted(String),
    /// What the site had begun was cut short; by whom or what.
    Aborted(String),
    /// The site refused, with a sentence.
    Refused(String),
    /// The site did not answer in time. It may have done it all the same.
    TimedOut,
    /// The operation ended before; with the reason.
    Stopped(String),
}

impl OrderResult {
    /// Whether nothing more is to be heard of the order.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        !matches!(self, Self::Accepted(_))
    }
}

impl fmt::Display for LogEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { site, action, result, .. } = self;
        write!(f, "{site}: {action}: {result}")
    }
}

impl fmt::Display for OrderResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(text) if text.is_empty() => f.write_str("done"),
            Self::Done(text) => f.write_str(text),
            Self::Accepted(text) => write!(f, "accepted: {text}"),
            Self::Aborted(why) => write!(f, "aborted: {why}"),
            Self::Refused(sentence) => write!(f, "refused, {sentence}"),
            Self::TimedOut => f.write_str("no answer"),
            Self::Stopped(reason) => write!(f, "not given, {reason}"),
        }
    }
}

/// Times of reports are seconds.
pub(crate) mod seconds {
    use super::{Deserialize, Deserializer, Duration, Serializer};

    pub(crate) fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(time.as_secs_f64())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        super::duration(f64::deserialize(from)?)
    }
}

pub(crate) mod optional_seconds {
    use super::{Deserialize, Deserializer, Duration, Serialize as _, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        time: &Option<Duration>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(|time| time.as_secs_f64()).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Duration>, D::Error> {
        Option::<f64>::deserialize(from)?.map(super::duration).transpose()
    }
}

fn duration<E: serde::de::Error>(seconds: f64) -> Result<Duration, E> {
    let micros = Duration::try_from_secs_f64(seconds).map_err(E::custom)?.as_nanos() + 500;
    // What is written has at most microseconds; a binary fraction need not hit them.
    Ok(Duration::from_micros(u64::try_from(micros / 1_000).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_a_flat_object_and_a_line() {
        let mut entry = LogEntry {
            at: Duration::from_millis(2_640_500),
            given_at: Some(Duration::from_secs(2640)),
            site: "alpha".to_owned(),
            action: Action::Restart { clean: true },
            by_hand: false,
            result: OrderResult::Done("up".to_owned()),
        };
        let json = serde_json::json!({
            "at_s": 2640.5, "given_at_s": 2640.0, "site": "alpha", "action": "restart clean",
            "result": "done", "text": "up",
        });
        assert_eq!(serde_json::to_value(&entry).expect("an object"), json);
        assert_eq!(entry.to_string(), "alpha: restart clean: up");
        assert_eq!(serde_json::from_value::<LogEntry>(json).expect("an entry"), entry);
        entry.result = OrderResult::TimedOut;
        let json = serde_json::to_value(&entry).expect("an object");
        assert_eq!(json["result"], "timed-out");
        assert_eq!(serde_json::from_value::<LogEntry>(json).expect("an entry"), entry);
        assert_eq!(entry.to_string(), "alpha: restart clean: no answer");
        entry.by_hand = true;
        let json = serde_json::to_value(&entry).expect("an object");
        assert_eq!(serde_json::from_value::<LogEntry>(json).expect("an entry"), entry);
    }
}
