//! A run over time, from what callers recorded: as many bins as a chart can show, whatever the length of the run.
//!
//! ```text
//!   records ──► bins of half a second to days, by the time at which a call was due
//!                 │  more than 240?  two and two become one
//!                 ├──► calls in progress
//!                 └──► steps of 20 calls and more: rates, ratios, delays, calls of each site
//!           ──► the calls that took longest to ring, and an example of each way to fail
//! ```

mod bin;
mod examples;
mod failed;
mod steps;
#[cfg(test)]
pub(super) mod tests;

use std::time::Duration;

use hdrhistogram::Histogram;
use telemetry::{Attempt, AttemptReader, Entry};

use self::bin::HOUR_US;
pub use self::bin::{Bin, Delays, SiteCalls};
pub use self::examples::{Examples, FailureGroup, SlowCall};
pub use self::steps::{FEWEST, TimeStep};
use crate::first_cause::first_cause;

/// Bins that a series keeps, at most.
const MOST_BINS: usize = 240;
/// Sites that are told apart; calls of further ones count as unreached.
const MOST_SITES: usize = 64;
/// Widths of a bin, in milliseconds. The first that gives a campaign [`WANTED_BINS`] or fewer is taken; the very first only
/// for the shortest campaigns, as few calls make no curve.
const WIDTHS_MS: [u64; 18] = [
    250, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000,
    900_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 86_400_000,
];
const SHORTEST_MS: u64 = 5_000;
const WANTED_BINS: u64 = 120;
/// Significant digits of delays from a microsecond to an hour.
const DIGITS: u8 = 3;

/// What became of the calls of one run over time. Add each attempt once, in any order.
#[derive(Debug)]
pub struct Series {
    start_us: u64,
    width_us: u64,
    /// No call that a clock gone wrong puts later than this stretches the axis.
    horizon_us: u64,
    bins: Vec<Bin>,
    sites: Vec<String>,
    pdd: Histogram<u64>,
    slowest_us: u64,
    examples: Examples,
}

/// One point of the curve of post-dial delays: this share of the calls rang within this time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percentile {
    pub share: f64,
    pub micros: u64,
}

impl Series {
    /// Nothing so far, of a campaign that begins at `start_us`, Unix microseconds, and whose phases last for `duration`.
    pub fn new(start_us: u64, duration: Duration) -> Self {
        let planned = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let fits = |width: &u64| planned / width <= WANTED_BINS;
        let widths = WIDTHS_MS.into_iter().skip(usize::from(planned > SHORTEST_MS));
        let width = { widths }.find(fits).unwrap_or(86_400_000);
        let planned_us = planned.saturating_mul(1_000);
        Self {
            start_us,
            width_us: width * 1_000,
            horizon_us: planned_us.saturating_mul(2).saturating_add(HOUR_US),
            bins: Vec::new(),
            sites: Vec::new(),
            pdd: Histogram::new_with_bounds(1, HOUR_US, DIGITS).expect("the bounds are constants"),
            slowest_us: 0,
            examples: Examples::default(),
        }
    }

    /// Takes the record of a caller, whose call reached `site`; `why` tells the first cause of a failure.
    fn count(
        &mut self,
        record: &Entry<'_>,
        site: Option<&str>,
        why: impl FnOnce() -> Option<String>,
    ) {
        let site = site.and_then(|site| self.site(site));
        let due = self.since(record.due_us());
        let (begun, ended) = (self.since(record.start_us), self.since(record.end_us));
        let answered = record.answer_us.map(|at| self.since(at));
        self.reach([due, begun, ended].into_iter().chain(answered).max().unwrap_or_default());

        let place = self.place(due);
        self.bins[place].count(record, site);
        self.progress(begun, ended, |bin| &mut bin.in_progress);
        if let Some(answered) = answered {
            self.progress(answered, ended, |bin| &mut bin.talking);
        }
        if let Some(pdd_us) = record.post_dial_delay_us() {
            self.pdd.saturating_record(pdd_us.clamp(1, HOUR_US));
            self.slowest_us = self.slowest_us.max(pdd_us);
        }
        let since = Duration::from_micros(due);
        self.examples.add(record, since, site.map(|site| &self.sites[site][..]), why);
    }

