//! Early dialogs (RFC 3261 §12.1.2): what crosses in the dialog before the final response to its INVITE.
//!
//! No offer is taken in an early dialog. RFC 3311 §5.2 allows one only after the offer of the INVITE has had its answer in a
//! reliable provisional response, which this stack sends to none but those who demand it (`reliable.rs`).

use std::time::Instant;

use super::leg::{Leg, State, TheirModify};
use super::{Event, Failure, LegId, Owner, Purpose, UserAgent};
use crate::Rejection;
use crate::dialog::Dialog;
use crate::message::{Method, Name, Request, Response};
use crate::sdp;
use crate::transaction::ServerId;

/// More branches than any honest fork has.
const MOST: usize = 16;

impl Leg {
    /// The dialog, confirmed or early, that a message with this Call-ID and this tag of the peer is inside of.
    pub(super) fn dialog_with(&mut self, call_id: &str, tag: &str) -> Option<&mut Dialog> {
        let all = self.dialog.iter_mut().chain(&mut self.early);
        all.into_iter().find(|dialog| dialog.matches(call_id, tag))
    }

    /// The same as a question.
    pub(super) fn has_dialog_with(&self, call_id: &str, tag: &str) -> bool {
        self.dialog.iter().chain(&self.early).any(|dialog| dialog.matches(call_id, tag))
    }

    /// The dialog for a request of ours that changes no session; `None` if the peer can know of none.
    pub(super) fn dialog_for_request(&mut self) -> Option<&mut Dialog> {
        match self.state {
            State::Confirmed | State::Answered { hang_up: None } => self.dialog.as_mut(),
            State::Offered { .. } if self.has_rung => self.dialog.as_mut(),
            State::Calling { hang_up: None, .. } => self.early.last_mut(),
            _ => None,
        }
    }

    /// A provisional response makes an early dialog, or is one more of it.
    pub(super) fn note_early(&mut self, response: &Response) {
        let Some(tag) = response.to_tag() else { return };
        let known = self.early.iter().position(|early| early.remote_tag() == tag);
        match known.map(|at| self.early.remove(at)) {
            Some(early) => self.early.push(early.continued_by(response, self.peer)),
            None if self.early.len() < MOST => self.early.push(Dialog::uac(response, self.peer)),
            None => {}
        }
    }

    /// The dialog that a 2xx confirms (RFC 3261 §13.2.2.4): its early dialog goes on, if there was one.
    pub(super) fn confirm(&mut self, response: &Response) {
        let tag = response.to_tag().unwrap_or_default();
        let early = std::mem::take(&mut self.early);
        let early = early.into_iter().find(|early| early.remote_tag() == tag);
        self.dialog = Some(match early {
            Some(early) => early.continued_by(response, self.peer),
            None => Dialog::uac(response, self.peer),
        });
    }
}

impl UserAgent {
    /// A re-INVITE or UPDATE before the call is answered, or an UPDATE without an offer before the ACK.
    pub(super) fn receive_early_modify(
        &mut self,
        now: Instant,
        id: LegId,
        server: ServerId,
        request: Request,
    ) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        let ours = matches!(leg.state, State::Calling { .. });
        let pending = leg.their_modify.is_some();
        if request.method() == Method::Invite || has_offer(&request) || pending {
            // RFC 3311 §5.2, RFC 3261 §14.2: an offer of ours awaits its answer, or one of the peer awaits ours; or an
            // earlier UPDATE awaits its response.
            let rejection = match ours && !pending {
                true => Rejection::new(491),
                false => self.overlapping(),
            };
            self.refuse(now, server, &rejection);
            return;
        }
        let (method, seq) = (request.method(), request.cseq().0);
        leg.their_modify = Some(Box::new(TheirModify { server, method, seq }));
        if let Some(dialog) = leg.dialog_with(request.call_id(), request.from_tag()) {
            dialog.refresh_target(&request);
        }
        self.transactions.own(server, Owner::Leg(id, Purpose::Modify));
        self.events.push_back(Event::Request { leg: id, id: server, request });
    }

    /// RFC 3261 §14.2, RFC 3311 §5.2: one after the other; the peer may try again after up to 10 s.
    pub(super) fn overlapping(&mut self) -> Rejection {
        Rejection::new(500).with_retry_after(self.transactions.ids().jitter(0, 10_000))
    }

    /// BYE of the callee before its answer. RFC 3261 §15 forbids it, but whoever sends it will not answer any more: the
    /// INVITE ends if no other branch is left.
    pub(super) fn receive_early_bye(&mut self, now: Instant, id: LegId, request: &Request) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        let State::Calling { invite, hang_up, .. } = &leg.state else { return };
        let (invite, gave_up) = (*invite, hang_up.is_some());
        leg.early.retain(|early| early.remote_tag() != request.from_tag());
        if leg.early.is_empty() && !gave_up {
            self.transactions.cancel(now, invite, Vec::new());
            self.remove(now, id);
            self.events.push_back(Event::Failed { leg: id, failure: Failure::Timeout });
        }
    }
}

/// True if a request carries a session description.
pub(super) fn has_offer(request: &Request) -> bool {
    let content_type = request.header(Name::ContentType).unwrap_or_default();
    request.has_body() && !matches!(sdp::find(content_type, &request.body()), Ok(None))
}
