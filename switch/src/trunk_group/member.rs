//! A call server as one trunk group sees it: circuits, health, and what became of the calls it got.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde::Serialize;
use topology::Pool;

use super::circuits::Circuits;
use super::restraint::{AskedSnapshot, Restraint};
use super::selection::Candidate;
use crate::pool::{MemberState, Watch};

#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) site: String,
    pub(super) address: SocketAddr,
    pub(super) weight: u32,
    pub(super) circuits: Circuits,
    pub(super) watch: Watch,
    /// A 503 asked for silence until then (RFC 3261 §21.5.4).
    pub(super) hold_off: Option<Instant>,
    pub(super) restraint: Restraint,
    /// How long it had shown no sign of life when it was last found down, and how often it was.
    pub(super) found_after: Option<Duration>,
    pub(super) falls: u32,
    pub(super) counts: Counts,
}

/// Calls sent to a member.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub offered: u64,
    pub answered: u64,
    /// Ended there without an answer, whatever the reason.
    pub failed: u64,
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
            hold_off: None,
            restraint: Restraint::default(),
            found_after: None,
            falls: 0,
            counts: Counts::default(),
        }
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
        })
    }
}

/// What a console shows of a member.
#[derive(Debug, Clone, Serialize)]
pub struct MemberSnapshot {
    pub call_server: String,
    pub site: String,
    pub state: MemberState,
    pub circuits: u32,
    pub seized: u32,
    /// How often it was found down, and how long it had been silent by then the last time.
    pub falls: u32,
    pub found_after_us: Option<u64>,
    #[serde(flatten)]
    pub counts: Counts,
    /// What it asks by overload control.
    pub asked: Option<AskedSnapshot>,
    /// Calls that would have gone to it and were held back at its wish.
    pub kept_away: u64,
}

impl From<&Member> for MemberSnapshot {
    fn from(member: &Member) -> Self {
        Self {
            call_server: member.name.clone(),
            site: member.site.clone(),
            state: member.watch.state(),
            circuits: member.circuits.limit(),
            seized: member.circuits.seized(),
            falls: member.falls,
            found_after_us: member
                .found_after
                .map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX)),
            counts: member.counts,
            asked: member.restraint.asked(),
            kept_away: member.restraint.kept_away(),
        }
    }
}
