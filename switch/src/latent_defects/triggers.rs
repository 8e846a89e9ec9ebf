//! Where latent defects act. Each is one condition; what follows from it is done by the code that releases without
//! defects run too. `catalogue.rs` tells what they copy.

use std::time::Duration;

use topology::{Defect, is_emergency};

use crate::machine::{Disk, Replica};

/// `context-leak`: a call that ends does not give its context back.
pub(crate) fn keeps_contexts(disk: &Disk) -> bool {
    disk.stale_circuits && has(disk, |defect| matches!(defect, Defect::ContextLeak))
}

/// `recovery-crash`: two messages of a neighbour that has just recovered, the second one `since` the first, came too
/// close to each other.
pub(crate) fn crashes_on_recovery_messages(disk: &Disk, since: Option<Duration>) -> bool {
    has(disk, |defect| match defect {
        Defect::RecoveryCrash { window } => since.is_some_and(|since| since < *window),
        _ => false,
    })
}

/// `poison-call`: a call for this number, on a machine with so many `calls`, ends the software.
pub(crate) fn crashes_on_call(disk: &Disk, number: &str, calls: usize) -> bool {
    has(disk, |defect| match defect {
        Defect::PoisonCall { number: poison, busy } => poison == number && calls >= *busy as usize,
        _ => false,
    })
}

/// `counter-ceiling`: the identifiers of trunk members are used up for this class of calls. Takes one otherwise.
pub(crate) fn has_no_trunk_member(disk: &mut Disk, number: &str) -> bool {
    let ceiling = disk.release.defects.iter().find_map(|defect| match defect {
        Defect::CounterCeiling { numbers, ceiling } => {
            numbers.iter().any(|one| one == number).then_some(*ceiling)
        }
        _ => None,
    });
    let Some(ceiling) = ceiling else { return false };
    let exhausted = disk.trunk_members >= ceiling;
    if !exhausted {
        disk.trunk_members += 1;
    }
    exhausted
}

/// `silent-lock`: probes do not show the lock, unless traffic was led away before.
pub(crate) fn hides_its_lock(disk: &Disk) -> bool {
    disk.locked && !disk.diverted && has(disk, |defect| matches!(defect, Defect::SilentLock))
}

/// `silent-lock`: an emergency call is taken in and never gets an answer.
pub(crate) fn leaves_unanswered(disk: &Disk, number: &str) -> bool {
    hides_its_lock(disk) && is_emergency(number)
}

/// `poison-replica`: the record cannot be read, neither when it comes nor from the journal after a start.
pub(crate) fn cannot_read(disk: &Disk, replica: &Replica) -> bool {
    has(
        disk,
        |defect| matches!(defect, Defect::PoisonReplica { number } if *number == replica.record.number),
    )
}

fn has(disk: &Disk, defect: impl Fn(&Defect) -> bool) -> bool {
    disk.release.defects.iter().any(defect)
}
