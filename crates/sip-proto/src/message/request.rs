//! A request, and what only a request has.

use std::ops::Deref;
use std::sync::Arc;

use super::indexed::Message;
use super::method::Method;
use super::name::Name;
use super::scan::Start;
use super::uri::Uri;
use crate::Rejection;

/// A sound request. A copy shares the message.
#[derive(Clone, Debug)]
pub struct Request(pub(super) Arc<Message>);

impl Request {
    #[must_use]
    pub fn method(&self) -> Method {
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
        Uri::at(&self.keys.uri, &self.head)
    }

    /// RFC 3261 §8.1.1.8: an INVITE says in Contact where requests of its dialog go. A peer of RFC 2543, known by a Via
    /// without the branch of RFC 3261, need not.
    ///
    /// # Errors
    /// 400 if the INVITE is outside any dialog and has no Contact with a SIP URI.
    pub fn refuse_unusable_contact(&self) -> Result<(), Rejection> {
        let begins_a_dialog = self.method() == Method::Invite && self.to_tag().is_none();
        let is_old = self.branch().is_none() && self.header(Name::Contact).is_none();
        let is_usable = self.contact().is_some_and(|contact| contact.uri().is_sip());
        if !begins_a_dialog || is_old || is_usable {
            return Ok(());
        }
        Err(Rejection::new(400).with_warning("the INVITE needs a Contact with a SIP URI"))
    }

    /// RFC 3261 §8.2.3: this stack reads no compressed body.
    ///
    /// # Errors
    /// 415 with what would be read.
    pub fn refuse_content_encoding(&self) -> Result<(), Rejection> {
        match self.content_encoding() {
            None => Ok(()),
            Some(coding) => Err(Rejection::encoded(coding)),
        }
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
