//! The end of a call: BYE (RFC 3261 §15) and CANCEL of our INVITE (§9.1).

use std::time::Instant;

use super::leg::{HangUp, State, TheirModify};
use super::{End, Event, LegId, Owner, Purpose, UserAgent};
use crate::Rejection;
use crate::message::{Method, Payload, Request, Response};
use crate::reason::Reason;
use crate::transaction::{ClientId, ServerId};

impl UserAgent {
    /// Ends a leg in whatever state it is: CANCEL, refusal or BYE. A terminal event follows, once
    /// it is over.
    pub fn hang_up(&mut self, now: Instant, id: LegId, reason: Option<&Reason>) {
        let Some(leg) = self.legs.get_mut(id) else {
            return;
        };
        match &mut leg.state {
            State::Calling { invite, hang_up, .. } => {
                hang_up.get_or_insert(HangUp::with(reason));
                let invite = *invite;
                self.transactions.cancel(now, invite, reason_line(reason));
            }
            State::Offered { .. } => {
                let rejection = Rejection { reason: reason.cloned(), ..Rejection::new(480) };
                self.reject(now, id, &rejection, &Payload::empty());
                self.events
                    .push_back(Event::Ended { leg: id, end: End::HungUp { confirmed: true } });
            }
            // RFC 3261 §15: the callee sends no BYE before the ACK or its timeout.
            State::Answered { hang_up } => {
                hang_up.get_or_insert(HangUp::with(reason));
            }
            State::Confirmed => self.send_bye(now, id, reason),
            State::Closing => {}
        }
    }

    /// Sends BYE and waits for its response.
    pub(super) fn send_bye(&mut self, now: Instant, id: LegId, reason: Option<&Reason>) {
        self.settle_acks(now, id);
        // The time after which `drop_changes` ends a re-INVITE.
        let limit = self.give_up_after();
        let Some(leg) = self.legs.get_mut(id) else {
            return;
        };
        let session = leg.session.clone();
        leg.state = State::Closing;
        leg.answer = None;
        let changes = (leg.our_modify.take(), leg.their_modify.take());
        let changing = changes.0.as_ref().is_some_and(|ours| ours.method == Method::Invite);
        leg.answer_until = changing.then(|| now + limit);
        let Some(dialog) = &mut leg.dialog else {
            return;
        };
        let fixed = [session.as_bytes(), &reason_line(reason)].concat();
        let (draft, target) = dialog.request(Method::Bye, &fixed, &Payload::empty());
        self.transactions.send(now, draft, target, Owner::Leg(id, Purpose::Bye));
        let ours = changes.0.and_then(|ours| ours.client);
        self.drop_changes(now, ours, changes.1);
        self.arm(id);
    }

    /// Sends BYE for a leg that is removed at once.
    pub(super) fn send_bye_unawaited(&mut self, now: Instant, id: LegId, reason: Option<&Reason>) {
        let Some(leg) = self.legs.get_mut(id) else {
            return;
        };
        let session = leg.session.clone();
        let Some(dialog) = &mut leg.dialog else {
            return;
        };
        let fixed = [session.as_bytes(), &reason_line(reason)].concat();
        let (draft, target) = dialog.request(Method::Bye, &fixed, &Payload::empty());
        self.transactions.send(now, draft, target, Owner::Nobody);
    }

    /// ACKs that the TU still owes go out without an answer: the peer must stop repeating its 2xx.
    fn settle_acks(&mut self, now: Instant, id: LegId) {
        while self.owes_ack(id) {
            self.acknowledge(now, id, &Payload::empty());
        }
    }

    pub(super) fn bye_response(&mut self, now: Instant, id: LegId, response: &Response) {
        if response.status() >= 200 && self.legs.get(id).is_some() {
            self.remove(now, id);
            let confirmed = response.status() < 300 || response.status() == 481;
            self.events.push_back(Event::Ended { leg: id, end: End::HungUp { confirmed } });
        }
    }

    pub(super) fn bye_failed(&mut self, now: Instant, id: LegId) {
        if self.legs.get(id).is_some() {
            self.remove(now, id);
            self.events.push_back(Event::Ended { leg: id, end: End::HungUp { confirmed: false } });
        }
    }

    pub(super) fn receive_bye(&mut self, now: Instant, id: LegId, bye: ServerId, request: Request) {
        self.reply_plain(now, bye, id, 200);
        self.bye_received(now, id, request);
    }

    /// The peer has hung up, whatever we have answered to its BYE (RFC 3261 §15.1.1).
    pub(super) fn bye_received(&mut self, now: Instant, id: LegId, request: Request) {
        let Some(leg) = self.legs.get(id) else { return };
        match leg.state {
            // Both sides hung up at once; our own BYE will be answered too.
            State::Closing => {}
            State::Offered { invite, .. } => {
                // RFC 3261 §15.1.2: the caller may end an early dialog by BYE; its INVITE is
                // answered 487.
                self.reply(now, invite, id, 487, &Payload::empty(), b"");
                self.remove(now, id);
                self.events.push_back(Event::Cancelled { leg: id, reason: Reason::of(&request) });
            }
            State::Calling { .. } => self.receive_early_bye(now, id, &request),
            State::Answered { .. } | State::Confirmed => {
                self.remove(now, id);
                self.events.push_back(Event::Ended { leg: id, end: End::Bye(request) });
            }
        }
    }

    /// RFC 3261 §12.2.1.2: the peer does not know the dialog, or does not answer any more.
    pub(super) fn peer_is_gone(&mut self, now: Instant, id: LegId, status: u16) {
        let alive = self.legs.get(id).is_some_and(|leg| !matches!(leg.state, State::Closing));
        if alive {
            if status != 481 {
                self.send_bye_unawaited(now, id, None);
            }
            self.remove(now, id);
            if status == 481 {
                self.over_without_bye(id);
            }
            self.events.push_back(Event::Ended { leg: id, end: End::PeerGone { status } });
        }
    }

    /// Ends what was to change a session that is over.
    pub(super) fn drop_changes(
        &mut self,
        now: Instant,
        ours: Option<ClientId>,
        theirs: Option<Box<TheirModify>>,
    ) {
        if let Some(client) = ours {
            self.transactions.limit(now, client);
        }
        if let Some(theirs) = theirs {
            // RFC 3261 §15.1.2: pending requests of a dialog that is over are answered 487.
            self.transactions.reject(now, theirs.server, &Rejection::new(487));
        }
    }

    fn reply_plain(&mut self, now: Instant, id: ServerId, leg: LegId, status: u16) {
        let session = self.legs.get(leg).map(|leg| leg.session.clone()).unwrap_or_default();
        let payload = Payload::empty();
        let reply = crate::message::Reply {
            status,
            phrase: None,
            to_tag: "",
            fixed: session.as_bytes(),
            payload: &payload,
        };
        self.transactions.respond(now, id, &reply);
    }
}

fn reason_line(reason: Option<&Reason>) -> Vec<u8> {
    reason.map(|reason| format!("Reason: {reason}\r\n").into_bytes()).unwrap_or_default()
}
