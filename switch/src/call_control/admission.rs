//! Whether a new call is let in: a number that is blocked, overload, a full or locked machine, a link without circuits, ordinary calls that are shed.

use std::time::Instant;

use sip_proto::Rejection;
use sip_proto::message::Request;
use sip_proto::reason::Reason;
use topology::is_emergency;

use super::CallControl;
use crate::latent_defects;
use crate::machine::NoCircuitYet;

impl CallControl {
    /// Decides whether a call is let in. A refusal costs little, and says when to try again.
    pub(super) fn admit(
        &mut self,
        now: Instant,
        invite: &Request,
        link: Option<usize>,
        number: &str,
    ) -> Result<(), Rejection> {
        if self.overloaded {
            return Err(self.overload_refusal(invite));
        }
        if self.disk.blocked.contains(number) {
            self.records.counts.shed += 1;
            // About the number: no other site is asked instead, where it would do the same.
            return Err(Rejection::new(403).with_reason(Reason::q850(21, "Call rejected")));
        }
        // A release that leaks contexts does not count those: it lets calls in for which it has no memory.
        let most = self.settings.max_calls.min(self.settings.equipment.contexts);
        let full = self.calls.len() >= most as usize;
        let locked = self.disk.locked && !latent_defects::leaves_unanswered(&self.disk, number);
        if self.disk.shedding && !is_emergency(number) {
            self.records.counts.shed += 1;
            // Not a 503, which is about all calls: a trunk group would hold emergency calls back too.
            return Err(
                Rejection::new(480).with_reason(Reason::q850(42, "Switching equipment congestion"))
            );
        }
        // A call has two, of which this INVITE has made one.
        if self.user_agent.legs() + 1 > self.topology.sip.dialogs as usize {
            self.records.counts.shed += 1;
            self.records.counts.over_dialogs += 1;
            return Err(Rejection::over_limit("dialogs (sip.dialogs)"));
        }
        let unaudited =
            link.is_some_and(|link| self.disk.links.admit(now, link) == Err(NoCircuitYet));
        if self.draining || full || locked || unaudited {
            self.records.counts.shed += 1;
            let (cause, text) = match unaudited && !full && !locked {
                true => (34, "No circuit/channel available"),
                false => (42, "Switching equipment congestion"),
            };
            return Err(self.busy().with_reason(Reason::q850(cause, text)));
        }
        if latent_defects::crashes_on_call(&self.disk, number, self.calls.len()) {
            self.fail("a call that the software cannot bear");
        }
        if latent_defects::has_no_trunk_member(&mut self.disk, number) {
            // Not a 503, after which trunk groups would try another site: the software does not know that it fails.
            return Err(
                Rejection::new(480).with_reason(Reason::q850(34, "No circuit/channel available"))
            );
        }
        // RFC 3261 §16.3 item 3, which RFC 7332 asks of back-to-back user agents too.
        if invite.max_forwards() == Some(0) {
            return Err(Rejection::new(483).with_reason(Reason::q850(25, "Exchange routing error")));
        }
        Ok(())
    }

    /// RFC 3261 §21.5.4. A trunk group that takes part in overload control is told in Via what it may send; a Retry-After would
    /// keep all its calls away (RFC 7339 §5.10.2).
    fn overload_refusal(&mut self, invite: &Request) -> Rejection {
        self.records.counts.shed += 1;
        self.records.counts.overload += 1;
        let rejection =
            Rejection::new(503).with_reason(Reason::q850(42, "Switching equipment congestion"));
        let mode = self.settings.equipment.processing.overload;
        match mode.gives_feedback() && invite.via().overload_offer().is_some() {
            true => rejection,
            false => rejection.with_retry_after(self.settings.retry_after),
        }
    }
}
