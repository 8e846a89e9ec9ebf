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

/// Adds 16 lower-case hex digits: every call makes a dozen identifiers, and the formatter takes twenty times as long.
pub(crate) fn push_hex(out: &mut String, value: u64) {
    out.push_str(str::from_utf8(&digits(value)).unwrap_or_default());
}

/// Writes 16 lower-case hex digits, if there is room for just so many.
pub(crate) fn write_hex(out: &mut [u8], value: u64) {
    if let Ok(out) = <&mut [u8; 16]>::try_from(out) {
        *out = digits(value);
    }
}

/// Reads at most 16 hex digits.
pub(crate) fn parse_hex(text: &str) -> Option<u64> {
    if let ([high, low], []) = text.as_bytes().as_chunks::<8>() {
        let value = eight_digits_value(*high) << 32 | eight_digits_value(*low);
        // What is written otherwise, or is no number at all, is not printed like that.
        if digits(value) == text.as_bytes() {
            return Some(value);
        }
    }
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

/// One in each byte.
const EACH: u64 = u64::from_ne_bytes([1; 8]);

/// True if these are lower-case hex digits, eight or a multiple of it.
pub(crate) fn is_lower_hex(text: &[u8]) -> bool {
    let (eights, rest) = text.as_chunks::<8>();
    let is_hex =
        |eight: &[u8; 8]| eight_digits(eight_digits_value(*eight)) == u64::from_be_bytes(*eight);
    rest.is_empty() && eights.iter().all(is_hex)
}

const fn digits(value: u64) -> [u8; 16] {
    let (high, low) = (eight_digits(value >> 32), eight_digits(value & u32::MAX as u64));
    ((high as u128) << 64 | low as u128).to_be_bytes()
}

/// The lower 32 bits in lower-case hex: all digits at once, each in a byte.
const fn eight_digits(value: u64) -> u64 {
    let pairs = (value << 16 | value) & 0x0000_ffff_0000_ffff;
    let pairs = (pairs << 8 | pairs) & 0x00ff_00ff_00ff_00ff;
    let digits = (pairs << 4 | pairs) & (EACH * 0x0f);
    let letters = ((digits + EACH * 6) >> 4) & EACH;
    digits + EACH * b'0' as u64 + letters * (b'a' - b'0' - 10) as u64
}

/// What eight lower-case hex digits mean; what anything else means is of no use.
const fn eight_digits_value(text: [u8; 8]) -> u64 {
    let word = u64::from_be_bytes(text);
    let digits = (word & (EACH * 0x0f)) + ((word >> 6) & EACH) * 9;
    let pairs = (digits | digits >> 4) & 0x00ff_00ff_00ff_00ff;
    let pairs = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
    (pairs | pairs >> 16) & u32::MAX as u64
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
            assert_eq!(parse_hex(text.trim_start_matches('0')), Some(value).filter(|v| *v > 0));
        }
        for (at, byte) in (0..16).flat_map(|at| (0..=u8::MAX).map(move |byte| (at, byte))) {
            let mut text = *b"0123456789abcdef";
            text[at] = byte;
            let Ok(text) = str::from_utf8(&text) else { continue };
            let is_hex = byte.is_ascii_hexdigit();
            let wanted = is_hex.then(|| u64::from_str_radix(text, 16).unwrap());
            assert_eq!(parse_hex(text), wanted, "{text:?}");
            assert_eq!(is_lower_hex(text.as_bytes()), is_hex && !byte.is_ascii_uppercase());
        }
    }
}
