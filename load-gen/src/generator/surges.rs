//! Surges by hand: more calls from some communes for a while, beside those that the campaign has.
//!
//! ```text
//!  campaign     |   |  |    |   |  |   |
//!  of them from there  |        |      |       × 3 per mille 3000
//!  surge               ||       ||     ||      or by chance, so many a second
//! ```
//!
//! All chance follows from the seed of the campaign and the number of the surge, and of a call beside another one from the number
//! of that one. So the same order, from the same instant, brings the same calls, however many generators share them.

use std::collections::VecDeque;
use std::time::Duration;

use campaign::Commune;
use contract::{SurgeOrder, SurgeSize};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::caller::Caller;
use crate::pacer::{Hint, Poisson, ScheduledCall, Shard};

/// Calls of surges are numbered from here on: neither a campaign nor a pace has so many.
const SURGED: u64 = 1 << 52;

/// So many numbers one surge has.
const OF_ONE: u64 = 1 << 44;

/// So many calls at most are placed beside one.
pub(super) const MOST_BESIDE: u32 = 100;

/// The last surge that has numbers of its own.
const LAST: u32 = 1 << 12;

/// The surges that go on.
#[derive(Debug)]
pub(super) struct Surges {
    shard: Shard,
    seed: u64,
    /// Nobody calls after the end of the campaign.
    length: Duration,
    acting: Vec<Acting>,
    /// Further calls beside one that was drawn, due at once.
    beside: VecDeque<ScheduledCall>,
}

#[derive(Debug)]
struct Acting {
    number: u32,
    from: Duration,
    until: Duration,
    places: Vec<Commune>,
    size: Size,
}

#[derive(Debug)]
enum Size {
    PerMille(u32),
    Process(Box<Process>),
}

/// Calls by chance, with the next one of this shard.
#[derive(Debug)]
struct Process {
    arrivals: Poisson,
    rng: StdRng,
    drawn: u64,
    next: Option<ScheduledCall>,
}

impl Surges {
    pub(super) const fn new(shard: Shard, seed: u64, length: Duration) -> Self {
        Self { shard, seed, length, acting: Vec::new(), beside: VecDeque::new() }
    }

    /// A surge begins.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn begin(&mut self, order: &SurgeOrder) -> Result<(), String> {
        let places: Result<Vec<Commune>, _> =
            order.communes.iter().map(|code| code.parse()).collect();
        let places = places.map_err(|error| format!("each commune {error}"))?;
        if places.is_empty() || order.number == 0 || order.number > LAST {
            return Err(format!("a surge needs a commune, and a number from 1 to {LAST}"));
        }
        let (from, until) = order.span();
        let until = until.min(self.length);
        let size = match order.more {
            SurgeSize::PerMille(more) => Size::PerMille(more.min(MOST_BESIDE * 1_000)),
            SurgeSize::PerThousandSeconds(rate) => {
                let seed = self.seed ^ u64::from(order.number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let mut rng = StdRng::seed_from_u64(seed);
                let duration = until.saturating_sub(from);
                let rate = f64::from(rate) / 1_000.0;
                let arrivals = Poisson::new(rate, duration, StdRng::from_rng(&mut rng));
                Size::Process(Box::new(Process { arrivals, rng, drawn: 0, next: None }))
            }
        };
        let mut surge = Acting { number: order.number, from, until, places, size };
        surge.advance(self.shard);
        self.acting.push(surge);
        Ok(())
    }

    /// All of them end.
    pub(super) fn end(&mut self) {
        self.acting.clear();
        self.beside.clear();
    }

    /// When the next call of a surge is due.
    pub(super) fn next_due(&self) -> Option<Duration> {
        let drawn = self.acting.iter().filter_map(|surge| surge.next().map(|call| call.at));
        drawn.chain(self.beside.front().map(|call| call.at)).min()
    }

    /// The next call of a surge that is due after `elapsed` of the campaign.
    pub(super) fn take(&mut self, elapsed: Duration) -> Option<ScheduledCall> {
        if let Some(call) = self.beside.pop_front() {
            return Some(call);
        }
        let due = self.acting.iter_mut().filter(|surge| surge.next().is_some());
        let first = due.min_by_key(|surge| surge.next().map(|call| (call.at, call.index)))?;
        let call = first.next().filter(|call| call.at <= elapsed)?;
        first.advance(self.shard);
        Some(call)
    }

