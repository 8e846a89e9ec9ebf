//! Another member goes on with the calls of one that has fallen, in a pool that replicates. It sends requests inside dialogs
//! that it did not begin, and the circuit moves to it.
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

    /// Whether a request from a member inside a call is taken. Those of a member that has lost the call to another one are
    /// not: it does not know what has happened since, and its BYE would end a call that goes on. A target refresh by another
    /// member takes the call over.
    pub(super) fn may_send(&mut self, id: CallId, request: &Request, source: SocketAddr) -> bool {
        if takeover_time(&self.pool).is_none() {
            return true;
        }
        let successor = self.member_that_refreshes(request, source);
        let Some(call) = self.calls.get_mut(id).filter(|call| call.state == State::Answered) else {
            return true;
        };
        let seq = request.cseq().0;
        if seq < call.taken_seq {
            return false;
        }
        let holder = call.taken_by.or_else(|| call.member());
        if successor.is_some() && successor != holder {
            call.taken_by = successor;
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

    /// The caller has accepted that its call goes on at another member: the circuit moves there.
    pub(super) fn move_circuit(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let from = call.member();
        let Some(successor) = call.taken_by.filter(|successor| Some(*successor) != from) else {
            return;
        };
        self.release(id, false);
        let Some(member) = self.members.get_mut(successor) else { return };
        let Some(call) = self.calls.get_mut(id) else { return };
        call.move_to(successor, member);
        call.is_orphan = false;
    }
}
