//! A rate that rises or falls evenly.

use std::time::Duration;

use super::nearly::NEARLY;

/// Starts call `n` when the area under the rate reaches `n`.
///
/// With `k = (to - from) / duration`, the area up to `t` is `N(t) = from·t + k·t²/2`.
#[derive(Debug, Clone)]
pub struct Ramp {
    /// Calls per second at the beginning and at the end.
    from: f64,
    to: f64,
    duration: Duration,
    /// Of a call, from the start to the first one.
    wait: f64,
    started: u64,
}

impl Ramp {
    #[must_use]
    pub const fn new(from: f64, to: f64, duration: Duration) -> Self {
        Self { from, to, duration, wait: 0.0, started: 0 }
    }

    /// The same, with the first call when this part of a call, 0 to 1, has come together.
    #[must_use]
    pub const fn after(self, wait: f64) -> Self {
        Self { wait, ..self }
    }
}

impl Iterator for Ramp {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let seconds = self.duration.as_secs_f64();
        let n = self.started as f64 + self.wait;
        if n >= (self.from + self.to) / 2.0 * seconds - NEARLY {
            return None;
        }
        self.started += 1;
        if n == 0.0 {
            return Some(Duration::ZERO);
        }
        // The root of N(t) = n, in the form that also works for k = 0 and does not cancel for
        // small k.
        let k = (self.to - self.from) / seconds;
        let root = (self.from * self.from + 2.0 * k * n).max(0.0).sqrt();
        let start = Duration::try_from_secs_f64(2.0 * n / (self.from + root)).ok()?;
        (start < self.duration).then_some(start)
    }
}
