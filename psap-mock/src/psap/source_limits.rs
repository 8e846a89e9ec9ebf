//! Calls that are not let in; callers who come straight to the PSAP, and the limits of their sources ([`sip_proto::sources`]).
//! Call servers and trunk groups are peers.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use sip_proto::Rejection;
use sip_proto::message::{Payload, Request};

use super::{LegId, Psap};
use crate::attempt::{Attempt, Ending};

/// Q.850: call rejected.
const REJECTED: u16 = 21;

impl Psap {
    /// A new call has arrived.
    pub(super) fn begin_attempt(
        &mut self,
        now: Instant,
        invite: &Request,
        source: SocketAddr,
    ) -> Attempt {
        self.offered += 1;
        let id = invite.session_id().map(|id| id.local().to_owned());
        // RFC 7989 §7: a call without Session-ID gets one here, so that its record has an id.
        let id = id.unwrap_or_else(|| self.agent.uuid().into());
        Attempt::new(id, invite, source, now)
    }

    /// It is refused.
    pub(super) fn refuse(
        &mut self,
        now: Instant,
        leg: LegId,
        attempt: Attempt,
        rejection: &Rejection,
    ) {
        self.refused += 1;
        self.notes.note(&attempt.call_id, || format!("refuses it: {}", rejection.in_words()));
        self.agent.reject(now, leg, rejection, &Payload::empty());
        self.write_record(now, attempt, Ending::refused(rejection));
    }

    /// It has been refused: too many transactions are alive.
    pub(super) fn found_no_room(
        &mut self,
        now: Instant,
        invite: &Request,
        source: SocketAddr,
        rejection: &Rejection,
    ) {
        let attempt = self.begin_attempt(now, invite, source);
        self.refused += 1;
        self.write_record(now, attempt, Ending::refused(rejection));
    }

    /// A call from `ip` may begin. The source counts it until it is acknowledged or over, unless it is a peer.
    pub(super) fn admit_source(
        &mut self,
        now: Instant,
        ip: IpAddr,
    ) -> Result<Option<IpAddr>, Box<Rejection>> {
        if self.calls.len() >= self.config.limits.dialogs as usize {
            self.over_dialogs += 1;
            return Err(Box::new(Rejection::over_limit("dialogs (sip.dialogs)")));
        }
        let is_peer = self.config.sources.is_peer(ip);
        self.sources.admit(now, ip, is_peer).map(|counts| counts.then_some(ip)).map_err(|excess| {
            self.limited += 1;
            Box::new(excess.rejection())
        })
    }

    /// The source of a call has acknowledged its answer.
    pub(super) fn source_acknowledged(&mut self, now: Instant, leg: LegId) {
        let ip = self.calls.get_mut(&leg).and_then(|call| call.counts_at.take());
        if let Some(ip) = ip {
            self.sources.acknowledged(now, ip);
        }
    }

    /// Our answer has not been acknowledged for T2.
    pub(super) fn ack_overdue(&mut self, now: Instant, leg: LegId) {
        let ip = self.calls.get(&leg).and_then(|call| call.counts_at);
        if let Some(ip) = ip
            && self.sources.unacknowledged(now, ip)
        {
            self.end_calls_of(now, ip);
        }
    }

    /// Ends the unfinished calls of a source that is barred.
    fn end_calls_of(&mut self, now: Instant, ip: IpAddr) {
        let rejection = self.sources.barred().rejection();
        let of_it = self.calls.iter().filter(|(_, call)| call.counts_at == Some(ip));
        let legs: Vec<LegId> = of_it.map(|(leg, _)| *leg).collect();
        for leg in legs {
            let Some(call) = self.calls.get(&leg) else { continue };
            if call.attempt.answered.is_none() {
                self.agent.reject(now, leg, &rejection, &Payload::empty());
                self.finish(now, leg, Ending::refused(&rejection));
            } else if call.ending.is_none() {
                let why = "the caller's side acknowledges no answer".to_owned();
                self.hang_up(now, leg, Ending::lost(REJECTED, why));
            }
        }
    }
}
