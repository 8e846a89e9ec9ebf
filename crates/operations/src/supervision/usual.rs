//! A usual day: how many calls arrive at each PSAP when nothing is wrong, and whether fewer of them are more than chance.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// The length of a slot in files: half an hour.
pub const HALF_HOUR: Duration = Duration::from_secs(1_800);

/// Where a usual day comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UsualSource {
    /// What phases, mix and routes of the campaign let expect.
    Computed,
    /// A CSV file, as the key names it: from the campaign's own folder.
    File(PathBuf),
}

/// How many calls each PSAP usually gets, slot by slot.
#[derive(Debug, Clone, PartialEq)]
pub struct UsualDay {
    /// How long a slot is. Above zero.
    slot: Duration,
    /// Where in the day the campaign begins.
    begins: Duration,
    /// After so many slots the first one comes again.
    slots: Option<u64>,
    psaps: BTreeMap<String, BTreeMap<u64, f64>>,
}

impl UsualDay {
    /// A day of half hours, of which the campaign begins at `begins`.
    #[must_use]
    pub fn of_half_hours(begins: Duration) -> Self {
        Self { slot: HALF_HOUR, begins, slots: Some(48), psaps: BTreeMap::new() }
    }

    /// As long as a campaign, from its start, in slots of this length.
    #[must_use]
    pub fn of_campaign(slot: Duration) -> Self {
        let slot = slot.max(Duration::from_secs(1));
        Self { slot, begins: Duration::ZERO, slots: None, psaps: BTreeMap::new() }
    }

    /// So many more calls arrive at `psap` in a slot, counted from 0.
    pub fn add(&mut self, psap: &str, slot: u64, arrivals: f64) {
        let slots = self.psaps.entry(psap.to_owned()).or_default();
        *slots.entry(slot).or_default() += arrivals;
    }

    /// Whether it tells of this slot of `psap` already.
    #[must_use]
    pub fn has(&self, psap: &str, slot: u64) -> bool {
        self.psaps.get(psap).is_some_and(|slots| slots.contains_key(&slot))
    }

    /// The PSAPs that it tells of.
    pub fn psaps(&self) -> impl Iterator<Item = &str> {
        self.psaps.keys().map(String::as_str)
    }

    /// How many calls are expected at `psap` between two times of the campaign; `None` where nothing is known of some part.
    #[must_use]
    pub fn expected(&self, psap: &str, from: Duration, to: Duration) -> Option<f64> {
        let slots = self.psaps.get(psap)?;
        let length = self.slot.as_secs_f64();
        let (from, to) = (from.checked_add(self.begins)?, to.checked_add(self.begins)?);
        let (mut at, mut sum) = (from, 0.0);
        while at < to {
            let place = u64::try_from(at.as_nanos() / self.slot.as_nanos()).ok()?;
            let end = self.slot.checked_mul(u32::try_from(place + 1).ok()?)?.min(to);
            let in_day = self.slots.map_or(place, |slots| place % slots);
            // After the end of a campaign nobody calls.
            let nobody = self.slots.is_none().then_some(&0.0);
            sum += slots.get(&in_day).or(nobody)? * (end - at).as_secs_f64() / length;
            at = end;
        }
        Some(sum)
    }

    /// The same of all PSAPs together.
    #[must_use]
    pub fn expected_everywhere(&self, from: Duration, to: Duration) -> Option<f64> {
        self.psaps().map(|psap| self.expected(psap, from, to)).sum()
    }
}

/// How likely it is that chance alone (Poisson) brings `count` or fewer calls where `usual` are expected.
#[must_use]
pub fn chance_of_so_few(count: u64, usual: f64) -> f64 {
    if usual <= 0.0 || count as f64 >= usual {
        return 1.0;
    }
    let (mut term, mut sum, mut calls) = (probability(count, usual), 0.0, count as f64);
    while term > sum * 1e-12 && term > 0.0 {
        sum += term;
        term *= calls / usual;
        calls -= 1.0;
    }
    sum.min(1.0)
}

