//! A staircase of rates, to find where a network begins to refuse.

use std::time::Duration;

use super::nearly::NEARLY;

/// Holds `steps` rates from `from` to `to`, evenly spaced, each for the same time.
///
/// The count runs on over the edges: half a call at the end of a step is made whole by the next.
#[derive(Debug, Clone)]
pub struct Steps {
    /// Calls per second of the first and of the last step.
    from: f64,
    to: f64,
    steps: u32,
    duration: Duration,
    /// The step that the next call falls into.
    step: u32,
    /// Area under the earlier steps, in calls.
    before: f64,
    /// Of a call, from the start to the first one.
    wait: f64,
    started: u64,
}

impl Steps {
    #[must_use]
    pub const fn new(from: f64, to: f64, steps: u32, duration: Duration) -> Self {
        Self { from, to, steps, duration, step: 0, before: 0.0, wait: 0.0, started: 0 }
    }

    /// The same, with the first call when this part of a call, 0 to 1, has come together.
    #[must_use]
    pub const fn after(self, wait: f64) -> Self {
        Self { wait, ..self }
    }

    /// Calls per second of the current step. A single step has the first rate.
    fn rate(&self) -> f64 {
        let climbs = self.steps.saturating_sub(1).max(1);
        self.from + (self.to - self.from) * f64::from(self.step) / f64::from(climbs)
    }
}

impl Iterator for Steps {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let width = self.duration.as_secs_f64() / f64::from(self.steps.max(1));
        let n = self.started as f64 + self.wait;
        while self.step < self.steps {
            let rate = self.rate();
            let area = rate * width;
            // What is nearly a call at the end of the last step is one of the next phase.
            let nearly = if self.step + 1 == self.steps { NEARLY } else { 0.0 };
            if n < self.before + area - nearly {
                let at = f64::from(self.step) * width + (n - self.before) / rate;
                self.started += 1;
                let start = Duration::try_from_secs_f64(at).ok()?;
                return (start < self.duration).then_some(start);
            }
            self.before += area;
            self.step += 1;
        }
        None
    }
}
