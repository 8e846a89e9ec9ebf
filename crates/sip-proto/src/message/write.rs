//! Writing messages: requests without their topmost Via, and responses from requests.

use std::net::SocketAddr;

use bytes::Bytes;

use super::append::{ip, number, push};
use super::grammar::{find_outside, split_byte, trim};
use super::run::Run;
use super::{Message, Method, Name, NameAddr, Params, Payload, Request, Response, reason_phrase};
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

/// Bytes that a draft keeps for its Via.
pub(super) const VIA_ROOM: usize = 192;

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
    pub(crate) route: &'a [&'a str],
}

impl Draft {
    /// Writes a request; `fixed` are further complete header lines before those of the payload. A Contact that stands
    /// first in them is ours, and may name the transport by which the request goes.
    pub(crate) fn new(head: &Head<'_>, fixed: &[u8], payload: &Payload) -> Self {
        let size = 320
            + VIA_ROOM
            + head.uri.len()
            + fixed.len()
            + payload.headers().len()
            + payload.body().len();
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
        self,
        transport: Transport,
        sent_by: &str,
        branch: &str,
        params: &str,
    ) -> Bytes {
        self.written(transport, sent_by, branch, params, false)
    }

    /// The same for a peer that speaks TCP, and may speak nothing else: our Contact says that we are reached by it.
    pub(crate) fn with_via_for_tcp_peer(self, sent_by: &str, branch: &str, params: &str) -> Bytes {
        self.written(Transport::Tcp, sent_by, branch, params, true)
    }

