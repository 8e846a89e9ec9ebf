//! Incidents that many people see: `model = "clusters"`.

use std::time::Duration;

use topology::Distribution;
use topology::reader::{Table, kind};

use super::fastest::MOST;

/// Of ten thousand delays one is longer: in means of the exponential law, and in deviations of the normal one.
const MEANS: f64 = 9.21;
const DEVIATIONS: f64 = 3.72;

/// A Poisson cluster process of Neyman and Scott above a Poisson background: incidents happen at random, and each of
/// them brings a number of calls, each with a delay of its own.
///
/// One fire or accident brings a burst of calls to an emergency centre (L'Ecuyer, Gustavsson and Olsson, "Modeling
/// bursts in the arrival process to an emergency call center", Winter Simulation Conference 2018). How many is
/// geometric: every call is as likely as the one before to be followed by another, until help is there. That spreads
/// far wider than a Poisson number, as real bursts do: most incidents bring one or two calls, a few bring dozens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clusters {
    /// Calls per second that belong to no incident.
    pub background: f64,
    /// Incidents per hour.
    pub incidents: f64,
    /// Mean number of calls of an incident, 1 or more.
    pub calls: f64,
    /// From an incident to each of its calls.
    pub spread: Distribution,
}

impl Clusters {
    pub(super) fn read(table: &Table<'_>) -> Self {
        let minute = Distribution::Exponential { mean: Duration::from_secs(60) };
        Self {
            background: table.or("background", kind::number(0.0..=MOST), 0.0),
            incidents: table.required("incidents", kind::number(0.0..=100_000.0), 1.0),
            calls: table.required("calls", kind::number(1.0..=100_000.0), 1.0),
            spread: table.or("spread", kind::distribution, minute),
        }
    }

    /// Calls per second over a long time.
    #[must_use]
    pub fn mean_rate(&self) -> f64 {
        self.background + self.incidents / 3_600.0 * self.calls
    }

    /// How long before a phase an incident may have happened that brings calls in it, in seconds. One call in ten thousand
    /// comes later and is left out.
    #[must_use]
    pub fn reach(&self) -> f64 {
        let seconds = match self.spread {
            Distribution::Fixed(delay) => delay.as_secs_f64(),
            Distribution::Uniform { to, .. } => to.as_secs_f64(),
            Distribution::Exponential { mean } => mean.as_secs_f64() * MEANS,
            Distribution::LogNormal { median, sigma } => {
                median.as_secs_f64() * (DEVIATIONS * sigma).exp()
            }
        };
        // No distribution draws more than a day.
        seconds.min(24.0 * 3_600.0)
    }
}
