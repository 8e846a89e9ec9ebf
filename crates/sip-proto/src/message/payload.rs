//! What a transaction user adds to a message: further headers and a body.

use bytes::Bytes;

use super::append::push;
use super::grammar::is_token;
use super::scan::Start;
use super::{Message, Name};

/// Complete header lines and a body. The stack writes Content-Length itself.
#[derive(Debug, Clone, Default)]
pub struct Payload {
    headers: Vec<u8>,
    body: Bytes,
}

impl Payload {
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// The same, for as long as one likes.
    pub(crate) const fn nothing() -> &'static Self {
        static NOTHING: Payload = Payload { headers: Vec::new(), body: Bytes::new() };
        &NOTHING
    }

    /// A session description (RFC 8866).
    #[must_use]
    pub fn sdp(body: impl Into<Bytes>) -> Self {
        Self { headers: b"Content-Type: application/sdp\r\n".to_vec(), body: body.into() }
    }

    /// Adds a header line. A value with a line end or another control character in it could be read
    /// as two headers, and a name that is no token as anything: such a line is left out.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if is_token(name) && !value.contains(char::is_control) {
            push(&mut self.headers, &[name, ": ", value, "\r\n"]);
        }
        self
    }

    /// Complete header lines, without a body.
    pub(crate) const fn of_lines(headers: Vec<u8>) -> Self {
        Self { headers, body: Bytes::new() }
    }

    /// True if one of its header lines has this name.
    #[must_use]
    pub fn has_line(&self, name: &str) -> bool {
        lines_of(&self.headers).any(|(have, _)| have.eq_ignore_ascii_case(name))
    }

    /// The end-to-end headers and the body of another message, byte for byte: what a back-to-back
    /// user agent carries from one leg to the other. Headers of the hop, of the dialog, and of what
    /// this stack itself can do stay behind.
    #[must_use]
    pub fn relay(message: &Message) -> Self {
        let mut headers = Vec::with_capacity(message.head.len());
        for field in message.fields.iter() {
            if crosses(field.name) || explains(message, field.name) {
                headers.extend_from_slice(
                    message.head.as_bytes().get(field.line.range()).unwrap_or_default(),
                );
                headers.extend_from_slice(b"\r\n");
            }
        }
        Self { headers, body: message.body() }
    }

    /// Only the lines of these names, and no body.
    #[must_use]
    pub fn only(&self, names: &[&str]) -> Self {
        let mut headers = Vec::new();
        for (name, value) in lines_of(&self.headers) {
            if names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name)) {
                push(&mut headers, &[name, ": ", value, "\r\n"]);
            }
        }
        Self::of_lines(headers)
    }

    /// The same headers with another body.
    #[must_use]
    pub fn with_body(self, body: Bytes) -> Self {
        Self { body, ..self }
    }

    /// The body, if it is a session description and nothing else.
    pub(crate) fn description(&self) -> Bytes {
        let is_sdp = lines_of(&self.headers).any(|(name, value)| {
            let kind = value.split(';').next().unwrap_or_default().trim();
            name.eq_ignore_ascii_case("Content-Type")
                && kind.eq_ignore_ascii_case("application/sdp")
        });
        if is_sdp { self.body.clone() } else { Bytes::new() }
    }

    /// Neither headers nor a body.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.headers.is_empty() && self.body.is_empty()
    }

    #[must_use]
    pub fn headers(&self) -> &[u8] {
        &self.headers
    }

    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }
}

/// The name and the value of each of these header lines.
pub(super) fn lines_of(headers: &[u8]) -> impl Iterator<Item = (&str, &str)> {
    let lines = headers.split(|byte| *byte == b'\n').filter_map(|line| str::from_utf8(line).ok());
    lines.filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim(), value.trim()))
    })
}

/// True if a header of a refusal says what would have done, so that the refusal is worth nothing without it. Challenges
/// and the Contact of a redirection are not among them: they would lead the peer around us.
const fn explains(message: &Message, name: Name) -> bool {
    let Start::Response { status, .. } = message.start else { return false };
    match name {
        Name::Allow => matches!(status, 405 | 501),
        Name::Unsupported => status == 420,
        Name::Require => status == 421,
        Name::MinSe => status == 422,
        Name::AllowEvents => status == 489,
        Name::RetryAfter => status >= 300,
        _ => false,
    }
}

const fn crosses(name: Name) -> bool {
    !matches!(
        name,
        Name::Via
            | Name::From
            | Name::To
            | Name::CallId
            | Name::CSeq
            | Name::Contact
            | Name::MaxForwards
            | Name::Route
            | Name::RecordRoute
            | Name::ContentLength
            // Each side negotiates extensions with us, not with the other side.
            | Name::Allow
            | Name::AllowEvents
            | Name::Supported
            | Name::Require
            | Name::ProxyRequire
            | Name::Unsupported
            | Name::SessionExpires
            | Name::MinSe
            | Name::OriginStateId
            | Name::RAck
            | Name::RSeq
            // Credentials are for one hop.
            | Name::Authorization
            | Name::ProxyAuthorization
            | Name::WwwAuthenticate
            | Name::ProxyAuthenticate
            | Name::Server
            | Name::UserAgent
            | Name::RetryAfter
            // Its halves change places between the legs; `UserAgent::set_session_id` carries it.
            | Name::SessionId
            | Name::Timestamp
    )
}
