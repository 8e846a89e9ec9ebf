//! The server side: requests of peers, CANCEL, and our responses — RFC 3261 §17.2, §9.2.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;

use super::event::Event;
use super::output::Output;
use super::schedule::Turns;
use super::server_table::{Fingerprint, ServerId};
use super::{Owner, RESERVE, Transactions};
use crate::message::{Method, Payload, Reply, Request, response, response_target};
use crate::{Packet, Rejection, Transport};

impl<O: Copy + std::fmt::Debug> Transactions<O> {
    /// Tags a server transaction with the TU's owner.
    pub fn own(&mut self, id: ServerId, owner: O) {
        if let Some(entry) = self.servers.get_mut(id) {
            entry.owner = Some(owner);
        }
    }

    /// The owner of a live server transaction.
    pub fn owner(&mut self, id: ServerId) -> Option<O> {
        self.servers.get_mut(id)?.owner
    }

    /// How the request of a live server transaction came, and so how its response goes.
    pub(crate) fn transport_of(&mut self, id: ServerId) -> Option<Transport> {
        Some(self.servers.get_mut(id)?.transport)
    }

    /// True if the transaction `id` is a copy: when it began, another one was alive with the same
    /// request, which had come over another path (RFC 3261 §8.2.2.2). A user agent server answers
    /// such a copy 482; a proxy forwards it.
    #[must_use]
    pub fn is_merged(&self, id: ServerId) -> bool {
        self.servers.is_merged(id)
    }

    /// Answers a request. Nothing happens if it has had its final response. A refusal without the header that it must
    /// have gets it, or becomes another one.
    pub(crate) fn respond(
        &mut self,
        now: Instant,
        id: ServerId,
        reply: &Reply<'_>,
    ) -> Option<Packet> {
        let entry = self.servers.get_mut(id)?;
        let request = entry.request.as_ref()?;
        if reply.status < 300 {
            let bytes = response(request, entry.source, reply);
            return self.respond_bytes(now, id, reply.status, bytes);
        }
        let (is_inside, lines) =
            (request.to_tag().is_some(), [reply.fixed, reply.payload.headers()]);
        let (status, line) = self.abilities.complete(reply.status, is_inside, &self.sent_by, lines);
        let fixed = [reply.fixed, line.as_bytes()].concat();
        let bytes = response(request, entry.source, &Reply { status, fixed: &fixed, ..*reply });
        self.respond_bytes(now, id, status, bytes)
    }

    /// Answers with a refusal.
    pub fn reject(&mut self, now: Instant, id: ServerId, rejection: &Rejection) {
        let fixed = rejection.lines(&self.sent_by);
        let tag = self.ids.tag();
        let payload = Payload::empty();
        let status = rejection.status;
        self.respond(
            now,
            id,
            &Reply { status, phrase: None, to_tag: &tag, fixed: &fixed, payload: &payload },
        );
    }

    /// Answers 100, without a tag (RFC 3261 §8.2.6.1).
    pub fn trying(&mut self, now: Instant, id: ServerId) {
        let Some(entry) = self.servers.get_mut(id) else { return };
        let Some(request) = entry.request.as_ref() else { return };
        let bytes = response(request, entry.source, &trying(&self.trying_lines));
        self.respond_bytes(now, id, 100, bytes);
    }

    /// Forwards a finished response (RFC 3261 §16.7); a 2xx to an INVITE may come several times.
    pub fn respond_bytes(
        &mut self,
        now: Instant,
        id: ServerId,
        status: u16,
        bytes: Bytes,
    ) -> Option<Packet> {
        let entry = self.servers.get_mut(id)?;
        let packet =
            Packet { transport: entry.transport, peer: entry.reply_to, bytes: bytes.clone() };
        let mut out = std::mem::take(&mut self.scratch);
        let taken = entry.machine.respond(status, bytes, now, &mut out);
        if !taken && (200..300).contains(&status) && entry.machine.is_invite() {
            // RFC 6026 §7.1: further 2xx pass through Accepted.
            out.push(Output::Send(packet.bytes.clone()));
        }
        if status >= 200 {
            entry.request = None;
        }
        self.carry_out_server(now, id, &mut out);
        self.scratch = out;
        Some(packet)
    }

