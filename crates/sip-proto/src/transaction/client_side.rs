//! The client side: requests of ours, CANCEL, and the responses to them — RFC 3261 §17.1, §9.1.

use std::net::SocketAddr;
use std::time::Instant;

use super::client_table::{ClientId, Machine, Settled};
use super::event::{Event, Failure};
use super::output::Output;
use super::schedule::Turns;
use super::{LATE_AFTER, Owner, Target, Transactions, UDP_LIMIT, client_table, name_on};
use crate::arena::Key;
use crate::dialog::Dialog;
use crate::message::{
    Draft, Forward, Head, Method, OFFER_BOTH, Payload, Request, Response, host_port,
};
use crate::{Packet, Transport};

/// Bytes of the Via line of a request, but for our name: its fixed text and a branch.
const VIA_LINE: usize = "Via: SIP/2.0/UDP ;rport;branch=\r\n".len() + client_table::BRANCH_LEN;

/// Names an ACK of a 2xx, which has no transaction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AckId(u64);

impl<O: Copy + std::fmt::Debug> Transactions<O> {
    /// Starts a client transaction for a request of the user agent.
    pub(crate) fn send(
        &mut self,
        now: Instant,
        draft: Draft,
        target: Target,
        owner: O,
    ) -> ClientId {
        let transport = target.transport.unwrap_or_else(|| self.transport_for(&draft, target.peer));
        let method = draft.method();
        let by_size = target.transport.is_none() && transport == Transport::Tcp;
        let otherwise = by_size.then_some((target.peer, Transport::Udp)).or(target.otherwise);
        let nonce = self.ids.nonce();
        let mut out = std::mem::take(&mut self.scratch);
        let params = self.via_params(target.peer);
        let (timers, sent_by) = (&self.timers, name_on(&self.sent_by, &self.names, transport));
        let id = self.clients.insert(owner, target.peer, transport, otherwise, nonce, |branch| {
            // RFC 3261 §18.1.1: TCP for the size alone says nothing of later requests.
            let bytes = match target.transport {
                Some(Transport::Tcp) => draft.with_via_for_tcp_peer(sent_by, branch, params),
                _ => draft.with_via(transport, sent_by, branch, params),
            };
            Machine::start(method, bytes, transport.is_reliable(), timers, now, &mut out)
        });
        self.carry_out_client(id, &mut out);
        self.scratch = out;
        id
    }

    /// Asks a peer with OPTIONS whether it is alive (RFC 3261 §11.1).
    pub fn probe(&mut self, now: Instant, peer: SocketAddr, owner: O) -> ClientId {
        self.address(now, Method::Options, peer, &Payload::empty(), owner)
    }

    /// Sends a MESSAGE outside any dialog (RFC 3428 §4): how the call servers of a pool talk to each other.
    pub fn message(
        &mut self,
        now: Instant,
        peer: SocketAddr,
        payload: &Payload,
        owner: O,
    ) -> ClientId {
        self.address(now, Method::Message, peer, payload, owner)
    }

    /// Sends a request outside any dialog that is for the peer itself.
    fn address(
        &mut self,
        now: Instant,
        method: Method,
        peer: SocketAddr,
        payload: &Payload,
        owner: O,
    ) -> ClientId {
        let (call_id, tag) = (self.ids.uuid(), self.ids.tag());
        let from = ["<sip:", &self.sent_by, ">;tag=", &tag].concat();
        let uri = ["sip:", &host_port(peer)].concat();
        let head = Head {
            method,
            uri: &uri,
            // One hop, so that the peer itself answers.
            max_forwards: 1,
            from: &from,
            to: &["<", &uri, ">"].concat(),
            call_id: &call_id,
            cseq: 1,
            route: &[],
        };
        let draft = Draft::new(&head, b"", payload);
        self.send(now, draft, Target::to(peer), owner)
    }

    /// Forwards a request statefully (RFC 3261 §16.6).
    pub fn forward(
        &mut self,
        now: Instant,
        request: &Request,
        changes: &Forward<'_>,
        target: Target,
        owner: O,
    ) -> ClientId {
        self.send(now, changes.draft(request), target, owner)
    }

