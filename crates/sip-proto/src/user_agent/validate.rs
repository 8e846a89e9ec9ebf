//! What a user agent server checks in a request, in the order of RFC 3261 §8.2.

use std::fmt::Write as _;

use super::option_tag::{RELIABLE, TIMER};
use crate::Rejection;
use crate::message::{Abilities, Method, Name, Request};
use crate::multipart;

/// What this user agent can do, as it tells its peers.
#[derive(Debug, Clone)]
pub struct Capabilities {
    /// Methods that are served. ACK and CANCEL always are.
    pub allow: Vec<Method>,
    /// Option tags of extensions that are understood.
    pub supported: Vec<&'static str>,
    /// Body types that are understood; `None` for a box that carries bodies through without reading
    /// them.
    pub accept: Option<Vec<&'static str>>,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            allow: vec![
                Method::Invite,
                Method::Ack,
                Method::Cancel,
                Method::Bye,
                Method::Options,
                Method::Info,
                Method::Update,
                Method::Message,
            ],
            supported: Vec::new(),
            accept: Some(vec![
                "application/sdp",
                "multipart/mixed",
                "multipart/alternative",
                "multipart/related",
                "application/pidf+xml",
                "text/plain",
                "message/sipfrag",
                "application/dtmf-relay",
                "application/dtmf",
            ]),
        }
    }
}

impl Capabilities {
    /// Those of a box that telephones call: with session timers (RFC 4028), and reliable provisional responses for whoever demands
    /// them (RFC 3262).
    #[must_use]
    pub fn of_telephony() -> Self {
        let mut all = Self::default();
        all.allow.push(Method::Prack);
        all.supported = vec![TIMER, RELIABLE];
        all
    }

    /// Header lines that tell a peer what is possible (RFC 3261 §13.3.1, §11.2).
    pub(crate) fn lines(&self) -> String {
        let mut out = self.allow_line();
        if !self.supported.is_empty() {
            let _ = write!(out, "Supported: {}\r\n", self.supported.join(", "));
        }
        out
    }

    /// The same without this option tag.
    pub(super) fn without(&self, tag: &str) -> Self {
        let mut rest = self.clone();
        rest.supported.retain(|have| *have != tag);
        rest
    }

    fn allowed(&self) -> String {
        let names: Vec<_> = self.allow.iter().map(|method| method.as_str()).collect();
        names.join(", ")
    }

    pub(crate) fn allow_line(&self) -> String {
        format!("Allow: {}\r\n", self.allowed())
    }

    pub(crate) fn accept_line(&self) -> String {
        let types = self.accept.as_ref().map_or_else(|| "*/*".to_owned(), |types| types.join(", "));
        format!("Accept: {types}\r\n")
    }

    /// What a refusal says that says what would do (RFC 3261 §21.4.6, §21.4.13).
    pub(crate) fn abilities(&self) -> Abilities {
        let accept = self.accept.as_ref().map(|types| types.join(", "));
        Abilities {
            allow: self.allowed(),
            ..accept.map_or_else(Abilities::default, Abilities::accepting)
        }
    }

    /// RFC 3261 §8.2.1 to §8.2.3. `merged`: the same request has come over another path.
    pub(crate) fn inspect(&self, request: &Request, merged: bool) -> Result<(), Rejection> {
        self.inspect_method(request)?;
        // Inside a dialog the Request-URI is the Contact that we gave, in whatever shape it comes back.
        if request.to_tag().is_none() {
            inspect_scheme(request)?;
        }
        request.refuse_unusable_contact()?;
        if merged {
            return Err(Rejection::new(482)); // RFC 3261 §8.2.2.2
        }
        self.inspect_require(request)?;
        if self.knows_timers() {
            refuse_too_short(request)?;
        }
        self.inspect_body(request)?;
        self.inspect_accept(request)
    }

    /// This user agent takes part in session timers (RFC 4028).
    pub(super) fn knows_timers(&self) -> bool {
        self.supported.contains(&TIMER)
    }