    /// Sends one more copy of a 2xx of the TU's (RFC 3261 §13.3.1.4), to where responses to its
    /// INVITE go by now.
    pub(crate) fn resend_answer(&mut self, id: ServerId, packet: &Packet) {
        let peer = self.servers.get_mut(id).map_or(packet.peer, |entry| entry.reply_to);
        self.resend(&Packet { peer, ..packet.clone() });
    }

    pub(super) fn receive_request(
        &mut self,
        now: Instant,
        request: Request,
        transport: Transport,
        source: SocketAddr,
    ) {
        let key = self.servers.key_of(&request);
        if let Some(id) = self.servers.find(key) {
            self.receive_known(now, id, request, transport, source);
            return;
        }
        match request.method() {
            Method::Ack => {
                self.events.push_back(Event::Ack { owner: None, request, source, transport });
            }
            Method::Cancel => self.receive_cancel(now, key, &request, transport, source),
            _ if !self.has_room_for(&request) => {
                self.refuse_for_want_of_room(key, request, transport, source);
            }
            _ => {
                let id = self.insert_server(now, key, request.clone(), transport, source);
                self.events.push_back(Event::Request { id, request, source, transport });
            }
        }
    }

    fn refuse_for_want_of_room(
        &mut self,
        key: Fingerprint,
        request: Request,
        transport: Transport,
        source: SocketAddr,
    ) {
        self.stats.overflow += 1;
        let rejection = Rejection::over_limit("transactions (sip.transactions)");
        let reply = Reply {
            status: rejection.status,
            phrase: None,
            to_tag: "overflow",
            fixed: &rejection.lines(&self.sent_by),
            payload: Payload::nothing(),
        };
        let bytes = response(&request, source, &reply);
        self.transmit(transport, response_target(&request, transport, source), bytes);
        let is_call = request.method() == Method::Invite && request.to_tag().is_none();
        if is_call && !self.servers.note_refused(key) {
            let (invite, rejection) = (request, Box::new(rejection));
            self.events.push_back(Event::NoRoom { invite, source, rejection });
        }
    }

    fn has_room_for(&self, request: &Request) -> bool {
        let reserve = if request.to_tag().is_some() { 0 } else { self.max_servers / RESERVE };
        self.servers.len() < self.max_servers - reserve
    }

    fn receive_known(
        &mut self,
        now: Instant,
        id: ServerId,
        request: Request,
        transport: Transport,
        source: SocketAddr,
    ) {
        let Some(entry) = self.servers.get_mut(id) else {
            return;
        };
        let mut out = std::mem::take(&mut self.scratch);
        if request.method() == Method::Ack {
            if !entry.machine.handle_ack(now, &mut out) {
                let owner = entry.owner;
                self.events.push_back(Event::Ack { owner, request, source, transport });
            }
        } else {
            self.stats.repeated += 1;
            entry.machine.handle_retransmission(&mut out);
        }
        self.carry_out_server(now, id, &mut out);
        self.scratch = out;
    }

    /// RFC 3261 §9.2: CANCEL is answered at once: 200 if there is such an INVITE, else 481.
    fn receive_cancel(
        &mut self,
        now: Instant,
        key: Fingerprint,
        cancel: &Request,
        transport: Transport,
        source: SocketAddr,
    ) {
        let (tag, payload) = (self.ids.tag(), Payload::empty());
        let reply =
            Reply { status: 200, phrase: None, to_tag: &tag, fixed: &[], payload: &payload };
        let Some(invite) = self.servers.find_invite_of(cancel) else {
            // No transaction for it: a flood of strays must not fill the table.
            let bytes = response(cancel, source, &Reply { status: 481, ..reply });
            self.transmit(transport, response_target(cancel, transport, source), bytes);
            return;
        };
        let id = self.insert_server(now, key, cancel.clone(), transport, source);
        self.respond(now, id, &reply);
        if let Some(entry) = self.servers.get_mut(invite)
            && entry.machine.is_pending_invite()
        {
            let owner = entry.owner;
            self.events.push_back(Event::Cancel { invite, owner, cancel: cancel.clone() });
        }
    }

