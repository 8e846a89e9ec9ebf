//! The curve of a day.

use std::time::Duration;

use rand::rngs::StdRng;

use super::thinned::{Curve, Thinned};
use campaign::Diurnal;

/// A Poisson process whose rate is that of the time of day.
#[derive(Debug)]
pub struct DiurnalPoisson(Thinned<Diurnal>);

impl DiurnalPoisson {
    #[must_use]
    pub const fn new(day: Diurnal, duration: Duration, rng: StdRng) -> Self {
        Self(Thinned::new(day, duration, rng))
    }
}

impl Iterator for DiurnalPoisson {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.0.draw().map(|(start, _)| start)
    }
}

impl Curve for Diurnal {
    fn rate(&self, at: f64) -> f64 {
        Self::rate(self, at)
    }

    fn stretch(&self, at: f64) -> (f64, f64) {
        Self::stretch(self, at)
    }
}
