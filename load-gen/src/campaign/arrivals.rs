//! Phases and their arrivals: how many calls begin per second.

use std::time::Duration;

use topology::reader::{Table, kind};

/// More calls per second than any one machine places.
const MOST: f64 = 100_000.0;

/// A part of the campaign with one arrival model.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    pub name: String,
    pub duration: Duration,
    pub arrivals: Arrivals,
}

/// When calls begin. All rates are calls per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Arrivals {
    /// Evenly spaced.
    Constant { rate: f64 },
    /// Evenly spaced, the rate growing or falling in a straight line over the phase.
    Ramp { from: f64, to: f64 },
    /// A staircase from `from` to `to` by `step`; each step lasts `every`, the last to the end.
    Steps { from: f64, to: f64, step: f64, every: Duration },
    /// At random, independent of each other, with this mean rate.
    Poisson { rate: f64 },
}

/// The word of an arrival model, before its rates are known.
#[derive(Debug, Clone, Copy)]
enum Model {
    Constant,
    Ramp,
    Steps,
    Poisson,
}

impl Phase {
    pub(super) fn read(table: &Table<'_>) -> Self {
        let shortest = Duration::from_millis(100);
        let duration = table.required("duration", kind::duration(shortest), shortest);
        Self {
            name: table.required("name", kind::name, String::new()),
            duration,
            arrivals: table.section("arrivals", |arrivals| Arrivals::read(arrivals, duration)),
        }
    }

    /// How many attempts this phase is expected to make.
    #[must_use]
    pub fn expected_attempts(&self) -> f64 {
        let seconds = self.duration.as_secs_f64();
        match self.arrivals {
            Arrivals::Constant { rate } | Arrivals::Poisson { rate } => rate * seconds,
            Arrivals::Ramp { from, to } => (from + to) / 2.0 * seconds,
            Arrivals::Steps { from, to, step, every } => {
                let last = steps(from, to, step) - 1;
                let every = every.as_secs_f64();
                let climbed: f64 = (0..last).map(|i| level(from, to, step, i) * every).sum();
                climbed + to * (seconds - f64::from(last) * every)
            }
        }
    }
}

impl Arrivals {
    fn read(table: &Table<'_>, duration: Duration) -> Self {
        const WORDS: [(&str, Model); 4] = [
            ("constant", Model::Constant),
            ("ramp", Model::Ramp),
            ("steps", Model::Steps),
            ("poisson", Model::Poisson),
        ];
        let rate = |key| table.required(key, kind::number(0.0..=MOST), 1.0);
        match table.required("model", kind::choice(&WORDS), Model::Constant) {
            Model::Constant => Self::Constant { rate: rate("rate") },
            Model::Poisson => Self::Poisson { rate: rate("rate") },
            Model::Ramp => Self::Ramp { from: rate("from"), to: rate("to") },
            Model::Steps => {
                let (from, to) = (rate("from"), rate("to"));
                let step = table.required("step", kind::number(0.001..=MOST), 1.0);
                let count = steps(from, to, step);
                let every = table.or(
                    "every",
                    kind::duration(Duration::from_millis(10)),
                    duration / count,
                );
                // The climb takes one `every` less than there are steps.
                if every.saturating_mul(count - 1) >= duration {
                    let message = format!(
                        "the phase ends before it reaches {to} calls/s in {count} steps; \
                         shorten the steps or lengthen the phase"
                    );
                    table.report("every", message);
                }
                Self::Steps { from, to, step, every }
            }
        }
    }
}

/// How many levels a staircase has, the first and the last included.
fn steps(from: f64, to: f64, step: f64) -> u32 {
    // Rates are at most 100,000 and a step at least 0.001, so the count fits; `as` saturates.
    ((to - from).abs() / step).ceil() as u32 + 1
}

/// The rate on level `index`, never beyond `to`.
fn level(from: f64, to: f64, step: f64, index: u32) -> f64 {
    let climbed = step * f64::from(index);
    if from <= to { (from + climbed).min(to) } else { (from - climbed).max(to) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempts(arrivals: Arrivals) -> f64 {
        let duration = Duration::from_secs(10);
        Phase { name: "p".to_owned(), duration, arrivals }.expected_attempts()
    }

    #[test]
    fn expected_attempts_are_the_area_under_the_rate() {
        assert_eq!(attempts(Arrivals::Constant { rate: 5.0 }), 50.0);
        assert_eq!(attempts(Arrivals::Ramp { from: 0.0, to: 10.0 }), 50.0);
        // 10, 20, 30 calls/s for 2, 2 and 6 seconds.
        let every = Duration::from_secs(2);
        assert_eq!(attempts(Arrivals::Steps { from: 10.0, to: 30.0, step: 10.0, every }), 240.0);
        // Downwards, and the last step is shorter than the others: 30, 15, 10.
        assert_eq!(attempts(Arrivals::Steps { from: 30.0, to: 10.0, step: 15.0, every }), 150.0);
    }
}