    fn written(
        self,
        transport: Transport,
        sent_by: &str,
        branch: &str,
        params: &str,
        names_tcp: bool,
    ) -> Bytes {
        let Self { bytes: mut out, via_at, contact_end, .. } = self;
        if let Some(end) = contact_end.filter(|_| names_tcp) {
            out.splice(end..=end, BY_TCP.bytes());
        }
        // Written behind the rest, and moved to its place: there is room for it.
        let length = out.len();
        push(&mut out, &["Via: SIP/2.0/", transport.token(), " ", sent_by, ";rport;branch="]);
        push(&mut out, &[branch, params, "\r\n"]);
        let via = out.len() - length;
        if let Some(behind) = out.get_mut(via_at..) {
            behind.rotate_right(via);
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
        + request.head.len()
        + reply.fixed.len()
        + payload.headers().len()
        + payload.body().len();
    let mut out = Vec::with_capacity(size);
    push(&mut out, &["SIP/2.0 "]);
    number(&mut out, reply.status.into());
    push(&mut out, &[" ", reply.phrase.unwrap_or_else(|| reason_phrase(reply.status)), "\r\n"]);
    write_vias(&mut out, request, source);
    let mut run = Run::default();
    // RFC 3261 §12.1.1: Record-Route is copied into responses that make a dialog.
    if (101..300).contains(&reply.status) {
        for route in request.fields.named(Name::RecordRoute) {
            run.add_spelled(&mut out, request, route);
        }
    }
    for name in [Name::From, Name::To, Name::CallId, Name::CSeq] {
        let Some(field) = request.fields.named(name).next() else {
            continue;
        };
        let may_add_tag = name == Name::To && reply.status > 100 && !reply.to_tag.is_empty();
        if may_add_tag && !has_tag(request, request.text(field.value)) {
            run.add_open(&mut out, request, field);
            push(&mut out, &[";tag=", reply.to_tag, "\r\n"]);
        } else {
            run.add_spelled(&mut out, request, field);
        }
    }
    run.end(&mut out, request);
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
    let mut lines = request.fields.named(Name::Via);
    let mut run = Run::default();
    if let Some(first) = lines.next() {
        let value = request.text(request.keys.via);
        push(out, &["Via: "]);
        topmost_via(out, request, value, source);
        push(out, &[request.text(first.value).get(value.len()..).unwrap_or_default(), "\r\n"]);
    }
    for line in lines {
        run.add_spelled(out, request, line);
    }
    run.end(out, request);
}

/// Writes the topmost Via with `received` and `rport` filled in where they are due.
pub(crate) fn topmost_via(out: &mut Vec<u8>, request: &Message, value: &str, source: SocketAddr) {
    let via = request.via();
    let moved = via.ip() != Some(source.ip());
    if !moved && !via.wants_rport() {
        push(out, &[value]);
        return;
    }
    if !push_plain_unclaimed(out, value, via.params) {
        push_unclaimed(out, value);
    }
    push(out, &[";received="]);
    ip(out, source.ip());
    if via.wants_rport() {
        push(out, &[";rport="]);
        number(out, source.port().into());
    }
}

/// What the peer claims about itself in these parameters is not true by definition.
fn is_claim(name: &str) -> bool {
    name.eq_ignore_ascii_case("rport") || name.eq_ignore_ascii_case("received")
}

/// Adds a Via, which ends with `params`, without those claims. False, and nothing is added, if a parameter needs a closer
/// look.
fn push_plain_unclaimed(out: &mut Vec<u8>, value: &str, params: Params<'_>) -> bool {
    let start = out.len();
    let params_at = value.len().saturating_sub(params.text.len());
    let (mut from, mut at) = (0, 0);
    loop {
        let Some(one) = params.plain(at) else {
            out.truncate(start);
            return false;
        };
        if is_claim(one.name) {
            // The semicolon before it goes with it.
            push(out, &[value.get(from..params_at + at - 1).unwrap_or_default()]);
            from = params_at + one.end;
        }
        let Some(next) = one.next else { break };
        at = next;
    }
    push(out, &[value.get(from..).unwrap_or_default()]);
    true
}

/// The same for any Via.
fn push_unclaimed(out: &mut Vec<u8>, value: &str) {
    let mut rest = value;
    let mut first = true;
    loop {
        let end = find_outside(rest, false, b';').ok().flatten().unwrap_or(rest.len());
        let (part, tail) = rest.split_at(end);
        let name = trim(split_byte(part, b'=').map_or(part, |(name, _)| name));
        if first || !is_claim(name) {
            push(out, &[if first { "" } else { ";" }, part]);
        }
        first = false;
        let Some(tail) = tail.strip_prefix(';') else {
            break;
        };
        rest = tail;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Via;

    // The short way writes what the long one does.
    #[test]
    fn claims_are_left_out_of_any_via() {
        for params in [
            ";branch=z9hG4bK1;rport",
            ";rport;branch=z9hG4bK1;oc;oc-algo=\"loss,rate\"",
            ";RPORT=5;received=192.0.2.1;branch=z9hG4bK1",
            ";rport;rport",
            ";received=1;x",
        ] {
            for start in ["SIP/2.0/UDP h", "SIP/2.0/UDP h:5060 ", "SIP / 2.0 / TCP  [::1]:1"] {
                let value = [start, params].concat();
                let via = Via::parse(&value).unwrap();
                let (mut short, mut long) = (b"a".to_vec(), b"a".to_vec());
                assert!(push_plain_unclaimed(&mut short, &value, via.params), "{value}");
                push_unclaimed(&mut long, &value);
                assert_eq!(str::from_utf8(&short), str::from_utf8(&long));
                assert!(!str::from_utf8(&short).unwrap().contains("received"));
            }
        }
        for value in ["SIP/2.0/UDP h; rport", "SIP/2.0/UDP h;rport;x=\"\\\"\"", "SIP/2.0/UDP h"] {
            let via = Via::parse(value).unwrap();
            let mut out = b"a".to_vec();
            assert!(!push_plain_unclaimed(&mut out, value, via.params));
            assert_eq!(out, b"a");
        }
    }

    // RFC 3261 §8.2.6.2: what is copied is spelled as we spell it, wherever it stands and however it was written.
    #[test]
    fn a_response_copies_lines_in_its_own_order_and_spelling() {
        let source = ([192, 0, 2, 9], 5070).into();
        let reply = Reply {
            status: 180,
            phrase: None,
            to_tag: "mine",
            fixed: b"X: y\r\n",
            payload: Payload::nothing(),
        };
        let wanted = "SIP/2.0 180 Ringing\r\n\
             Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;received=192.0.2.9\r\n\
             Via: SIP/2.0/UDP 192.0.2.2\r\nVia: SIP/2.0/UDP 192.0.2.3\r\n\
             Record-Route: <sip:p1;lr>\r\nRecord-Route: <sip:p2;lr>\r\n\
             From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>;tag=mine\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\
             X: y\r\nContent-Length: 0\r\n\r\n";
        for lines in [
            "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nVia: SIP/2.0/UDP 192.0.2.2\r\nVia: SIP/2.0/UDP 192.0.2.3\r\n\
             Record-Route: <sip:p1;lr>\r\nRecord-Route: <sip:p2;lr>\r\n\
             From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n",
            "To: <sip:b@x>\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\nv: SIP/2.0/UDP 192.0.2.2\nCSeq: 1 INVITE\n\
             i: c\r\nRecord-Route:  <sip:p1;lr>\r\nFROM: <sip:a@x>;tag=1 \r\nVia : SIP/2.0/UDP 192.0.2.3\r\n\
             record-route: <sip:p2;lr>\r\n",
            "CSeq: 1 INVITE\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom:\r\n <sip:a@x>;tag=1\r\n\
             Via: SIP/2.0/UDP 192.0.2.2\r\nRecord-Route: <sip:p1;lr>\r\nt: <sip:b@x>\r\n\
             Via: SIP/2.0/UDP 192.0.2.3\r\nRecord-Route: <sip:p2;lr>\r\nCall-ID: c\r\n",
        ] {
            let request = format!("INVITE sip:b@x SIP/2.0\r\n{lines}\r\n");
            let request = Request::parse(request.into()).unwrap();
            let written = response(&request, source, &reply);
            assert_eq!(str::from_utf8(&written), Ok(wanted), "{lines}");
        }
    }
}
