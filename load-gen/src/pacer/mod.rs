//! When calls start: a pacer yields the intended start of one call after another.
//!
//! ```text
//!  calls/s                        steps ┌──┐
//!     │ constant ─────     ramp   ╱  ┌──┘  │     poisson: constant on average,
//!     │                         ╱   ┌┘     │              each gap by chance
//!     └──────────────────────────────────────► time
//! ```
//!
//! A pacer knows nothing of the calls: a call starts when it is due, however the earlier ones
//! fare (open loop). A generator that is late starts all that is due and keeps the intended
//! times, so its own lateness stays visible in the figures.

mod constant;
mod poisson;
mod ramp;
mod schedule;
mod steps;

use std::fmt::Debug;
use std::time::Duration;

use rand::rngs::StdRng;

use crate::campaign::{Arrivals, Phase};

pub use constant::Constant;
pub use poisson::Poisson;
pub use ramp::Ramp;
pub use schedule::{Schedule, Shard, Start};
pub use steps::Steps;

/// Intended starts as offsets from the start of a phase: rising, and all less than its duration.
pub trait Pacer: Iterator<Item = Duration> + Debug + Send {}

impl<T: Iterator<Item = Duration> + Debug + Send> Pacer for T {}

/// The pacer of one phase. Only a Poisson process draws from `rng`.
fn pacer(phase: &Phase, rng: StdRng) -> Box<dyn Pacer> {
    let duration = phase.duration;
    match phase.arrivals {
        Arrivals::Constant { rate } => Box::new(Constant::new(rate, duration)),
        Arrivals::Ramp { from, to } => Box::new(Ramp::new(from, to, duration)),
        Arrivals::Steps { from, to, steps } => Box::new(Steps::new(from, to, steps, duration)),
        Arrivals::Poisson { rate } => Box::new(Poisson::new(rate, duration, rng)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;

    use super::*;

    /// Checks what holds for every pacer, and returns how many calls it starts.
    fn count(pacer: impl Pacer, duration: Duration) -> usize {
        let starts: Vec<Duration> = pacer.collect();
        assert!(starts.is_sorted());
        assert!(starts.iter().all(|start| *start < duration));
        starts.len()
    }

    fn secs(pacer: impl Pacer) -> Vec<f64> {
        pacer.map(|start| (start.as_secs_f64() * 1_000.0).round() / 1_000.0).collect()
    }

    const S10: Duration = Duration::from_secs(10);

    #[test]
    fn starts_in_seconds() {
        let s2 = Duration::from_secs(2);
        assert_eq!(secs(Constant::new(2.5, s2)), [0.0, 0.4, 0.8, 1.2, 1.6]);
        // N(t) = t², so call n starts at √n.
        assert_eq!(secs(Ramp::new(0.0, 4.0, s2)), [0.0, 1.0, 1.414, 1.732]);
        // N(t) = 4t - t², from 4 calls/s down to none.
        assert_eq!(secs(Ramp::new(4.0, 0.0, s2)), [0.0, 0.268, 0.586, 1.0]);
        // 1 call/s for one second, then 3.
        assert_eq!(secs(Steps::new(1.0, 3.0, 2, s2)), [0.0, 1.0, 1.333, 1.667]);
    }

    #[test]
    fn totals_are_the_area_under_the_rate() {
        for (rate, calls) in [(0.0, 0), (0.05, 1), (1.0, 10), (50.0, 500), (10_000.0, 100_000)] {
            assert_eq!(count(Constant::new(rate, S10), S10), calls, "{rate}");
        }
        for (from, to, calls) in [(0.0, 100.0, 500), (100.0, 0.0, 500), (50.0, 50.0, 500)] {
            assert_eq!(count(Ramp::new(from, to, S10), S10), calls, "{from}..{to}");
        }
        // 10, 20, 30, 40 and 50 calls/s for two seconds each.
        assert_eq!(count(Steps::new(10.0, 50.0, 5, S10), S10), 300);
        // Half a call in each step: nothing is lost at the edges.
        assert_eq!(count(Steps::new(0.5, 0.5, 10, S10), S10), 5);
    }

    #[test]
    fn nothing_starts_in_no_time_or_at_no_rate() {
        assert_eq!(Constant::new(100.0, Duration::ZERO).count(), 0);
        assert_eq!(Ramp::new(0.0, 0.0, S10).count(), 0);
        assert_eq!(Ramp::new(5.0, 9.0, Duration::ZERO).count(), 0);
        assert_eq!(Steps::new(0.0, 0.0, 3, S10).count(), 0);
        assert_eq!(Poisson::new(0.0, S10, StdRng::seed_from_u64(1)).count(), 0);
    }

    // The count over a time T has mean and variance λT; gaps are exponential, so 1/e of them
    // exceed 1/λ.
    #[test]
    fn poisson_has_the_mean_and_the_gaps_of_a_poisson_process() {
        let hour = Duration::from_secs(3_600);
        let starts: Vec<f64> = Poisson::new(20.0, hour, StdRng::seed_from_u64(7))
            .map(|start| start.as_secs_f64())
            .collect();
        let expected = 72_000.0_f64;
        let off = (starts.len() as f64 - expected).abs();
        assert!(off < 4.0 * expected.sqrt(), "{} calls", starts.len());
        let long = starts.windows(2).filter(|pair| pair[1] - pair[0] > 0.05).count();
        let share = long as f64 / starts.len() as f64;
        assert!((share - (-1.0_f64).exp()).abs() < 0.01, "{share}");
    }

    #[test]
    fn poisson_repeats_with_its_seed() {
        let starts = |seed| Poisson::new(9.0, S10, StdRng::seed_from_u64(seed)).collect::<Vec<_>>();
        assert_eq!(starts(1), starts(1));
        assert_ne!(starts(1), starts(2));
    }

    proptest! {
        #[test]
        fn any_phase_starts_as_many_calls_as_the_campaign_expects(
            from in 0.0..300.0_f64, to in 0.0..300.0_f64, steps in 2..20_u32, secs in 0.5..30.0_f64,
        ) {
            let duration = Duration::from_secs_f64(secs);
            for arrivals in [
                Arrivals::Constant { rate: from },
                Arrivals::Ramp { from, to },
                Arrivals::Steps { from, to, steps },
            ] {
                let phase = Phase { name: "any".to_owned(), duration, arrivals };
                let calls = count(pacer(&phase, StdRng::seed_from_u64(1)), duration) as f64;
                let expected = phase.expected_attempts();
                prop_assert!((calls - expected).abs() <= 1.0, "{calls} calls, {expected} expected");
            }
        }

        #[test]
        fn any_poisson_rises_within_its_phase(
            rate in 0.0..300.0_f64, secs in 0.1..30.0_f64, seed: u64,
        ) {
            let duration = Duration::from_secs_f64(secs);
            count(Poisson::new(rate, duration, StdRng::seed_from_u64(seed)), duration);
        }
    }
}
