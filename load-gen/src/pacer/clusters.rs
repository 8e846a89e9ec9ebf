//! Incidents, each with several calls, above calls that have nothing to do with each other.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution as _, Exp1, Geometric};

use super::arrival::{Arrival, Hint};
use super::poisson::Poisson;
use campaign::{Clusters, Commune, Places};

/// A Poisson cluster process (Neyman and Scott 1958) with a Poisson background.
///
/// ```text
///  incidents   ▼           ▼
///  calls       ||| | |  |  || |  |
///  background    |      |      |
/// ```
///
/// It does not begin with the phase: an incident before it may bring calls in it, as if the process had always gone on.
#[derive(Debug)]
pub struct ClusterProcess {
    settings: Clusters,
    places: Places,
    background: Poisson,
    /// The next call that belongs to no incident.
    next_background: Option<Duration>,
    /// When the next incident happens, in seconds from the start of the phase; may be before it.
    incident: f64,
    duration: f64,
    /// Calls of incidents that have happened, by when they start and in which order they were drawn: where each is.
    pending: BTreeMap<(Duration, u64), Option<Commune>>,
    drawn: u64,
    rng: StdRng,
}

impl ClusterProcess {
    /// Each incident is in one of `places`.
    #[must_use]
    pub fn new(settings: Clusters, places: Places, duration: Duration, mut rng: StdRng) -> Self {
        let mut background =
            Poisson::new(settings.background, duration, StdRng::from_rng(&mut rng));
        let next_background = background.next();
        let mut process = Self {
            incident: -settings.reach(),
            settings,
            places,
            background,
            next_background,
            duration: duration.as_secs_f64(),
            pending: BTreeMap::new(),
            drawn: 0,
            rng,
        };
        process.wait_for_incident();
        process
    }

    fn wait_for_incident(&mut self) {
        let gap: f64 = self.rng.sample(Exp1);
        // Without incidents the gap is endless.
        self.incident += gap * 3_600.0 / self.settings.incidents;
    }

    /// The incident that is next happens: all its calls are drawn.
    fn happen(&mut self) {
        let place = self.places.draw(&mut self.rng);
        for _ in 0..self.calls() {
            let delay = self.settings.spread.sample(&mut self.rng).as_secs_f64();
            let at = self.incident + delay;
            // A call before the phase has been made already.
            if let Ok(start) = Duration::try_from_secs_f64(at)
                && at < self.duration
            {
                self.drawn += 1;
                self.pending.insert((start, self.drawn), place);
            }
        }
        self.wait_for_incident();
    }

    fn calls(&mut self) -> u64 {
        let more = Geometric::new(1.0 / self.settings.calls);
        more.map_or(1, |more| more.sample(&mut self.rng).saturating_add(1))
    }

    fn next_of_incident(&self) -> Option<Duration> {
        self.pending.first_key_value().map(|((start, _), _)| *start)
    }
}

impl Iterator for ClusterProcess {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        // Whatever happens later brings its calls later.
        while self.incident < self.duration
            && self.next_of_incident().is_none_or(|next| self.incident <= next.as_secs_f64())
        {
            self.happen();
        }
        let of_incident = self.next_of_incident();
        if self.next_background.is_some_and(|alone| of_incident.is_none_or(|next| alone < next)) {
            let alone = self.next_background.take();
            self.next_background = self.background.next();
            return alone.map(Arrival::anywhere);
        }
        let ((at, _), place) = self.pending.pop_first()?;
        Some(Arrival { at, hint: place.map(Hint::Commune) })
    }
}
