//! Calls of people who do not know of each other.

use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;
use rand_distr::Exp1;

/// A Poisson process: gaps are exponential with mean `1 / rate`.
#[derive(Debug)]
pub struct Poisson {
    /// Calls per second, on average.
    rate: f64,
    duration: Duration,
    last: Duration,
    rng: StdRng,
}

impl Poisson {
    #[must_use]
    pub const fn new(rate: f64, duration: Duration, rng: StdRng) -> Self {
        Self { rate, duration, last: Duration::ZERO, rng }
    }
}

impl Iterator for Poisson {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        if self.rate <= 0.0 {
            return None;
        }
        let gap: f64 = self.rng.sample(Exp1);
        let start = self.last.checked_add(Duration::try_from_secs_f64(gap / self.rate).ok()?)?;
        if start >= self.duration {
            // Stay at the end, so that a later call cannot jump back into the phase.
            self.last = self.duration;
            return None;
        }
        self.last = start;
        Some(start)
    }
}
