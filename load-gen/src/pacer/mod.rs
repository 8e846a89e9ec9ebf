//! When calls start: a pacer yields the intended start of one call after another.
//!
//! ```text
//!  calls/s                        steps ┌──┐
//!     │ constant ─────     ramp   ╱  ┌──┘  │     poisson: constant on average,
//!     │                         ╱   ┌┘     │              each gap by chance
//!     └──────────────────────────────────────► time
//! ```
//!
//! Calm and busy spells, incidents, the curve of a day, a surge and recordings have pictures in their own files.
//!
//! A pacer knows nothing of the calls: a call starts when it is due, however the earlier ones
//! fare (open loop). A generator that is late starts all that is due and keeps the intended
//! times, so its own lateness stays visible in the figures.

mod arrival;
mod carry;
mod clusters;
mod constant;
mod diurnal;
mod mmpp;
mod nearly;
mod poisson;
mod ramp;
mod replay;
mod schedule;
mod steps;
mod surge;
mod thinned;

use std::fmt::Debug;
use std::time::Duration;

use rand::rngs::StdRng;

use campaign::{Arrivals, Phase, Places};

pub use arrival::{Arrival, Hint};
pub use clusters::ClusterProcess;
pub use constant::Constant;
pub use diurnal::DiurnalPoisson;
pub use mmpp::MarkovPoisson;
pub use poisson::Poisson;
pub use ramp::Ramp;
pub use replay::Replayed;
pub use schedule::{Schedule, ScheduledCall, Shard};
pub use steps::Steps;
pub use surge::SurgePoisson;

/// Calls of a phase: their times rise, and all are less than its duration.
pub trait Pacer: Iterator<Item = Arrival> + Debug + Send {}

impl<T: Iterator<Item = Arrival> + Debug + Send> Pacer for T {}

/// The pacer of phase `number`. All chance in it comes from `rng`.
fn pacer(phase: &Phase, number: u32, places: &Places, rng: StdRng) -> Box<dyn Pacer> {
    let duration = phase.duration;
    match phase.arrivals.clone() {
        Arrivals::Constant { .. } | Arrivals::Ramp { .. } | Arrivals::Steps { .. } => {
            evenly(phase, 0.0).expect("these are evenly spaced")
        }
        Arrivals::Poisson { rate } => anywhere(Poisson::new(rate, duration, rng)),
        Arrivals::Mmpp(bursts) => anywhere(MarkovPoisson::new(bursts, duration, rng)),
        Arrivals::Diurnal(day) => anywhere(DiurnalPoisson::new(day, duration, rng)),
        Arrivals::Clusters(clusters) => {
            Box::new(ClusterProcess::new(clusters, places.clone(), duration, rng))
        }
        Arrivals::Surge(surge) => Box::new(SurgePoisson::new(surge, duration, rng)),
        Arrivals::Replay(replay) => Box::new(Replayed::new(replay, number, duration)),
    }
}

/// The pacer of a phase with evenly spaced calls, the first of which has to wait for this part of a call. `None` where calls
/// come by chance or by the book.
fn evenly(phase: &Phase, wait: f64) -> Option<Box<dyn Pacer>> {
    let duration: Duration = phase.duration;
    Some(match phase.arrivals {
        Arrivals::Constant { rate } => anywhere(Constant::new(rate, duration).after(wait)),
        Arrivals::Ramp { from, to } => anywhere(Ramp::new(from, to, duration).after(wait)),
        Arrivals::Steps { from, to, steps } => {
            anywhere(Steps::new(from, to, steps, duration).after(wait))
        }
        _ => return None,
    })
}

/// A pacer that knows times alone.
fn anywhere(starts: impl Iterator<Item = Duration> + Debug + Send + 'static) -> Box<dyn Pacer> {
    Box::new(starts.map(Arrival::anywhere))
}

#[cfg(test)]
mod tests;