    /// RFC 3261 §8.2.1: unknown methods are not implemented (§21.5.2), known ones may not be
    /// allowed (§21.4.6).
    fn inspect_method(&self, request: &Request) -> Result<(), Rejection> {
        match request.method() {
            Method::Other => Err(Rejection::new(501).with_headers(self.allow_line())),
            method if self.allow.contains(&method) => Ok(()),
            // Also for event packages: 489 would have to say which ones there are (RFC 6665 §8.3.2).
            _ => Err(Rejection::new(405)),
        }
    }

    /// RFC 3261 §8.2.2.3. CANCEL and ACK may not be refused for it; they never come here.
    fn inspect_require(&self, request: &Request) -> Result<(), Rejection> {
        let unknown: Vec<_> = request
            .list(Name::Require)
            .filter(|tag| !self.supported.iter().any(|have| have.eq_ignore_ascii_case(tag)))
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        Err(Rejection::new(420).with_headers(format!("Unsupported: {}\r\n", unknown.join(", "))))
    }

    /// RFC 3261 §8.2.3: a body that we cannot read is refused, unless its handling is optional.
    fn inspect_body(&self, request: &Request) -> Result<(), Rejection> {
        let Some(accept) = self.accept.as_ref().filter(|_| request.has_body()) else {
            return Ok(());
        };
        let disposition = request.header_named("Content-Disposition").unwrap_or_default();
        if disposition.to_ascii_lowercase().replace(' ', "").contains("handling=optional") {
            return Ok(());
        }
        let kind = request.header(Name::ContentType).unwrap_or("application/sdp");
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !accept.iter().any(|have| have.eq_ignore_ascii_case(kind)) {
            return Err(Rejection::new(415).with_headers(self.accept_line()));
        }
        let known = |kind: &str| accept.iter().any(|have| have.eq_ignore_ascii_case(kind));
        if let Some(kind) = multipart::required_and_not(known, request) {
            let why = format!("a body part of type {kind} is required and not understood");
            return Err(Rejection::new(415).with_headers(self.accept_line()).with_warning(why));
        }
        request.refuse_content_encoding()
    }

    /// RFC 6086 §4.2.2: an INFO of a package that was not offered. A box that carries bodies through leaves that to others.
    pub(crate) fn inspect_package(&self, request: &Request) -> Result<(), Rejection> {
        let package = request.header_named("Info-Package").filter(|_| self.accept.is_some());
        match package.filter(|_| request.method() == Method::Info) {
            // An empty list: no package is understood here.
            Some(_) => Err(Rejection::new(469).with_headers("Recv-Info: \r\n".to_owned())),
            None => Ok(()),
        }
    }

    /// RFC 3261 §20.1, §21.4.7: a caller that accepts no session description cannot be answered.
    fn inspect_accept(&self, request: &Request) -> Result<(), Rejection> {
        if request.method() != Method::Invite || request.header(Name::Accept).is_none() {
            return Ok(());
        }
        let takes_sdp = request.list(Name::Accept).any(|range| {
            let range = range.split(';').next().unwrap_or_default().trim();
            ["application/sdp", "application/*", "*/*"]
                .iter()
                .any(|sdp| sdp.eq_ignore_ascii_case(range))
        });
        if takes_sdp {
            return Ok(());
        }
        Err(Rejection::new(406).with_warning("the Accept header leaves out application/sdp"))
    }
}

/// RFC 3261 §8.2.2.1. `sips` would promise TLS on every hop.
fn inspect_scheme(request: &Request) -> Result<(), Rejection> {
    let uri = request.uri();
    let known = ["sip", "tel"].iter().any(|scheme| scheme.eq_ignore_ascii_case(uri.scheme()));
    if known || uri.service().is_some() { Ok(()) } else { Err(Rejection::new(416)) }
}

/// RFC 4028 §5: nobody may want less, in seconds.
const MIN_SE: u32 = 90;

/// RFC 4028 §6, §8.1: a time that is too short is refused, of a peer that knows what it is refused for.
fn refuse_too_short(request: &Request) -> Result<(), Rejection> {
    let changes = matches!(request.method(), Method::Invite | Method::Update);
    let said = request.session_expires().filter(|_| changes);
    match said.is_some_and(|said| said.seconds < MIN_SE) && request.supports(TIMER) {
        true => Err(Rejection::new(422).with_header("Min-SE", &MIN_SE.to_string())),
        false => Ok(()),
    }
}
