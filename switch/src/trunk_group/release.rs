//! The end of a call: its circuit is given back, and both ends hear of it.
//!
//! Nothing is held for ever. An end that has ended the call, refuses a BYE, does not know the dialog any more (481), or leaves a
//! request inside it unanswered, has no use for the circuit (RFC 3261 §12.2.1.2, §15.1.1).
//!
//! | what has come | what becomes of the call |
//! |---|---|
//! | the site's BYE | its circuit is free at once |
//! | any final response to a BYE, or none within 64·T1 | it is over; only after 401 or 407 may the BYE come again |
//! | a BYE that the trunk group itself refuses | it is over, and the other end gets a BYE from here |
//! | 481 to another request inside the dialog | it is over for the end that answers so; the other end hears the 481 |
//! | 408 to another request, or no response | the end has 64·T1 to show that it is there; then both ends get BYE |

use std::time::Instant;

use sip_proto::dialog::Dialog;
use sip_proto::message::{Payload, Request};
use sip_proto::reason::Reason;
use telemetry::{CallRecord, Party};

use sip_proto::Rejection;

use super::call::{Call, CallId, Owner, Side};
use super::{TrunkGroup, Wake};
use crate::pool::takeover_time;

impl TrunkGroup {
    /// Gives the circuit back; `failed` if the call was not answered on it.
    pub(super) fn release(&mut self, id: CallId, failed: bool) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let Some((index, circuit)) = call.circuit.take() else { return };
        let member = self.members.get_mut(index).expect("members never go away");
        self.notes.note(&call.record.call_id, || {
            format!("gives the circuit towards {} back", member.name)
        });
        member.circuits.release(circuit);
        member.counts.failed += u64::from(failed);
    }

    /// Forgets a call and its deadlines. Its circuit must have been released.
    pub(super) fn remove(&mut self, now: Instant, id: CallId) -> Option<Call> {
        let mut call = self.calls.remove(id)?;
        self.deadlines.clear(Wake::Call(id));
        if let Some(ip) = call.counts_at.take() {
            self.sources.ended(ip);
        }
        self.deadlines.clear(Wake::Ack(id));
        self.deadlines.clear(Wake::Audit(id));
        self.deadlines.clear(Wake::Doubt(id));
        for (server, client) in call.inside.drain(..) {
            self.deadlines.clear(Wake::Inside(id, server));
            // A change was on its way through, and its dialog is over. If it is answered after all, whoever answers it
            // is acknowledged and told (`mod.rs`).
            self.transactions.limit(now, client);
            self.transactions.reject(now, server, &Rejection::new(487));
        }
        debug_assert!(call.circuit.is_none(), "a call ends without its circuit");
        Some(call)
    }

    /// Ends an answered call towards both ends, in the name of each other (3GPP TS 24.229 §5.2.8.1.2), and records it as lost.
    pub(super) fn end_both(&mut self, now: Instant, id: CallId, reason: Reason, why: &str) {
        self.release(id, false);
        let Some(mut call) = self.remove(now, id) else { return };
        if let Some(dialogs) = call.dialogs.take() {
            self.send_bye(now, dialogs.towards_caller, &reason);
            self.send_bye(now, dialogs.towards_site, &reason);
        }
        let cause = Some(reason.q850_cause());
        self.records.lost(now, CallRecord { cause, ..call.record }, why.to_owned());
    }

    /// Ends the call towards the caller alone: the site has lost it.
    pub(super) fn end_towards_caller(
        &mut self,
        now: Instant,
        id: CallId,
        reason: Reason,
        why: &str,
    ) {
        self.release(id, false);
        let Some(mut call) = self.remove(now, id) else { return };
        if let Some(dialogs) = call.dialogs.take() {
            self.send_bye(now, dialogs.towards_caller, &reason);
        }
        let cause = Some(reason.q850_cause());
        self.records.lost(now, CallRecord { cause, ..call.record }, why.to_owned());
    }

    /// `sender` has hung up by a BYE that we could not forward: the other end gets one of ours.
    pub(super) fn end_across(&mut self, now: Instant, id: CallId, sender: Side, bye: &Request) {
        self.release(id, false);
        let Some(mut call) = self.remove(now, id) else { return };
        let reason = Reason::of(bye).unwrap_or_else(|| Reason::q850(16, "Normal call clearing"));
        if let Some(dialogs) = call.dialogs.take() {
            let dialog = match sender {
                Side::Caller => dialogs.towards_site,
                Side::Site => dialogs.towards_caller,
            };
            self.send_bye(now, dialog, &reason);
        }
        self.records.ended(now, call.record);
    }

    fn send_bye(&mut self, now: Instant, dialog: Dialog, reason: &Reason) {
        let payload = Payload::empty().with_header("Reason", &reason.to_string());
        self.transactions.end_dialog(now, dialog, &payload, Owner::Nobody);
    }

    /// The BYE of a call has had this final response, or none: the call is over.
    pub(super) fn bye_done(&mut self, now: Instant, id: CallId, status: u16) {
        if matches!(status, 401 | 407) {
            // Whoever hung up may do so again, with credentials (RFC 3261 §22). If not, the time is limited.
            return self.doubt(now, id, Side::Caller);
        }
        self.release(id, false);
        let Some(call) = self.remove(now, id) else { return };
        self.records.ended(now, call.record);
    }

    /// What the response to a request of `sender` inside the call shows of the other end.
    pub(super) fn shown_by_response(
        &mut self,
        now: Instant,
        id: CallId,
        sender: Side,
        status: u16,
    ) {
        let end = sender.other();
        match status {
            481 => self.end_is_gone(now, id, end),
            408 => self.doubt(now, id, end),
            _ => self.note_life(now, id, end),
        }
    }

    /// An end does not know the call any more. The other one is told so by the 481 that goes on to it.
    fn end_is_gone(&mut self, now: Instant, id: CallId, end: Side) {
        if end == Side::Site && self.may_be_taken_over(now, id) {
            return;
        }
        self.release(id, false);
        let Some(mut call) = self.remove(now, id) else { return };
        let why = format!("the {} no longer knew the call (481)", end.as_str());
        call.record.ended_by.get_or_insert(Party::Network);
        self.records.lost(now, CallRecord { cause: Some(41), ..call.record }, why);
    }

    /// The site does not know the call any more. If another member may go on with it, it is released only when none has.
    pub(super) fn may_be_taken_over(&mut self, now: Instant, id: CallId) -> bool {
        let Some(call) = self.calls.get_mut(id) else { return false };
        let (Some(index), Some(time)) = (call.member(), takeover_time(&self.pool)) else {
            return false;
        };
        call.is_orphan = true;
        if !self.deadlines.is_set(Wake::Orphans(index)) {
            self.deadlines.set(Wake::Orphans(index), now + time);
        }
        true
    }

    /// An end has left a request inside the call without an answer. It may have been a bad moment.
    fn doubt(&mut self, now: Instant, id: CallId, end: Side) {
        let Some(call) = self.calls.get_mut(id) else { return };
        if call.silent.replace(end).is_none() {
            self.deadlines.set(Wake::Doubt(id), now + self.transactions.timers().give_up());
        }
    }

    /// Something has come from an end inside the call.
    pub(super) fn note_life(&mut self, now: Instant, id: CallId, end: Side) {
        let Some(call) = self.calls.get_mut(id) else { return };
        call.heard_at = now;
        if call.silent.take_if(|silent| *silent == end).is_some() {
            self.deadlines.clear(Wake::Doubt(id));
        }
    }

    /// The end in doubt has shown no sign of life.
    pub(super) fn doubt_confirmed(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get(id) else { return };
        let end = call.silent.unwrap_or(Side::Caller);
        let why = format!("the {} answered nothing inside the call", end.as_str());
        self.end_both(now, id, Reason::q850(102, "Recovery on timer expiry"), &why);
    }
}
