//! Who calls: each caller is drawn from the campaign's mix by its seed and the number of the call.
//!
//! A draw depends on nothing else. The same call of the same campaign dials the same number with
//! the same patience, on any machine and however many generators share the load. Only the id of
//! the attempt is new in each run: a network that serves two runs must tell their calls apart.
//!
//! What is given of a caller beforehand stands in place of what would be drawn. The row of a recording counts first,
//! then that of the feed, then the place of an incident or a surge.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use telemetry::{CallerClass, Unreached};
use topology::{Distribution, is_emergency};

use crate::caller::{CallChange, Caller};
use crate::pacer::Hint;
use crate::person::{Announced, NextCall, RedialRules};
use crate::ten_digits::TenDigits;
use campaign::{Arrivals, CallRow, CallRows, Callers, Campaign, Commune, Feed, FeedOrder, Redial};

/// What the callers of a campaign have in common.
#[derive(Debug)]
pub struct Mix {
    entries: Vec<Entry>,
    total_weight: f64,
    callers: Callers,
    /// Nobody waits longer than this.
    ring_limit: Duration,
    /// Their names.
    trunk_groups: Vec<String>,
    /// By which ten digits are dialled, if not by the caller's own.
    ten_digit_trunk_group: Option<usize>,
    feed: Option<Feed>,
    /// Of each phase that replays one.
    recordings: Vec<Option<Arc<CallRows>>>,
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

impl Entry {
    /// How often it occurs among calls of which this is given. An entry calls from each of its communes as often.
    fn weight_for(&self, given: CallRow<'_>) -> f64 {
        let fits = given.number.is_none_or(|number| number == self.number);
        let share = given.commune.map_or(1.0, |commune| {
            let here = self.communes.iter().filter(|code| *code == commune.as_str()).count();
            here as f64 / self.communes.len().max(1) as f64
        });
        if fits { self.weight * share } else { 0.0 }
    }
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
        let place = |name: &str| {
            let known = trunk_groups.iter().position(|known| *known == name);
            known.ok_or_else(|| MixError::UnknownTrunkGroup {
                name: name.to_owned(),
                known: trunk_groups.join(", "),
            })
        };
        let recordings: Vec<Option<Arc<CallRows>>> = campaign
            .phases
            .iter()
            .map(|phase| match &phase.arrivals {
                Arrivals::Replay(replay) => Some(Arc::clone(&replay.rows)),
                _ => None,
            })
            .collect();
        let of_feed = campaign.feed.iter().map(|feed| &feed.rows);
        for rows in of_feed.chain(recordings.iter().flatten()) {
            rows.trunk_groups().try_for_each(|(name, _)| place(name).map(|_| ()))?;
        }
        let entries: Vec<Entry> = campaign
            .mix
            .iter()
            .map(|entry| {
                Ok(Entry {
                    weight: entry.weight,
                    number: entry.number.clone(),
                    communes: entry.communes.clone(),
                    trunk_group: entry.trunk_group.as_deref().map(place).transpose()?,
                    talk: entry.talk.unwrap_or(campaign.callers.talk),
                    redial: entry.redial,
                })
            })
            .collect::<Result<_, _>>()?;
        let redial = campaign.callers.redial.as_ref();
        let ten_digit = redial.and_then(|redial| redial.ten_digit_trunk_group.as_deref());
        Ok(Self {
            ten_digit_trunk_group: ten_digit.map(place).transpose()?,
            total_weight: entries.iter().map(|entry| entry.weight).sum(),
            entries,
            callers: campaign.callers.clone(),
            ring_limit: campaign.ring_limit,
            trunk_groups: trunk_groups.iter().map(ToString::to_string).collect(),
            feed: campaign.feed.clone(),
            recordings,
            seed: campaign.seed,
            nonce,
        })
    }

    /// The caller of call number `index`, of whom its arrival tells `hint`. `None`: the feed gives each row once, and has
    /// none left.
    #[must_use]
    pub fn caller(&self, index: u64, hint: Option<Hint>) -> Option<Caller> {
        let given = self.given(index, hint)?;
        let mut rng = StdRng::from_seed(self.stream(index, Use::Person, 1));
        let place = self.entry(rng.random(), given);
        let entry = &self.entries[place];
        let drawn = match entry.communes.len() {
            0 => None,
            n => Some(&entry.communes[rng.random_range(0..n)][..]),
        };
        let spread = rng.random_range(0..self.trunk_groups.len());
        let talk = entry.talk.sample(&mut rng);
        let patience = self.patience(&mut rng);
        let hangs_up = rng.random::<f64>() < self.callers.caller_hangs_up;
        let subscriber = rng.random_range(0..10_000);
        // What came later is drawn last, so that it changes nothing before it.
        let speaks = rng.random::<f64>() < self.callers.media;
        let silence_patience = self.silence_patience(&mut rng);
        let number = given.number.unwrap_or(&entry.number);
        let trunk_group = given.trunk_group.and_then(|name| self.trunk_group(name));
        let given_patience = given.patience.map(|patience| patience.min(self.ring_limit));
        Some(Caller {
            index,
            nth: 1,
            class: match is_emergency(number) {
                true => CallerClass::Emergency,
                false => CallerClass::Ordinary,
            },
            attempt: self.attempt(index, 1),
            subscriber,
            number: number.to_owned(),
            instead_of: None,
            commune: given.commune.as_ref().map(Commune::as_str).or(drawn).map(str::to_owned),
            trunk_group: trunk_group.or(entry.trunk_group).unwrap_or(spread),
            usual_trunk_group: None,
            patience: given_patience.unwrap_or(patience),
            silence_patience,
            talk: given.talk.or_else(|| hangs_up.then_some(talk)),
            speaks,
            entry: place,
            given_talk: given.talk,
            given_patience,
        })
    }

