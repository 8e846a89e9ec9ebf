//! How many calls arrived at each PSAP in each half hour of the day: `arrivals.csv`, which another campaign may take as its
//! usual day.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use telemetry::{Attempt, AttemptReader};

const HALF_HOUR: u64 = 1_800;
const DAY: u64 = 24 * 3_600;
/// Of half hours in which the campaign went on for less than this, too little is known.
const SHORTEST: u64 = 60;

/// Arrivals of one run.
#[derive(Debug)]
pub struct ArrivalsByHalfHour {
    start_us: u64,
    /// The time of day at which the campaign begins, and how long its phases last.
    begins: Duration,
    duration: Duration,
    /// Of each PSAP, by half hours of the day.
    counts: BTreeMap<String, BTreeMap<u64, u64>>,
}

impl ArrivalsByHalfHour {
    /// Nothing so far, of a campaign that begins at `start_us`, Unix microseconds, and at `begins` by the time of day.
    #[must_use]
    pub const fn new(start_us: u64, begins: Duration, duration: Duration) -> Self {
        Self { start_us, begins, duration, counts: BTreeMap::new() }
    }

    fn count(&mut self, psap: &str, at_us: u64) {
        let since = Duration::from_micros(at_us.saturating_sub(self.start_us));
        // What comes while the calls are drained comes after the last new one.
        if since < self.duration {
            let slot = (self.begins + since).as_secs() % DAY / HALF_HOUR;
            if !self.counts.contains_key(psap) {
                self.counts.insert(psap.to_owned(), BTreeMap::new());
            }
            let slots = self.counts.get_mut(psap).expect("it was put there above");
            *slots.entry(slot).or_default() += 1;
        }
    }

    /// The file: time of day, PSAP, and arrivals in the half hour that begins then. Where the campaign went on for only a part
    /// of it, they are made up to the whole; where it came to it on several days, they are the mean.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut text = "time,psap,arrivals\n".to_owned();
        let (begins, end) = (self.begins.as_secs(), (self.begins + self.duration).as_secs());
        let covered = |slot: u64| -> u64 {
            let days = begins / DAY..=end / DAY;
            let of_day = |day: u64| {
                let from = day * DAY + slot * HALF_HOUR;
                (from + HALF_HOUR).min(end).saturating_sub(from.max(begins))
            };
            days.map(of_day).sum()
        };
        for slot in 0..DAY / HALF_HOUR {
            let seconds = covered(slot);
            if seconds < SHORTEST {
                continue;
            }
            for (psap, slots) in &self.counts {
                let count = slots.get(&slot).copied();
                let count = count.unwrap_or_default() as f64 * HALF_HOUR as f64 / seconds as f64;
                let (hour, minute) = (slot / 2, slot % 2 * 30);
                let _ = writeln!(text, "{hour:02}:{minute:02},{psap},{count:.1}");
            }
        }
        text
    }
}

impl AttemptReader for ArrivalsByHalfHour {
    fn add(&mut self, attempt: &Attempt<'_>) {
        for call in attempt.arrivals() {
            self.count(call.psap, call.start_us);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_hours_are_those_of_the_day_and_parts_are_made_up_to_the_whole() {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        let start = 1_000_000_000;
        // From 23:20 to 0:10.
        let mut arrivals = ArrivalsByHalfHour::new(start, minutes(23 * 60 + 20), minutes(50));
        for (psap, minute) in [
            ("samu-59", 0),
            ("samu-59", 9),
            ("samu-59", 10),
            ("codis", 39),
            ("samu-59", 40),
            ("samu-59", 49),
            ("samu-59", 50),
        ] {
            arrivals.count(psap, start + minute * 60 * 1_000_000);
        }
        assert_eq!(
            arrivals.csv(),
            "time,psap,arrivals\n00:00,codis,0.0\n00:00,samu-59,6.0\n23:00,codis,0.0\n\
             23:00,samu-59,6.0\n23:30,codis,1.0\n23:30,samu-59,1.0\n"
        );
    }
}
