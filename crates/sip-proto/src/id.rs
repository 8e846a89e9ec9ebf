//! Identifiers that this stack makes: branches, tags, Call-IDs, session identifiers.

use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};

/// What every branch of RFC 3261 begins with (§8.1.1.7).
pub(crate) const COOKIE: &str = "z9hG4bK";

/// A seeded source of identifiers: the same seed gives the same call flow.
#[derive(Debug)]
pub struct Ids {
    rng: StdRng,
}

impl Ids {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { rng: StdRng::seed_from_u64(seed) }
    }

    pub(crate) fn nonce(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// A tag with 64 bits of randomness (RFC 3261 §19.3 asks for 32).
    pub(crate) fn tag(&mut self) -> Box<str> {
        format!("{:016x}", self.rng.next_u64()).into()
    }

    /// A random duration in `0..limit`, in steps of 10 ms (RFC 3261 §14.1).
    pub(crate) fn jitter(&mut self, from_ms: u64, to_ms: u64) -> std::time::Duration {
        std::time::Duration::from_millis(self.rng.random_range(from_ms / 10..=to_ms / 10) * 10)
    }

    /// 128 random bits as 32 lower-case hex digits: a Call-ID, or a half of a Session-ID (RFC 7989
    /// §4).
    #[must_use]
    pub fn uuid(&mut self) -> Box<str> {
        format!("{:016x}{:016x}", self.rng.next_u64(), self.rng.next_u64()).into()
    }
}