    /// What is given of call `index`. `None`: nobody is left who could place it.
    fn given(&self, index: u64, hint: Option<Hint>) -> Option<CallRow<'_>> {
        if let Some(Hint::Surge(commune)) = hint {
            return Some(CallRow { commune: Some(commune), ..CallRow::default() });
        }
        let recorded = match hint {
            Some(Hint::Row { phase, row }) => {
                let recording = self.recordings.get(phase as usize).and_then(Option::as_deref);
                recording.map(|rows| rows.row(row as usize)).unwrap_or_default()
            }
            _ => CallRow::default(),
        };
        let fed = match &self.feed {
            Some(feed) => self.fed(index, feed)?,
            None => CallRow::default(),
        };
        let commune = match hint {
            Some(Hint::Commune(commune)) => Some(commune),
            _ => None,
        };
        Some(recorded.or(fed).or(CallRow { commune, ..CallRow::default() }))
    }

    /// The row of the feed for call `index`.
    fn fed<'m>(&self, index: u64, feed: &'m Feed) -> Option<CallRow<'m>> {
        let count = feed.rows.len() as u64;
        let row = match feed.order {
            FeedOrder::Once => (index < count).then_some(index)?,
            FeedOrder::Sequential => index.checked_rem(count)?,
            FeedOrder::Random => {
                let mut rng = StdRng::from_seed(self.stream(index, Use::Feed, 1));
                (count > 0).then(|| rng.random_range(0..count))?
            }
        };
        Some(feed.rows.row(usize::try_from(row).ok()?))
    }

    /// What the same person does after a call that failed by `fate`: the next call as far as it follows
    /// from the person, and how it differs. `None`: they call no more.
    pub(crate) fn again(
        &self,
        caller: Caller,
        fate: Unreached,
        announced: Announced,
        ten_digits: &TenDigits,
    ) -> Option<(Caller, NextCall)> {
        let entry = &self.entries[caller.entry];
        let redial = self.callers.redial.as_ref().filter(|_| entry.redial)?;
        let nth = caller.nth + 1;
        let mut rng = StdRng::from_seed(self.stream(caller.index, Use::Person, nth));
        let rules = self.rules(redial, announced, ten_digits);
        let next = rules.next(&caller, fate, &mut rng)?;
        let talk = entry.talk.sample(&mut rng);
        let patience = self.patience(&mut rng);
        let hangs_up = rng.random::<f64>() < self.callers.caller_hangs_up;
        let silence_patience = self.silence_patience(&mut rng);
        let attempt = self.attempt(caller.index, nth);
        let talk = caller.given_talk.or_else(|| hangs_up.then_some(talk));
        let patience = caller.given_patience.unwrap_or(patience);
        Some((Caller { nth, attempt, talk, patience, silence_patience, ..caller }, next))
    }

    /// How the first call of `caller` differs from what they would have dialled before the announcements.
    pub(crate) fn first_way(
        &self,
        caller: &Caller,
        announced: Announced,
        ten_digits: &TenDigits,
    ) -> CallChange {
        let redial = self.callers.redial.as_ref().filter(|_| announced.ten_digits);
        let Some(redial) = redial else { return CallChange::AsBefore };
        let mut rng = StdRng::from_seed(self.stream(caller.index, Use::FirstWay, 1));
        self.rules(redial, announced, ten_digits).first_way(caller, &mut rng)
    }

    fn rules<'r>(
        &self,
        redial: &'r Redial,
        announced: Announced,
        ten_digits: &'r TenDigits,
    ) -> RedialRules<'r> {
        RedialRules {
            redial,
            trunk_groups: self.trunk_groups.len(),
            ten_digits,
            ten_digit_trunk_group: self.ten_digit_trunk_group,
            announced,
        }
    }

    fn patience(&self, rng: &mut StdRng) -> Duration {
        let drawn = self.callers.patience.map_or(Duration::MAX, |it| it.sample(rng));
        drawn.min(self.ring_limit)
    }

    fn silence_patience(&self, rng: &mut StdRng) -> Option<Duration> {
        let silence = self.callers.redial.as_ref()?.silence_patience?;
        Some(silence.sample(rng).min(self.ring_limit))
    }

    fn trunk_group(&self, name: &str) -> Option<usize> {
        self.trunk_groups.iter().position(|known| known == name)
    }

    /// The entry on which `point`, from 0 to 1, falls when the weights of all that fit are laid end to end. When none fits
    /// both number and commune, the number counts more; when none has the number either, any may be the one.
    fn entry(&self, point: f64, given: CallRow<'_>) -> usize {
        if given.number.is_none() && given.commune.is_none() {
            return self.fall(point * self.total_weight, |entry| entry.weight);
        }
        let anywhere = CallRow { commune: None, ..given };
        let any_number = CallRow { number: None, ..given };
        for given in [given, anywhere, any_number] {
            let total: f64 = self.entries.iter().map(|entry| entry.weight_for(given)).sum();
            if total > 0.0 {
                return self.fall(point * total, |entry| entry.weight_for(given));
            }
        }
        self.fall(point * self.total_weight, |entry| entry.weight)
    }

    fn fall(&self, mut point: f64, weight: impl Fn(&Entry) -> f64) -> usize {
        let mut last = self.entries.len() - 1;
        for (place, entry) in self.entries.iter().enumerate() {
            let weight = weight(entry);
            if point < weight {
                return place;
            }
            if weight > 0.0 {
                last = place;
            }
            point -= weight;
        }
        last
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
    Feed = 2,
    FirstWay = 3,
}

#[cfg(test)]
mod tests;
