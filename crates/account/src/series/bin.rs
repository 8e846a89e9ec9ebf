//! One bin of time: what became of the calls that were due in it.

use hdrhistogram::Histogram;
use telemetry::{Entry, Outcome};

use super::failed::is_failure;

/// The longest delay that is told apart.
pub(super) const HOUR_US: u64 = 3_600_000_000;
/// Significant digits of delays: enough for a pixel.
const DIGITS: u8 = 2;

/// The calls of one bin of time.
#[derive(Debug, Clone, Default)]
pub struct Bin {
    pub offered: u64,
    pub answered: u64,
    pub abandoned: u64,
    /// Rejected, timed out or lost.
    pub failed: u64,
    /// Attempts whose INVITE got a 200, also those that were lost later: what the answer-seizure ratio counts.
    pub established: u64,
    pub pdd: Delays,
    pub lag: Delays,
    pub(super) in_progress: Presence,
    pub(super) talking: Presence,
    /// Calls by the number of the site that they reached.
    pub(super) by_site: Vec<SiteCalls>,
}

/// The calls of one bin that reached one site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SiteCalls {
    pub offered: u64,
    /// Of these: rejected, timed out or lost.
    pub failed: u64,
}

impl Bin {
    pub(super) fn count(&mut self, record: &Entry<'_>, site: Option<usize>) {
        self.offered += 1;
        self.answered += u64::from(record.outcome == Outcome::Answered);
        self.abandoned += u64::from(record.outcome == Outcome::Abandoned);
        self.failed += u64::from(is_failure(record.outcome));
        self.established += u64::from(record.answer_us.is_some());
        self.lag.record(record.lag_us());
        if let Some(pdd_us) = record.post_dial_delay_us() {
            self.pdd.record(pdd_us);
        }
        if let Some(site) = site {
            self.make_room(site + 1);
            self.by_site[site].offered += 1;
            self.by_site[site].failed += u64::from(is_failure(record.outcome));
        }
    }

    /// Takes in the bin that follows; each is `width` microseconds long.
    pub(super) fn absorb(&mut self, next: Self, width: u64) {
        self.in_progress.absorb(&next.in_progress, width);
        self.talking.absorb(&next.talking, width);
        self.add(next);
    }

    /// Adds the calls of another bin. Who is in progress in the two together is not told.
    pub(super) fn add(&mut self, next: Self) {
        self.offered += next.offered;
        self.answered += next.answered;
        self.abandoned += next.abandoned;
        self.failed += next.failed;
        self.established += next.established;
        self.pdd.merge(next.pdd);
        self.lag.merge(next.lag);
        self.make_room(next.by_site.len());
        for (sum, calls) in self.by_site.iter_mut().zip(&next.by_site) {
            sum.offered += calls.offered;
            sum.failed += calls.failed;
        }
    }

    /// Calls that reached the site with this number.
    pub fn at_site(&self, number: usize) -> SiteCalls {
        self.by_site.get(number).copied().unwrap_or_default()
    }

    fn make_room(&mut self, sites: usize) {
        if self.by_site.len() < sites {
            self.by_site.resize(sites, SiteCalls::default());
        }
    }
}

/// Delays of one bin. Takes no memory until there is one.
#[derive(Debug, Clone, Default)]
pub struct Delays(Option<Box<Histogram<u32>>>);

impl Delays {
    fn record(&mut self, micros: u64) {
        let new = || {
            let histogram = Histogram::new(DIGITS).expect("two digits are allowed");
            Box::new(histogram)
        };
        // It grows as it needs to, and an hour is within its reach.
        let _ = self.0.get_or_insert_with(new).record(micros.clamp(1, HOUR_US));
    }

    fn merge(&mut self, other: Self) {
        match (&mut self.0, other.0) {
            (Some(ours), Some(theirs)) => {
                let _ = ours.add(*theirs);
            }
            (ours @ None, theirs) => *ours = theirs,
            (Some(_), None) => {}
        }
    }

    /// The delay, in milliseconds, that this share of the calls did not exceed; `None` without a call.
    pub fn millis_at(&self, share: f64) -> Option<f64> {
        let micros = self.0.as_ref()?.value_at_quantile(share);
        Some(micros as f64 / 1_000.0)
    }
}

/// How many there are at a time, kept as what changes, so that a call costs the same however long it lasts.
#[derive(Debug, Clone, Default)]
pub(super) struct Presence {
    change: i64,
    /// What those who come and go in this bin add to, and take from, the time that all spend in it, in microseconds.
    spent_us: i64,
}

impl Presence {
    /// One more, with so much of the bin left.
    pub(super) fn comes(&mut self, left_us: u64) {
        self.change += 1;
        self.spent_us += i64::try_from(left_us).unwrap_or(i64::MAX);
    }

    /// One less.
    pub(super) fn goes(&mut self, left_us: u64) {
        self.change -= 1;
        self.spent_us -= i64::try_from(left_us).unwrap_or(i64::MAX);
    }

    fn absorb(&mut self, next: &Self, width_us: u64) {
        let width = i64::try_from(width_us).unwrap_or(i64::MAX);
        self.spent_us += self.change.saturating_mul(width) + next.spent_us;
        self.change += next.change;
    }

    /// How many more there are at its end than at its beginning.
    pub(super) const fn change(&self) -> i64 {
        self.change
    }

    /// How many there were in it on average, when it began with so many.
    pub(super) fn mean(&self, before: i64, width_us: u64) -> f64 {
        (before as f64 + self.spent_us as f64 / width_us as f64).max(0.0)
    }
}