    /// Counts a call that lasts from the one to the other.
    fn progress(&mut self, from: u64, to: u64, pick: impl Fn(&mut Bin) -> &mut bin::Presence) {
        let width = self.width_us;
        let left = |at: u64| width - at % width;
        let (first, last) = (self.place(from), self.place(to.max(from)));
        pick(&mut self.bins[first]).comes(left(from));
        pick(&mut self.bins[last]).goes(left(to.max(from)));
    }

    /// Microseconds since the start, as far as the axis goes.
    fn since(&self, at_us: u64) -> u64 {
        at_us.saturating_sub(self.start_us).min(self.horizon_us)
    }

    fn place(&self, since: u64) -> usize {
        usize::try_from(since / self.width_us).unwrap_or(usize::MAX).min(MOST_BINS - 1)
    }

    /// Makes bins up to this time, wider ones where there would be too many.
    fn reach(&mut self, since: u64) {
        while since / self.width_us >= MOST_BINS as u64 {
            let width = self.width_us;
            let mut bins = std::mem::take(&mut self.bins).into_iter();
            while let Some(mut one) = bins.next() {
                one.absorb(bins.next().unwrap_or_default(), width);
                self.bins.push(one);
            }
            self.width_us = width * 2;
        }
        let needed = self.place(since) + 1;
        if self.bins.len() < needed {
            self.bins.resize_with(needed, Bin::default);
        }
    }

    fn site(&mut self, name: &str) -> Option<usize> {
        let known = self.sites.iter().position(|known| known == name);
        known.or_else(|| {
            let has_room = self.sites.len() < MOST_SITES;
            has_room.then(|| {
                self.sites.push(name.to_owned());
                self.sites.len() - 1
            })
        })
    }

    /// How long a bin is.
    pub const fn width(&self) -> Duration {
        Duration::from_micros(self.width_us)
    }

    /// How long all bins are together.
    pub fn length(&self) -> Duration {
        self.width() * u32::try_from(self.bins.len()).unwrap_or_default()
    }

    /// Each bin, with the seconds from the start to its middle, in order.
    pub fn bins(&self) -> impl Iterator<Item = (f64, &Bin)> {
        let width = self.width().as_secs_f64();
        (0_u32..).zip(&self.bins).map(move |(number, bin)| ((f64::from(number) + 0.5) * width, bin))
    }

    /// Calls in progress in each bin, on average, and those of them that were answered.
    pub fn concurrency(&self) -> Vec<(f64, f64)> {
        let (mut in_progress, mut talking) = (0, 0);
        let width = self.width_us;
        let of_bin = |bin: &Bin| {
            let means =
                (bin.in_progress.mean(in_progress, width), bin.talking.mean(talking, width));
            in_progress += bin.in_progress.change();
            talking += bin.talking.change();
            means
        };
        self.bins.iter().map(of_bin).collect()
    }

    /// What a chart draws: bins put together until each step has [`FEWEST`] calls, or none was due in it.
    pub fn steps(&self) -> Vec<TimeStep> {
        steps::steps(&self.bins, self.width())
    }

    /// The sites that calls reached, by name, each with its number.
    pub fn sites(&self) -> Vec<(&str, usize)> {
        let numbered = self.sites.iter().enumerate();
        let mut sites: Vec<(&str, usize)> = numbered.map(|(at, name)| (&name[..], at)).collect();
        sites.sort_unstable();
        sites
    }

    /// The whole distribution of post-dial delays, in steps that become finer towards the slowest call.
    pub fn percentiles(&self) -> Vec<Percentile> {
        let steps = self.pdd.iter_quantiles(12);
        let all = steps.map(|step| Percentile {
            share: step.quantile_iterated_to(),
            micros: step.value_iterated_to().min(self.slowest_us),
        });
        all.collect()
    }

    pub const fn examples(&self) -> &Examples {
        &self.examples
    }
}

impl AttemptReader for Series {
    fn add(&mut self, attempt: &Attempt<'_>) {
        if let Some(record) = attempt.caller() {
            let why = || first_cause(attempt);
            self.count(record, attempt.reached().site, why);
        }
    }
}
