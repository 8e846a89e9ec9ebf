//! A site has started again, perhaps faster than probes find it down: it knows none of the calls that it had.
//!
//! Each start of a call server has a number that grows, which its answers tell (`Origin-State-Id`, as in Diameter, RFC 6733 §8.16).
//!
//! | the call | what becomes of it |
//! |---|---|
//! | was answered by an earlier start | released: the BYE that the site owes comes from here |
//! | rings at an earlier start | it is offered to the next site |
//! | has had no response | it is left after `next_site_after`, as ever |
//! | is with the present start | it goes on |
//!
//! A call server that tells no number is recognised by its 481 (`release.rs`, `audit.rs`).

use std::time::Instant;

use sip_proto::message::Response;
use sip_proto::reason::Reason;
use sip_proto::transaction::ClientId;

use super::TrunkGroup;
use super::call::{Call, CallId, State};

/// Q.850: destination out of order.
const OUT_OF_ORDER: u16 = 27;

impl TrunkGroup {
    /// A branch of a call has had a response, which may tell which start of its call server has the call.
    pub(super) fn note_branch_state(
        &mut self,
        now: Instant,
        id: CallId,
        client: ClientId,
        response: &Response,
    ) {
        let Some(state) = response.origin_state_id() else { return };
        let Some(call) = self.calls.get_mut(id) else { return };
        let branch = call.branches.iter().find(|(have, _)| *have == client);
        let Some((_, index)) = branch.copied() else { return };
        if call.client == Some(client) || (200..300).contains(&response.status()) {
            call.origin_state = Some(state);
        }
        self.note_state(now, index, state);
    }

    /// The member at the place `index` says which start of it has answered.
    pub(super) fn note_state(&mut self, now: Instant, index: usize, state: u64) {
        let Some(member) = self.members.get_mut(index) else { return };
        let before = member.origin_state;
        // What a late packet tells of an earlier start is no news.
        if before.is_none_or(|(known, _)| known <= state) {
            member.origin_state = Some((state, now));
        }
        if let Some((known, last_heard)) = before.filter(|(known, _)| *known < state) {
            tracing::warn!(
                call_server = member.name,
                known,
                state,
                "a call server has started again"
            );
            self.lose_calls_of(now, index, state, last_heard);
        }
    }

    /// The calls that the member had before its present start, of which the one before was last heard at `last_heard`.
    fn lose_calls_of(&mut self, now: Instant, index: usize, state: u64, last_heard: Instant) {
        let was_there = |call: &Call| {
            let is_there = call.place() == Some(index) && call.taken_by.is_none();
            let is_old =
                call.origin_state.map_or(call.sent_at <= last_heard, |begun| begun < state);
            is_there && is_old
        };
        for id in self.calls.ids_of(was_there) {
            let Some(call) = self.calls.get(id) else { continue };
            match call.state {
                State::Answered => self.release_forgotten(now, id),
                State::Proceeding => self.offer_again(now, id),
                State::Trying | State::Cancelled => {}
            }
        }
    }

    fn offer_again(&mut self, now: Instant, id: CallId) {
        self.leave_site(now, id);
        let forgotten = self.busy().with_reason(Reason::q850(41, "Temporary failure"));
        self.try_next(now, id, Some(forgotten));
    }

    fn release_forgotten(&mut self, now: Instant, id: CallId) {
        if self.may_be_taken_over(now, id) {
            return;
        }
        let Some(call) = self.calls.get(id) else { return };
        let site = call.record.site.as_deref().unwrap_or_default();
        let why = format!("site {site} has started again");
        let reason = Reason::q850(OUT_OF_ORDER, "Destination out of order");
        self.end_towards_caller(now, id, reason, &why);
    }
}