    /// A name for an ACK of a 2xx: all copies of it have the same branch.
    pub(crate) fn ack_id(&mut self) -> AckId {
        AckId(self.ids.nonce())
    }

    /// Sends a request that has no transaction of its own: the ACK of a 2xx, ours or forwarded (RFC
    /// 3261 §13.2.2.4, §16.6). Returns the finished message, which answers further copies of the
    /// 2xx.
    pub(crate) fn send_ack(&mut self, id: AckId, draft: Draft, target: Target) -> Packet {
        let transport = target.transport.unwrap_or_else(|| self.transport_for(&draft, target.peer));
        let mut text = [0; client_table::BRANCH_LEN];
        let branch = client_table::branch(&mut text, Key::of_nothing(id.0));
        let params = self.via_params(target.peer);
        let sent_by = name_on(&self.sent_by, &self.names, transport);
        let bytes = draft.with_via(transport, sent_by, branch, params);
        self.transmit(transport, target.peer, bytes.clone());
        Packet { transport, peer: target.peer, bytes }
    }

    /// Sends one once more, written again.
    pub(crate) fn send_ack_again(&mut self, id: AckId, draft: Draft, target: Target) {
        self.stats.resent += 1;
        self.send_ack(id, draft, target);
    }

    /// Forwards the ACK of a 2xx.
    pub fn forward_ack(&mut self, request: &Request, changes: &Forward<'_>, target: Target) {
        let id = self.ack_id();
        self.send_ack(id, changes.draft(request), target);
    }

    /// Sends a finished message again.
    pub(crate) fn resend(&mut self, packet: &Packet) {
        self.stats.resent += 1;
        self.transmit(packet.transport, packet.peer, packet.bytes.clone());
    }

    /// Asks to end an INVITE of ours (RFC 3261 §9.1). Before a provisional response the CANCEL is
    /// held back; after a final response nothing happens. If no final response follows within
    /// 64·T1, the INVITE fails with a timeout. `lines` are further complete header lines of the
    /// CANCEL, such as Reason.
    pub fn cancel(&mut self, now: Instant, id: ClientId, lines: Vec<u8>) {
        let Some(entry) = self.clients.get_mut(id) else {
            return;
        };
        entry.special().cancel_wanted.get_or_insert(lines);
        self.send_cancel_if_due(now, id);
    }

    /// Ends an INVITE of ours within 64·T1 though it is not cancelled: its dialog is over, and a
    /// peer that fell silent after a provisional response would keep it alive for ever.
    pub fn limit(&mut self, now: Instant, id: ClientId) {
        let give_up = self.timers.give_up();
        if let Some(entry) = self.clients.get_mut(id) {
            entry.special().give_up_at.get_or_insert(now + give_up);
        }
        self.arm_client(id);
    }

    /// Where the request of a live client transaction went.
    pub(crate) fn peer_of(&mut self, id: ClientId) -> Option<SocketAddr> {
        Some(self.clients.get_mut(id)?.peer)
    }

    /// Ends the dialog that an answer made and nobody wants any more, as the caller would: ACK, then BYE
    /// (RFC 3261 §13.2.2.4). For a proxy that has told its caller otherwise in the meantime. Further copies
    /// of the answer match nothing then.
    pub fn end_answer(&mut self, now: Instant, id: ClientId, response: &Response, owner: O) {
        let Some(peer) = self.peer_of(id) else { return };
        self.forget(id);
        let mut dialog = Dialog::uac(response, peer).seen_from(&self.sent_by);
        let (ack, target) = dialog.ack(response.cseq().0, b"", &Payload::empty());
        let id = self.ack_id();
        self.send_ack(id, ack, target);
        let (bye, target) = dialog.request(Method::Bye, b"", &Payload::empty());
        self.send(now, bye, target, owner);
    }

