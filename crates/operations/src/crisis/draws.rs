//! Chance in a crisis: each draw follows from the seed of the run, what it is for, and its number.
//!
//! So a change of one setting changes no other draw: two evenings that differ in a rule differ by that rule alone.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use topology::Distribution;

/// The draws of one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draws(u64);

impl Draws {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// How long something takes.
    pub(super) fn time(self, of: &Distribution, purpose: &str, number: u64) -> Duration {
        of.sample(&mut self.random(purpose, number))
    }

    /// Whether something of this probability happens.
    pub(super) fn happens(self, probability: f64, purpose: &str, number: u64) -> bool {
        self.random(purpose, number).random::<f64>() < probability
    }

    fn random(self, purpose: &str, number: u64) -> StdRng {
        // FNV-1a: the same on every machine.
        let bytes = self.0.to_le_bytes().into_iter().chain(purpose.bytes());
        let hash = bytes.chain(number.to_le_bytes()).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        StdRng::seed_from_u64(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_follows_from_seed_purpose_and_number() {
        let of: Distribution = "exponential 10m".parse().expect("a distribution");
        let time = |seed, purpose, number| Draws::new(seed).time(&of, purpose, number);
        assert_eq!(time(1, "understand", 0), time(1, "understand", 0));
        assert_ne!(time(1, "understand", 0), time(2, "understand", 0));
        assert_ne!(time(1, "understand", 0), time(1, "activate", 0));
        assert_ne!(time(1, "understand", 0), time(1, "understand", 1));
        let often = (0..10_000).filter(|n| Draws::new(7).happens(0.3, "alarm", *n)).count();
        assert!((2_800..3_200).contains(&often), "{often}");
    }
}
