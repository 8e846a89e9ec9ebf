//! A peer that keeps no rule of SIP, as caller or as callee: it writes its messages by hand, and answers as it is told, or as it
//! pleases.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Instant;

use contract::{Node, Reply};
use sip_proto::message::{Incoming, Method, Name, Request, Response, host_port, parse};
use sip_proto::{Packet, Transport};

/// One peer with any number of calls.
#[derive(Debug)]
pub struct Rogue {
    address: SocketAddr,
    /// What it does with a request, in turn; see [`Whim`].
    whims: Vec<Whim>,
    next_whim: usize,
    lines: Vec<Line>,
    /// INVITEs of others.
    offers: Vec<Request>,
    sent: u32,
    outbox: VecDeque<Packet>,
}

/// What it does with a message that asks for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whim {
    /// Nothing.
    Ignore,
    /// It answers with this status. A 2xx to an INVITE of its own it acknowledges.
    Answer(u16),
    /// It rings, and then does nothing.
    Ring,
}

/// How a call of it begins.
#[derive(Debug, Clone)]
pub struct Opening {
    pub number: &'static str,
    /// The value of Contact; empty: no such header.
    pub contact: String,
    pub has_tag: bool,
}

/// A dialog of it.
#[derive(Debug)]
struct Line {
    hop: SocketAddr,
    invite_branch: String,
    uri: String,
    from: String,
    to: String,
    call_id: String,
    seq: u32,
    routes: Vec<String>,
    heard: Vec<u16>,
}

impl Rogue {
    /// A peer at `address` that does what `whims` say, one after the other and from the beginning again.
    #[must_use]
    pub fn new(address: SocketAddr, whims: Vec<Whim>) -> Self {
        let (lines, offers, outbox) = (Vec::new(), Vec::new(), VecDeque::new());
        Self { address, whims, next_whim: 0, lines, offers, sent: 0, outbox }
    }

    /// It changes its mind.
    pub fn set_whims(&mut self, whims: Vec<Whim>) {
        (self.whims, self.next_whim) = (whims, 0);
    }

    /// Begins a call towards `hop`. Returns its place.
    pub fn call(&mut self, hop: SocketAddr, opening: &Opening) -> usize {
        let at = self.lines.len();
        let place = host_port(self.address);
        let tag = if opening.has_tag { format!(";tag=r{at}") } else { String::new() };
        let uri = format!("sip:{}@{}", opening.number, host_port(hop));
        self.lines.push(Line {
            hop,
            invite_branch: String::new(),
            from: format!("<sip:rogue@{place}>{tag}"),
            to: format!("<{uri}>"),
            uri,
            call_id: format!("{at}@{place}"),
            seq: 0,
            routes: Vec::new(),
            heard: Vec::new(),
        });
        let contact = match opening.contact.is_empty() {
            true => String::new(),
            false => format!("Contact: {}\r\n", opening.contact),
        };
        self.send(at, "INVITE", &contact);
        if let Some(line) = self.lines.get_mut(at) {
            line.invite_branch = format!("z9hG4bKr{}", self.sent);
        }
        at
    }

    /// Sends a request in the call `at`, with these header lines.
    pub fn send(&mut self, at: usize, method: &str, lines: &str) {
        self.sent += 1;
        let branch = format!("z9hG4bKr{}", self.sent);
        if let Some(line) = self.lines.get_mut(at) {
            line.seq += 1;
            let cseq = format!("{} {method}", line.seq);
            self.write(at, method, &branch, &cseq, lines);
        }
    }

    /// Sends a request with this value of CSeq in the call `at`.
    pub fn send_with_cseq(&mut self, at: usize, method: &str, cseq: &str) {
        self.sent += 1;
        let branch = format!("z9hG4bKr{}", self.sent);
        self.write(at, method, &branch, cseq, "");
    }

    /// Cancels the call `at`.
    pub fn cancel(&mut self, at: usize) {
        let branch = self.lines.get(at).map(|line| line.invite_branch.clone());
        self.write(at, "CANCEL", &branch.unwrap_or_default(), "1 CANCEL", "");
    }

    /// Sends BYE to whoever has sent the last INVITE to it.
    pub fn end_last_offer(&mut self) {
        let Some(invite) = self.offers.last() else { return };
        let contact = invite.contact().map(|contact| contact.uri().as_str().to_owned());
        let place = host_port(self.address);
        self.sent += 1;
        let text = format!(
            "BYE {} SIP/2.0\r\nVia: SIP/2.0/UDP {place};branch=z9hG4bKr{}\r\nMax-Forwards: 70\r\n\
             From: {};tag=callee\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: 7 BYE\r\nContent-Length: 0\r\n\r\n",
            contact.unwrap_or_default(),
            self.sent,
            invite.to_value(),
            invite.from_value(),
            invite.call_id(),
        );
        let peer =
            invite.via().ip().map(|ip| SocketAddr::new(ip, invite.via().port().unwrap_or(5060)));
        if let Some(peer) = peer {
            self.post(peer, text);
        }
    }

