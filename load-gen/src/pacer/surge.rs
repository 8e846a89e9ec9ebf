//! A region that calls all at once.

use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;

use super::arrival::{Arrival, Hint};
use super::thinned::{Curve, Thinned};
use campaign::Surge;

/// A Poisson process with the usual calls from everywhere and, above them, those of the surge from its region.
#[derive(Debug)]
pub struct SurgePoisson(Thinned<Surge>);

impl SurgePoisson {
    #[must_use]
    pub const fn new(surge: Surge, duration: Duration, rng: StdRng) -> Self {
        Self(Thinned::new(surge, duration, rng))
    }

    /// A commune of the region, if the region is known.
    fn place(&mut self) -> Option<Hint> {
        let communes = &self.0.curve.communes;
        let last = communes.len().checked_sub(1)?;
        Some(Hint::Commune(communes[self.0.rng.random_range(0..=last)]))
    }
}

impl Iterator for SurgePoisson {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        let (at, point) = self.0.draw()?;
        let is_usual = point < self.0.curve.rate;
        Some(Arrival { at, hint: if is_usual { None } else { self.place() } })
    }
}

impl Curve for Surge {
    fn rate(&self, at: f64) -> f64 {
        self.rate + self.excess(at)
    }

    fn stretch(&self, at: f64) -> (f64, f64) {
        Self::stretch(self, at)
    }
}
