//! Writing messages: requests without their topmost Via, and responses from requests.

use std::net::SocketAddr;

use bytes::Bytes;

use super::append::{ip, number, push};
use super::grammar::{find_outside, split_byte, trim};
use super::{Message, Method, Name, NameAddr, Payload, Request, Response, reason_phrase};
use crate::Transport;

/// A request that lacks only its topmost Via, which the transaction writes once the transport is
/// known (RFC 3261 §18.1.1).
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(super) bytes: Vec<u8>,
    /// Where the Via line goes.
    pub(super) via_at: usize,
    /// Where the URI of our own Contact ends, if there is one: it names the transport too.
    pub(super) contact_end: Option<usize>,
    pub(super) method: Method,
}

/// How a URI of ours says that we are reached by TCP there (RFC 3261 §19.1.1). Without it, UDP is meant.
pub(crate) const BY_TCP: &str = ";transport=tcp>";

/// Our Contact, as it begins the lines that a user agent adds to its requests.
const CONTACT: &[u8] = b"Contact: <";

/// The fields that every request has (RFC 3261 §8.1.1), as they are to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) method: Method,
    pub(crate) uri: &'a str,
    pub(crate) max_forwards: u8,
    /// With its tag.
    pub(crate) from: &'a str,
    /// With its tag, inside a dialog.
    pub(crate) to: &'a str,
    pub(crate) call_id: &'a str,
    pub(crate) cseq: u32,
    pub(crate) route: &'a [Box<str>],
}

impl Draft {
    /// Writes a request; `fixed` are further complete header lines before those of the payload. A Contact that stands
    /// first in them is ours, and may name the transport by which the request goes.
    pub(crate) fn new(head: &Head<'_>, fixed: &[u8], payload: &Payload) -> Self {
        let size =
            320 + head.uri.len() + fixed.len() + payload.headers().len() + payload.body().len();
        let mut out = Vec::with_capacity(size);
        push(&mut out, &[head.method.as_str(), " ", head.uri, " SIP/2.0\r\n"]);
        let via_at = out.len();
        for route in head.route {
            push(&mut out, &["Route: ", route, "\r\n"]);
        }
        push(&mut out, &["Max-Forwards: "]);
        number(&mut out, head.max_forwards.into());
        push(&mut out, &["\r\nFrom: ", head.from, "\r\nTo: ", head.to]);
        push(&mut out, &["\r\nCall-ID: ", head.call_id, "\r\nCSeq: "]);
        number(&mut out, head.cseq.into());
        push(&mut out, &[" ", head.method.as_str(), "\r\n"]);
        let uri_end = fixed.iter().position(|byte| *byte == b'>');
        let contact_end = uri_end.filter(|_| fixed.starts_with(CONTACT)).map(|end| out.len() + end);
        out.extend_from_slice(fixed);
        finish(&mut out, payload);
        Self { bytes: out, via_at, contact_end, method: head.method }
    }

    /// ACK for a final response of 300 or above (RFC 3261 §17.1.1.3). Its Via is that of `invite`,
    /// complete.
    pub(crate) fn ack_for(invite: &Request, response: &Response) -> Bytes {
        same_hop(invite, Method::Ack, response.to_value(), b"")
    }

    /// CANCEL of `request` (RFC 3261 §9.1). Its Via is that of `request`, complete.
    /// `lines` are further complete header lines.
    pub(crate) fn cancel_for(request: &Request, lines: &[u8]) -> Bytes {
        same_hop(request, Method::Cancel, request.to_value(), lines)
    }

    pub(crate) const fn method(&self) -> Method {
        self.method
    }

    /// The size on the wire, but for the Via line.
    pub(crate) const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The finished request. `params` are further parameters of the Via, each with its semicolon.
    pub(crate) fn with_via(
        &self,
        transport: Transport,
        sent_by: &str,
        branch: &str,
        params: &str,
    ) -> Bytes {
        self.written(transport, sent_by, branch, params, false)
    }

