//! Calm and busy spells: `model = "mmpp"`.

use std::time::Duration;

use topology::reader::{Table, kind};

use super::fastest::MOST;

/// A Markov-modulated Poisson process with two states: a calm one and a busy one, each with a rate of its own, that
/// take turns at random.
///
/// The state at the start of a phase is drawn as often as the process is in it, so the mean rate holds for a phase of
/// any length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mmpp {
    /// Calls per second when calm, and when busy.
    pub rates: [f64; 2],
    /// How long each state lasts on average; the lengths are exponential.
    pub mean_sojourn: [Duration; 2],
}

impl Mmpp {
    pub(super) fn read(table: &Table<'_>) -> Self {
        // Shorter spells than this are no spells: callers cannot tell them from the mean.
        let shortest = Duration::from_millis(10);
        Self {
            rates: table.array("rates", kind::number(0.0..=MOST), [1.0; 2]),
            mean_sojourn: table.array("mean_sojourn", kind::duration(shortest), [shortest; 2]),
        }
    }

    /// Share of the time in which it is busy.
    #[must_use]
    pub fn busy_share(&self) -> f64 {
        self.mean_sojourn[1].as_secs_f64() / self.cycle()
    }

    /// How long a calm and a busy spell last together, on average, in seconds.
    #[must_use]
    pub fn cycle(&self) -> f64 {
        self.mean_sojourn.iter().map(Duration::as_secs_f64).sum()
    }

    /// Calls per second over a long time.
    #[must_use]
    pub fn mean_rate(&self) -> f64 {
        let [calm, busy] = self.rates;
        calm + (busy - calm) * self.busy_share()
    }
}
