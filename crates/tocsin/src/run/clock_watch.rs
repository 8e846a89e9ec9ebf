//! Watches whether somebody sets the machine's clock during a run, or the machine sleeps.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The clock of the wall beside the one that only goes forward.
#[derive(Debug)]
pub(crate) struct ClockWatch {
    last: (Duration, Duration),
    begun: Instant,
    largest: Duration,
}

impl ClockWatch {
    pub(crate) fn start() -> Self {
        Self { last: (unix(), Duration::ZERO), begun: Instant::now(), largest: Duration::ZERO }
    }

    /// Looks at both clocks.
    pub(crate) fn look(&mut self) {
        self.compare(unix(), self.begun.elapsed());
    }

    fn compare(&mut self, unix: Duration, elapsed: Duration) {
        let (unix_before, elapsed_before) = self.last;
        let expected = unix_before + elapsed.saturating_sub(elapsed_before);
        self.largest = self.largest.max(expected.abs_diff(unix));
        self.last = (unix, elapsed);
    }

    /// The largest step between two looks, in either direction.
    pub(crate) const fn largest_step(&self) -> Duration {
        self.largest
    }
}

fn unix() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_seen_in_both_directions_and_time_itself_is_none() {
        let (hour, s) = (Duration::from_secs(3_600), Duration::from_secs);
        let mut watch = ClockWatch::start();
        watch.last = (hour, s(0));
        watch.compare(hour + s(10), s(10));
        assert_eq!(watch.largest_step(), Duration::ZERO);
        watch.compare(hour + s(9), s(11));
        assert_eq!(watch.largest_step(), s(2));
        watch.compare(hour + s(110), s(12));
        assert_eq!(watch.largest_step(), s(100));
        watch.compare(hour + s(111), s(13));
        assert_eq!(watch.largest_step(), s(100));
    }
}
