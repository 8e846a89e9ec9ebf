//! Wall-clock time for records, without reading a clock.

use std::time::{Duration, Instant};

/// Turns the `now` that a node is given into Unix time.
#[derive(Debug, Clone, Copy)]
pub struct WallClock {
    start: Instant,
    unix: Duration,
}

impl WallClock {
    /// `unix` is the Unix time at `start`.
    #[must_use]
    pub const fn new(start: Instant, unix: Duration) -> Self {
        Self { start, unix }
    }

    /// An instant, and the Unix time at it.
    #[must_use]
    pub const fn origin(&self) -> (Instant, Duration) {
        (self.start, self.unix)
    }

    /// Unix time in microseconds.
    #[must_use]
    pub fn micros(&self, now: Instant) -> u64 {
        let at = match now.checked_duration_since(self.start) {
            Some(later) => self.unix + later,
            None => self.unix.saturating_sub(self.start - now),
        };
        u64::try_from(at.as_micros()).unwrap_or(u64::MAX)
    }
}