    /// The final statuses that have come for its requests in the call `at`.
    #[must_use]
    pub fn heard(&self, at: usize) -> &[u16] {
        self.lines.get(at).map_or(&[], |line| &line.heard)
    }

    /// Its calls so far.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.lines.len()
    }

    fn write(&mut self, at: usize, method: &str, branch: &str, cseq: &str, lines: &str) {
        let Some(line) = self.lines.get(at) else { return };
        let place = host_port(self.address);
        let routes: String = line.routes.iter().map(|one| format!("Route: {one}\r\n")).collect();
        let body = if method == "INVITE" {
            crate::phone::sdp(self.address, "sendrecv")
        } else {
            String::new()
        };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let text = format!(
            "{method} {} SIP/2.0\r\nVia: SIP/2.0/UDP {place};branch={branch}\r\n{routes}Max-Forwards: 70\r\n\
             From: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {cseq}\r\n{lines}{kind}Content-Length: {}\r\n\r\n{body}",
            line.uri,
            line.from,
            line.to,
            line.call_id,
            body.len(),
        );
        let hop = line.hop;
        self.post(hop, text);
    }

    fn post(&mut self, peer: SocketAddr, text: String) {
        self.outbox.push_back(Packet { transport: Transport::Udp, peer, bytes: text.into() });
    }

    fn whim(&mut self) -> Whim {
        let whim = self.whims.get(self.next_whim % self.whims.len().max(1)).copied();
        self.next_whim += 1;
        whim.unwrap_or(Whim::Ignore)
    }

    fn answer(&mut self, request: Request, source: SocketAddr) {
        if request.method() == Method::Ack {
            return;
        }
        let status = match self.whim() {
            Whim::Ignore => return,
            Whim::Ring if request.method() == Method::Invite => 180,
            Whim::Ring => return,
            Whim::Answer(status) => status,
        };
        let vias: String =
            request.headers(Name::Via).map(|via| format!("Via: {via}\r\n")).collect();
        let routes = request.headers(Name::RecordRoute);
        let routes: String = routes.map(|route| format!("Record-Route: {route}\r\n")).collect();
        let is_invite = request.method() == Method::Invite;
        let tag = if request.to_tag().is_none() && is_invite { ";tag=callee" } else { "" };
        let is_answer = is_invite && (200..300).contains(&status);
        let body =
            if is_answer { crate::phone::sdp(self.address, "sendrecv") } else { String::new() };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let place = host_port(self.address);
        let text = format!(
            "SIP/2.0 {status} Whim\r\n{vias}{routes}From: {}\r\nTo: {}{tag}\r\nCall-ID: {}\r\nCSeq: {} {}\r\n\
             Contact: <sip:{place}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            request.from_value(),
            request.to_value(),
            request.call_id(),
            request.cseq().0,
            request.method_text(),
            body.len(),
        );
        self.post(source, text);
        if is_invite && request.to_tag().is_none() {
            self.offers.push(request);
        }
    }

    fn hear(&mut self, response: &Response) {
        let (seq, method) = response.cseq();
        let find = |line: &Line| line.call_id == response.call_id();
        let Some(at) = self.lines.iter().position(find) else { return };
        let status = response.status();
        if status < 200 {
            return;
        }
        if let Some(line) = self.lines.get_mut(at) {
            line.heard.push(status);
            if method == Method::Invite && status < 300 {
                response.to_value().clone_into(&mut line.to);
                if let Some(contact) = response.contact() {
                    contact.uri().as_str().clone_into(&mut line.uri);
                }
                line.routes = response.list(Name::RecordRoute).map(str::to_owned).collect();
                line.routes.reverse();
            }
        }
        if method != Method::Invite {
            return;
        }
        let cseq = format!("{seq} ACK");
        if status >= 300 {
            let branch = response.via().param("branch").unwrap_or_default().to_owned();
            self.write(at, "ACK", &branch, &cseq, "");
        } else if matches!(self.whim(), Whim::Answer(_)) {
            self.sent += 1;
            let branch = format!("z9hG4bKr{}", self.sent);
            self.write(at, "ACK", &branch, &cseq, "");
        }
    }
}

impl Node for Rogue {
    type Command = Infallible;
    type Event = Infallible;
    type Snapshot = usize;

    fn handle_packet(&mut self, _now: Instant, packet: Packet) {
        match parse(packet.bytes) {
            Ok(Incoming::Request(request)) => self.answer(request, packet.peer),
            Ok(Incoming::Response(response)) => self.hear(&response),
            Err(_) => {}
        }
    }

    fn handle_timeout(&mut self, _now: Instant) {}

    fn handle_unreachable(&mut self, _now: Instant, _transport: Transport, _peer: SocketAddr) {}

    fn handle_command(&mut self, _now: Instant, command: Infallible) -> Reply {
        match command {}
    }

    fn handle_drain(&mut self, _now: Instant) {
        self.whims.clear();
    }

    fn poll_transmit(&mut self) -> Option<Packet> {
        self.outbox.pop_front()
    }

    fn poll_event(&mut self) -> Option<Infallible> {
        None
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    fn snapshot(&self) -> usize {
        self.lines.len()
    }

    fn is_drained(&self) -> bool {
        true
    }
}