    /// Ends a dialog whose other side is gone, with these header lines in the BYE.
    pub fn end_dialog(&mut self, now: Instant, mut dialog: Dialog, payload: &Payload, owner: O) {
        let (bye, target) = dialog.request(Method::Bye, b"", payload);
        self.send(now, bye, target, owner);
    }

    /// Asks an end of a dialog by OPTIONS whether it still has it, in the name of the other end. CSeq 0 is lower than any that
    /// the other end uses, so none is taken from it: an end that has the dialog may answer 500, and one that has not 481
    /// (RFC 3261 §12.2.2).
    pub fn ask(&mut self, now: Instant, dialog: &Dialog, owner: O) -> ClientId {
        let (options, target) = dialog.question();
        self.send(now, options, target, owner)
    }

    /// Drops a client transaction whose outcome nobody waits for any more.
    pub fn forget(&mut self, id: ClientId) {
        self.schedule.clear(self.clients.remove(id));
    }

    fn send_cancel_if_due(&mut self, now: Instant, id: ClientId) {
        let give_up = self.timers.give_up();
        let Some(entry) = self.clients.get_mut(id) else {
            return;
        };
        let Some((invite, lines)) = entry.cancellable() else {
            return;
        };
        entry.special().give_up_at = Some(now + give_up);
        let Ok(invite) = Request::reread(invite) else {
            // What the TU wrote into the INVITE cannot be read: then only the time limit is left.
            self.arm_client(id);
            return;
        };
        let bytes = Draft::cancel_for(&invite, &lines);
        let (owner, peer, transport) = (entry.owner, entry.peer, entry.transport);
        let mut out = Vec::new();
        let reliable = transport.is_reliable();
        let machine = Machine::start(Method::Cancel, bytes, reliable, &self.timers, now, &mut out);
        let cancel = self.clients.insert_cancel(id, owner, peer, transport, machine);
        self.carry_out_client(cancel, &mut out);
        self.arm_client(id);
    }

