//! From bytes to a sound message, or to what is answered instead.

use std::sync::Arc;

use bytes::Bytes;

use super::check::{Limits, OF_OURS, OF_PEERS, fill, wrong_version};
use super::indexed::{Keys, Message};
use super::malformed::Malformed;
use super::request::Request;
use super::response::Response;
use super::scan::{Scanned, Start, scan};

/// A sound message of either kind.
#[derive(Debug)]
pub enum Incoming {
    Request(Request),
    Response(Response),
}

/// A message that is refused before anything else looks at it.
#[derive(Debug)]
pub struct Unsound {
    /// What is wrong.
    pub why: Malformed,
    /// What to answer, when the message is a request with a Via that says where to: a status and
    /// the message, of which only the header lines may be used.
    pub(crate) answer: Option<(u16, Box<Message>)>,
}

impl Unsound {
    const fn silent(why: &'static str) -> Self {
        Self { why: Malformed(why), answer: None }
    }

    /// The status that a request with this defect deserves: 400, or 505 for a version other than
    /// SIP/2.0. `None` when it cannot be answered at all.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.answer.as_ref().map(|(status, _)| *status)
    }
}

/// Reads one message: a datagram, or one frame of a stream.
///
/// # Errors
/// [`Unsound`], which says what to answer, if anything.
pub fn parse(bytes: Bytes) -> Result<Incoming, Unsound> {
    parse_within(bytes, OF_PEERS)
}

/// Reads a request that this stack wrote itself.
fn reread(bytes: Bytes) -> Result<Request, Unsound> {
    match parse_within(bytes, OF_OURS)? {
        Incoming::Request(request) => Ok(request),
        Incoming::Response(_) => Err(Unsound::silent("a response where a request was expected")),
    }
}

fn parse_within(bytes: Bytes, limits: Limits) -> Result<Incoming, Unsound> {
    let Scanned { head, body, start, fields, defect } =
        scan(bytes, limits.fields).map_err(|why| Unsound { why, answer: None })?;
    let is_request = matches!(start, Start::Request { .. });
    let mut message = Message { head, body, start, fields, keys: Keys::default() };
    match fill(&mut message, defect, limits) {
        Ok(()) if is_request => Ok(Incoming::Request(Request(Arc::new(message)))),
        Ok(()) => Ok(Incoming::Response(Response(Arc::new(message)))),
        Err(why) => {
            // Nobody answers a response, nor an ACK (RFC 3261 §17.1.1.3).
            let is_ack =
                matches!(start, Start::Request { method, .. } if message.text(method) == "ACK");
            let can_answer = is_request && !is_ack && !message.keys.via.is_empty();
            // RFC 3261 §21.5.6: the version is what is wrong, whatever else looks odd to us.
            let status = if wrong_version(&message).is_some() { 505 } else { 400 };
            Err(Unsound { why, answer: can_answer.then(|| (status, Box::new(message))) })
        }
    }
}

impl Request {
    /// Reads one request.
    ///
    /// # Errors
    /// [`Unsound`] if the bytes are not a sound request.
    pub fn parse(bytes: Bytes) -> Result<Self, Unsound> {
        match parse(bytes)? {
            Incoming::Request(request) => Ok(request),
            Incoming::Response(_) => {
                Err(Unsound::silent("a response where a request was expected"))
            }
        }
    }

    /// Reads a request that this stack wrote itself.
    pub(crate) fn reread(bytes: Bytes) -> Result<Self, Unsound> {
        reread(bytes)
    }
}

impl Response {
    /// Reads one response.
    ///
    /// # Errors
    /// [`Unsound`] if the bytes are not a sound response.
    pub fn parse(bytes: Bytes) -> Result<Self, Unsound> {
        match parse(bytes)? {
            Incoming::Response(response) => Ok(response),
            Incoming::Request(_) => Err(Unsound::silent("a request where a response was expected")),
        }
    }
}
