//! What became of one attempt, on one time line: the columns of a ladder and what stands between them.

use std::net::SocketAddr;

use bytes::Bytes;
use serde::{Serialize, Serializer};
use sip_proto::Transport;
use telemetry::BoxKind;

use crate::media_packets::MediaPacket;

/// One attempt, as all that kept something of it saw it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Story {
    /// Its id: the caller's half of Session-ID (RFC 7989), or the Call-ID where there is none.
    pub attempt: String,
    /// What was dialled, as the first INVITE says; empty when none was kept.
    pub number: String,
    /// Unix microseconds of the first line. Times of lines count from here.
    pub start_us: u64,
    /// The boxes in the order in which the call passes them.
    pub columns: Vec<Column>,
    /// What happened, in the order of time.
    pub lines: Vec<Line>,
    /// Why it ended as it did, in plain words; empty when nobody knows.
    pub cause: String,
    /// What the standard says of what is seen.
    pub findings: Vec<Finding>,
    /// What is missing of the story, in sentences.
    pub gaps: Vec<String>,
    /// RTP and RTCP as on the wire, as far as they were kept: for captures.
    #[serde(skip)]
    pub media: Vec<MediaPacket>,
}

/// A box, or an address that is nobody's of this network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Column {
    pub name: String,
    /// `None`: an address that no box of the network has.
    pub kind: Option<BoxKind>,
    pub address: SocketAddr,
    /// Whether the box itself kept what it saw.
    pub has_kept: bool,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Microseconds since the beginning of the story.
    pub at_us: i64,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// A message on its way.
    Message(Arrow),
    /// What happened to the call inside the box of a column.
    Note { column: usize, text: String },
    /// A command, a fault, a restart: what was done to a box of the call, or, without a column, to the network.
    Event { column: Option<usize>, kind: String, text: String },
    /// What was heard between two columns.
    Media { from: usize, to: usize, text: String, is_bad: bool },
    /// RTCP on its way: what one end says of its own stream, and of how it receives the other's.
    Report { from: usize, to: usize, text: String, is_bad: bool },
}

/// A message between two columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Arrow {
    /// By which it is asked for: 1, 2, 3 … in the order of time.
    pub number: u32,
    pub from: usize,
    pub to: usize,
    /// What stands on it: `INVITE`, `180 Ringing`, `200 OK (BYE)`.
    pub label: String,
    pub has_sdp: bool,
    pub transport: Transport,
    /// Microseconds since the beginning of the story, by the clock of the box that sent it.
    pub sent_us: Option<i64>,
    /// By the clock of the box that received it.
    pub received_us: Option<i64>,
    pub fate: Fate,
    pub repeat: Option<Repeat>,
    /// As on the wire; what is no UTF-8 is replaced in JSON.
    #[serde(rename = "text", serialize_with = "as_text")]
    pub bytes: Bytes,
}

/// A thing that a standard has a rule for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The messages that show it, by their numbers.
    pub messages: Vec<u32>,
    /// What happened: `alpha gets no ACK for its 200`.
    pub seen: String,
    /// What the rule asks for, or what it makes of this.
    pub expected: String,
    /// `RFC 3261 §13.3.1.4`.
    pub rule: String,
}

/// What became of a message, as far as the two boxes kept it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    Arrived,
    /// Its receiver kept the call and has not seen it.
    Lost,
    /// The network delivered it once more than it was sent.
    Doubled,
    /// Its receiver kept nothing, of the call or of this moment: nobody knows whether it arrived.
    SentOnly,
    /// Its sender kept nothing.
    ReceivedOnly,
    /// Seen between the two, in a capture.
    OnWire,
}

/// That a message was sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Repeat {
    /// The number of the first message like it.
    pub of: u32,
    /// How often it has been sent before.
    pub times_before: u32,
    /// Microseconds after the first.
    pub after_us: i64,
    /// What made the box send it again, with its place in the standard: `timer A, RFC 3261 §17.1.1.2`.
    pub why: String,
}

impl Story {
    /// The messages, in the order of their numbers.
    pub fn messages(&self) -> impl Iterator<Item = &Arrow> {
        self.lines.iter().filter_map(|line| match &line.what {
            What::Message(arrow) => Some(arrow),
            What::Note { .. } | What::Event { .. } | What::Media { .. } | What::Report { .. } => {
                None
            }
        })
    }

    /// The story without what RTCP said meanwhile.
    #[must_use]
    pub fn without_reports(mut self) -> Self {
        self.lines.retain(|line| !matches!(line.what, What::Report { .. }));
        self
    }

    /// Whether RTCP was seen.
    #[must_use]
    pub fn has_reports(&self) -> bool {
        self.lines.iter().any(|line| matches!(line.what, What::Report { .. }))
    }

    /// The message with this number.
    #[must_use]
    pub fn message(&self, number: u32) -> Option<&Arrow> {
        self.messages().find(|arrow| arrow.number == number)
    }

    /// The name of a column.
    #[must_use]
    pub fn name(&self, column: usize) -> &str {
        self.columns.get(column).map_or("?", |column| &column.name)
    }
}

impl Arrow {
    /// When it stands in the ladder: when it was sent, or, when nobody knows, when it came.
    #[must_use]
    pub fn at_us(&self) -> i64 {
        self.sent_us.or(self.received_us).unwrap_or_default()
    }

    /// How long it was on its way, when both ends know and their clocks agree.
    #[must_use]
    pub fn transit_us(&self) -> Option<i64> {
        Some(self.received_us? - self.sent_us?).filter(|transit| *transit >= 0)
    }
}

fn as_text<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(bytes))
}
