//! Calls and the limits of their sources: what counts, and what becomes of the calls of a source that is barred ([`sip_proto::sources`]).

use std::net::IpAddr;
use std::time::Instant;

use sip_proto::reason::Reason;

use super::call::{CallId, State};
use super::{TrunkGroup, Wake};

impl TrunkGroup {
    /// Its source has acknowledged the answer to a call, or has hung up, which says as much.
    pub(super) fn note_acknowledged(&mut self, now: Instant, id: CallId) {
        let ip = self.calls.get_mut(id).and_then(|call| call.counts_at.take());
        if let Some(ip) = ip {
            self.deadlines.clear(Wake::Ack(id));
            self.sources.acknowledged(now, ip);
        }
    }

    /// The answer to a call has not been acknowledged for T2.
    pub(super) fn ack_overdue(&mut self, now: Instant, id: CallId) {
        let ip = self.calls.get(id).and_then(|call| call.counts_at);
        if let Some(ip) = ip
            && self.sources.unacknowledged(now, ip)
        {
            tracing::warn!(trunk_group = self.settings.name, %ip, "a source that acknowledges no answer is barred");
            self.end_calls_of(now, ip);
        }
    }

    /// Ends the unfinished calls of a source that is barred.
    fn end_calls_of(&mut self, now: Instant, ip: IpAddr) {
        let rejection = self.sources.barred().rejection();
        for id in self.calls.ids_of(|call| call.counts_at == Some(ip)) {
            match self.calls.get(id).map(|call| call.state) {
                Some(State::Answered) => {
                    let reason = Reason::q850(21, "Call rejected");
                    self.end_both(now, id, reason, "its source acknowledges no answer");
                }
                Some(State::Trying | State::Proceeding) => {
                    self.leave_site(now, id);
                    self.refuse(now, id, &rejection);
                }
                Some(State::Cancelled) | None => {}
            }
        }
    }
}
