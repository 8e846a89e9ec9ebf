//! The same number of calls in every second.

use std::time::Duration;

/// Starts call `n` at `n / rate`.
#[derive(Debug, Clone)]
pub struct Constant {
    /// Calls per second.
    rate: f64,
    duration: Duration,
    started: u64,
}

impl Constant {
    #[must_use]
    pub const fn new(rate: f64, duration: Duration) -> Self {
        Self { rate, duration, started: 0 }
    }
}

impl Iterator for Constant {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        if self.rate <= 0.0 {
            return None;
        }
        // From the count, not from the last start: rounding errors do not add up.
        let start = Duration::try_from_secs_f64(self.started as f64 / self.rate).ok()?;
        self.started += 1;
        (start < self.duration).then_some(start)
    }
}
