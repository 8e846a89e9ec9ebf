//! How well calls are answered: the figures by which call centres are judged.

use std::time::Duration;

use contract::ServiceFigures;
use telemetry::LatencyHistogram;

/// Waits are counted from the INVITE to our 200, so they include the time in the queue and the
/// ringing.
#[derive(Debug)]
pub(crate) struct ServiceLevel {
    threshold: Duration,
    answered: u64,
    answered_in_time: u64,
    abandoned: u64,
    waits: LatencyHistogram,
    longest_wait: Duration,
}

impl ServiceLevel {
    pub(crate) fn new(threshold: Duration) -> Self {
        Self {
            threshold,
            answered: 0,
            answered_in_time: 0,
            abandoned: 0,
            waits: LatencyHistogram::default(),
            longest_wait: Duration::ZERO,
        }
    }

    pub(crate) fn count_answered(&mut self, wait: Duration) {
        self.answered += 1;
        self.answered_in_time += u64::from(wait <= self.threshold);
        self.waits.record(wait);
        self.longest_wait = self.longest_wait.max(wait);
    }

    pub(crate) fn count_abandoned(&mut self, wait: Duration) {
        self.abandoned += 1;
        self.longest_wait = self.longest_wait.max(wait);
    }

    pub(crate) fn figures(&self) -> ServiceFigures {
        let calls = self.answered + self.abandoned;
        ServiceFigures {
            answered: self.answered,
            answered_in_time: self.answered_in_time,
            abandoned: self.abandoned,
            share_in_time: (calls > 0).then(|| self.answered_in_time as f64 / calls as f64),
            waits: self.waits.quantiles(),
            longest_wait_us: u64::try_from(self.longest_wait.as_micros()).unwrap_or(u64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abandoned_calls_lower_the_service_level() {
        let mut level = ServiceLevel::new(Duration::from_secs(10));
        assert_eq!(level.figures().share_in_time, None);
        for seconds in [1, 10, 11] {
            level.count_answered(Duration::from_secs(seconds));
        }
        level.count_abandoned(Duration::from_secs(30));
        let figures = level.figures();
        assert_eq!(figures.share_in_time, Some(0.5));
        assert_eq!((figures.answered, figures.answered_in_time), (3, 2));
        assert_eq!((figures.waits.count, figures.longest_wait_us), (3, 30_000_000));
    }
}
