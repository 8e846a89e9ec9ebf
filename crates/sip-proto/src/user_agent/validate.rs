//! What a user agent server checks in a request, in the order of RFC 3261 §8.2.

use std::fmt::Write as _;

use crate::Rejection;
use crate::message::{Method, Name, Request};

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
    /// Header lines that tell a peer what is possible (RFC 3261 §13.3.1, §11.2).
    pub(crate) fn lines(&self) -> String {
        let mut out = self.allow_line();
        if !self.supported.is_empty() {
            let _ = write!(out, "Supported: {}\r\n", self.supported.join(", "));
        }
        out
    }

    pub(crate) fn allow_line(&self) -> String {
        let names: Vec<_> = self.allow.iter().map(|method| method.as_str()).collect();
        format!("Allow: {}\r\n", names.join(", "))
    }

    pub(crate) fn accept_line(&self) -> String {
        let types = self.accept.as_ref().map_or_else(|| "*/*".to_owned(), |types| types.join(", "));
        format!("Accept: {types}\r\n")
    }

    /// RFC 3261 §8.2.1 to §8.2.3. `merged`: the same request has come over another path.
    pub(crate) fn inspect(&self, request: &Request, merged: bool) -> Result<(), Rejection> {
        self.inspect_method(request)?;
        inspect_scheme(request)?;
        if merged {
            return Err(Rejection::new(482)); // RFC 3261 §8.2.2.2
        }
        self.inspect_require(request)?;
        self.inspect_body(request)?;
        self.inspect_accept(request)
    }

    /// RFC 3261 §8.2.1: unknown methods are not implemented (§21.5.2), known ones may not be
    /// allowed (§21.4.6).
    fn inspect_method(&self, request: &Request) -> Result<(), Rejection> {
        match request.method() {
            Method::Other => Err(Rejection::new(501).with_headers(self.allow_line())),
            // RFC 6665 §7.3: an event package that nobody here knows.
            Method::Subscribe | Method::Notify | Method::Publish
                if request.header(Name::Event).is_some() =>
            {
                Err(Rejection::new(489).with_headers("Allow-Events: \r\n".to_owned()))
            }
            method if self.allow.contains(&method) => Ok(()),
            _ => Err(Rejection::new(405).with_headers(self.allow_line())),
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
        let Some(accept) = &self.accept else {
            return Ok(());
        };
        if !request.has_body() {
            return Ok(());
        }
        let disposition = request.header_named("Content-Disposition").unwrap_or_default();
        if disposition.to_ascii_lowercase().replace(' ', "").contains("handling=optional") {
            return Ok(());
        }
        let kind = request.header(Name::ContentType).unwrap_or("application/sdp");
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !accept.iter().any(|have| have.eq_ignore_ascii_case(kind)) {
            return Err(Rejection::new(415).with_headers(self.accept_line()));
        }
        let identity = |coding: &str| coding.is_empty() || coding.eq_ignore_ascii_case("identity");
        if request.header(Name::ContentEncoding).is_some_and(|coding| !identity(coding)) {
            return Err(
                Rejection::new(415).with_headers("Accept-Encoding: identity\r\n".to_owned())
            );
        }
        Ok(())
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
