//! The owners of replicas: the call servers that have the calls of which this one keeps replicas in its journal. They are
//! probed, and their calls taken over when they are found down.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use contract::MemberState;
use sip_proto::user_agent::{Probe, UserAgent};
use topology::Pool;

use crate::machine::Journal;
use crate::pool::Watch;

/// All owners, and when they are probed.
#[derive(Debug)]
pub(super) struct OwnerWatch {
    pool: Pool,
    owners: BTreeMap<SocketAddr, Owner>,
    /// The first and the last arrival of the present time without a long silence.
    heard: Option<(Instant, Instant)>,
    next_round: Option<Instant>,
}

#[derive(Debug)]
struct Owner {
    watch: Watch,
    /// Calls that were taken over and of which it could not be told yet.
    untold: Vec<String>,
}

/// What a probe has shown of an owner.
#[derive(Debug)]
pub(super) enum Finding {
    Nothing,
    /// It is alive after all, and must be told that these calls go on here.
    Alive {
        taken_over: Vec<String>,
    },
    Down,
}

impl OwnerWatch {
    pub(super) const fn new(pool: Pool) -> Self {
        Self { pool, owners: BTreeMap::new(), heard: None, next_round: None }
    }

    /// There are replicas of `owner`.
    pub(super) fn begin(&mut self, now: Instant, owner: SocketAddr) {
        let pool = &self.pool;
        self.owners
            .entry(owner)
            .or_insert_with(|| Owner { watch: Watch::new(pool, now), untold: Vec::new() });
        self.next_round.get_or_insert(now);
    }

    /// Nobody is watched any more.
    pub(super) fn stop(&mut self) {
        self.owners.clear();
        self.next_round = None;
    }

    /// A packet has come in, whatever it is.
    pub(super) fn note_arrival(&mut self, now: Instant) {
        let since = self
            .heard
            .filter(|(_, last)| now.saturating_duration_since(*last) <= self.longest_silence());
        self.heard = Some((since.map_or(now, |(since, _)| since), now));
    }

    /// For longer than this nothing comes in only if this machine is cut off: trunk groups probe it as often as it probes
    /// the owners.
    fn longest_silence(&self) -> Duration {
        self.pool.probe_interval + self.pool.probe_timeout
    }

    /// Whether this machine may be cut off, so that the silence of an owner proves nothing: nothing comes in, or has come in
    /// for less time than it takes to find an owner down.
    fn is_cut_off(&self, now: Instant) -> bool {
        self.heard.is_none_or(|(since, last)| {
            now.saturating_duration_since(last) > self.longest_silence()
                || now.saturating_duration_since(since) < *self.pool.detection().end()
        })
    }

    /// When the next probes go out.
    pub(super) const fn next(&self) -> Option<Instant> {
        self.next_round
    }

    /// Probes all owners, if it is time. One that has no replica in `journal` any more is none.
    pub(super) fn probe_if_due(
        &mut self,
        user_agent: &mut UserAgent,
        now: Instant,
        journal: &Journal,
    ) {
        if self.next_round.is_none_or(|at| at > now) {
            return;
        }
        self.owners.retain(|at, owner| !owner.untold.is_empty() || journal.has_any_of(*at));
        let Pool { probe_interval, probe_timeout, .. } = self.pool;
        for owner in self.owners.keys() {
            user_agent.probe(now, *owner, probe_timeout);
        }
        self.next_round = (!self.owners.is_empty()).then(|| now + probe_interval);
    }

    /// A probe of `owner` has come to an end.
    pub(super) fn probed(&mut self, now: Instant, owner: SocketAddr, outcome: &Probe) -> Finding {
        let is_cut_off = self.is_cut_off(now);
        let Some(owner) = self.owners.get_mut(&owner) else { return Finding::Nothing };
        match outcome {
            Probe::Alive(response) => owner.watch.probe_answered(now, response.status()),
            Probe::Silent => owner.watch.silent(),
        }
        if matches!(outcome, Probe::Alive(_)) && !owner.untold.is_empty() {
            return Finding::Alive { taken_over: std::mem::take(&mut owner.untold) };
        }
        match owner.watch.state() {
            MemberState::Down if !is_cut_off => Finding::Down,
            _ => Finding::Nothing,
        }
    }

    /// `owner` must be told that this call goes on here, as soon as it is alive.
    pub(super) fn note_untold(&mut self, owner: SocketAddr, id: String) {
        if let Some(owner) = self.owners.get_mut(&owner) {
            owner.untold.push(id);
        }
    }

    /// `owner` has lost all its calls: there is nothing to tell it.
    pub(super) fn forget_untold(&mut self, owner: SocketAddr) {
        if let Some(owner) = self.owners.get_mut(&owner) {
            owner.untold.clear();
        }
    }
}
