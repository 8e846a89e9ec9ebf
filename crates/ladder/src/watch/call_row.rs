//! What a list says of a call.

use std::fmt::{self, Write as _};

use telemetry::visible_line;

use crate::capture::WireMessage;
use crate::glance::{Glance, StartLine};
use crate::told::NamedAddress;

/// How far a call is, or how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallState {
    Calling,
    Ringing,
    InCall,
    Completed,
    Cancelled,
    Busy,
    Rejected,
    Diverted,
    /// A request that begins no call, and its answer.
    Asked,
    Answered,
}

impl CallState {
    /// Whether nothing more is to come of it.
    #[must_use]
    pub const fn is_over(self) -> bool {
        !matches!(self, Self::Calling | Self::Ringing | Self::InCall | Self::Asked)
    }
}

impl fmt::Display for CallState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Calling => "calling",
            Self::Ringing => "ringing",
            Self::InCall => "in call",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Busy => "busy",
            Self::Rejected => "rejected",
            Self::Diverted => "diverted",
            Self::Asked => "asked",
            Self::Answered => "answered",
        })
    }
}

/// A call in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRow {
    /// The method that began it.
    pub method: String,
    /// The URIs of From and To without their parameters.
    pub from: String,
    pub to: String,
    /// What the Request-URI dials.
    pub number: String,
    pub state: CallState,
    /// The last final status of what began it.
    pub status: Option<u16>,
    pub messages: usize,
    /// Unix microseconds.
    pub start_us: u64,
    pub end_us: u64,
    /// Every box or address that it passes, in the order of their first messages.
    pub boxes: Vec<String>,
    pub call_ids: Vec<String>,
}

impl CallRow {
    /// A call of which nothing is known.
    #[must_use]
    pub fn new(at_us: u64) -> Self {
        Self {
            method: String::new(),
            from: String::new(),
            to: String::new(),
            number: String::new(),
            state: CallState::Calling,
            status: None,
            messages: 0,
            start_us: at_us,
            end_us: at_us,
            boxes: Vec::new(),
            call_ids: Vec::new(),
        }
    }

    /// Takes one more of its messages.
    pub fn take(&mut self, message: &WireMessage, glance: &Glance, names: &[NamedAddress]) {
        self.messages += 1;
        self.start_us = self.start_us.min(message.at_us);
        self.end_us = self.end_us.max(message.at_us);
        for address in [message.from, message.to] {
            let named = names.iter().find(|named| named.address == address);
            let name = named.map_or_else(|| address.to_string(), |named| named.name.clone());
            if !self.boxes.contains(&name) && self.boxes.len() < 32 {
                self.boxes.push(name);
            }
        }
        let call_id = glance.call_id();
        if !self.call_ids.iter().any(|known| known == call_id) && self.call_ids.len() < 32 {
            self.call_ids.push(call_id.to_owned());
        }
        if self.method.is_empty() {
            glance.method().clone_into(&mut self.method);
            self.from = uri_of(glance.field("From").unwrap_or_default());
            self.to = uri_of(glance.field("To").unwrap_or_default());
            self.state =
                if self.method == "INVITE" { CallState::Calling } else { CallState::Asked };
        }
        if let StartLine::Request { uri, .. } = &glance.start
            && self.number.is_empty()
        {
            let user = uri.split_once(':').map_or(&uri[..], |(scheme, rest)| match scheme {
                "sip" | "sips" | "tel" => rest,
                _ => uri,
            });
            user.split(['@', ';']).next().unwrap_or(user).clone_into(&mut self.number);
        }
        self.advance(glance);
    }

    fn advance(&mut self, glance: &Glance) {
        let is_first = glance.method() == self.method && call_of(self, glance);
        match (&glance.start, self.state) {
            (StartLine::Request { method, .. }, state) if self.method == "INVITE" => {
                match (&method[..], state) {
                    ("BYE", _) => self.state = CallState::Completed,
                    ("CANCEL", CallState::Calling | CallState::Ringing) => {
                        self.state = CallState::Cancelled;
                    }
                    _ => {}
                }
            }
            (StartLine::Response { status, .. }, _) if is_first && *status >= 200 => {
                // A leg that is cancelled after another one was answered does not take that back.
                if *status < 300 || self.status.is_none_or(|known| known >= 300) {
                    self.status = Some(*status);
                }
                self.state = match (&self.method[..], *status, self.state) {
                    (_, _, CallState::Completed) => CallState::Completed,
                    ("INVITE", 200..=299, _) => CallState::InCall,
                    (_, _, state @ (CallState::Cancelled | CallState::InCall)) => state,
                    ("INVITE", 300..=399, _) => CallState::Diverted,
                    ("INVITE", 486 | 600, _) => CallState::Busy,
                    ("INVITE", 487, _) => CallState::Cancelled,
                    // A challenge is no refusal, and nor is what makes a box try the next one; see below.
                    ("INVITE", 401 | 407, state) => state,
                    ("INVITE", _, _) => CallState::Rejected,
                    _ => CallState::Answered,
                };
            }
            (
                StartLine::Response { status: 180..=183, .. },
                CallState::Calling | CallState::Rejected,
            ) if is_first => {
                self.state = CallState::Ringing;
            }
            _ => {}
        }
    }
}

/// Of a call with many legs all have a say: one that was refused may be followed by one that rings.
fn call_of(row: &CallRow, glance: &Glance) -> bool {
    row.call_ids.iter().any(|known| known == glance.call_id())
}

/// `sip:anna@example.com` of a From or To.
fn uri_of(value: &str) -> String {
    let inside = value.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    let uri = inside.map_or_else(|| value.split(';').next().unwrap_or(value), |(uri, _)| uri);
    uri.trim().chars().take(120).collect()
}

/// The list as CSV (RFC 4180), with a head. A cell that a spreadsheet would take for a formula begins with an apostrophe.
#[must_use]
pub fn csv<'a>(rows: impl IntoIterator<Item = &'a CallRow>) -> String {
    let mut text =
        "start_us,method,from,to,number,state,status,messages,duration_ms,boxes,call_ids\n"
            .to_owned();
    for row in rows {
        let status = row.status.map_or_else(String::new, |status| status.to_string());
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{status},{},{},{},{}",
            row.start_us,
            cell(&row.method),
            cell(&row.from),
            cell(&row.to),
            cell(&row.number),
            row.state,
            row.messages,
            row.end_us.saturating_sub(row.start_us) / 1_000,
            cell(&row.boxes.join(" ")),
            cell(&row.call_ids.join(" "))
        );
    }
    text
}

fn cell(text: &str) -> String {
    let text = visible_line(text);
    let is_formula = text.starts_with(['=', '+', '-', '@']);
    let text = if is_formula { format!("'{text}") } else { text.into_owned() };
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
