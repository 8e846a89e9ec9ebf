//! Does an end still have the call? The BYE that would have told of its end may have been lost.
//!
//! The site is asked when nothing has passed inside a call for long, and either end when a BYE of it was malformed. A site that
//! does not answer at all is a matter of the probes.

use std::time::Instant;

use sip_proto::message::BrokenBye;
use sip_proto::reason::Reason;

use super::call::{CallId, Owner, Side, State};
use super::{TrunkGroup, Wake};

impl TrunkGroup {
    /// The call has been answered.
    pub(super) fn begin_audits(&mut self, now: Instant, id: CallId) {
        if let Some(call) = self.calls.get_mut(id) {
            call.heard_at = now;
            self.deadlines.set(Wake::Audit(id), now + self.audit);
        }
    }

    /// Asks the site, if nothing has passed for long.
    pub(super) fn audit_if_quiet(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get(id) else { return };
        let due = call.heard_at + self.audit;
        if due > now {
            self.deadlines.set(Wake::Audit(id), due);
        } else {
            self.deadlines.set(Wake::Audit(id), now + self.audit);
            self.ask(now, id, Side::Site);
        }
    }

    /// A BYE was malformed. Its sender may take the call for ended.
    pub(super) fn broken_bye(&mut self, now: Instant, bye: &BrokenBye) {
        let find = |tag| self.calls.find(&bye.call_id, tag);
        let sender = match find(&bye.from_tag) {
            Some(id) => Some((id, Side::Caller)),
            None => find(&bye.to_tag).map(|id| (id, Side::Site)),
        };
        if let Some((id, end)) = sender {
            self.ask(now, id, end);
        }
    }

    fn ask(&mut self, now: Instant, id: CallId, end: Side) {
        let Some(call) = self.calls.get(id).filter(|call| call.state == State::Answered) else {
            return;
        };
        let Some(dialogs) = &call.dialogs else { return };
        let dialog = match end {
            Side::Caller => &dialogs.towards_caller,
            // Where the call has gone to since, nobody has answered us.
            Side::Site if call.taken_by.is_some() => return,
            Side::Site => &dialogs.towards_site,
        };
        self.transactions.ask(now, dialog, Owner::Audit(id, end));
    }

    /// An end has answered with `status`, or not at all: 408.
    pub(super) fn audit_done(&mut self, now: Instant, id: CallId, end: Side, status: u16) {
        let reason = Reason::q850(41, "Temporary failure");
        match (end, status) {
            (_, 100..=199) | (Side::Site, 408) => {}
            (Side::Site, 481) if self.may_be_taken_over(now, id) => {}
            (_, 408 | 481) => {
                let why = format!("the {} no longer knew the call ({status})", end.as_str());
                self.end_both(now, id, reason, &why);
            }
            _ => self.note_life(now, id, end),
        }
    }
}
