//! One message: the wire bytes with an index over them, and views into them.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;

use super::fields::{NameAddr, SessionId, Via};
use super::grammar::split_list;
use super::header_lines::Fields;
use super::located::{AddressPlace, UriPlace, ViaPlace};
use super::method::Method;
use super::name::Name;
use super::scan::Start;
use super::span::Span;

/// One message: the bytes, where its parts lie, and the few values that every box needs.
#[derive(Clone)]
pub struct Message {
    /// The start line and the header lines, known to be text.
    pub(super) head: ByteString,
    pub(super) body: Bytes,
    pub(super) start: Start,
    pub(super) fields: Fields,
    pub(super) keys: Keys,
}

/// What transaction and dialog matching compare, found once.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Keys {
    pub(super) via: Span,
    pub(super) via_place: ViaPlace,
    pub(super) branch: Span,
    /// The Request-URI.
    pub(super) uri: UriPlace,
    pub(super) call_id: Span,
    pub(super) from: Span,
    pub(super) from_place: AddressPlace,
    pub(super) to: Span,
    pub(super) to_place: AddressPlace,
    /// The first Contact.
    pub(super) contact: Option<AddressPlace>,
    pub(super) cseq: u32,
    pub(super) method: Method,
    pub(super) max_forwards: Option<u8>,
}

