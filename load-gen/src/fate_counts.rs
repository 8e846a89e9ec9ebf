//! What became of attempts so far, by number, département and trunk group: what supervision counts.

use std::collections::BTreeMap;

use contract::FateCount;
use operations::supervision::department;
use telemetry::CallerClass;

use crate::caller::Caller;

/// The counts of one generator.
#[derive(Debug, Default)]
pub(crate) struct FateCounts {
    counts: BTreeMap<Key, [u64; 4]>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    number: String,
    department: String,
    trunk_group: usize,
    emergency: bool,
}

/// What can become of an attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fate {
    Answered,
    Unanswered,
    Lost,
    /// Also unanswered: refused, or it never rang.
    Failed,
}

impl FateCounts {
    pub(crate) fn count(&mut self, caller: &Caller, fate: Fate) {
        let key = Key {
            number: caller.number.clone(),
            department: department(caller.commune.as_deref()).to_owned(),
            trunk_group: caller.trunk_group,
            emergency: caller.class == CallerClass::Emergency,
        };
        self.counts.entry(key).or_default()[fate as usize] += 1;
    }

    /// All counts; `trunk_groups` are the names behind their places.
    pub(crate) fn counts(&self, trunk_groups: &[(String, std::net::SocketAddr)]) -> Vec<FateCount> {
        let name = |place: usize| trunk_groups.get(place).map_or("", |(name, _)| &name[..]);
        let count = |(key, [answered, unanswered, lost, failed]): (&Key, &[u64; 4])| FateCount {
            number: key.number.clone(),
            department: key.department.clone(),
            trunk_group: name(key.trunk_group).to_owned(),
            emergency: key.emergency,
            answered: *answered,
            unanswered: *unanswered + *failed,
            failed: *failed,
            lost: *lost,
        };
        self.counts.iter().map(count).collect()
    }
}
