//! Which member a call is offered to next: one that is up, has a circuit, and wants it.

use std::time::Instant;

use contract::MemberState;
use rand::RngExt as _;
use rand::rngs::StdRng;
use sip_proto::Rejection;
use sip_proto::reason::Reason;

use super::TrunkGroup;
use super::call::CallId;
use super::member::Member;
use super::selection::Candidate;
use crate::priority::Priority;

impl TrunkGroup {
    /// Why no site could be offered the call: held back (Q.850 42), circuits all seized (34), or no site in a state to take
    /// it.
    pub(super) fn no_way(&self, want: Want) -> Rejection {
        if want == Want::HeldBack {
            // No Retry-After: it would keep more calls away than the sites have asked for.
            let congestion = Reason::q850(42, "Switching equipment congestion");
            return Rejection::new(503).with_reason(congestion);
        }
        let usable = |state| matches!(state, MemberState::Up | MemberState::Suspect);
        let full = |member: &Member| usable(member.watch.state()) && member.circuits.is_full();
        self.busy().with_reason(if self.members.iter().any(full) {
            Reason::q850(34, "No circuit/channel available")
        } else {
            Reason::q850(41, "Temporary failure")
        })
    }

    /// Among the sites not tried yet: those that are up, or failing that, those under suspicion.
    pub(super) fn choose(&mut self, now: Instant, id: CallId) -> Result<usize, Want> {
        let Some(call) = self.calls.get(id) else { return Err(Want::Site) };
        let priority = call.invite.as_ref().map_or(Priority::ORDINARY, Priority::of);
        let mut want = Want::Site;
        let caller =
            call.invite.as_ref().and_then(|invite| invite.from().uri().user()).unwrap_or_default();
        for state in [MemberState::Up, MemberState::Suspect] {
            let untried =
                self.members.iter().enumerate().filter(|(index, _)| !call.has_tried(*index));
            let mut candidates: Vec<_> =
                untried.filter_map(|(index, member)| member.candidate(index, state, now)).collect();
            hold_back(&self.members, &mut self.rng, now, &mut candidates);
            while let Some(index) = self.selection.choose(&candidates, caller) {
                let member = self.members.get_mut(index).ok_or(Want::Site)?;
                if member.restraint.lets(now, priority, &mut self.rng) {
                    return Ok(index);
                }
                // RFC 7339 §5.10: what an overloaded site does not want may go to another one.
                want = Want::HeldBack;
                candidates.retain(|one| one.index != index);
            }
        }
        Err(want)
    }
}

/// What a call lacks that goes nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// A site that is up and has a circuit.
    Site,
    /// A site that has such and wants it: it was held back by overload control.
    HeldBack,
}

/// Members that are readmitted get a growing part of the calls, while there are others.
fn hold_back(members: &[Member], rng: &mut StdRng, now: Instant, candidates: &mut Vec<Candidate>) {
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
