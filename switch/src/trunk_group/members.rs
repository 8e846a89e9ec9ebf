//! The members of a trunk group: which of them a call is offered to next, and what is known of each.
//!
//! A call goes to a member that is up, has a circuit, and wants it.

use std::collections::VecDeque;
use std::time::Instant;

use contract::MemberState;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use topology::{Policy, Region, Topology};

use super::call::Call;
use super::member::Member;
use super::selection::{CallerPlace, Candidate, Selection};
use crate::pool::{Change, Watch};
use crate::priority::Priority;

/// All members, each with a place that stays the same.
#[derive(Debug)]
pub(super) struct Members {
    trunk_group: String,
    members: Vec<Member>,
    selection: Selection,
    /// Those of the network, if the policy asks for them.
    regions: Vec<Region>,
    /// Decides which calls a member gets that was readmitted or is overloaded.
    rng: StdRng,
    /// States that have changed and are not told yet.
    changes: VecDeque<Change>,
}

impl Members {
    pub(super) fn new(
        settings: &topology::TrunkGroup,
        topology: &Topology,
        seed: u64,
        now: Instant,
    ) -> Self {
        let rng = StdRng::seed_from_u64(seed ^ 0x0074_7275_6e6b);
        let member = |one| Member::new(one, &topology.pool, now);
        let regions = match settings.policy {
            Policy::Affinity => topology.regions.clone(),
            _ => Vec::new(),
        };
        Self {
            trunk_group: settings.name.clone(),
            members: settings.members.iter().map(member).collect(),
            regions,
            selection: Selection::new(settings.policy, rng),
            rng: StdRng::seed_from_u64(seed ^ 0x7265_6164),
            changes: VecDeque::new(),
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<&Member> {
        self.members.get(index)
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Member> {
        self.members.get_mut(index)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Member> {
        self.members.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Member> {
        self.members.iter_mut()
    }

    /// The place of the first member of which this is true.
    pub(super) fn position(&self, is_it: impl Fn(&Member) -> bool) -> Option<usize> {
        self.members.iter().position(is_it)
    }

    /// Whether a member that may get calls has no circuit for one.
    pub(super) fn is_any_full(&self) -> bool {
        let usable = |state| matches!(state, MemberState::Up | MemberState::Suspect);
        self.iter().any(|member| usable(member.watch.state()) && member.circuits.is_full())
    }

    /// Among the sites not tried yet: those that are up, or failing that, those under suspicion.
    pub(super) fn choose(&mut self, now: Instant, call: &Call) -> Result<usize, Want> {
        let priority = call.invite.as_ref().map_or(Priority::ORDINARY, Priority::of);
        let mut want = Want::Site;
        let invite = call.invite.as_ref();
        let caller = CallerPlace {
            identity: invite.and_then(|invite| invite.from().uri().user()).unwrap_or_default(),
            region: self.region_of(call.record.commune.as_deref()),
        };
        for state in [MemberState::Up, MemberState::Suspect] {
            let untried =
                self.members.iter().enumerate().filter(|(index, _)| !call.has_tried(*index));
            let mut candidates: Vec<_> =
                untried.filter_map(|(index, member)| member.candidate(index, state, now)).collect();
            thin_out(&self.members, &mut self.rng, now, &mut candidates);
            self.mark_home(&mut candidates, caller.region);
            while let Some(index) = self.selection.choose(&candidates, caller) {
                let member = self.members.get_mut(index).ok_or(Want::Site)?;
                if member.restraint.admits(now, priority, &mut self.rng) {
                    return Ok(index);
                }
                // RFC 7339 §5.10: what an overloaded site does not want may go to another one.
                want = Want::HeldBack;
                candidates.retain(|one| one.index != index);
            }
        }
        Err(want)
    }

    /// The place of the region that `commune` is in.
    fn region_of(&self, commune: Option<&str>) -> Option<usize> {
        let commune = commune?;
        self.regions.iter().position(|region| region.has(commune))
    }

    /// Marks the candidates at the sites of a region.
    fn mark_home(&self, candidates: &mut [Candidate], region: Option<usize>) {
        let Some(region) = region.and_then(|region| self.regions.get(region)) else { return };
        for one in candidates {
            let member = self.members.get(one.index);
            one.is_home = member.is_some_and(|member| region.sites.contains(&member.site));
        }
    }

    /// Updates a member's watch, and notes the change if its state is another one then.
    pub(super) fn update_watch(
        &mut self,
        now: Instant,
        index: usize,
        take: impl FnOnce(&mut Watch),
    ) {
        let Some(member) = self.members.get_mut(index) else { return };
        let from = member.watch.state();
        let silent_for = member.watch.silent_for(now);
        take(&mut member.watch);
        let to = member.watch.state();
        if from != to && to == MemberState::Down {
            member.falls += 1;
            member.found_after = Some(silent_for);
        }
        if from != to {
            self.changes.push_back(Change {
                seen_by: self.trunk_group.clone(),
                silent_for,
                call_server: member.name.clone(),
                site: member.site.clone(),
                from,
                to,
            });
        }
    }

    /// The next change of a state that is not told yet.
    pub(super) fn poll_change(&mut self) -> Option<Change> {
        self.changes.pop_front()
    }
}

/// Why no member gets a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// None is up and has a circuit.
    Site,
    /// Some are, but overload control held the call back.
    HeldBack,
}

/// Leaves members out that were readmitted a short time ago, so that they get a growing part of the calls; not if there
/// are no others.
fn thin_out(members: &[Member], rng: &mut StdRng, now: Instant, candidates: &mut Vec<Candidate>) {
    let share =
        |one: &Candidate| members.get(one.index).map_or(1.0, |member| member.watch.share(now));
    let shares: Vec<f64> = candidates.iter().map(share).collect();
    if !shares.contains(&1.0) || shares.iter().all(|share| *share >= 1.0) {
        return;
    }
    let mut shares = shares.into_iter();
    candidates.retain(|_| {
        let share = shares.next().unwrap_or(1.0);
        share >= 1.0 || rng.random_bool(share)
    });
}