    /// The same for a peer that speaks TCP, and may speak nothing else: our Contact says that we are reached by it.
    pub(crate) fn with_via_for_tcp_peer(&self, sent_by: &str, branch: &str, params: &str) -> Bytes {
        self.written(Transport::Tcp, sent_by, branch, params, true)
    }

    fn written(
        &self,
        transport: Transport,
        sent_by: &str,
        branch: &str,
        params: &str,
        names_tcp: bool,
    ) -> Bytes {
        let size = self.bytes.len() + 64 + sent_by.len() + branch.len() + params.len();
        let mut out = Vec::with_capacity(size);
        let (start, rest) = self.bytes.split_at(self.via_at);
        out.extend_from_slice(start);
        push(&mut out, &["Via: SIP/2.0/", transport.token(), " ", sent_by, ";rport;branch="]);
        push(&mut out, &[branch, params, "\r\n"]);
        match self.contact_end.filter(|_| names_tcp) {
            Some(end) => {
                let (before, after) = rest.split_at(end - self.via_at);
                out.extend_from_slice(before);
                push(&mut out, &[BY_TCP]);
                out.extend_from_slice(after.get(1..).unwrap_or_default());
            }
            None => out.extend_from_slice(rest),
        }
        out.into()
    }
}

fn same_hop(request: &Request, method: Method, to: &str, lines: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(512);
    push(&mut out, &[method.as_str(), " ", request.uri_text(), " SIP/2.0\r\nVia: "]);
    push(&mut out, &[request.text(request.keys.via), "\r\n"]);
    for route in request.headers(Name::Route) {
        push(&mut out, &["Route: ", route, "\r\n"]);
    }
    push(&mut out, &["Max-Forwards: 70\r\nFrom: ", request.from_value(), "\r\nTo: ", to]);
    push(&mut out, &["\r\nCall-ID: ", request.call_id(), "\r\nCSeq: "]);
    number(&mut out, request.keys.cseq.into());
    push(&mut out, &[" ", method.as_str()]);
    // RFC 7989 §6: every request of a session carries its Session-ID.
    for id in request.headers(Name::SessionId) {
        push(&mut out, &["\r\nSession-ID: ", id]);
    }
    push(&mut out, &["\r\n"]);
    out.extend_from_slice(lines);
    push(&mut out, &["Content-Length: 0\r\n\r\n"]);
    out.into()
}

/// What a response says beyond what it copies from its request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reply<'a> {
    pub(crate) status: u16,
    /// The registered phrase when `None`.
    pub(crate) phrase: Option<&'a str>,
    /// Added when the request's To has none (RFC 3261 §8.2.6.2).
    pub(crate) to_tag: &'a str,
    /// Further complete header lines, before those of the payload.
    pub(crate) fixed: &'a [u8],
    pub(crate) payload: &'a Payload,
}

/// A response to `request`, which came from `source` (RFC 3261 §8.2.6).
pub(crate) fn response(request: &Message, source: SocketAddr, reply: &Reply<'_>) -> Bytes {
    let payload = reply.payload;
    let size = 128
        + request.bytes.len()
        + reply.fixed.len()
        + payload.headers().len()
        + payload.body().len();
    let mut out = Vec::with_capacity(size);
    push(&mut out, &["SIP/2.0 "]);
    number(&mut out, reply.status.into());
    push(&mut out, &[" ", reply.phrase.unwrap_or_else(|| reason_phrase(reply.status)), "\r\n"]);
    write_vias(&mut out, request, source);
    // RFC 3261 §12.1.1: Record-Route is copied into responses that make a dialog.
    if (101..300).contains(&reply.status) {
        for route in request.headers(Name::RecordRoute) {
            push(&mut out, &["Record-Route: ", route, "\r\n"]);
        }
    }
    for (name, label) in [
        (Name::From, "From: "),
        (Name::To, "To: "),
        (Name::CallId, "Call-ID: "),
        (Name::CSeq, "CSeq: "),
    ] {
        let Some(value) = request.header(name) else {
            continue;
        };
        push(&mut out, &[label, value]);
        let may_add_tag = name == Name::To && reply.status > 100 && !reply.to_tag.is_empty();
        if may_add_tag && !has_tag(request, value) {
            push(&mut out, &[";tag=", reply.to_tag]);
        }
        push(&mut out, &["\r\n"]);
    }
    // RFC 3261 §8.2.6.1: the 100 brings the Timestamp back.
    if reply.status == 100
        && let Some(value) = request.header(Name::Timestamp)
    {
        push(&mut out, &["Timestamp: ", value, "\r\n"]);
    }
    out.extend_from_slice(reply.fixed);
    finish(&mut out, payload);
    out.into()
}

