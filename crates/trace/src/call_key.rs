//! By what a message is found again: its Call-ID, as a number.

use std::hash::{BuildHasher as _, BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use hashbrown::{DefaultHashBuilder, HashMap};

/// Of this process: a peer who chooses Call-IDs cannot know which of them share a key.
static SEED: LazyLock<DefaultHashBuilder> = LazyLock::new(DefaultHashBuilder::default);

/// A map by calls, whose keys are hashed already.
pub type CallMap<V> = HashMap<CallKey, V, BuildHasherDefault<AsItIs>>;

/// A hash of a Call-ID (RFC 3261 §8.1.1.4), another one in each process. Two calls may share one, so whoever needs to know compares
/// the Call-IDs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallKey(pub(crate) u64);

impl CallKey {
    /// The key of this Call-ID.
    #[must_use]
    pub fn of(call_id: &str) -> Self {
        Self::of_bytes(call_id.as_bytes())
    }

    /// The key of the call that a message belongs to. `None` when it names none.
    #[must_use]
    pub fn of_message(message: &[u8]) -> Option<Self> {
        call_id_of(message).map(Self::of_bytes)
    }

    /// As a number, for who knows nothing of calls.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// What [`number`](Self::number) gave.
    #[must_use]
    pub const fn of_number(number: u64) -> Self {
        Self(number)
    }

    fn of_bytes(call_id: &[u8]) -> Self {
        Self(SEED.hash_one(call_id))
    }
}

/// Takes a key for its own hash.
#[derive(Debug, Clone, Copy, Default)]
pub struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }

    fn write(&mut self, bytes: &[u8]) {
        // No key consists of bytes.
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The Call-ID of a message, found without reading it: the recorder sees each message of each call.
pub(crate) fn call_id_of(message: &[u8]) -> Option<&[u8]> {
    let mut rest = message;
    loop {
        let end = memchr::memchr(b'\n', rest)?;
        rest = &rest[end + 1..];
        match rest.first()? {
            b'\r' | b'\n' => return None, // the end of the head
            b'C' | b'c' => {
                if let Some(value) = value_of(rest, b"call-id") {
                    return Some(value);
                }
            }
            b'I' | b'i' => {
                if let Some(value) = value_of(rest, b"i") {
                    return Some(value);
                }
            }
            _ => {}
        }
    }
}

/// The value of the field at the beginning of `rest`, if that is its name (RFC 3261 §7.3.1, §7.3.3).
fn value_of<'a>(rest: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (head, after) = rest.split_at_checked(name.len())?;
    if !head.eq_ignore_ascii_case(name) {
        return None;
    }
    let colon = after.iter().position(|byte| !matches!(byte, b' ' | b'\t'))?;
    let value = after[colon..].strip_prefix(b":")?;
    let end = memchr::memchr(b'\n', value).unwrap_or(value.len());
    Some(value[..end].trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_id_is_found_however_its_field_is_written() {
        for field in ["Call-ID: a@b", "call-id:a@b", "CALL-ID \t:  a@b ", "i: a@b", "I:a@b"] {
            let message =
                format!("BYE sip:x SIP/2.0\r\nContact: <sip:c>\r\ni-am: x\r\n{field}\r\n\r\n");
            assert_eq!(call_id_of(message.as_bytes()), Some(&b"a@b"[..]), "{field}");
            assert_eq!(CallKey::of_message(message.as_bytes()), Some(CallKey::of("a@b")));
        }
    }

    #[test]
    fn a_message_without_one_has_no_key() {
        let bodies: [&[u8]; 5] = [
            b"",
            b"\r\n\r\n",
            b"INVITE",
            b"BYE x SIP/2.0\r\nTo: y\r\n\r\nCall-ID: in the body\r\n",
            b"BYE x SIP/2.0\r\nCall",
        ];
        for message in bodies {
            assert_eq!(CallKey::of_message(message), None);
        }
    }
}
