//! Small pieces of the grammar of RFC 3261 §25.1 that several headers share.

use super::Malformed;
use super::classes::{TOKEN, VALUE, run_end};
use super::plain::{self, MAX_PARAMS, NotedPlace, Param};

pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && run_end(text.as_bytes(), 0, TOKEN) == text.len()
}

/// Linear white space inside one unfolded line.
pub(crate) fn trim(text: &str) -> &str {
    // The pattern machinery of `trim_matches` costs more than these few bytes are worth.
    let is_text = |byte: &u8| !matches!(byte, b' ' | b'\t');
    let bytes = text.as_bytes();
    if let [first, .., last] = bytes
        && is_text(first)
        && is_text(last)
    {
        return text;
    }
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
    let open = if angles { b'<' } else { b'"' };
    let mut at = 0;
    while let Some(next) = memchr::memchr3(b'"', open, stop, bytes.get(at..).unwrap_or_default()) {
        at += next;
        match bytes.get(at) {
            Some(b'"') => at = quoted_end(text, at)?,
            Some(byte) if *byte == stop => return Ok(Some(at)),
            _ => {
                let inside = bytes.get(at..).unwrap_or_default();
                let close = memchr::memchr(b'>', inside).ok_or(Malformed("a < without its >"))?;
                at += close + 1;
            }
        }
    }
    Ok(None)
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
    let is_one = memchr::memchr(b',', text.as_bytes()).is_none();
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        if is_one {
            rest = None;
            return Some(trim(text));
        }
        if let Some(after) = text.strip_prefix(',') {
            rest = Some(after);
            return Some("");
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

/// The `;name=value` parameters of a header value.
#[derive(Debug, Clone, Copy, Default)]
pub struct Params<'a> {
    /// Without the first `;`.
    pub(super) text: &'a str,
}

/// What was seen of one parameter while the others were checked.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Noted<'a> {
    /// Empty for a flag.
    pub(super) value: Option<&'a str>,
    /// It stands more than once, which RFC 3261 §7.3.1 forbids.
    pub(super) repeats: bool,
}

/// One parameter of a kind that needs no second look.
pub(super) struct Plain<'a> {
    pub(super) name: &'a str,
    value: Option<&'a str>,
    /// Where it ends.
    pub(super) end: usize,
    /// Where the next one begins.
    pub(super) next: Option<usize>,
}

impl<'a> Noted<'a> {
    /// The same of `head`, from which it was read.
    pub(super) fn at(place: NotedPlace, head: &'a str) -> Self {
        Self { value: place.value.map(|value| value.read(head)), repeats: place.repeats }
    }

    fn note(&mut self, value: &'a str) {
        match self.value {
            Some(_) => self.repeats = true,
            None => self.value = Some(value),
        }
    }
}

/// Notes one parameter, if it is among those looked for.
#[inline]
fn note<'a, const COUNT: usize>(
    noted: &mut [Noted<'a>; COUNT],
    names: [&str; COUNT],
    have: &str,
    value: Option<&'a str>,
) {
    for (noted, name) in noted.iter_mut().zip(names) {
        if have.eq_ignore_ascii_case(name) {
            noted.note(value.unwrap_or_default());
        }
    }
}

impl<'a> Params<'a> {
    /// Checks `text`, which is empty or begins with `;`.
    pub(crate) fn parse(text: &'a str) -> Result<Self, Malformed> {
        Self::parse_noting(text, []).map(|(params, _)| params)
    }

