//! Which member gets a new call: one enum of policies, one function.

use std::collections::BTreeMap;
use std::hash::{Hash as _, Hasher as _};

use rand::RngExt as _;
use rand::rngs::StdRng;
use topology::Policy;

/// A member that could take the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Its place among the members.
    pub index: usize,
    pub weight: u32,
    pub seized: u32,
    pub circuits: u32,
    /// It is at a site of the caller's region.
    pub is_home: bool,
}

/// Who calls, as far as a policy asks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallerPlace<'a> {
    /// The user part of From.
    pub identity: &'a str,
    /// The place of the region among those of the network.
    pub region: Option<usize>,
}

/// What a policy remembers between calls.
#[derive(Debug)]
pub struct Selection {
    policy: Policy,
    rng: StdRng,
    /// The members that were chosen last in turn, by who is served in turn.
    turns: BTreeMap<Turn, usize>,
}

/// Who is served in turn: all callers, or those of a region, at home and elsewhere. Each has its own order, so that the calls of
/// one do not skew the shares of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    region: Option<usize>,
    is_home: bool,
}

impl Selection {
    #[must_use]
    pub const fn new(policy: Policy, rng: StdRng) -> Self {
        Self { policy, rng, turns: BTreeMap::new() }
    }

    /// Chooses among the candidates, which are in the order of the members. `caller` is who calls.
    pub fn choose(&mut self, candidates: &[Candidate], caller: CallerPlace<'_>) -> Option<usize> {
        let first = candidates.first()?;
        let chosen = match self.policy {
            Policy::Weighted => self.weighted(candidates),
            Policy::RoundRobin => {
                self.in_turn(candidates, Turn { region: None, is_home: false }, |_| true)?
            }
            Policy::Affinity => {
                let is_home = candidates.iter().any(|one| one.is_home);
                let turn = Turn { region: caller.region, is_home };
                self.in_turn(candidates, turn, |one| one.is_home == is_home)?
            }
            Policy::LeastLoaded => {
                // The first of equals wins.
                let load = |one: &Candidate| f64::from(one.seized) / f64::from(one.circuits.max(1));
                candidates.iter().min_by(|a, b| load(a).total_cmp(&load(b))).unwrap_or(first).index
            }
            // Rendezvous hashing: when a member goes, only its own callers move.
            Policy::Sticky => {
                candidates
                    .iter()
                    .max_by_key(|one| rank(caller.identity, one.index))
                    .unwrap_or(first)
                    .index
            }
        };
        Some(chosen)
    }

    /// The next after the last one of this turn, of those that are meant; after all of them again the first.
    fn in_turn(
        &mut self,
        candidates: &[Candidate],
        turn: Turn,
        is_meant: impl Fn(&Candidate) -> bool,
    ) -> Option<usize> {
        let last = self.turns.get(&turn).copied();
        let mut meant = candidates.iter().filter(|one| is_meant(one)).map(|one| one.index);
        let first = meant.next()?;
        let is_next = |index: &usize| last.is_some_and(|last| *index > last);
        let chosen = std::iter::once(first).chain(meant).find(is_next).unwrap_or(first);
        self.turns.insert(turn, chosen);
        Some(chosen)
    }

    fn weighted(&mut self, candidates: &[Candidate]) -> usize {
        let total: u64 = candidates.iter().map(|one| u64::from(one.weight)).sum();
        let mut ticket = self.rng.random_range(0..total.max(1));
        for one in candidates {
            match ticket.checked_sub(u64::from(one.weight)) {
                Some(rest) => ticket = rest,
                None => return one.index,
            }
        }
        candidates.first().map_or(0, |one| one.index)
    }
}

/// The same on every machine and in every run: FNV-1a.
fn rank(caller: &str, index: usize) -> u64 {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    caller.hash(&mut hasher);
    (index as u64).hash(&mut hasher);
    hasher.finish()
}

struct Fnv(u64);