    fn insert_server(
        &mut self,
        now: Instant,
        key: Fingerprint,
        request: Request,
        transport: Transport,
        source: SocketAddr,
    ) -> ServerId {
        let id = self.servers.insert(key, request, transport, source, &self.timers, now);
        self.arm_server(id);
        id
    }

    pub(super) fn wake_server(&mut self, now: Instant, id: ServerId) {
        let Some(entry) = self.servers.get_mut(id) else {
            return;
        };
        entry.turns = Turns::default();
        let mut out = std::mem::take(&mut self.scratch);
        entry.machine.handle_timeout(now, &mut out);
        self.carry_out_server(now, id, &mut out);
        self.scratch = out;
    }

    fn carry_out_server(&mut self, now: Instant, id: ServerId, out: &mut Vec<Output>) {
        let Some(entry) = self.servers.get_mut(id) else {
            out.clear();
            return;
        };
        let (owner, peer, transport) = (entry.owner, entry.reply_to, entry.transport);
        for output in out.drain(..) {
            match output {
                Output::Send(bytes) => self.transmit(transport, peer, bytes),
                Output::Resend(bytes) => {
                    self.stats.resent += 1;
                    self.transmit(transport, peer, bytes);
                }
                Output::Timeout => self.events.push_back(Event::NoAck { owner }),
                Output::Terminate => self.schedule.clear(self.servers.remove(id)),
                Output::TryingDue => self.trying_now(now, id),
                Output::Response(_) | Output::Unreachable => {}
            }
        }
        self.arm_server(id);
    }

    fn trying_now(&mut self, now: Instant, id: ServerId) {
        let Some(entry) = self.servers.get_mut(id) else {
            return;
        };
        let Some(request) = entry.request.as_ref() else {
            return;
        };
        let bytes = response(request, entry.source, &trying(&self.trying_lines));
        let (transport, peer) = (entry.transport, entry.reply_to);
        entry.machine.respond(100, bytes.clone(), now, &mut Vec::new());
        self.transmit(transport, peer, bytes);
    }

    fn arm_server(&mut self, id: ServerId) {
        if let Some(entry) = self.servers.get_mut(id) {
            let (due, is_over) = (entry.machine.poll_timeout(), entry.machine.is_over());
            self.schedule.set(&mut entry.turns, Owner::Server(id), due, is_over);
        }
    }
}

/// A 100, without a tag (RFC 3261 §8.2.6.1).
fn trying(lines: &[u8]) -> Reply<'_> {
    Reply { status: 100, phrase: None, to_tag: "", fixed: lines, payload: Payload::nothing() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Response;
    use crate::timer::Timers;

    fn request(number: usize, to_tag: &str) -> Packet {
        let text = format!(
            "OPTIONS sip:15@127.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK{number}\r\n\
             From: <sip:a@127.0.0.1>;tag=a\r\nTo: <sip:15@127.0.0.2>{to_tag}\r\n\
             Call-ID: {number}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        );
        let peer = ([127, 0, 0, 1], 5060).into();
        Packet { transport: Transport::Udp, peer, bytes: text.into() }
    }

    // Under a flood, a call can still be ended or changed.
    #[test]
    fn the_last_places_are_for_requests_inside_dialogs() {
        let now = Instant::now();
        let mut transactions: Transactions<()> =
            Transactions::new(([127, 0, 0, 2], 5060).into(), Timers::RFC3261, 1).with_most(20);
        let mut refused = |number, to_tag| {
            transactions.handle_packet(now, request(number, to_tag));
            let sent = transactions.poll_transmit();
            sent.map(|packet| Response::parse(packet.bytes).unwrap().status())
        };
        for number in 0..10 {
            assert_eq!(refused(number, ""), None);
        }
        assert_eq!(refused(10, ""), Some(503));
        for number in 11..21 {
            assert_eq!(refused(number, ";tag=b"), None);
        }
        assert_eq!(refused(21, ";tag=b"), Some(503));
        assert_eq!((transactions.len(), transactions.stats().overflow), (20, 2));
    }
}
