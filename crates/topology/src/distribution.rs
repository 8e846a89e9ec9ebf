//! Random durations: how long a phone rings, a person talks, a caller waits.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rand_distr::{Distribution as _, Exp, LogNormal, Uniform};

use crate::duration::{format_duration, parse_duration};

/// No draw is longer than a day. The tail of a lognormal would otherwise outlive every run.
const LONGEST: f64 = 24.0 * 3600.0;

/// A duration drawn anew for each call.
///
/// As text: `5s`, `uniform 2s 8s`, `exponential 5s`, `lognormal 100s 0.8`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Distribution {
    /// Always the same.
    Fixed(Duration),
    /// Any duration from `from` to `to`, equally likely.
    Uniform { from: Duration, to: Duration },
    /// Memoryless; the usual model of patience.
    Exponential { mean: Duration },
    /// Skewed with a long tail; the usual model of talk time. `sigma` is that of the logarithm.
    LogNormal { median: Duration, sigma: f64 },
}

/// Text that is not a [`Distribution`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a distribution such as \"5s\", \"uniform 2s 8s\", \"exponential 5s\" or \
     \"lognormal 100s 0.8\", got {0:?}"
)]
pub struct ParseDistributionError(String);

impl Distribution {
    /// Draws one duration, at most a day.
    pub fn sample(&self, rng: &mut impl rand::Rng) -> Duration {
        let seconds = match *self {
            Self::Fixed(duration) => return duration,
            Self::Uniform { from, to } => {
                let range = Uniform::new_inclusive(from.as_secs_f64(), to.as_secs_f64());
                range.expect("parsing checks from <= to").sample(rng)
            }
            Self::Exponential { mean } => {
                let rate = 1.0 / mean.as_secs_f64();
                Exp::new(rate).expect("parsing checks mean > 0").sample(rng)
            }
            Self::LogNormal { median, sigma } => {
                let mu = median.as_secs_f64().ln();
                LogNormal::new(mu, sigma).expect("parsing checks sigma").sample(rng)
            }
        };
        Duration::from_secs_f64(seconds.clamp(0.0, LONGEST))
    }

    /// The average of many draws, for sizing circuits and positions (Little's law).
    #[must_use]
    pub fn mean(&self) -> Duration {
        match *self {
            Self::Fixed(duration) => duration,
            Self::Uniform { from, to } => (from + to) / 2,
            Self::Exponential { mean } => mean,
            Self::LogNormal { median, sigma } => {
                let mean = median.as_secs_f64() * (sigma * sigma / 2.0).exp();
                Duration::from_secs_f64(mean.min(LONGEST))
            }
        }
    }
}

impl FromStr for Distribution {
    type Err = ParseDistributionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read(text).ok_or_else(|| ParseDistributionError(text.to_owned()))
    }
}

fn read(text: &str) -> Option<Distribution> {
    let positive = |text| parse_duration(text).ok().filter(|duration| !duration.is_zero());
    let words: Vec<&str> = text.split_whitespace().collect();
    match words[..] {
        [duration] => parse_duration(duration).ok().map(Distribution::Fixed),
        ["uniform", from, to] => {
            let (from, to) = (parse_duration(from).ok()?, parse_duration(to).ok()?);
            (from <= to).then_some(Distribution::Uniform { from, to })
        }
        ["exponential", mean] => Some(Distribution::Exponential { mean: positive(mean)? }),
        ["lognormal", median, sigma] => {
            let sigma = sigma.parse().ok().filter(|sigma| (0.0..=5.0).contains(sigma))?;
            Some(Distribution::LogNormal { median: positive(median)?, sigma })
        }
        _ => None,
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format_duration;
        match *self {
            Self::Fixed(duration) => f.write_str(&text(duration)),
            Self::Uniform { from, to } => write!(f, "uniform {} {}", text(from), text(to)),
            Self::Exponential { mean } => write!(f, "exponential {}", text(mean)),
            Self::LogNormal { median, sigma } => write!(f, "lognormal {} {sigma}", text(median)),
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn every_form_is_read_and_written_back() {
        for text in ["5s", "uniform 2s 8s", "exponential 500ms", "lognormal 100s 0.8"] {
            let distribution: Distribution = text.parse().expect(text);
            assert_eq!(distribution.to_string(), text);
        }
    }

    #[test]
    fn distributions_that_cannot_be_drawn_from_are_refused() {
        for text in [
            "",
            "uniform 8s 2s",
            "uniform 2s",
            "exponential 0s",
            "lognormal 0s 1",
            "lognormal 5s -1",
            "lognormal 5s NaN",
            "normal 5s 1s",
        ] {
            assert!(text.parse::<Distribution>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn draws_average_to_the_mean() {
        let mut rng = StdRng::seed_from_u64(1);
        for text in ["5s", "uniform 2s 8s", "exponential 5s", "lognormal 5s 0.5"] {
            let distribution: Distribution = text.parse().expect(text);
            let total: f64 = (0..20_000).map(|_| distribution.sample(&mut rng).as_secs_f64()).sum();
            let (drawn, mean) = (total / 20_000.0, distribution.mean().as_secs_f64());
            assert!((drawn / mean - 1.0).abs() < 0.05, "{text}: drawn {drawn}, mean {mean}");
        }
    }

    #[test]
    fn the_same_seed_draws_the_same_durations() {
        let draw = || {
            Distribution::Exponential { mean: Duration::from_secs(5) }
                .sample(&mut StdRng::seed_from_u64(7))
        };
        assert_eq!(draw(), draw());
    }
}
