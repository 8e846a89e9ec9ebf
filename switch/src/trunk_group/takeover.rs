//! Another member goes on with the calls of one that has fallen, in a pool that replicates. It speaks inside dialogs that
//! it did not begin, and the circuit moves to it.
//!
//! ```text
//!   re-INVITE or UPDATE of another member, Call-ID and tags right ──► requests of the caller may go to it
//!   its 2xx ──────────────────────────────────────────────────────► the circuit is one towards it
//! ```

use std::net::SocketAddr;

use sip_proto::message::{Method, Request, address_of};

use super::TrunkGroup;
use super::call::{Call, CallId, State};
use crate::pool::takeover_time;

impl TrunkGroup {
    /// Whether a request inside an answered call may come from `source`, which has not had it: from any member, when calls
    /// are taken over.
    pub(super) fn may_take_over(&self, call: &Call, source: SocketAddr) -> bool {
        takeover_time(&self.pool).is_some()
            && call.state == State::Answered
            && self.members.iter().any(|member| member.address.ip() == source.ip())
    }

    /// Whether a member may speak for a call. Who has lost it to another one may not: it does not know what was said
    /// since, and its BYE would end a call that goes on. A target refresh by another member takes the call over.
    pub(super) fn may_speak(&mut self, id: CallId, request: &Request, source: SocketAddr) -> bool {
        if takeover_time(&self.pool).is_none() {
            return true;
        }
        let heir = self.member_that_refreshes(request, source);
        let Some(call) = self.calls.get_mut(id).filter(|call| call.state == State::Answered) else {
            return true;
        };
        let seq = request.cseq().0;
        if seq < call.taken_seq {
            return false;
        }
        let holder = call.taken_by.or_else(|| call.member());
        if heir.is_some() && heir != holder {
            call.taken_by = heir;
            call.taken_seq = seq;
        }
        true
    }

    /// The member that asks for requests of the caller to come to itself (RFC 3261 §12.2, RFC 3311 §5.1).
    fn member_that_refreshes(&self, request: &Request, source: SocketAddr) -> Option<usize> {
        if !matches!(request.method(), Method::Invite | Method::Update) {
            return None;
        }
        let contact = address_of(&request.contact()?.uri())?;
        let is_it = |at: SocketAddr| at == contact && at.ip() == source.ip();
        self.members.position(|member| is_it(member.address))
    }

    /// The caller has accepted that its call goes on elsewhere: so has the circuit.
    pub(super) fn move_circuit(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let from = call.member();
        let Some(heir) = call.taken_by.filter(|heir| Some(*heir) != from) else { return };
        self.release(id, false);
        let Some(member) = self.members.get_mut(heir) else { return };
        let Some(call) = self.calls.get_mut(id) else { return };
        call.move_to(heir, member);
        call.is_orphan = false;
    }
}