/// The same of `count` or more.
#[must_use]
pub fn chance_of_so_many(count: u64, usual: f64) -> f64 {
    if count as f64 <= usual {
        return 1.0;
    }
    let (mut term, mut sum, mut calls) = (probability(count, usual), 0.0, count as f64);
    while term > sum * 1e-12 && term > 0.0 {
        sum += term;
        calls += 1.0;
        term *= usual / calls;
    }
    sum.min(1.0)
}

/// Of exactly `count`.
fn probability(count: u64, usual: f64) -> f64 {
    if usual <= 0.0 {
        return if count == 0 { 1.0 } else { 0.0 };
    }
    (count as f64 * usual.ln() - usual - ln_factorial(count)).exp()
}

/// ln(n!): summed, and for large n by Stirling's series.
fn ln_factorial(n: u64) -> f64 {
    if n < 32 {
        return (2..=n).map(|factor| (factor as f64).ln()).sum();
    }
    let n = n as f64;
    n * n.ln() - n + 0.5 * (std::f64::consts::TAU * n).ln() + 1.0 / (12.0 * n)
        - 1.0 / (360.0 * n.powi(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(60 * minutes)
    }

    #[test]
    fn a_window_takes_its_part_of_each_slot_and_goes_on_after_midnight() {
        let mut day = UsualDay::of_half_hours(minutes(23 * 60 + 20));
        for (slot, arrivals) in [(46, 300.0), (47, 60.0), (0, 30.0)] {
            day.add("samu-59", slot, arrivals);
        }
        let of = |from, to| day.expected("samu-59", minutes(from), minutes(to));
        // From 23:20: ten minutes of the slot at 23:00, then 23:30, then midnight.
        assert_eq!(of(0, 10), Some(100.0));
        assert_eq!(of(5, 15), Some(50.0 + 10.0));
        assert_eq!(of(10, 70), Some(60.0 + 30.0));
        assert_eq!(of(10, 71), None, "nothing is known of 0:30");
        assert_eq!(of(24 * 60, 24 * 60 + 10), Some(100.0), "the next day is the same");
        assert_eq!(day.expected("codis", minutes(0), minutes(10)), None);
        assert_eq!(day.expected_everywhere(minutes(0), minutes(10)), Some(100.0));
    }

    #[test]
    fn a_campaign_has_its_own_slots_and_no_day_after_it() {
        let mut day = UsualDay::of_campaign(minutes(1));
        (0..10).for_each(|slot| day.add("a", slot, 6.0));
        assert_eq!(day.expected("a", minutes(2), minutes(7)), Some(30.0));
        assert_eq!(day.expected("a", minutes(8), minutes(11)), Some(12.0));
        assert_eq!(day.expected("a", Duration::MAX - minutes(1), Duration::MAX), None);
    }

    #[test]
    fn chance_is_that_of_poisson() {
        for (count, usual, wanted) in [
            (0, 1.0, (-1.0_f64).exp()),
            (7, 20.0, 7.79e-4),
            (2, 20.0, 4.55e-7),
            (100, 200.0, 3.6e-15),
            (900, 1_000.0, 7.0e-4),
        ] {
            let chance = chance_of_so_few(count, usual);
            assert!((chance / wanted - 1.0).abs() < 0.15, "{count} of {usual}: {chance:e}");
        }
        assert_eq!(chance_of_so_few(20, 20.0), 1.0);
        assert_eq!(chance_of_so_few(0, 0.0), 1.0);
        assert_eq!(chance_of_so_few(0, 1e9), 0.0);
        // 1 - P(X <= 33), P(X <= 33 | 20) = 0.99731.
        let many = chance_of_so_many(34, 20.0);
        assert!((many / 2.69e-3 - 1.0).abs() < 0.1, "{many:e}");
        assert_eq!((chance_of_so_many(3, 0.0), chance_of_so_many(0, 0.0)), (0.0, 1.0));
    }
}
