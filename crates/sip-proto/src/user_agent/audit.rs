//! Is the peer of a quiet dialog still there? It may have lost power, or its BYE, so that nobody would ever end the call.
//!
//! ```text
//!   confirmed ──► nothing comes for `Config::audit` ──► OPTIONS inside the dialog ──► any response: it is there
//!                                                                                └── 481, 408, none: it is gone
//! ```
//!
//! OPTIONS changes nothing (RFC 3261 §11), and 481 and 408 say that the dialog is over (§12.2.1.2). Session timers (RFC 4028)
//! serve the same end, but need a peer that knows them.

use std::time::Instant;

use super::leg::State;
use super::{LegId, Owner, Purpose, UserAgent};
use crate::message::{Method, Payload, Response};

impl UserAgent {
    /// Something has come from the peer of a leg, inside the dialog.
    pub(super) fn note_life(&mut self, now: Instant, id: LegId) {
        if self.config.audit.is_some()
            && let Some(leg) = self.legs.get_mut(id)
        {
            leg.heard_at = Some(now);
        }
    }

    /// The dialog of a leg is confirmed: from now on its peer must be heard of now and then.
    pub(super) fn begin_audits(&mut self, now: Instant, id: LegId) {
        let Some(audit) = self.config.audit else { return };
        if let Some(leg) = self.legs.get_mut(id) {
            leg.heard_at = Some(now);
            leg.audit_at = Some(now + audit);
        }
        self.arm(id);
    }

    /// Asks the peer, if it has been quiet for too long.
    pub(super) fn audit_if_quiet(&mut self, now: Instant, id: LegId) {
        let (Some(audit), Some(leg)) = (self.config.audit, self.legs.get_mut(id)) else { return };
        if leg.audit_at.is_none_or(|at| at > now) {
            return;
        }
        let due = leg.heard_at.map_or(now, |heard| heard + audit);
        if due > now {
            leg.audit_at = Some(due);
        } else {
            leg.audit_at = Some(now + audit);
            self.send_audit(now, id);
        }
    }

    pub(super) fn send_audit(&mut self, now: Instant, id: LegId) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        if leg.audited || !matches!(leg.state, State::Confirmed) {
            return;
        }
        let session = leg.session.clone();
        let Some(dialog) = &mut leg.dialog else { return };
        leg.audited = true;
        let (draft, target) =
            dialog.request(Method::Options, session.as_bytes(), &Payload::empty());
        self.transactions.send(now, draft, target, Owner::Leg(id, Purpose::Audit));
    }

    pub(super) fn audit_response(&mut self, now: Instant, id: LegId, response: &Response) {
        match response.status() {
            100..=199 => {}
            status @ (408 | 481) => self.peer_is_gone(now, id, status),
            _ => {
                if let Some(leg) = self.legs.get_mut(id) {
                    leg.audited = false;
                }
                self.note_life(now, id);
            }
        }
    }
}
