//! How many calls went to each answering point.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use contract::TowardsCounts;
use topology::{Psap, Topology};

/// Calls to each answering point, at its place in the network.
#[derive(Debug, Clone, Default)]
pub(crate) struct Towards(Vec<TowardsCounts>);

impl Towards {
    /// A call is offered to `psap`, which is one of `topology`.
    pub(super) fn offered(&mut self, topology: &Topology, psap: &Psap) {
        let place = topology.psaps.iter().position(|one| std::ptr::eq(one, psap));
        if let Some(counts) = self.at(place) {
            counts.offered += 1;
        }
    }

    /// The one with this name has answered.
    pub(super) fn answered(&mut self, topology: &Topology, name: Option<&str>) {
        let place = topology.psaps.iter().position(|one| Some(&one.name[..]) == name);
        if let Some(counts) = self.at(place) {
            counts.answered += 1;
        }
    }

    fn at(&mut self, place: Option<usize>) -> Option<&mut TowardsCounts> {
        let place = place?;
        if self.0.len() <= place {
            self.0.resize(place + 1, TowardsCounts::default());
        }
        self.0.get_mut(place)
    }

    /// Those that were offered a call, by name.
    pub(crate) fn shown(&self, topology: &Topology) -> BTreeMap<String, TowardsCounts> {
        let named = topology.psaps.iter().zip(&self.0);
        let used = named.filter(|(_, counts)| counts.offered > 0);
        used.map(|(psap, counts)| (psap.name.clone(), *counts)).collect()
    }
}

impl AddAssign<&Self> for Towards {
    fn add_assign(&mut self, other: &Self) {
        for (place, more) in other.0.iter().enumerate() {
            if let Some(counts) = self.at(Some(place)) {
                counts.offered += more.offered;
                counts.answered += more.answered;
            }
        }
    }
}
