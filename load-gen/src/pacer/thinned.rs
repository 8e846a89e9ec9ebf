//! A Poisson process whose rate changes.

use std::fmt::Debug;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;
use rand_distr::Exp1;

/// A step by which time goes on at least, in seconds: the end of a stretch may be rounded to where it began.
const TICK: f64 = 1e-6;

/// A rate that changes, stretch by stretch. Times are seconds from the start of the phase, rates are calls per second.
pub(super) trait Curve: Debug {
    fn rate(&self, at: f64) -> f64;

    /// When the stretch around `at` ends, and a rate that is exceeded nowhere in it.
    fn stretch(&self, at: f64) -> (f64, f64);
}

/// Draws calls by thinning (Lewis and Shedler 1979): at the highest rate of each stretch, of which each call happens with the
/// share that the rate of its moment has in it.
#[derive(Debug)]
pub(super) struct Thinned<C> {
    pub(super) curve: C,
    last: f64,
    duration: f64,
    pub(super) rng: StdRng,
}

impl<C: Curve> Thinned<C> {
    pub(super) const fn new(curve: C, duration: Duration, rng: StdRng) -> Self {
        Self { curve, last: 0.0, duration: duration.as_secs_f64(), rng }
    }

    /// The next call, and a rate drawn evenly from 0 to that of its moment: to whatever makes up the rate there, the call
    /// belongs as often as it should.
    pub(super) fn draw(&mut self) -> Option<(Duration, f64)> {
        while self.last < self.duration {
            let (end, most) = self.curve.stretch(self.last);
            let gap: f64 = self.rng.sample(Exp1);
            let next = self.last + gap / most;
            // At rate 0 nobody calls before the next stretch.
            if most <= 0.0 || next >= end {
                // Exponential gaps have no memory: the next one is drawn anew in the next stretch.
                self.last = end.max(self.last + TICK);
                continue;
            }
            self.last = next;
            let point = self.rng.random::<f64>() * most;
            if next < self.duration && point < self.curve.rate(next) {
                return Some((Duration::try_from_secs_f64(next).ok()?, point));
            }
        }
        None
    }
}
