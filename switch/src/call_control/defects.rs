//! Where latent defects act. Each is one condition beside the sound path; all that follows from it is done by the code
//! that sound releases run too. `crate::defects` tells what they copy.

use std::time::Instant;

use topology::{Defect, is_emergency};

use super::CallControl;
use crate::call_server::Replica;

impl CallControl {
    /// `context-leak`: a call that ends does not give its context back.
    pub(super) fn keeps_contexts(&self) -> bool {
        self.disk.stale_circuits && self.has(|defect| matches!(defect, Defect::ContextLeak))
    }

    /// `recovery-crash`: two words of a neighbour that has just recovered came too close to each other.
    pub(super) fn hear_recovery(&mut self, now: Instant, last: Option<Instant>) {
        let since = last.map(|last| now.saturating_duration_since(last));
        let trips = |defect: &Defect| match defect {
            Defect::RecoveryCrash { window } => since.is_some_and(|since| since < *window),
            _ => false,
        };
        if self.has(trips) {
            self.fail("two recovery messages of a neighbour came too close to each other");
        }
    }

    /// `poison-call`: a call for this number, on a busy machine, ends the software.
    pub(super) fn is_poisoned_by(&self, number: &str) -> bool {
        let calls = self.calls.len();
        self.has(|defect| match defect {
            Defect::PoisonCall { number: poison, busy } => {
                poison == number && calls >= *busy as usize
            }
            _ => false,
        })
    }

    /// `counter-ceiling`: the identifiers of trunk members are used up for this class of calls. Takes one otherwise.
    pub(super) fn has_no_trunk_member(&mut self, number: &str) -> bool {
        let ceiling = self.disk.release.defects.iter().find_map(|defect| match defect {
            Defect::CounterCeiling { numbers, ceiling } => {
                numbers.iter().any(|one| one == number).then_some(*ceiling)
            }
            _ => None,
        });
        let Some(ceiling) = ceiling else { return false };
        let exhausted = self.disk.trunk_members >= ceiling;
        if !exhausted {
            self.disk.trunk_members += 1;
        }
        exhausted
    }

    /// `silent-lock`: the lock does not show where traffic was not led away before.
    pub(super) fn hides_its_lock(&self) -> bool {
        self.disk.locked
            && !self.disk.diverted
            && self.has(|defect| matches!(defect, Defect::SilentLock))
    }

    /// `silent-lock`: an emergency call is taken in and never gets an answer.
    pub(super) fn swallows(&self, number: &str) -> bool {
        self.hides_its_lock() && is_emergency(number)
    }

    /// `poison-replica`: the record cannot be read, today or after a start.
    pub(super) fn chokes_on(&self, replica: &Replica) -> bool {
        self.has(|defect| matches!(defect, Defect::PoisonReplica { number } if *number == replica.record.number))
    }

    fn has(&self, defect: impl Fn(&Defect) -> bool) -> bool {
        self.disk.release.defects.iter().any(defect)
    }
}
