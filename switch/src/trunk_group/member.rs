//! A call server as one trunk group sees it: circuits, health, and what became of the calls it got.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use contract::{MemberCounts, MemberSnapshot, MemberState};
use sip_proto::transaction::ClientId;
use topology::Pool;

use super::circuits::Circuits;
use super::restraint::Restraint;
use super::selection::Candidate;
use crate::pool::Watch;

#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) site: String,
    pub(super) address: SocketAddr,
    pub(super) weight: u32,
    pub(super) circuits: Circuits,
    pub(super) watch: Watch,
    /// The probe that it has not answered yet.
    pub(super) probe: Option<ClientId>,
    /// The start that its answers tell, and when one told it last (`site_restart.rs`).
    pub(super) origin_state: Option<(u64, Instant)>,
    /// No calls until then, after a 503 with Retry-After (RFC 3261 §21.5.4).
    hold_off: Option<Instant>,
    pub(super) restraint: Restraint,
    /// How long it had shown no sign of life when it was last found down, and how often it was.
    pub(super) found_after: Option<Duration>,
    pub(super) falls: u32,
    pub(super) counts: MemberCounts,
}

impl Member {
    pub(super) fn new(settings: &topology::Member, pool: &Pool, now: Instant) -> Self {
        Self {
            name: settings.call_server.clone(),
            site: settings.site.clone(),
            address: settings.address,
            weight: settings.weight,
            circuits: Circuits::new(settings.circuits),
            watch: Watch::new(pool, now),
            probe: None,
            origin_state: None,
            hold_off: None,
            restraint: Restraint::default(),
            found_after: None,
            falls: 0,
            counts: MemberCounts::default(),
        }
    }

    /// It has answered 503 with this Retry-After: no calls until then.
    pub(super) fn pause_until_retry(&mut self, now: Instant, retry_after: Duration) {
        self.hold_off = now.checked_add(retry_after);
    }

    /// This member as the place `index`, if it is in `state` and can take a call.
    pub(super) fn candidate(
        &self,
        index: usize,
        state: MemberState,
        now: Instant,
    ) -> Option<Candidate> {
        let free = self.watch.state() == state
            && !self.circuits.is_full()
            && self.hold_off.is_none_or(|until| until <= now);
        free.then(|| Candidate {
            index,
            weight: self.weight,
            seized: self.circuits.seized(),
            circuits: self.circuits.limit(),
            is_home: false,
        })
    }

    /// What a console shows of it.
    pub(super) fn snapshot(&self) -> MemberSnapshot {
        MemberSnapshot {
            call_server: self.name.clone(),
            site: self.site.clone(),
            state: self.watch.state(),
            circuits: self.circuits.limit(),
            seized: self.circuits.seized(),
            falls: self.falls,
            found_after_us: self
                .found_after
                .map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX)),
            counts: self.counts,
            asked: self.restraint.asked(),
            kept_away: self.restraint.kept_away(),
        }
    }
}