    /// What our Via says beside the branch (RFC 7339 §4.1).
    fn via_params(&self, peer: SocketAddr) -> &'static str {
        if self.obeyed.contains(&peer) { OFFER_BOTH } else { "" }
    }

    fn transport_for(&self, draft: &Draft, peer: SocketAddr) -> Transport {
        let size = draft.len() + VIA_LINE + self.sent_by.len() + self.via_params(peer).len();
        if size > UDP_LIMIT { Transport::Tcp } else { Transport::Udp }
    }

    pub(super) fn receive_response(&mut self, now: Instant, response: Response) {
        let found =
            response.branch().and_then(|branch| self.clients.find(branch, response.cseq().1));
        let Some(id) = found else {
            self.stats.stray += 1;
            return;
        };
        let mut out = std::mem::take(&mut self.scratch);
        if let Some(entry) = self.clients.get_mut(id) {
            entry.machine.handle_response(response, now, &mut out);
        }
        self.carry_out_client(id, &mut out);
        self.scratch = out;
        self.send_cancel_if_due(now, id);
    }

    pub(super) fn wake_client(&mut self, now: Instant, due: Instant, id: ClientId) {
        let Some(entry) = self.clients.get_mut(id) else {
            return;
        };
        entry.turns = Turns::default();
        let mut out = std::mem::take(&mut self.scratch);
        if entry.give_up_at().is_some_and(|due| due <= now) && entry.machine.is_pending() {
            // RFC 3261 §9.1: a cancelled INVITE without a final response within 64*T1 is over.
            out.extend([Output::Timeout, Output::Terminate]);
        } else {
            entry.machine.handle_timeout(now, &mut out);
        }
        if now.saturating_duration_since(due) > LATE_AFTER {
            let copies = out.iter().filter(|output| matches!(output, Output::Resend(_)));
            self.stats.resent_late += copies.count() as u64;
        }
        self.carry_out_client(id, &mut out);
        self.scratch = out;
    }

    pub(super) fn client_lost_transport(&mut self, now: Instant, id: ClientId) {
        let mut out = std::mem::take(&mut self.scratch);
        let begins_again = self.clients.fall_back(id, &self.timers, now, &mut out);
        if let Some(entry) = self.clients.get_mut(id).filter(|_| !begins_again) {
            entry.machine.handle_unreachable(&mut out);
        }
        self.carry_out_client(id, &mut out);
        self.scratch = out;
    }

    fn carry_out_client(&mut self, id: ClientId, out: &mut Vec<Output>) {
        let Some(entry) = self.clients.get_mut(id) else {
            out.clear();
            return;
        };
        let (owner, peer, transport, is_cancel) =
            (entry.owner, entry.peer, entry.transport, entry.is_cancel);
        for output in out.drain(..) {
            match output {
                Output::Send(bytes) => self.transmit(transport, peer, bytes),
                Output::Resend(bytes) => {
                    self.stats.resent += 1;
                    self.transmit(transport, peer, bytes);
                }
                // What becomes of the CANCEL itself changes nothing: the INVITE's final response
                // decides.
                Output::Response(_) | Output::Timeout | Output::Unreachable if is_cancel => {}
                Output::Response(response) => {
                    self.events.push_back(Event::Response { id, owner, response });
                }
                Output::Timeout => {
                    self.stats.timeouts += 1;
                    self.events.push_back(Event::Failed { id, owner, failure: Failure::Timeout });
                }
                Output::Unreachable => {
                    self.stats.unreachable += 1;
                    self.events.push_back(Event::Failed {
                        id,
                        owner,
                        failure: Failure::Unreachable,
                    });
                }
                Output::TryingDue => {}
                Output::Terminate => self.schedule.clear(self.clients.remove(id)),
            }
        }
        self.arm_client(id);
    }

    fn arm_client(&mut self, id: ClientId) {
        if let Some(Settled { turns, due, is_over }) = self.clients.settle(id) {
            self.schedule.set(turns, Owner::Client(id), due, is_over);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::deadlines::FORGET_WITHIN;
    use crate::timer::Timers;
    use crate::transaction::fixture::response_to;

    // Nobody waits for it, so nothing is left to wake up for.
    #[test]
    fn a_forgotten_request_leaves_no_deadline() {
        let now = Instant::now();
        let mut transactions: Transactions<()> =
            Transactions::new(([127, 0, 0, 2], 5060).into(), Timers::RFC3261, 1);
        let id = transactions.probe(now, ([127, 0, 0, 3], 5060).into(), ());
        assert!(transactions.poll_timeout().is_some());
        transactions.forget(id);
        assert_eq!((transactions.poll_timeout(), transactions.len()), (None, 0));
    }

    // A box that is busy is not woken for transactions that are over; one that is not is woken once for several.
    #[test]
    fn what_is_over_is_forgotten_with_other_work_or_soon() {
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        let mut transactions: Transactions<()> =
            Transactions::new(([127, 0, 0, 2], 5060).into(), Timers::RFC3261, 1);
        let answered = |transactions: &mut Transactions<()>, now| {
            let peer = ([127, 0, 0, 3], 5060).into();
            transactions.probe(now, peer, ());
            let request = transactions.poll_transmit().unwrap();
            let request = Request::parse(request.bytes).unwrap();
            let bytes = response_to(&request, 200).to_bytes();
            transactions.handle_packet(now, Packet { transport: Transport::Udp, peer, bytes });
        };
        answered(&mut transactions, start);
        answered(&mut transactions, after(2_000));
        assert_eq!(transactions.len(), 2);
        // Timer K of the first one is due, and does not wake anybody.
        assert_eq!(transactions.poll_timeout(), Some(after(5_000) + FORGET_WITHIN));
        answered(&mut transactions, after(5_000));
        assert_eq!(transactions.len(), 2);
        let woken = transactions.poll_timeout().unwrap();
        assert_eq!(woken, after(7_000) + FORGET_WITHIN);
        transactions.handle_timeout(woken);
        assert_eq!((transactions.len(), transactions.poll_timeout()), (0, None));
    }
}
