//! What a proxy changes in a message that it forwards (RFC 3261 §16.6 and §16.7); everything else
//! crosses byte for byte.

use std::net::SocketAddr;

use bytes::Bytes;

use super::append::{number, push};
use super::grammar::rsplit_byte;
use super::run::Run;
use super::scan::Start;
use super::write::{Draft, VIA_ROOM, write_vias};
use super::{Message, Method, Name, NameAddr, Request, Response, Uri, Via};
use crate::Rejection;
use crate::reason::Reason;

/// The changes to a request on its way through.
#[derive(Debug, Clone, Copy)]
pub struct Forward<'a> {
    /// Where the request came from: goes into its Via.
    pub source: SocketAddr,
    /// A new Request-URI, or the one that it has.
    pub uri: Option<&'a str>,
    /// Our own Record-Route value, for requests that make a dialog.
    pub record_route: Option<&'a str>,
    /// Removes so many Route values at the head, which named us (RFC 3261 §16.4): [`Request::own_routes`].
    pub pop_routes: usize,
    /// A Route value to put on top.
    pub push_route: Option<&'a str>,
    /// Further complete header lines to add.
    pub lines: &'a [u8],
    /// Header lines that do not go on: credentials that were for us, and what only we may say.
    pub without: &'a [Name],
}

impl Forward<'_> {
    pub(crate) fn draft(&self, request: &Request) -> Draft {
        let mut out = Vec::with_capacity(request.len() + self.lines.len() + 192 + VIA_ROOM);
        let uri = self.uri.unwrap_or_else(|| request.uri_text());
        push(&mut out, &[request.method_text(), " ", uri, " SIP/2.0\r\n"]);
        let via_at = out.len();
        write_vias(&mut out, request, self.source);
        if let Some(route) = self.record_route {
            push(&mut out, &["Record-Route: ", route, "\r\n"]);
        }
        if let Some(route) = self.push_route {
            push(&mut out, &["Route: ", route, "\r\n"]);
        }
        push(&mut out, &["Max-Forwards: "]);
        // RFC 3261 §16.6 item 3. The caller has refused 0.
        number(&mut out, request.max_forwards().map_or(70, |hops| hops.saturating_sub(1)).into());
        push(&mut out, &["\r\n"]);
        out.extend_from_slice(self.lines);
        let mut pop = self.pop_routes;
        let mut run = Run::default();
        for field in request.fields.iter() {
            match field.name {
                Name::Via | Name::MaxForwards => {}
                name if self.without.contains(&name) => {}
                Name::Route if pop > 0 => {
                    let mut rest = Some(request.text(field.value));
                    while let Some(values) = rest.filter(|_| pop > 0) {
                        pop -= 1;
                        rest = after_first(values);
                    }
                    if let Some(rest) = rest {
                        run.end(&mut out, request);
                        push(&mut out, &["Route: ", rest, "\r\n"]);
                    }
                }
                _ => run.add(&mut out, request, field.line.range()),
            }
        }
        run.end(&mut out, request);
        write_body(&mut out, request);
        // Contact is that of another element.
        Draft { bytes: out, via_at, contact_end: None, method: request.method() }
    }
}

impl Response {
    /// The response as the one before us gets it: without our Via (RFC 3261 §16.7 item 3). `None`
    /// if nothing is left to send it to.
    #[must_use]
    pub fn without_topmost_via(&self) -> Option<Bytes> {
        let Start::Response { phrase, .. } = self.start else {
            return None;
        };
        let mut out = Vec::with_capacity(self.len());
        out.extend_from_slice(self.head.as_bytes().get(..phrase.range().end)?);
        push(&mut out, &["\r\n"]);
        let mut popped = false;
        let mut vias = 0;
        let mut run = Run::default();
        for field in self.fields.iter() {
            match field.name {
                Name::Via if !popped => {
                    popped = true;
                    if let Some(rest) = after_first(self.text(field.value)) {
                        vias += 1;
                        run.end(&mut out, self);
                        push(&mut out, &["Via: ", rest, "\r\n"]);
                    }
                }
                name => {
                    vias += usize::from(name == Name::Via);
                    run.add(&mut out, self, field.line.range());
                }
            }
        }
        run.end(&mut out, self);
        write_body(&mut out, self);
        (vias > 0).then(|| out.into())
    }
}