impl Message {
    /// The whole message as it arrived, unfolded, without what followed its body.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        match self.body.is_empty() {
            true => self.head.clone().into_bytes(),
            false => [&self.head.as_bytes()[..], &self.body[..]].concat().into(),
        }
    }

    /// How many bytes it has.
    pub(super) fn len(&self) -> usize {
        self.head.len() + self.body.len()
    }

    #[must_use]
    pub fn body(&self) -> Bytes {
        self.body.clone()
    }

    #[must_use]
    pub fn has_body(&self) -> bool {
        !self.body.is_empty()
    }

    #[must_use]
    pub fn call_id(&self) -> &str {
        self.text(self.keys.call_id)
    }

    /// CSeq number and method.
    #[must_use]
    pub const fn cseq(&self) -> (u32, Method) {
        (self.keys.cseq, self.keys.method)
    }

    /// True for a BYE, also for one that is malformed further on.
    pub(crate) fn is_bye(&self) -> bool {
        matches!(self.start, Start::Request { method, .. } if self.text(method) == "BYE")
    }

    /// The start of its sender, if it tells it; a higher one than before says that the sender has started again.
    #[must_use]
    pub fn origin_state_id(&self) -> Option<u64> {
        self.header(Name::OriginStateId)?.parse().ok()
    }

    #[must_use]
    pub fn from(&self) -> NameAddr<'_> {
        NameAddr::at(&self.keys.from_place, &self.head)
    }

    #[must_use]
    pub fn to(&self) -> NameAddr<'_> {
        NameAddr::at(&self.keys.to_place, &self.head)
    }

    /// The From value as written, with its parameters.
    #[must_use]
    pub fn from_value(&self) -> &str {
        self.text(self.keys.from)
    }

    /// The To value as written, with its parameters.
    #[must_use]
    pub fn to_value(&self) -> &str {
        self.text(self.keys.to)
    }

    /// The From value as written, but for its tag.
    #[must_use]
    pub fn from_untagged(&self) -> String {
        self.untagged(self.keys.from, self.keys.from_place.tag.unwrap_or_default())
    }

    /// The To value as written, but for its tag.
    #[must_use]
    pub fn to_untagged(&self) -> String {
        self.untagged(self.keys.to, self.keys.to_place.tag.unwrap_or_default())
    }

    /// Empty when From has no tag (RFC 2543 peers).
    #[must_use]
    pub fn from_tag(&self) -> &str {
        self.text(self.keys.from_place.tag.unwrap_or_default())
    }

    #[must_use]
    pub fn to_tag(&self) -> Option<&str> {
        self.keys.to_place.tag.map(|tag| self.text(tag))
    }

    /// The topmost Via: who sent this request, or for a response who is meant to get it.
    #[must_use]
    pub fn via(&self) -> Via<'_> {
        Via::at(&self.keys.via_place, &self.head)
    }

    /// The branch of the topmost Via, if it carries the magic cookie.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        (!self.keys.branch.is_empty()).then(|| self.text(self.keys.branch))
    }

    /// `None` when the header is missing: then 70 applies (RFC 3261 §16.6 item 3).
    #[must_use]
    pub const fn max_forwards(&self) -> Option<u8> {
        self.keys.max_forwards
    }

    /// The first value of a header, unfolded and trimmed.
    #[must_use]
    pub fn header(&self, name: Name) -> Option<&str> {
        self.headers(name).next()
    }

    /// Every line of a header, in order. Use [`list`](Self::list) for headers that hold
    /// comma-separated values.
    pub fn headers(&self, name: Name) -> impl Iterator<Item = &str> {
        self.fields.named(name).map(|field| self.text(field.value))
    }

    /// The first value of a header by its text name, in any case.
    #[must_use]
    pub fn header_named(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|field| self.text(field.label).eq_ignore_ascii_case(name))
            .map(|field| self.text(field.value))
    }

    /// The elements of a comma-separated header over all its lines (RFC 3261 §7.3.1).
    pub fn list(&self, name: Name) -> impl Iterator<Item = &str> {
        self.headers(name).flat_map(split_list).filter(|one| !one.is_empty())
    }

    /// The first Contact, if there is a sound one.
    #[must_use]
    pub fn contact(&self) -> Option<NameAddr<'_>> {
        self.keys.contact.as_ref().map(|place| NameAddr::at(place, &self.head))
    }

    /// All sound Contacts, over all lines.
    pub fn contacts(&self) -> impl Iterator<Item = NameAddr<'_>> {
        self.list(Name::Contact).filter_map(|value| NameAddr::parse(value).ok())
    }

    /// The text of the first Warning, without its code and author (RFC 3261 §20.43).
    #[must_use]
    pub fn warning(&self) -> Option<&str> {
        let value = self.list(Name::Warning).next()?;
        Some(value.split_once('"')?.1.trim_end().trim_end_matches('"'))
    }

    /// The topmost Record-Route: the last proxy that stays in the dialog (RFC 3261 §20.30).
    #[must_use]
    pub fn record_route(&self) -> Option<NameAddr<'_>> {
        NameAddr::parse(self.list(Name::RecordRoute).next()?).ok()
    }

    /// Session-ID, if it is well formed (RFC 7989).
    #[must_use]
    pub fn session_id(&self) -> Option<SessionId<'_>> {
        SessionId::parse(self.header(Name::SessionId)?)
    }

    /// The first content coding that is not the identity (RFC 3261 §20.12).
    #[must_use]
    pub fn content_encoding(&self) -> Option<&str> {
        self.list(Name::ContentEncoding).find(|coding| !coding.eq_ignore_ascii_case("identity"))
    }

    /// Retry-After (RFC 3261 §20.33), but at most an hour: no peer may put us off for longer.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let value = self.header(Name::RetryAfter)?;
        let digits = value.split([' ', '\t', '(', ';']).next()?;
        let seconds: u64 = digits.parse().ok()?;
        Some(Duration::from_secs(seconds.min(3_600)))
    }

    fn untagged(&self, value: Span, tag: Span) -> String {
        let text = self.text(value);
        if tag.is_empty() {
            return text.to_owned();
        }
        let (start, end) =
            (tag.range().start - value.range().start, tag.range().end - value.range().start);
        let before = text.get(..start).unwrap_or_default();
        let before =
            before.rfind(';').and_then(|semicolon| before.get(..semicolon)).unwrap_or(before);
        [before.trim_end(), text.get(end..).unwrap_or_default()].concat()
    }

    pub(super) fn text(&self, span: Span) -> &str {
        span.read(&self.head)
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.head)?;
        f.write_str(&String::from_utf8_lossy(&self.body))
    }
}
