//! Who calls: each caller is drawn from the campaign's mix by its seed and the number of the call.
//!
//! A draw depends on nothing else. The same call of the same campaign dials the same number with
//! the same patience, on any machine and however many generators share the load. Only the id of
//! the attempt is new in each run: a network that serves two runs must tell their calls apart.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use telemetry::CallerClass;
use topology::{Distribution, is_emergency};

use crate::campaign::{Callers, Campaign};
use crate::person::{Fate, Habits, Next, Told};
use crate::ten_digits::TenDigits;

/// A person and the one call that they place now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The number of their first call in the campaign: names the person.
    pub index: u64,
    /// Which call of theirs this is: 1, 2, 3 …
    pub nth: u32,
    /// What they want, as their first call tells.
    pub class: CallerClass,
    /// The caller's half of Session-ID (RFC 7989), which names this attempt in every box.
    pub attempt: u128,
    /// Last four digits of the caller's own number.
    pub subscriber: u16,
    /// What is dialled: `15`, `urn:service:sos.fire`.
    pub number: String,
    /// The short number that the ten digits in [`number`](Self::number) stand for, when the person has
    /// turned to these.
    pub instead_of: Option<String>,
    /// INSEE code of the commune where the caller is.
    pub commune: Option<String>,
    /// Position of the trunk group in the list that the [`Mix`] was made with.
    pub trunk_group: usize,
    /// How long the caller waits for an answer: from the INVITE, or from the first ring if there is
    /// a [`silence_patience`](Self::silence_patience).
    pub patience: Duration,
    /// How long the caller bears to hear nothing.
    pub silence_patience: Option<Duration>,
    /// How long the caller talks before hanging up; `None` leaves that to the call taker.
    pub talk: Option<Duration>,
    /// Whether the call has media.
    pub speaks: bool,
    /// Position of the person's entry in the mix.
    pub(crate) entry: usize,
}

/// What the callers of a campaign have in common.
#[derive(Debug)]
pub struct Mix {
    entries: Vec<Entry>,
    total_weight: f64,
    callers: Callers,
    /// Nobody waits longer than this.
    ring_limit: Duration,
    trunk_groups: usize,
    seed: u64,
    nonce: u64,
}

#[derive(Debug)]
struct Entry {
    weight: f64,
    number: String,
    communes: Vec<String>,
    trunk_group: Option<usize>,
    talk: Distribution,
    redial: bool,
}

/// Why no caller can be drawn from a mix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MixError {
    #[error("mix: no trunk group is called {name:?}; the trunk groups are {known}")]
    UnknownTrunkGroup { name: String, known: String },
    #[error("the network has no trunk group; callers need one to call")]
    NoTrunkGroup,
    #[error("the campaign needs at least one entry in its mix")]
    Empty,
}

impl Mix {
    /// `trunk_groups` are the names of all trunk groups of the network; `nonce` sets the attempts of
    /// one run apart from those of another, and changes nothing else.
    ///
    /// # Errors
    /// When an entry names another one, or there is nothing to choose from.
    pub fn new(campaign: &Campaign, trunk_groups: &[&str], nonce: u64) -> Result<Self, MixError> {
        if trunk_groups.is_empty() {
            return Err(MixError::NoTrunkGroup);
        }
        if campaign.mix.is_empty() {
            return Err(MixError::Empty);
        }
        let place = |name: &String| {
            let known = trunk_groups.iter().position(|known| known == name);
            known.ok_or_else(|| MixError::UnknownTrunkGroup {
                name: name.clone(),
                known: trunk_groups.join(", "),
            })
        };
        let entries: Vec<Entry> = campaign
            .mix
            .iter()
            .map(|entry| {
                Ok(Entry {
                    weight: entry.weight,
                    number: entry.number.clone(),
                    communes: entry.communes.clone(),
                    trunk_group: entry.trunk_group.as_ref().map(place).transpose()?,
                    talk: entry.talk.unwrap_or(campaign.callers.talk),
                    redial: entry.redial,
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            total_weight: entries.iter().map(|entry| entry.weight).sum(),
            entries,
            callers: campaign.callers.clone(),
            ring_limit: campaign.ring_limit,
            trunk_groups: trunk_groups.len(),
            seed: campaign.seed,
            nonce,
        })
    }

    /// The caller of call number `index`.
    #[must_use]
    pub fn caller(&self, index: u64) -> Caller {
        let mut rng = StdRng::from_seed(self.stream(index, Use::Person, 1));
        let place = self.entry(rng.random::<f64>() * self.total_weight);
        let entry = &self.entries[place];
        let commune = match entry.communes.len() {
            0 => None,
            n => Some(entry.communes[rng.random_range(0..n)].clone()),
        };
        let spread = rng.random_range(0..self.trunk_groups);
        let talk = entry.talk.sample(&mut rng);
        let patience = self.patience(&mut rng);
        let hangs_up = rng.random::<f64>() < self.callers.caller_hangs_up;
        let subscriber = rng.random_range(0..10_000);
        // What came later is drawn last, so that it changes nothing before it.
        let speaks = rng.random::<f64>() < self.callers.media;
        let silence_patience = self.silence_patience(&mut rng);
        Caller {
            index,
            nth: 1,
            class: match is_emergency(&entry.number) {
                true => CallerClass::Emergency,
                false => CallerClass::Ordinary,
            },
            attempt: self.attempt(index, 1),
            subscriber,
            number: entry.number.clone(),
            instead_of: None,
            commune,
            trunk_group: entry.trunk_group.unwrap_or(spread),
            patience,
            silence_patience,
            talk: hangs_up.then_some(talk),
            speaks,
            entry: place,
        }
    }

    /// What the same person does after a call that failed by `fate`: the next call as far as it follows
    /// from the person, and how it differs. `None`: they call no more.
    pub(crate) fn again(
        &self,
        caller: Caller,
        fate: Fate,
        told: Told,
        ten_digits: &TenDigits,
    ) -> Option<(Caller, Next)> {
        let entry = &self.entries[caller.entry];
        let redial = self.callers.redial.as_ref().filter(|_| entry.redial)?;
        let nth = caller.nth + 1;
        let mut rng = StdRng::from_seed(self.stream(caller.index, Use::Person, nth));
        let habits = Habits { redial, trunk_groups: self.trunk_groups, ten_digits, told };
        let next = habits.next(&caller, fate, &mut rng)?;
        let talk = entry.talk.sample(&mut rng);
        let patience = self.patience(&mut rng);
        let hangs_up = rng.random::<f64>() < self.callers.caller_hangs_up;
        let silence_patience = self.silence_patience(&mut rng);
        let attempt = self.attempt(caller.index, nth);
        let talk = hangs_up.then_some(talk);
        Some((Caller { nth, attempt, talk, patience, silence_patience, ..caller }, next))
    }

    fn patience(&self, rng: &mut StdRng) -> Duration {
        let drawn = self.callers.patience.map_or(Duration::MAX, |it| it.sample(rng));
        drawn.min(self.ring_limit)
    }

    fn silence_patience(&self, rng: &mut StdRng) -> Option<Duration> {
        let silence = self.callers.redial.as_ref()?.silence_patience?;
        Some(silence.sample(rng).min(self.ring_limit))
    }

    /// The entry on which `point` falls when all weights are laid end to end.
    fn entry(&self, mut point: f64) -> usize {
        for (place, entry) in self.entries.iter().enumerate() {
            if point < entry.weight {
                return place;
            }
            point -= entry.weight;
        }
        self.entries.len() - 1
    }

    /// The id of one call of person `index`, in this run alone.
    fn attempt(&self, index: u64, nth: u32) -> u128 {
        let mut stream = self.stream(index, Use::Attempt, nth);
        stream[16..24].copy_from_slice(&self.nonce.to_le_bytes());
        // RFC 7989 §4.1: the nil UUID means "no id".
        StdRng::from_seed(stream).random::<u128>().max(1)
    }

    /// Seed, person and call side by side, so that no two calls share a stream.
    fn stream(&self, index: u64, use_for: Use, nth: u32) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&index.to_le_bytes());
        bytes[24] = use_for as u8;
        // Counted from 0, so that first calls draw the same whether or not anybody redials.
        bytes[25..29].copy_from_slice(&(nth - 1).to_le_bytes());
        bytes
    }
}

