//! What is known of a call beside its messages.

use std::net::SocketAddr;

use telemetry::{BoxKind, CallRecord};

/// What is known of a call beside its messages.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// The boxes of the network by address, whether they kept anything or not.
    pub names: Vec<NamedAddress>,
    pub events: Vec<RunEvent>,
    /// What the boxes wrote of this attempt.
    pub records: Vec<CallRecord>,
    /// Why it ended as it did, in plain words.
    pub cause: String,
}

/// Who has an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedAddress {
    pub address: SocketAddr,
    pub name: String,
    pub kind: BoxKind,
}

/// Something that happened in the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEvent {
    /// Unix microseconds.
    pub at_us: u64,
    /// `command`, `fault`, `restart` …
    pub kind: String,
    /// The site or box that it happened to; `None`: to the network.
    pub site: Option<String>,
    pub text: String,
}
