//! Nonces of digest authentication that need no memory to be known again, and the counts with which they were used (RFC 7616 §3.3,
//! §3.4).

use std::time::{Duration, Instant};

use hashbrown::HashMap;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// How long a nonce may be used. Its client gets another one by `stale=true` and asks nobody for the password again.
const LIFE: Duration = Duration::from_secs(300);

/// Nonces whose counts are kept. Beyond that all are forgotten at once, and their clients are told that theirs is stale.
const MOST: usize = 50_000;

/// The nonces of one node.
#[derive(Debug)]
pub(crate) struct Nonces {
    key: [u8; 32],
    born: Instant,
    /// Nonces that were made before this are stale.
    not_before: u64,
    made: u64,
    /// The last count of each nonce that was used.
    used: HashMap<String, u32>,
}

/// What a nonce of a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Good,
    /// It was ours, and is too old, or its count was used before.
    Stale,
    /// It was never ours.
    Foreign,
}

impl Nonces {
    pub(crate) fn new(secret: &str, born: Instant) -> Self {
        let key = Sha256::digest(secret.as_bytes()).into();
        Self { key, born, not_before: 0, made: 0, used: HashMap::new() }
    }

    /// A nonce that nobody had before.
    pub(crate) fn make(&mut self, now: Instant) -> String {
        self.made += 1;
        self.text(self.seconds(now), self.made)
    }

    /// What the nonce `text` is, used for the `count`th time; the caller has proved to know the password.
    pub(crate) fn check(&mut self, now: Instant, text: &str, count: Option<u32>) -> Verdict {
        let Some((second, number)) = read(text) else { return Verdict::Foreign };
        if !bool::from(self.text(second, number).as_bytes().ct_eq(text.as_bytes())) {
            return Verdict::Foreign;
        }
        let is_young = self.seconds(now).saturating_sub(second) <= LIFE.as_secs();
        if !is_young || second < self.not_before {
            return Verdict::Stale;
        }
        if self.used.len() >= MOST && !self.used.contains_key(text) {
            self.used.clear();
            self.not_before = self.seconds(now) + 1;
            return Verdict::Stale;
        }
        // A client of RFC 2069 does not count: it has each nonce once.
        let count = count.unwrap_or(u32::MAX);
        let last = self.used.entry_ref(text).or_insert(0);
        if count <= *last {
            return Verdict::Stale;
        }
        *last = count;
        Verdict::Good
    }

    fn seconds(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.born).as_secs()
    }

    fn text(&self, second: u64, number: u64) -> String {
        let made = [&second.to_be_bytes()[..], &number.to_be_bytes()].concat();
        let mac = Sha256::new().chain_update(self.key).chain_update(&made).finalize();
        let mac: u128 = mac.iter().take(16).fold(0, |all, byte| all << 8 | u128::from(*byte));
        format!("{second:x}-{number:x}-{mac:032x}")
    }
}

fn read(text: &str) -> Option<(u64, u64)> {
    let (second, rest) = text.split_once('-')?;
    let (number, _) = rest.split_once('-')?;
    Some((u64::from_str_radix(second, 16).ok()?, u64::from_str_radix(number, 16).ok()?))
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test begins at any instant")]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_good_once_for_each_count_and_for_a_while() {
        let start = Instant::now();
        let mut nonces = Nonces::new("secret", start);
        let nonce = nonces.make(start);
        assert_ne!(nonce, nonces.make(start));
        for (count, verdict) in
            [(1, Verdict::Good), (1, Verdict::Stale), (3, Verdict::Good), (2, Verdict::Stale)]
        {
            assert_eq!(nonces.check(start, &nonce, Some(count)), verdict, "{count}");
        }
        let once = nonces.make(start);
        assert_eq!(nonces.check(start, &once, None), Verdict::Good);
        assert_eq!(nonces.check(start, &once, None), Verdict::Stale);
        let later = start + LIFE + Duration::from_secs(1);
        assert_eq!(nonces.check(later, &nonce, Some(9)), Verdict::Stale);
    }

    #[test]
    fn a_nonce_of_somebody_else_is_none() {
        let start = Instant::now();
        let mut nonces = Nonces::new("secret", start);
        let foreign = Nonces::new("another", start).make(start);
        for bad in ["", "abc", "0-1", "0-1-00", "x-y-z", &foreign] {
            assert_eq!(nonces.check(start, bad, Some(1)), Verdict::Foreign, "{bad}");
        }
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let start = Instant::now();
        let mut nonces = Nonces::new("secret", start);
        for _ in 0..MOST {
            let nonce = nonces.make(start);
            assert_eq!(nonces.check(start, &nonce, Some(1)), Verdict::Good);
        }
        let one_more = nonces.make(start);
        assert_eq!(nonces.check(start, &one_more, Some(1)), Verdict::Stale);
        assert!(nonces.used.is_empty());
        // Those of the next second are good again.
        let later = start + Duration::from_secs(1);
        let nonce = nonces.make(later);
        assert_eq!(nonces.check(later, &nonce, Some(1)), Verdict::Good);
    }
}
