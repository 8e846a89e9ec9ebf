//! Calm and busy spells that take turns.

use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;
use rand_distr::Exp1;

use campaign::Mmpp;

/// A two-state Markov-modulated Poisson process.
///
/// ```text
///            busy ┌┐      ┌───┐
///  calm ──────────┘└──────┘   └────
///  calls  |   |   |||  |  |||||  |
/// ```
#[derive(Debug)]
pub struct MarkovPoisson {
    settings: Mmpp,
    duration: f64,
    /// 0: calm, 1: busy.
    state: usize,
    /// When the state changes, in seconds.
    until: f64,
    last: f64,
    rng: StdRng,
}

impl MarkovPoisson {
    /// It is busy from the start as often as it is busy at all.
    #[must_use]
    pub fn new(settings: Mmpp, duration: Duration, mut rng: StdRng) -> Self {
        let state = usize::from(rng.random::<f64>() < settings.busy_share());
        let duration = duration.as_secs_f64();
        let mut process = Self { settings, duration, state, until: 0.0, last: 0.0, rng };
        // An exponential spell has no memory: what is left of it at the start is as long as a whole one.
        process.until = process.spell();
        process
    }

    fn spell(&mut self) -> f64 {
        let length: f64 = self.rng.sample(Exp1);
        length * self.settings.mean_sojourn[self.state].as_secs_f64()
    }
}

impl Iterator for MarkovPoisson {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        while self.last < self.duration {
            let rate = self.settings.rates[self.state];
            let gap: f64 = self.rng.sample(Exp1);
            // At rate 0 the gap is endless.
            let next = self.last + gap / rate;
            if next < self.until {
                self.last = next;
                let start = Duration::try_from_secs_f64(next).ok()?;
                return (next < self.duration).then_some(start);
            }
            // Exponential gaps have no memory either: the next one is drawn anew at the new rate.
            self.last = self.until;
            self.state = 1 - self.state;
            self.until += self.spell();
        }
        None
    }
}