    /// The same, and what there is of the parameters with these names.
    pub(super) fn parse_noting<const COUNT: usize>(
        text: &'a str,
        names: [&str; COUNT],
    ) -> Result<(Self, [Noted<'a>; COUNT]), Malformed> {
        let text = trim(text);
        if text.is_empty() {
            return Ok((Self { text }, [Noted::default(); COUNT]));
        }
        if let Some((place, noted)) = plain::params(text.as_bytes(), 0..text.len(), names) {
            let noted = noted.map(|one| Noted::at(one, text));
            return Ok((Self { text: place.read(text) }, noted));
        }
        let Some(text) = text.strip_prefix(';') else {
            return Err(Malformed("text where parameters should begin"));
        };
        if text.is_empty() {
            return Err(Malformed("a semicolon without a parameter"));
        }
        let params = Self { text };
        params.check()?;
        let mut noted = [Noted::default(); COUNT];
        for (have, value) in params.iter() {
            note(&mut noted, names, have, value);
        }
        Ok((params, noted))
    }

    /// The parameter that begins at `at`, if it needs no closer look.
    #[inline]
    pub(super) fn plain(self, at: usize) -> Option<Plain<'a>> {
        let bytes = self.text.as_bytes();
        let Param { name, value, end } = plain::param(bytes, at)?;
        let next = match bytes.get(end) {
            None => None,
            Some(b';') => Some(end + 1),
            Some(_) => return None,
        };
        let value = match value {
            Some(value) => Some(self.text.get(value)?),
            None => None,
        };
        Some(Plain { name: self.text.get(name)?, value, end, next })
    }

    fn check(self) -> Result<(), Malformed> {
        for (at, (name, value)) in self.iter().enumerate() {
            if at == MAX_PARAMS {
                return Err(Malformed("too many parameters"));
            }
            let value_is_sound = match value {
                None => true,
                Some(value) if value.starts_with('"') => quoted_end(value, 0)? == value.len(),
                Some(value) => {
                    !value.is_empty() && run_end(value.as_bytes(), 0, VALUE) == value.len()
                }
            };
            if !is_token(name) || !value_is_sound {
                return Err(Malformed("a malformed parameter"));
            }
        }
        Ok(())
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
        let mut at = 0;
        while let Some(one) = self.plain(at) {
            if one.name.eq_ignore_ascii_case(name) {
                return Some(one.value.unwrap_or_default());
            }
            at = one.next?;
        }
        let rest = Self { text: self.text.get(at..)? };
        rest.iter()
            .find(|(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.unwrap_or_default())
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
        let params = Params::parse(r#";oc;oc-algo="loss,rate";x="a\";b";y="""#).unwrap();
        assert_eq!(params.value("OC-ALGO"), Some(r#""loss,rate""#));
        assert_eq!(params.value("x"), Some(r#""a\";b""#));
        assert_eq!(params.value("y"), Some(r#""""#));
    }

    // What follows the byte looked for is not read: splitting a long value takes linear time.
    #[test]
    fn a_search_ends_at_the_byte_looked_for() {
        assert_eq!(find_outside("a;b=\"never closed", false, b';'), Ok(Some(1)));
        assert_eq!(find_outside("a=\";\";b=\"never closed", false, b';'), Ok(Some(5)));
        assert!(find_outside("a=\"never closed;b", false, b';').is_err());
        assert_eq!(find_outside("a=\"x\"", false, b';'), Ok(None));
        assert_eq!(find_outside("<a,\">,", true, b','), Ok(Some(5)));
        assert_eq!(find_outside("a>\"<\"<<\">\",\"", true, b','), Ok(None));
        assert!(find_outside("a,<b", true, b',').is_ok_and(|at| at == Some(1)));
        assert!(find_outside("<a\",\"", true, b',').is_err());
    }

    #[test]
    fn a_value_with_too_many_parameters_is_refused() {
        assert!(Params::parse(&";a".repeat(MAX_PARAMS)).is_ok());
        assert!(Params::parse(&";a".repeat(MAX_PARAMS + 1)).is_err());
    }

    #[test]
    fn empty_and_broken_parameters_are_refused() {
        for text in [
            ";",
            ";;",
            ";a=",
            "a=1",
            ";a=\"x",
            ";a b=1",
            ";a=\"x\"y",
            ";a=\"x\\\"",
            ";a=\"x\";",
            ";\"a\"=b",
        ] {
            assert!(Params::parse(text).is_err(), "{text}");
        }
    }
}
