//! Calls that come straight from their source, and its limits ([`sip_proto::sources`]). Trunk groups and call servers are peers.

use std::net::IpAddr;
use std::time::Instant;

use sip_proto::Rejection;
use sip_proto::message::Payload;
use sip_proto::reason::Reason;

use super::CallControl;
use super::call::Call;
use super::calls::CallId;

impl CallControl {
    /// A call from `ip` may begin. The source counts it until it is acknowledged or over, unless it is a peer.
    pub(super) fn admit_source(
        &mut self,
        now: Instant,
        ip: IpAddr,
    ) -> Result<Option<IpAddr>, Rejection> {
        let is_peer = self.settings.sources.is_peer(ip);
        match self.sources.admit(now, ip, is_peer) {
            Ok(counts) => Ok(counts.then_some(ip)),
            Err(excess) => {
                if excess.is_new {
                    let call_server = &self.settings.name;
                    tracing::warn!(call_server, %ip, "a source has too many unfinished calls");
                }
                self.records.counts.shed += 1;
                self.records.counts.limited += 1;
                Err(excess.rejection())
            }
        }
    }

    /// The source of a call has acknowledged its answer.
    pub(super) fn source_acknowledged(&mut self, now: Instant, id: CallId) {
        let ip = self.calls.get_mut(id).and_then(|call| call.counts_at.take());
        if let Some(ip) = ip {
            self.sources.acknowledged(now, ip);
        }
    }

    /// The answer to a call has not been acknowledged for T2.
    pub(super) fn ack_overdue(&mut self, now: Instant, id: CallId) {
        let ip = self.calls.get(id).and_then(|call| call.counts_at);
        if let Some(ip) = ip
            && self.sources.unacknowledged(now, ip)
        {
            let call_server = &self.settings.name;
            tracing::warn!(call_server, %ip, "a source that acknowledges no answer is barred");
            self.end_calls_of(now, ip);
        }
    }

    /// Ends the unfinished calls of a source that is barred.
    fn end_calls_of(&mut self, now: Instant, ip: IpAddr) {
        let rejection = self.sources.barred().rejection();
        let reason = Reason::q850(21, "Call rejected");
        for id in self.calls.ids_of(|call| call.counts_at == Some(ip)) {
            if self.calls.get(id).is_some_and(Call::is_answered) {
                self.end_answered(now, id, &reason, "its source acknowledges no answer");
            } else if let Some(call) = self.remove(now, id) {
                if let Some(b) = call.b {
                    self.user_agent.hang_up(now, b, Some(&reason));
                }
                self.user_agent.reject(now, call.a, &rejection, &Payload::empty());
                self.records.rejected(now, call.record, &rejection);
            }
        }
    }
}
