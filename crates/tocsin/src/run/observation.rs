//! What the conductor of a run sees of its processes.

use std::time::Duration;

use conductor::Observation;
use contract::{MemberSnapshot, TrunkGroupSnapshot};
use topology::Topology;

use super::fleet::Fleet;
use super::plan::Tier;

impl Fleet {
    /// What the conductor sees of the boxes.
    pub(crate) fn observe(&self, topology: &Topology) -> Observation {
        let mut observation = Observation { callers: self.generators(), ..Observation::default() };
        for (name, shown) in self.shown(Tier::Psaps) {
            observation.psaps.extend(shown.psap().map(|psap| (name.clone(), psap.offered)));
        }
        for (name, shown) in self.shown(Tier::Sites) {
            let Some(settings) = topology.call_servers().find(|one| one.name == *name) else {
                continue;
            };
            let Some(one) = shown.call_server() else { continue };
            observation.add(&settings.site, one);
        }
        for (_, shown) in self.shown(Tier::Trunks) {
            if let Some(group) = shown.trunk_group() {
                observation.add_members(&group.members);
            }
        }
        observation
    }

    /// Each member of each trunk group that was found down: how often, and after which silence the last time.
    pub(crate) fn falls(&self) -> Vec<(String, String, u64, Duration)> {
        let groups = self.shown(Tier::Trunks);
        let groups = groups.filter_map(|(name, shown)| Some((name, shown.trunk_group()?)));
        let falls = |(group, shown): (&String, &TrunkGroupSnapshot)| {
            let fall = |member: &MemberSnapshot| {
                let after = Duration::from_micros(member.found_after_us?);
                let falls = u64::from(member.falls);
                Some((member.call_server.clone(), group.clone(), falls, after))
            };
            shown.members.iter().filter_map(fall).collect::<Vec<_>>()
        };
        groups.flat_map(falls).collect()
    }
}
