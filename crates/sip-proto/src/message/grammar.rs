//! Small pieces of the grammar of RFC 3261 §25.1 that several headers share.

use super::Malformed;

/// `token` of RFC 3261 §25.1.
pub(crate) const fn is_token_byte(byte: u8) -> bool {
    TOKEN[byte as usize]
}

/// Looked up for every byte of every name, so a table.
const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let marks = b"-.!%*_+`'~";
    let mut at = 0;
    while at < 256 {
        table[at] = (at as u8).is_ascii_alphanumeric();
        at += 1;
    }
    let mut at = 0;
    while at < marks.len() {
        table[marks[at] as usize] = true;
        at += 1;
    }
    table
};

pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// Linear white space inside one unfolded line.
pub(crate) fn trim(text: &str) -> &str {
    // The pattern machinery of `trim_matches` costs more than these few bytes are worth.
    let is_text = |byte: &u8| !matches!(byte, b' ' | b'\t');
    let bytes = text.as_bytes();
    let Some(start) = bytes.iter().position(is_text) else { return "" };
    let end = bytes.iter().rposition(is_text).map_or(start, |last| last + 1);
    text.get(start..end).unwrap_or_default()
}

/// The text before and after the first `byte`. (`str::split_once` sets up a searcher that costs more
/// than these short texts are long.)
pub(crate) fn split_byte(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|have| have == byte)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// The text before and after the last `byte`.
pub(crate) fn rsplit_byte(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = text.bytes().rposition(|have| have == byte)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Offset of the first byte of `text` for which `stop` holds, outside quoted strings and, if
/// `angles`, outside `<…>`. A quoted string without an end, or a `<` without `>`, is malformed.
pub(crate) fn find_outside(text: &str, angles: bool, stop: u8) -> Result<Option<usize>, Malformed> {
    let bytes = text.as_bytes();
    if !angles {
        // Mostly no quote comes before the byte looked for. What comes after it is not read: a
        // caller that splits a long value asks again for each part.
        let first = bytes.iter().position(|byte| matches!(*byte, b'"') || *byte == stop);
        if first.is_none_or(|at| bytes.get(at) == Some(&stop)) {
            return Ok(first);
        }
    }
    let mut at = 0;
    let mut inside_angles = false;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' if !inside_angles => {
                at = quoted_end(text, at)?;
                continue;
            }
            b'>' if inside_angles => inside_angles = false,
            _ if inside_angles => {}
            _ if byte == stop => return Ok(Some(at)),
            b'<' if angles => inside_angles = true,
            _ => {}
        }
        at += 1;
    }
    if inside_angles { Err(Malformed("a < without its >")) } else { Ok(None) }
}

/// Offset just after the quoted string that opens at `open`.
pub(crate) fn quoted_end(text: &str, open: usize) -> Result<usize, Malformed> {
    let bytes = text.as_bytes();
    let mut at = open + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return Ok(at + 1),
            _ => at += 1,
        }
    }
    Err(Malformed("a quoted string without its end"))
}

/// The elements of a comma-separated header value (RFC 3261 §7.3.1). Commas inside quotes and `<…>`
/// do not count.
pub(crate) fn split_list(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        if memchr::memchr(b',', text.as_bytes()).is_none() {
            rest = None;
            return Some(trim(text));
        }
        match find_outside(text, true, b',') {
            Ok(Some(comma)) => {
                rest = text.get(comma + 1..);
                text.get(..comma).map(trim)
            }
            // A broken tail is one element; its own parser refuses it.
            Ok(None) | Err(_) => {
                rest = None;
                Some(trim(text))
            }
        }
    })
}

/// More parameters than any honest value has.
const MAX_PARAMS: usize = 64;

/// The `;name=value` parameters of a header value.
#[derive(Debug, Clone, Copy)]
pub struct Params<'a> {
    /// Without the first `;`.
    text: &'a str,
}

