//! What a crisis is told of what the boxes show: the difference between two observations.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::FateCount;
use operations::{Crisis, Fates};

use crate::stage::Observation;

/// Number, département, trunk group, and whether it is an emergency number.
type Kind<'a> = (&'a str, &'a str, &'a str, bool);

/// Tells `crisis` what has happened between two observations.
pub(crate) fn tell(crisis: &mut Crisis, at: Duration, before: &Observation, seen: &Observation) {
    let known = sums(&before.callers.fates);
    for ((number, department, trunk_group, emergency), now) in sums(&seen.callers.fates) {
        let kind = (number, department, trunk_group, emergency);
        let old = known.get(&kind).copied().unwrap_or_default();
        let [attempts, failed, cut] = std::array::from_fn(|i| now[i].saturating_sub(old[i]));
        if attempts + failed + cut > 0 {
            let fates = Fates { number, department, trunk_group, emergency, attempts, failed, cut };
            crisis.attempts_ended(at, &fates);
        }
    }
    for (psap, offered) in &seen.psaps {
        let old = before.psaps.get(psap).copied().unwrap_or_default();
        crisis.arrived(at, psap, offered.saturating_sub(old));
    }
    for (site, now) in &seen.sites {
        if now.restarts > before.sites.get(site).map_or(0, |old| old.restarts) {
            crisis.restarted(site);
        }
    }
}

/// Attempts that ended or were answered, failed ones, and calls that were cut, of all generators together.
fn sums(fates: &[FateCount]) -> BTreeMap<Kind<'_>, [u64; 3]> {
    let mut sums = BTreeMap::<Kind<'_>, [u64; 3]>::new();
    for one in fates {
        let kind = (&one.number[..], &one.department[..], &one.trunk_group[..], one.emergency);
        let sum = sums.entry(kind).or_default();
        sum[0] += one.answered + one.unanswered;
        sum[1] += one.failed;
        sum[2] += one.lost;
    }
    sums
}
