//! A response, and what only a response has.

use std::ops::Deref;
use std::sync::Arc;

use super::indexed::Message;
use super::scan::Start;

/// A sound response. A copy shares the message.
#[derive(Clone, Debug)]
pub struct Response(pub(super) Arc<Message>);

impl Response {
    /// 100..=699.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self.0.start {
            Start::Response { status, .. } => status,
            Start::Request { .. } => 0,
        }
    }

    /// The reason phrase as written; it may be empty.
    #[must_use]
    pub fn reason_phrase(&self) -> &str {
        match self.0.start {
            Start::Response { phrase, .. } => self.0.text(phrase),
            Start::Request { .. } => "",
        }
    }
}

impl Deref for Response {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.0
    }
}