impl<'a> Params<'a> {
    /// Checks `text`, which is empty or begins with `;`.
    pub(crate) fn parse(text: &'a str) -> Result<Self, Malformed> {
        let text = trim(text);
        if text.is_empty() {
            return Ok(Self { text });
        }
        let Some(text) = text.strip_prefix(';') else {
            return Err(Malformed("text where parameters should begin"));
        };
        if text.is_empty() {
            return Err(Malformed("a semicolon without a parameter"));
        }
        let params = Self { text };
        for (at, (name, value)) in params.iter().enumerate() {
            if at == MAX_PARAMS {
                return Err(Malformed("too many parameters"));
            }
            let value_is_sound = match value {
                None => true,
                Some(value) if value.starts_with('"') => quoted_end(value, 0)? == value.len(),
                // gen-value is a token or a host; a host may be an IPv6 reference, and RFC 5118
                // §4.5 asks to tolerate an IPv6 address without brackets.
                Some(value) => {
                    !value.is_empty()
                        && value
                            .bytes()
                            .all(|b| is_token_byte(b) || matches!(b, b'[' | b']' | b':'))
                }
            };
            if !is_token(name) || !value_is_sound {
                return Err(Malformed("a malformed parameter"));
            }
        }
        Ok(params)
    }

    fn iter(self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        let mut rest = (!self.text.is_empty()).then_some(self.text);
        std::iter::from_fn(move || {
            let text = rest?;
            let one = match find_outside(text, false, b';') {
                Ok(Some(semicolon)) => {
                    rest = text.get(semicolon + 1..);
                    text.get(..semicolon)?
                }
                Ok(None) | Err(_) => {
                    rest = None;
                    text
                }
            };
            Some(match one.bytes().position(|byte| byte == b'=') {
                Some(at) => (trim(one.get(..at)?), Some(trim(one.get(at + 1..)?))),
                None => (trim(one), None),
            })
        })
    }

    /// The value of `name`: `None` if absent, `Some("")` for a flag.
    #[must_use]
    pub fn value(self, name: &str) -> Option<&'a str> {
        self.iter()
            .find(|(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.unwrap_or_default())
    }

    /// True if `name` stands more than once (RFC 3261 §7.3.1 allows it once).
    pub(crate) fn repeats(self, name: &str) -> bool {
        self.iter().filter(|(have, _)| have.eq_ignore_ascii_case(name)).count() > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_split_outside_quotes_and_brackets() {
        let list = r#""a, b" <sip:x@y;p=1,2>, <sip:z@y>;q="1,\",2" , sip:w@y"#;
        let parts: Vec<_> = split_list(list).collect();
        assert_eq!(parts, [r#""a, b" <sip:x@y;p=1,2>"#, r#"<sip:z@y>;q="1,\",2""#, "sip:w@y"]);
    }

    #[test]
    fn parameters_are_found_whatever_their_case_and_quoting() {
        let params = Params::parse(r#" ; TTL = 16 ;x="a;b" ; flag;received=[::1]"#).unwrap();
        assert_eq!(params.value("ttl"), Some("16"));
        assert_eq!(params.value("x"), Some(r#""a;b""#));
        assert_eq!(params.value("flag"), Some(""));
        assert_eq!(params.value("received"), Some("[::1]"));
        assert_eq!(params.value("none"), None);
    }

    // What follows the byte looked for is not read: splitting a long value takes linear time.
    #[test]
    fn a_search_ends_at_the_byte_looked_for() {
        assert_eq!(find_outside("a;b=\"never closed", false, b';'), Ok(Some(1)));
        assert_eq!(find_outside("a=\";\";b=\"never closed", false, b';'), Ok(Some(5)));
        assert!(find_outside("a=\"never closed;b", false, b';').is_err());
        assert_eq!(find_outside("a=\"x\"", false, b';'), Ok(None));
    }

    #[test]
    fn a_value_with_too_many_parameters_is_refused() {
        assert!(Params::parse(&";a".repeat(MAX_PARAMS)).is_ok());
        assert!(Params::parse(&";a".repeat(MAX_PARAMS + 1)).is_err());
    }

    #[test]
    fn empty_and_broken_parameters_are_refused() {
        for text in [";", ";;", ";a=", "a=1", ";a=\"x", ";a b=1"] {
            assert!(Params::parse(text).is_err(), "{text}");
        }
    }
}