/// What a stream of chance is for.
#[derive(Debug, Clone, Copy)]
enum Use {
    Person = 0,
    Attempt = 1,
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use topology::Distribution;

    use super::*;
    use crate::fixture::{self, entry};

    fn campaign(seed: u64) -> Campaign {
        Campaign {
            seed,
            mix: vec![
                entry("15", &["59350", "75056"], 3.0, None),
                entry("112", &[], 1.0, Some("fixe")),
            ],
            callers: Callers {
                talk: Distribution::Exponential { mean: Duration::from_secs(5) },
                patience: Some(Distribution::Exponential { mean: Duration::from_secs(30) }),
                caller_hangs_up: 0.25,
                ..fixture::campaign().callers
            },
            ..fixture::campaign()
        }
    }

    fn mix(seed: u64) -> Mix {
        Mix::new(&campaign(seed), &["mobile", "fixe", "rtc"], 0).expect("a good mix")
    }

    fn callers(seed: u64) -> Vec<Caller> {
        let mix = mix(seed);
        (0..20_000).map(|index| mix.caller(index)).collect()
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
        // Of exponential patience with mean 30 s, e^-2 is longer than the limit of 60 s.
        let limit = Duration::from_secs(60);
        assert!(near(share(&all, |c| c.patience == limit), (-2.0_f64).exp()));
        assert!(all.iter().all(|c| c.patience <= limit));
        assert!(
            all.iter().all(|c| c.number == "15" || (c.commune.is_none() && c.trunk_group == 1))
        );
        let mut trunk_groups = HashMap::<usize, u32>::new();
        all.iter().for_each(|c| *trunk_groups.entry(c.trunk_group).or_default() += 1);
        assert_eq!(trunk_groups.len(), 3, "without a name, calls spread over all trunk groups");
    }

    #[test]
    fn a_call_is_the_same_in_every_run_and_no_two_are_alike() {
        assert_eq!(callers(1)[77], mix(1).caller(77));
        let ids: HashSet<u128> = callers(1).iter().map(|caller| caller.attempt).collect();
        assert_eq!(ids.len(), 20_000);
        assert!(callers(2).iter().all(|caller| !ids.contains(&caller.attempt)));
    }

    #[test]
    fn another_run_has_the_same_callers_with_other_attempts() {
        let again = Mix::new(&campaign(1), &["mobile", "fixe", "rtc"], 9).expect("a good mix");
        for (index, first) in (0..).zip(callers(1)) {
            let second = again.caller(index);
            assert_ne!(first.attempt, second.attempt);
            assert_eq!(Caller { attempt: first.attempt, ..second }, first);
        }
    }

    #[test]
    fn an_unknown_trunk_group_is_named_with_the_known_ones() {
        let error = Mix::new(&campaign(1), &["mobile", "rtc"], 0).expect_err("fixe does not exist");
        let text = r#"mix: no trunk group is called "fixe"; the trunk groups are mobile, rtc"#;
        assert_eq!(error.to_string(), text);
    }
}
