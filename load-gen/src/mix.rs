//! Who calls: each caller is drawn from the campaign's mix by its seed and the number of the call.
//!
//! A draw depends on nothing else. The same call of the same campaign dials the same number with the
//! same patience, on any machine and however many generators share the load.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

use crate::campaign::{Callers, MixEntry};

/// A person who places one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The caller's half of Session-ID (RFC 7989), which names this attempt in every box.
    pub attempt: u128,
    /// Last four digits of the caller's own number.
    pub subscriber: u16,
    /// What is dialled: `15`, `urn:service:sos.fire`.
    pub number: String,
    /// INSEE code of the commune where the caller is.
    pub commune: Option<String>,
    /// Position of the trunk group in the list that the [`Mix`] was made with.
    pub trunk_group: usize,
    /// How long the caller waits for an answer; `None` is for ever.
    pub patience: Option<Duration>,
    /// How long the caller talks before hanging up; `None` leaves that to the call taker.
    pub talk: Option<Duration>,
}

/// What the callers of a campaign have in common.
#[derive(Debug)]
pub struct Mix {
    entries: Vec<Entry>,
    total_weight: f64,
    callers: Callers,
    trunk_groups: usize,
    seed: u64,
}

#[derive(Debug)]
struct Entry {
    weight: f64,
    number: String,
    communes: Vec<String>,
    trunk_group: Option<usize>,
}

/// A mix names a trunk group that the network does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("mix: no trunk group is called {name:?}; the trunk groups are {known}")]
pub struct UnknownTrunkGroup {
    pub name: String,
    /// The names that exist, separated by commas.
    pub known: String,
}

impl Mix {
    /// `trunk_groups` are the names of all trunk groups of the network; there must be at least one.
    ///
    /// # Errors
    /// When an entry names another one.
    pub fn new(
        entries: &[MixEntry],
        callers: &Callers,
        trunk_groups: &[&str],
        seed: u64,
    ) -> Result<Self, UnknownTrunkGroup> {
        let place = |name: &String| {
            trunk_groups.iter().position(|known| known == name).ok_or_else(|| UnknownTrunkGroup {
                name: name.clone(),
                known: trunk_groups.join(", "),
            })
        };
        let entries: Vec<Entry> = entries
            .iter()
            .map(|entry| {
                Ok(Entry {
                    weight: entry.weight,
                    number: entry.number.clone(),
                    communes: entry.communes.clone(),
                    trunk_group: entry.trunk_group.as_ref().map(place).transpose()?,
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            total_weight: entries.iter().map(|entry| entry.weight).sum(),
            entries,
            callers: callers.clone(),
            trunk_groups: trunk_groups.len(),
            seed,
        })
    }

    /// The caller of call number `index`. A mix without entries has no callers.
    #[must_use]
    pub fn caller(&self, index: u64) -> Option<Caller> {
        let mut rng = self.rng(index);
        let entry = self.entry(rng.random::<f64>() * self.total_weight)?;
        let commune = match entry.communes.len() {
            0 => None,
            n => Some(entry.communes[rng.random_range(0..n)].clone()),
        };
        let spread = rng.random_range(0..self.trunk_groups.max(1));
        let talk = self.callers.talk.sample(&mut rng);
        let hangs_up = rng.random::<f64>() < self.callers.caller_hangs_up;
        Some(Caller {
            // RFC 7989 §4.1: the nil UUID means "no id".
            attempt: rng.random::<u128>().max(1),
            subscriber: rng.random_range(0..10_000),
            number: entry.number.clone(),
            commune,
            trunk_group: entry.trunk_group.unwrap_or(spread),
            patience: self.callers.patience.map(|patience| patience.sample(&mut rng)),
            talk: hangs_up.then_some(talk),
        })
    }

    /// The entry on which `point` falls when all weights are laid end to end.
    fn entry(&self, mut point: f64) -> Option<&Entry> {
        for entry in &self.entries {
            if point < entry.weight {
                return Some(entry);
            }
            point -= entry.weight;
        }
        self.entries.last()
    }

    /// Seed and index side by side, so that no two calls share a stream.
    fn rng(&self, index: u64) -> impl Rng + use<> {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&index.to_le_bytes());
        StdRng::from_seed(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use topology::Distribution;

    use super::*;

    fn entry(number: &str, communes: &[&str], weight: f64, trunk_group: Option<&str>) -> MixEntry {
        MixEntry {
            number: number.to_owned(),
            communes: communes.iter().map(ToString::to_string).collect(),
            weight,
            trunk_group: trunk_group.map(str::to_owned),
        }
    }

    fn mix(seed: u64) -> Mix {
        let callers = Callers {
            talk: Distribution::Exponential { mean: Duration::from_secs(5) },
            patience: Some(Distribution::Fixed(Duration::from_secs(30))),
            caller_hangs_up: 0.25,
        };
        let entries = [
            entry("15", &["59350", "75056"], 3.0, None),
            entry("112", &[], 1.0, Some("fixe")),
        ];
        Mix::new(&entries, &callers, &["mobile", "fixe", "rtc"], seed).expect("a good mix")
    }

    fn callers(seed: u64) -> Vec<Caller> {
        let mix = mix(seed);
        (0..20_000).map(|index| mix.caller(index).expect("a caller")).collect()
    }

    fn share(callers: &[Caller], of: impl Fn(&Caller) -> bool) -> f64 {
        callers.iter().filter(|caller| of(caller)).count() as f64 / callers.len() as f64
    }

    #[test]
    fn shares_follow_the_weights() {
        let all = callers(1);
        let near = |actual: f64, wanted: f64| (actual - wanted).abs() < 0.015;
        assert!(near(share(&all, |c| c.number == "15"), 0.75));
        assert!(near(share(&all, |c| c.commune.as_deref() == Some("59350")), 0.375));
        assert!(near(share(&all, |c| c.talk.is_some()), 0.25));
        assert!(all.iter().all(|c| c.number == "15" || (c.commune.is_none() && c.trunk_group == 1)));
        let mut trunk_groups = HashMap::<usize, u32>::new();
        all.iter().for_each(|c| *trunk_groups.entry(c.trunk_group).or_default() += 1);
        assert_eq!(trunk_groups.len(), 3, "without a name, calls spread over all trunk groups");
    }

    #[test]
    fn a_call_is_the_same_in_every_run_and_no_two_are_alike() {
        assert_eq!(callers(1)[77], mix(1).caller(77).expect("a caller"));
        let ids: HashSet<u128> = callers(1).iter().map(|caller| caller.attempt).collect();
        assert_eq!(ids.len(), 20_000);
        assert!(callers(2).iter().all(|caller| !ids.contains(&caller.attempt)));
    }

    #[test]
    fn an_unknown_trunk_group_is_named_with_the_known_ones() {
        let callers = mix(1).callers;
        let error = Mix::new(&[entry("15", &[], 1.0, Some("mobil"))], &callers, &["mobile", "rtc"], 1)
            .expect_err("mobil does not exist");
        let text = r#"mix: no trunk group is called "mobil"; the trunk groups are mobile, rtc"#;
        assert_eq!(error.to_string(), text);
    }
}