impl std::hash::Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        // The last bytes alone would decide the high bits; mix once more.
        (self.0 ^ (self.0 >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    fn from(identity: &str) -> CallerPlace<'_> {
        CallerPlace { identity, region: None }
    }

    fn candidates(weights: &[u32]) -> Vec<Candidate> {
        let one = |(index, weight): (usize, &u32)| Candidate {
            index,
            weight: *weight,
            seized: 0,
            circuits: 10,
            is_home: false,
        };
        weights.iter().enumerate().map(one).collect()
    }

    fn shares(policy: Policy, candidates: &[Candidate]) -> Vec<u32> {
        let mut selection = Selection::new(policy, StdRng::seed_from_u64(1));
        let mut counts = vec![0; 4];
        for call in 0..10_000 {
            let caller = format!("+3363998{call:04}");
            counts[selection.choose(candidates, from(&caller)).unwrap()] += 1;
        }
        counts
    }

    // Weights 1/2/1 give 25/50/25 %, within three standard deviations over 10,000 calls.
    #[test]
    fn weights_are_shares() {
        let counts = shares(Policy::Weighted, &candidates(&[1, 2, 1]));
        assert!((2_370..2_630).contains(&counts[0]), "{counts:?}");
        assert!((4_850..5_150).contains(&counts[1]), "{counts:?}");
    }

    #[test]
    fn round_robin_takes_each_in_turn_and_skips_the_missing() {
        let mut selection = Selection::new(Policy::RoundRobin, StdRng::seed_from_u64(1));
        let all = candidates(&[1, 1, 1]);
        let without_second = [all[0], all[2]];
        let mut choose =
            |from: &[Candidate]| selection.choose(from, CallerPlace::default()).unwrap();
        let chosen =
            [choose(&all), choose(&without_second), choose(&all), choose(&all), choose(&all)];
        assert_eq!(chosen, [0, 2, 0, 1, 2]);
    }

    #[test]
    fn least_loaded_compares_shares_of_circuits() {
        let mut all = candidates(&[1, 1, 1]);
        (all[0].seized, all[1].seized, all[2].seized) = (5, 4, 5);
        all[2].circuits = 100;
        let mut selection = Selection::new(Policy::LeastLoaded, StdRng::seed_from_u64(1));
        assert_eq!(selection.choose(&all, CallerPlace::default()), Some(2));
    }

    #[test]
    fn a_sticky_caller_moves_only_if_its_member_is_gone() {
        let mut selection = Selection::new(Policy::Sticky, StdRng::seed_from_u64(1));
        let all = candidates(&[1, 1, 1, 1]);
        for call in 0..200 {
            let caller = format!("caller-{call}");
            let home = selection.choose(&all, from(&caller)).unwrap();
            let others: Vec<_> =
                all.iter().copied().filter(|one| one.index != (home + 1) % 4).collect();
            assert_eq!(selection.choose(&others, from(&caller)), Some(home));
        }
        let counts = shares(Policy::Sticky, &all);
        assert!(counts.iter().all(|count| (2_200..2_800).contains(count)), "{counts:?}");
    }

    // Two regions whose calls alternate in any pattern: one order for all would give a site too much.
    #[test]
    fn each_region_takes_its_own_in_turn_and_without_them_the_others() {
        let mut selection = Selection::new(Policy::Affinity, StdRng::seed_from_u64(1));
        let of = |home: [usize; 2], without: &[usize]| -> Vec<Candidate> {
            let all = candidates(&[1; 4]).into_iter().filter(|one| !without.contains(&one.index));
            all.map(|one| Candidate { is_home: home.contains(&one.index), ..one }).collect()
        };
        let mut choose = |region: usize, without: &[usize]| {
            let from = of([[0, 1], [2, 3]][region], without);
            let caller = CallerPlace { identity: "", region: Some(region) };
            selection.choose(&from, caller).unwrap()
        };
        let mut chosen = Vec::new();
        for _ in 0..4 {
            chosen.extend([choose(0, &[]), choose(1, &[])]);
        }
        assert_eq!(chosen, [0, 2, 1, 3, 0, 2, 1, 3]);
        assert_eq!([0, 1, 2].map(|_| choose(0, &[0])), [1; 3], "the rest of the region");
        let abroad = [0, 1, 2, 3].map(|_| choose(0, &[0, 1]));
        assert_eq!(abroad, [2, 3, 2, 3], "a dead region is carried by the others in turn");
        let mut unknown = Selection::new(Policy::Affinity, StdRng::seed_from_u64(1));
        let chosen = [0; 5].map(|_| unknown.choose(&candidates(&[1; 4]), CallerPlace::default()));
        assert_eq!(chosen, [0, 1, 2, 3, 0].map(Some));
    }

    #[test]
    fn no_candidate_no_choice() {
        let mut selection = Selection::new(Policy::Weighted, StdRng::seed_from_u64(1));
        assert_eq!(selection.choose(&[], CallerPlace::default()), None);
    }
}