    /// Somebody calls whom the campaign has at this time: others may call from there too.
    pub(super) fn note(&mut self, call: ScheduledCall, caller: &Caller) {
        if self.acting.is_empty() || call.index >= OF_ONE / u64::from(MOST_BESIDE) {
            return;
        }
        let Some(place) = caller.commune.as_deref().and_then(|it| it.parse::<Commune>().ok())
        else {
            return;
        };
        self.acting.retain(|surge| call.at < surge.until || surge.next().is_some());
        for surge in &self.acting {
            let Size::PerMille(more) = surge.size else { continue };
            let is_in_time = (surge.from..surge.until).contains(&call.at);
            if !is_in_time || !surge.places.contains(&place) {
                continue;
            }
            let first = surge.first_number() + call.index * u64::from(MOST_BESIDE);
            let mut rng = StdRng::seed_from_u64(self.seed ^ first);
            let part = u32::from(rng.random_range(0..1_000) < more % 1_000);
            for nth in 0..(more / 1_000 + part).min(MOST_BESIDE) {
                let hint = Some(Hint::Surge(place));
                let further = ScheduledCall { index: first + u64::from(nth), at: call.at, hint };
                self.beside.push_back(further);
            }
        }
    }
}

impl Acting {
    /// The number of its first call.
    fn first_number(&self) -> u64 {
        SURGED + u64::from(self.number) * OF_ONE
    }

    fn next(&self) -> Option<ScheduledCall> {
        match &self.size {
            Size::PerMille(_) => None,
            Size::Process(process) => process.next,
        }
    }

    /// Draws until a call of this shard comes. All shards draw the same.
    fn advance(&mut self, shard: Shard) {
        let first = self.first_number();
        let Size::Process(process) = &mut self.size else { return };
        let Process { arrivals, rng, drawn, next } = &mut **process;
        *next = None;
        for since in arrivals {
            let (index, place) = (*drawn, self.places[rng.random_range(0..self.places.len())]);
            *drawn += 1;
            if shard.owns(index) {
                let (at, hint) = (self.from + since, Some(Hint::Surge(place)));
                *next = Some(ScheduledCall { index: first + index, at, hint });
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(number: u32, more: SurgeSize) -> SurgeOrder {
        let communes = vec!["59350".to_owned(), "2A004".to_owned()];
        SurgeOrder { number, from_us: 10_000_000, lasts_us: 20_000_000, communes, more }
    }

    fn all(shard: Shard, order: &SurgeOrder) -> Vec<ScheduledCall> {
        let mut surges = Surges::new(shard, 7, Duration::from_secs(60));
        surges.begin(order).expect("a surge");
        assert_eq!(surges.take(Duration::from_secs(10)), None, "none before its time");
        std::iter::from_fn(|| surges.take(Duration::MAX)).collect()
    }

    #[test]
    fn calls_by_chance_are_the_same_however_many_generators_share_them() {
        let surge = order(1, SurgeSize::PerThousandSeconds(50_000));
        let whole = all(Shard::WHOLE, &surge);
        assert!((800..1_200).contains(&whole.len()), "{}", whole.len());
        assert!(whole.is_sorted_by_key(|call| call.at));
        let span = Duration::from_secs(10)..Duration::from_secs(30);
        assert!(whole.iter().all(|call| span.contains(&call.at) && call.index > SURGED));
        let from = |code: &str| {
            let hint = Some(Hint::Surge(code.parse().expect("a commune")));
            whole.iter().filter(|call| call.hint == hint).count()
        };
        assert!(from("59350") > 350 && from("2A004") > 350, "each is as likely");
        let mut shared: Vec<_> =
            (0..3).flat_map(|index| all(Shard { index, of: 3 }, &surge)).collect();
        shared.sort_by_key(|call| (call.at, call.index));
        assert_eq!(shared, whole);
        let other = all(Shard::WHOLE, &order(2, SurgeSize::PerThousandSeconds(50_000)));
        assert_ne!(other.len(), 0);
        assert!(other.iter().all(|call| whole.iter().all(|one| one.index != call.index)));
    }

    #[test]
    fn it_ends_with_the_campaign_and_refuses_what_is_no_commune() {
        let mut surges = Surges::new(Shard::WHOLE, 7, Duration::from_secs(12));
        surges.begin(&order(1, SurgeSize::PerThousandSeconds(50_000))).expect("a surge");
        let calls: Vec<_> = std::iter::from_fn(|| surges.take(Duration::MAX)).collect();
        assert!(calls.iter().all(|call| call.at < Duration::from_secs(12)) && calls.len() > 50);
        surges.begin(&order(2, SurgeSize::PerThousandSeconds(50_000))).expect("a surge");
        surges.end();
        assert_eq!((surges.next_due(), surges.take(Duration::MAX)), (None, None));
        for wrong in [
            SurgeOrder { communes: vec!["59".to_owned()], ..order(1, SurgeSize::PerMille(1)) },
            SurgeOrder { communes: Vec::new(), ..order(1, SurgeSize::PerMille(1)) },
            order(0, SurgeSize::PerMille(1)),
            order(u32::MAX, SurgeSize::PerMille(1)),
        ] {
            assert!(surges.begin(&wrong).is_err(), "{wrong:?}");
        }
        let endless = SurgeOrder {
            from_us: u64::MAX,
            lasts_us: u64::MAX,
            ..order(3, SurgeSize::PerThousandSeconds(u32::MAX))
        };
        assert_eq!(surges.begin(&endless), Ok(()));
        assert_eq!(surges.next_due(), None);
    }
}
