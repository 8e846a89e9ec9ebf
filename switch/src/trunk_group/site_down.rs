//! A site dies, with the calls on it.
//!
//! | the call | what becomes of it |
//! |---|---|
//! | has had no response | it is left after `next_site_after`, and offered to the next site |
//! | rings | the site says nothing more; when the probes have found it down, the call is offered to the next site |
//! | was answered | released, if the trunk group does that: the BYE that the site owes comes from here |
//! | was answered, in a pool that replicates | another site may take it over (`takeover.rs`); then what is left is released |
//!
//! A border element that has lost the link behind it releases calls in this way (3GPP TS 24.229 §5.2.8.1.2, where a
//! proxy sends the BYE).

use std::time::Instant;

use contract::MemberState;
use sip_proto::reason::Reason;
use topology::WhenSiteDies;

use super::call::{Call, CallId, State};
use super::{TrunkGroup, Wake};
use crate::pool::{Watch, takeover_time};

/// Q.850: destination out of order.
const OUT_OF_ORDER: u16 = 27;

impl TrunkGroup {
    /// A probe or a call got nothing from a member. If that brings it down, its ringing calls move on.
    pub(super) fn member_silent(&mut self, now: Instant, index: usize) {
        let state = |group: &Self| group.members.get(index).map(|member| member.watch.state());
        let before = state(self);
        self.members.update_watch(now, index, Watch::silent);
        if before != Some(MemberState::Down) && state(self) == Some(MemberState::Down) {
            self.rescue_calls(now, index);
            if self.settings.when_site_dies == WhenSiteDies::Release {
                self.orphan_calls(now, index);
            }
        }
    }

    /// A call got nothing from its site: another one gets it.
    pub(super) fn site_is_silent(&mut self, now: Instant, id: CallId) {
        self.note(id, || "hears nothing from the site, and tries another".to_owned());
        let index = self.leave_site(now, id);
        if let Some(index) = index {
            self.member_silent(now, index);
        }
        let silent = self.busy().with_reason(Reason::q850(102, "Recovery on timer expiry"));
        self.try_next(now, id, Some(silent));
    }

    /// Gives up the site that the call is with, and returns its place.
    pub(super) fn leave_site(&mut self, now: Instant, id: CallId) -> Option<usize> {
        let call = self.calls.get_mut(id)?;
        let index = call.member();
        if let Some(client) = call.client.take() {
            // It is sent when the site has sent a response, if it ever does (RFC 3261 §9.1).
            self.transactions.cancel(now, client, Vec::new());
        }
        self.release(id, true);
        index
    }

    /// A site is down: the calls that had no answer there go to the next one.
    fn rescue_calls(&mut self, now: Instant, index: usize) {
        let there = |call: &Call| call.member() == Some(index);
        let unanswered = |call: &Call| matches!(call.state, State::Trying | State::Proceeding);
        for id in self.calls.ids_of(|call| there(call) && unanswered(call)) {
            self.site_is_silent(now, id);
        }
    }

    /// The answered calls that go over the member at `index` are ended: at once, or when nobody has taken them over.
    fn orphan_calls(&mut self, now: Instant, index: usize) {
        for call in self.calls.iter_mut() {
            let is_there = call.member() == Some(index);
            call.is_orphan |= is_there && call.state == State::Answered;
        }
        match takeover_time(&self.pool) {
            // Those of an earlier fall have waited since then.
            Some(_) if self.deadlines.is_set(Wake::Orphans(index)) => {}
            Some(time) => self.deadlines.set(Wake::Orphans(index), now + time),
            None => self.release_orphans(now, index),
        }
    }

    /// Ends those that nobody has taken over.
    pub(super) fn release_orphans(&mut self, now: Instant, index: usize) {
        let there = |call: &Call| call.member() == Some(index);
        for id in self.calls.ids_of(|call| there(call) && call.is_orphan) {
            self.release_call(now, id);
        }
    }

    fn release_call(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get(id) else { return };
        let site = call.record.site.as_deref().unwrap_or_default();
        let why = format!("site {site} was found down");
        let reason = Reason::q850(OUT_OF_ORDER, "Destination out of order");
        self.end_towards_caller(now, id, reason, &why);
    }
}
