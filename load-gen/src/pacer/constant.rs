//! The same number of calls in every second.

use std::time::Duration;

use super::nearly::NEARLY;

/// Starts call `n` at `n / rate`, or a part of a call later.
#[derive(Debug, Clone)]
pub struct Constant {
    /// Calls per second.
    rate: f64,
    duration: Duration,
    /// Of a call, from the start to the first one.
    wait: f64,
    started: u64,
}

impl Constant {
    #[must_use]
    pub const fn new(rate: f64, duration: Duration) -> Self {
        Self { rate, duration, wait: 0.0, started: 0 }
    }

    /// The same, with the first call when this part of a call, 0 to 1, has come together.
    #[must_use]
    pub const fn after(self, wait: f64) -> Self {
        Self { wait, ..self }
    }
}

impl Iterator for Constant {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        if self.rate <= 0.0 {
            return None;
        }
        // From the count, not from the last start: rounding errors do not add up.
        let n = self.started as f64 + self.wait;
        if n >= self.rate * self.duration.as_secs_f64() - NEARLY {
            return None;
        }
        let start = Duration::try_from_secs_f64(n / self.rate).ok()?;
        self.started += 1;
        (start < self.duration).then_some(start)
    }
}