impl Request {
    /// The first Route value, if there is one.
    #[must_use]
    pub fn topmost_route(&self) -> Option<NameAddr<'_>> {
        NameAddr::parse(self.list(Name::Route).next()?).ok()
    }

    /// True if the first Route value names the node at `address` (RFC 3261 §16.4).
    #[must_use]
    pub fn is_routed_to(&self, address: SocketAddr) -> bool {
        self.topmost_route().and_then(|route| address_of(&route.uri())) == Some(address)
    }

    /// How many Route values at the head name the node that is reached at these addresses: none, one, or two for a proxy that wrote
    /// one for each side, as the transport changes there (RFC 5658 §5), or the flow (RFC 5626 §5.3.2), which it tells by the user
    /// part.
    #[must_use]
    pub fn own_routes(&self, addresses: &[SocketAddr]) -> usize {
        let mut routes = self.list(Name::Route).map(|route| NameAddr::parse(route).ok());
        let mut next = || {
            let route = routes.next().flatten()?;
            let at = address_of(&route.uri()).filter(|at| addresses.contains(at))?;
            Some((route, at))
        };
        let Some((first, first_at)) = next() else { return 0 };
        let Some((second, second_at)) = next() else { return 1 };
        let (first, second) = (first.uri(), second.uri());
        let is_twin = first_at != second_at
            || transport_of(&first) != transport_of(&second)
            || first.user() != second.user();
        1 + usize::from(is_twin)
    }

    /// True if a node with this sent-by has forwarded the request before (RFC 3261 §16.3 item 4).
    #[must_use]
    pub fn has_via_of(&self, sent_by: &str) -> bool {
        let Some((host, ours)) = rsplit_byte(sent_by, b':') else { return false };
        let is_it = |via: &Via<'_>| {
            host.eq_ignore_ascii_case(via.host()) && ours.parse() == Ok(via.port().unwrap_or(5060))
        };
        let mut later = self.list(Name::Via).skip(1).filter_map(|via| Via::parse(via).ok());
        is_it(&self.via()) || later.any(|via| is_it(&via))
    }

    /// What a proxy with this sent-by refuses before it looks further (RFC 3261 §16.3 items 3 to 5): too many hops, a loop, and an
    /// extension that it would have to know.
    ///
    /// # Errors
    /// 483, 482 or 420.
    pub fn refuse_as_proxy(&self, sent_by: &str) -> Result<(), Rejection> {
        let astray =
            |status| Rejection::new(status).with_reason(Reason::q850(25, "Exchange routing error"));
        // An OPTIONS that has come to its last hop is answered there (RFC 3261 §11).
        if self.max_forwards() == Some(0) && self.method() != Method::Options {
            return Err(astray(483));
        }
        if self.has_via_of(sent_by) {
            return Err(astray(482));
        }
        self.refuse_proxy_require()
    }

    /// RFC 3261 §16.3 item 5: this stack's proxies understand no extension that a caller could
    /// require of them.
    ///
    /// # Errors
    /// 420 with the tags in Unsupported.
    pub fn refuse_proxy_require(&self) -> Result<(), Rejection> {
        let tags: Vec<_> = self.list(Name::ProxyRequire).collect();
        if tags.is_empty() {
            return Ok(());
        }
        Err(Rejection::new(420).with_headers(format!("Unsupported: {}\r\n", tags.join(", "))))
    }

    /// The Route value at `place`, the first one at 0: where the request goes once so many are gone that named us.
    #[must_use]
    pub fn route(&self, place: usize) -> Option<NameAddr<'_>> {
        NameAddr::parse(self.list(Name::Route).nth(place)?).ok()
    }
}

fn transport_of(uri: &Uri<'_>) -> Option<String> {
    uri.param("transport").map(str::to_ascii_lowercase)
}

/// The empty line and the body. A datagram may come without Content-Length, but the copy may leave
/// over a stream, which needs it (RFC 3261 §18.3).
pub(super) fn write_body(out: &mut Vec<u8>, message: &Message) {
    if message.header(Name::ContentLength).is_none() {
        push(out, &["Content-Length: "]);
        number(out, message.body.len() as u64);
        push(out, &["\r\n"]);
    }
    push(out, &["\r\n"]);
    out.extend_from_slice(&message.body);
}

/// The comma-separated elements after the first.
fn after_first(line: &str) -> Option<&str> {
    let comma = super::grammar::find_outside(line, true, b',').ok()??;
    Some(line.get(comma + 1..)?.trim())
}

/// The socket address that a URI names, with the default port (RFC 3261 §19.1.2); `None` for a name, as this stack
/// resolves none.
#[must_use]
pub fn address_of(uri: &Uri<'_>) -> Option<SocketAddr> {
    let port = || {
        let is_tls = uri.param("transport").is_some_and(|one| one.eq_ignore_ascii_case("tls"));
        if uri.is_sips() || is_tls { 5061 } else { 5060 }
    };
    Some(SocketAddr::new(uri.ip()?, uri.port().unwrap_or_else(port)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Transport;

    // RFC 3261 §18.3: a datagram may lack Content-Length, a message on a stream may not.
    #[test]
    fn a_forwarded_message_always_tells_the_length_of_its_body() {
        for length in ["", "l: 4\r\n"] {
            let fields = format!(
                "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\nVia: SIP/2.0/UDP 127.0.0.9\r\n\
                 From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\n\
                 {length}\r\nbody"
            );
            let request = format!("MESSAGE sip:b@x SIP/2.0\r\n{fields}");
            let request = Request::parse(request.into()).unwrap();
            let forward = Forward {
                source: ([127, 0, 0, 1], 5060).into(),
                uri: None,
                record_route: None,
                pop_routes: 0,
                push_route: None,
                lines: b"",
                without: &[],
            };
            let copy = forward.draft(&request).with_via(Transport::Tcp, "127.0.0.2:5060", "b", "");
            let copy = Request::parse(copy).unwrap();
            assert_eq!(copy.headers(Name::ContentLength).collect::<Vec<_>>(), ["4"]);
            assert_eq!(copy.body(), "body");

            let response = Response::parse(format!("SIP/2.0 200 OK\r\n{fields}").into()).unwrap();
            let copy = Response::parse(response.without_topmost_via().unwrap()).unwrap();
            assert_eq!(copy.headers(Name::ContentLength).collect::<Vec<_>>(), ["4"]);
            assert_eq!(copy.body(), "body");
        }
    }
}