/// True if To has a tag. A request that is refused as unsound has no keys, only header lines.
fn has_tag(request: &Message, to: &str) -> bool {
    if !request.keys.to.is_empty() {
        return request.to_tag().is_some();
    }
    NameAddr::parse(to).map_or_else(|_| to.contains("tag="), |to| to.tag().is_some())
}

/// Copies the Vias; the topmost one tells where the request really came from (RFC 3261 §18.2.1, RFC
/// 3581 §4).
pub(super) fn write_vias(out: &mut Vec<u8>, request: &Message, source: SocketAddr) {
    let mut topmost = true;
    for line in request.headers(Name::Via) {
        push(out, &["Via: "]);
        if topmost {
            let value = request.text(request.keys.via);
            topmost_via(out, request, value, source);
            let rest = line.get(value.len()..).unwrap_or_default();
            push(out, &[rest]);
            topmost = false;
        } else {
            push(out, &[line]);
        }
        push(out, &["\r\n"]);
    }
}

/// Writes the topmost Via with `received` and `rport` filled in where they are due.
pub(crate) fn topmost_via(out: &mut Vec<u8>, request: &Message, value: &str, source: SocketAddr) {
    let via = request.via();
    let moved = via.ip() != Some(source.ip());
    if !moved && !via.wants_rport() {
        push(out, &[value]);
        return;
    }
    let mut rest = value;
    let mut first = true;
    loop {
        let end = find_outside(rest, false, b';').ok().flatten().unwrap_or(rest.len());
        let (part, tail) = rest.split_at(end);
        let name = trim(split_byte(part, b'=').map_or(part, |(name, _)| name));
        // What the peer claims about itself here is not true by definition.
        if first || !(name.eq_ignore_ascii_case("rport") || name.eq_ignore_ascii_case("received")) {
            push(out, &[if first { "" } else { ";" }, part]);
        }
        first = false;
        let Some(tail) = tail.strip_prefix(';') else {
            break;
        };
        rest = tail;
    }
    push(out, &[";received="]);
    ip(out, source.ip());
    if via.wants_rport() {
        push(out, &[";rport="]);
        number(out, source.port().into());
    }
}

/// Payload headers, Content-Length, the empty line and the body.
pub(super) fn finish(out: &mut Vec<u8>, payload: &Payload) {
    out.extend_from_slice(payload.headers());
    push(out, &["Content-Length: "]);
    number(out, payload.body().len() as u64);
    push(out, &["\r\n\r\n"]);
    out.extend_from_slice(payload.body());
}

/// Where a response to a request from `source` goes (RFC 3261 §18.2.2, RFC 3581 §4).
///
/// `maddr` is not obeyed: it would let anybody aim our responses at a third party.
pub(crate) fn response_target(
    request: &Message,
    transport: Transport,
    source: SocketAddr,
) -> SocketAddr {
    let via = request.via();
    if transport.is_reliable() || via.wants_rport() {
        return source;
    }
    SocketAddr::new(source.ip(), via.port().unwrap_or(5060))
}

/// An address as SIP's hostport: IPv6 in brackets.
#[must_use]
pub fn host_port(address: SocketAddr) -> String {
    // `SocketAddr` prints exactly that; a scope identifier has no place in SIP.
    match address {
        SocketAddr::V4(_) => {
            let mut out = Vec::with_capacity("255.255.255.255:65535".len());
            ip(&mut out, address.ip());
            push(&mut out, &[":"]);
            number(&mut out, address.port().into());
            String::from_utf8(out).expect("digits are ASCII")
        }
        SocketAddr::V6(address) => format!("[{}]:{}", address.ip(), address.port()),
    }
}
