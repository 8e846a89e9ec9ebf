//! The terms in which records speak: kinds of boxes, outcomes, parties.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a callee lost a call that it had answered: no ACK came within 64·T1 (RFC 3261 §13.3.1.4).
pub const NO_ACK: &str = "no ACK came for the 200";

/// How the reason of a call server begins that went on with a call of another one.
pub const TAKEN_OVER: &str = "taken over from";

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
