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
    /// Since when, and until when, something has come in without a long pause.
    heard: Option<(Instant, Instant)>,
    next_round: Option<Instant>,
}

#[derive(Debug)]
struct Owner {
    watch: Watch,
    /// Calls that were taken over while it could not be told so.
    to_be_told: Vec<String>,
}

/// What a probe has shown of an owner.
#[derive(Debug)]
pub(super) enum Finding {
    Nothing,
    /// It is alive after all, and must hear that these calls go on here.
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
            .or_insert_with(|| Owner { watch: Watch::new(pool, now), to_be_told: Vec::new() });
        self.next_round.get_or_insert(now);
    }

    /// Nobody is watched any more.
    pub(super) fn stop(&mut self) {
        self.owners.clear();
        self.next_round = None;
    }

    /// Anything at all has come in.
    pub(super) fn hear(&mut self, now: Instant) {
        let since =
            self.heard.filter(|(_, last)| now.saturating_duration_since(*last) <= self.pause());
        self.heard = Some((since.map_or(now, |(since, _)| since), now));
    }

    /// The longest silence of the whole network: trunk groups probe every machine as often as it probes its owners.
    fn pause(&self) -> Duration {
        self.pool.probe_interval + self.pool.probe_timeout
    }

    /// Whether it may be this machine that nobody reaches, and not an owner that does not answer: it has not heard others
    /// for as long as it takes to find an owner down.
    fn is_cut_off(&self, now: Instant) -> bool {
        self.heard.is_none_or(|(since, last)| {
            now.saturating_duration_since(last) > self.pause()
                || now.saturating_duration_since(since) < *self.pool.detection().end()
        })
    }

    /// When the next probes go out.
    pub(super) const fn next(&self) -> Option<Instant> {
        self.next_round
    }

    /// Probes all owners, if it is time. Who has no replica in `journal` any more is none.
    pub(super) fn probe_if_due(
        &mut self,
        user_agent: &mut UserAgent,
        now: Instant,
        journal: &Journal,
    ) {
        if self.next_round.is_none_or(|at| at > now) {
            return;
        }
        self.owners.retain(|at, owner| !owner.to_be_told.is_empty() || journal.has_any_of(*at));
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
        if matches!(outcome, Probe::Alive(_)) && !owner.to_be_told.is_empty() {
            return Finding::Alive { taken_over: std::mem::take(&mut owner.to_be_told) };
        }
        match owner.watch.state() {
            MemberState::Down if !is_cut_off => Finding::Down,
            _ => Finding::Nothing,
        }
    }

    /// `owner` must hear that this call goes on elsewhere, should it be alive.
    pub(super) fn tell_later(&mut self, owner: SocketAddr, id: String) {
        if let Some(owner) = self.owners.get_mut(&owner) {
            owner.to_be_told.push(id);
        }
    }

    /// `owner` knows none of its calls any more.
    pub(super) fn tell_nothing(&mut self, owner: SocketAddr) {
        if let Some(owner) = self.owners.get_mut(&owner) {
            owner.to_be_told.clear();
        }
    }
}
