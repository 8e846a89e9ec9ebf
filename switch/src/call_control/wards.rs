//! Wards: the call servers whose replicas are in the journal. They are probed, and their calls taken over when they are
//! found down.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use contract::MemberState;
use sip_proto::user_agent::Probe;
use topology::Pool;

use super::CallControl;
use super::neighbours::Word;
use crate::pool::Watch;

/// Calls named in one message.
const MOST_NAMED: usize = 1_000;

/// All wards, and when they are probed.
#[derive(Debug)]
pub(super) struct Wards {
    pool: Pool,
    wards: BTreeMap<SocketAddr, Ward>,
    /// Since when, and until when, something has come in without a long pause.
    heard: Option<(Instant, Instant)>,
    next_round: Option<Instant>,
}

#[derive(Debug)]
struct Ward {
    watch: Watch,
    /// Calls that were taken over while it could not be told so.
    debt: Vec<String>,
}

impl Wards {
    pub(super) const fn new(pool: Pool) -> Self {
        Self { pool, wards: BTreeMap::new(), heard: None, next_round: None }
    }

    /// There are replicas of `owner`.
    pub(super) fn watch_over(&mut self, now: Instant, owner: SocketAddr) {
        let pool = &self.pool;
        self.wards
            .entry(owner)
            .or_insert_with(|| Ward { watch: Watch::new(pool, now), debt: Vec::new() });
        self.next_round.get_or_insert(now);
    }

    /// Anything at all has come in.
    pub(super) fn hear(&mut self, now: Instant) {
        let since =
            self.heard.filter(|(_, last)| now.saturating_duration_since(*last) <= self.pause());
        self.heard = Some((since.map_or(now, |(since, _)| since), now));
    }

    /// The longest silence of the whole network: trunk groups probe every machine as often as it probes its wards.
    fn pause(&self) -> Duration {
        self.pool.probe_interval + self.pool.probe_timeout
    }

    /// Whether it may be this machine that nobody reaches, and not a ward that does not answer: it has not heard others
    /// for as long as it takes to find a ward down.
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

    /// `owner` must hear that this call goes on elsewhere, should it be alive.
    pub(super) fn owe(&mut self, owner: SocketAddr, id: String) {
        if let Some(ward) = self.wards.get_mut(&owner) {
            ward.debt.push(id);
        }
    }

    /// `owner` knows none of its calls any more.
    pub(super) fn forget_debt(&mut self, owner: SocketAddr) {
        if let Some(ward) = self.wards.get_mut(&owner) {
            ward.debt.clear();
        }
    }
}

impl CallControl {
    /// Probes all wards, if it is time.
    pub(super) fn visit_wards(&mut self, now: Instant) {
        if self.wards.next_round.is_none_or(|at| at > now) {
            return;
        }
        let journal = &self.disk.journal;
        self.wards.wards.retain(|owner, ward| !ward.debt.is_empty() || journal.has_any_of(*owner));
        let Pool { probe_interval, probe_timeout, .. } = self.wards.pool;
        for owner in self.wards.wards.keys() {
            self.user_agent.probe(now, *owner, probe_timeout);
        }
        let any = !self.wards.wards.is_empty();
        self.wards.next_round = any.then(|| now + probe_interval);
    }

    /// Nobody is watched any more.
    pub(super) fn leave_wards(&mut self) {
        self.wards.wards.clear();
        self.wards.next_round = None;
    }

    pub(super) fn ward_probed(&mut self, now: Instant, owner: SocketAddr, outcome: &Probe) {
        let Some(ward) = self.wards.wards.get_mut(&owner) else { return };
        match outcome {
            Probe::Alive(response) => ward.watch.probe_answered(now, response.status()),
            Probe::Silent => ward.watch.silent(),
        }
        let is_alive = matches!(outcome, Probe::Alive(_));
        if is_alive && !ward.debt.is_empty() {
            let debt = std::mem::take(&mut ward.debt);
            for ids in debt.chunks(MOST_NAMED) {
                self.tell(now, owner, &Word::TakenOver { ids: ids.to_vec() });
            }
        } else if ward.watch.state() == MemberState::Down && !self.wards.is_cut_off(now) {
            self.take_over_all(now, owner);
        }
    }
}
