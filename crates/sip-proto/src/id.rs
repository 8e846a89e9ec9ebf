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
        let mut tag = String::with_capacity(16);
        push_hex(&mut tag, self.rng.next_u64());
        tag.into()
    }

    /// A random duration from `from_ms` to `to_ms`, both included, in steps of 10 ms (RFC 3261
    /// §14.1).
    pub(crate) fn jitter(&mut self, from_ms: u64, to_ms: u64) -> std::time::Duration {
        std::time::Duration::from_millis(self.rng.random_range(from_ms / 10..=to_ms / 10) * 10)
    }

    /// 128 random bits as 32 lower-case hex digits: a Call-ID, or a half of a Session-ID (RFC 7989
    /// §4).
    #[must_use]
    pub fn uuid(&mut self) -> Box<str> {
        let mut uuid = String::with_capacity(32);
        push_hex(&mut uuid, self.rng.next_u64());
        push_hex(&mut uuid, self.rng.next_u64());
        uuid.into()
    }
}

/// Adds 16 lower-case hex digits: every call makes a dozen identifiers, and the formatter takes ten times
/// as long.
pub(crate) fn push_hex(out: &mut String, value: u64) {
    for shift in (0..16).rev() {
        let digit = (value >> (4 * shift)) & 0xf;
        out.push(char::from(b"0123456789abcdef"[digit as usize]));
    }
}

/// Reads at most 16 hex digits: the library's parser, too, takes several times as long.
pub(crate) fn parse_hex(text: &str) -> Option<u64> {
    if text.is_empty() || text.len() > 16 {
        return None;
    }
    let mut value = 0;
    for byte in text.bytes() {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ => return None,
        };
        value = value << 4 | u64::from(digit);
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_what_the_formatter_prints() {
        for value in [0, 1, 0x0123_4567_89ab_cdef, u64::MAX] {
            let mut text = String::new();
            push_hex(&mut text, value);
            assert_eq!(text, format!("{value:016x}"));
            assert_eq!(parse_hex(&text), Some(value));
            assert_eq!(parse_hex(&text.to_uppercase()), Some(value));
        }
    }
}
