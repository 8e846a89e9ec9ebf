//! A request, and what only a request has.

use std::ops::Deref;

use super::indexed::Message;
use super::method::Method;
use super::scan::Start;
use super::uri::Uri;

/// A sound request.
#[derive(Clone, Debug)]
pub struct Request(pub(super) Message);

impl Request {
    #[must_use]
    pub const fn method(&self) -> Method {
        self.0.keys.method
    }

    /// The method as written; needed for [`Method::Other`].
    #[must_use]
    pub fn method_text(&self) -> &str {
        match self.0.start {
            Start::Request { method, .. } => self.0.text(method),
            Start::Response { .. } => "",
        }
    }

    /// The Request-URI.
    #[must_use]
    pub fn uri(&self) -> Uri<'_> {
        Uri::parse(self.uri_text()).expect("parse() checked the Request-URI")
    }

    pub(super) fn uri_text(&self) -> &str {
        match self.0.start {
            Start::Request { uri, .. } => self.0.text(uri),
            Start::Response { .. } => "",
        }
    }
}

impl Deref for Request {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.0
    }
}
