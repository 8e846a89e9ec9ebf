//! Small pieces of the grammar of RFC 3261 §25.1 that several headers share.

use super::Malformed;

/// One in each byte.
pub(super) const EACH: u64 = u64::from_ne_bytes([1; 8]);
/// The high bit of each byte.
pub(super) const HIGH: u64 = EACH * 0x80;

/// Bytes of `token`.
pub(crate) const TOKEN: u8 = 1;
/// Bytes of a host name, with the underscore that some peers have in theirs.
pub(crate) const HOST: u8 = 1 << 1;
/// Bytes of a `gen-value` without quotes: a token or a host. A host may be an IPv6 reference, and RFC 5118 §4.5 asks to
/// tolerate an IPv6 address without brackets.
const VALUE: u8 = 1 << 2;
/// Bytes of a URI that are to be looked at: what may not stand in it, and what divides it.
pub(crate) const URI_MARK: u8 = 1 << 3;
/// All others.
pub(crate) const URI_PLAIN: u8 = 1 << 4;

/// Which of these a byte is. Looked up for every byte of every value, so a table.
const CLASSES: [u8; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        if byte.is_ascii_alphanumeric() {
            table[at] = TOKEN | HOST | VALUE;
        }
        if byte <= b' ' || byte == 0x7f {
            table[at] = URI_MARK;
        }
        at += 1;
    }
    let groups: [(&[u8], u8); 4] =
        [(b"-.!%*_+`'~", TOKEN | VALUE), (b"-._", HOST), (b"[]:", VALUE), (b"<>\"%@", URI_MARK)];
    let mut group = 0;
    while group < groups.len() {
        let (bytes, class) = groups[group];
        let mut at = 0;
        while at < bytes.len() {
            table[bytes[at] as usize] |= class;
            at += 1;
        }
        group += 1;
    }
    let mut at = 0;
    while at < 256 {
        if table[at] & URI_MARK == 0 {
            table[at] |= URI_PLAIN;
        }
        at += 1;
    }
    table
};

#[inline]
pub(crate) const fn is_in(byte: u8, class: u8) -> bool {
    CLASSES[byte as usize] & class != 0
}

/// `token` of RFC 3261 §25.1.
pub(crate) const fn is_token_byte(byte: u8) -> bool {
    is_in(byte, TOKEN)
}

/// Where the run of bytes of `class` ends that begins at `at`.
#[inline]
pub(crate) fn run_end(bytes: &[u8], at: usize, class: u8) -> usize {
    // The iterator counts nothing: what is left of it tells how far it came.
    let mut run = bytes.get(at..).unwrap_or_default().iter();
    match run.find(|byte| !is_in(**byte, class)) {
        Some(_) => bytes.len() - run.as_slice().len() - 1,
        None => at.max(bytes.len()),
    }
}

/// Where the letters, digits, dots and dashes end, or up to seven of them before, that begin at `at`: eight bytes at a time.
/// They are of every class but that of marks.
#[inline]
fn common_end(bytes: &[u8], at: usize) -> usize {
    // The high bit of each byte that is at least `from`; no byte has its high bit set.
    let at_least = |word: u64, from: u8| word + (HIGH - EACH * u64::from(from));
    let is_common = |eight: &[u8; 8]| {
        let word = u64::from_le_bytes(*eight);
        let low = word & !HIGH;
        let folded = low | (EACH * 0x20);
        let letters = at_least(folded, b'a') & !at_least(folded, b'z' + 1);
        let digits = at_least(low, b'-') & !at_least(low, b'9' + 1);
        let slash = !at_least(low ^ (EACH * u64::from(b'/')), 1);
        (letters | digits & !slash) & !word & HIGH == HIGH
    };
    let (eights, _) = bytes.get(at..).unwrap_or_default().as_chunks::<8>();
    let mut ahead = eights.iter();
    match ahead.find(|eight| !is_common(eight)) {
        Some(_) => at + (eights.len() - ahead.as_slice().len() - 1) * 8,
        None => at + eights.len() * 8,
    }
}

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

/// Offset just after the quoted string that opens at `open`, if nothing is escaped in it.
fn plain_quoted_end(bytes: &[u8], open: usize) -> Option<usize> {
    let inside = bytes.get(open + 1..)?;
    let close = inside.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    (inside.get(close) == Some(&b'"')).then_some(open + close + 2)
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

/// More parameters than any honest value has.
const MAX_PARAMS: usize = 64;

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
        let Some(text) = text.strip_prefix(';') else {
            return Err(Malformed("text where parameters should begin"));
        };
        if text.is_empty() {
            return Err(Malformed("a semicolon without a parameter"));
        }
        let params = Self { text };
        if let Some(noted) = params.check_plain(names) {
            return Ok((params, noted));
        }
        params.check()?;
        let mut noted = [Noted::default(); COUNT];
        for (have, value) in params.iter() {
            note(&mut noted, names, have, value);
        }
        Ok((params, noted))
    }

    /// The check of what nearly all parameters are, see [`plain`](Self::plain). `None` if there is anything else, or too
    /// many of them.
    fn check_plain<const COUNT: usize>(self, names: [&str; COUNT]) -> Option<[Noted<'a>; COUNT]> {
        let mut noted = [Noted::default(); COUNT];
        let mut at = 0;
        for _ in 0..MAX_PARAMS {
            let one = self.plain(at)?;
            note(&mut noted, names, one.name, one.value);
            match one.next {
                Some(next) => at = next,
                None => return Some(noted),
            }
        }
        None
    }

    /// The parameter that begins at `at`, if it and its value are tokens without white space round them, or the value is
    /// a quoted string without escapes.
    #[inline]
    pub(super) fn plain(self, at: usize) -> Option<Plain<'a>> {
        let bytes = self.text.as_bytes();
        let name_end = run_end(bytes, at, TOKEN);
        let name = self.text.get(at..name_end).filter(|name| !name.is_empty())?;
        let (value, end) = if bytes.get(name_end) == Some(&b'=') {
            let from = name_end + 1;
            let end = match bytes.get(from) {
                Some(b'"') => plain_quoted_end(bytes, from)?,
                _ => run_end(bytes, common_end(bytes, from), VALUE),
            };
            (Some(self.text.get(from..end).filter(|value| !value.is_empty())?), end)
        } else {
            (None, name_end)
        };
        match bytes.get(end) {
            None => Some(Plain { name, value, end, next: None }),
            Some(b';') => Some(Plain { name, value, end, next: Some(end + 1) }),
            Some(_) => None,
        }
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

    // Each byte in each place of a chunk, among others.
    #[test]
    fn common_bytes_are_those_of_every_class() {
        for (at, byte) in (0..16).flat_map(|at| (0..=u8::MAX).map(move |byte| (at, byte))) {
            let mut text = *b"aZ09.-zAmQ5-.xy8";
            text[at] = byte;
            let is_common = byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
            let wanted = if is_common { 16 } else { at / 8 * 8 };
            assert_eq!(common_end(&text, 0), wanted, "{byte}");
            assert!(!is_common || [TOKEN, HOST, VALUE].iter().all(|class| is_in(byte, *class)));
        }
        assert_eq!(
            (common_end(b"abcdefgh1", 1), common_end(b"abc", 0), common_end(b"", 1)),
            (9, 0, 1)
        );
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
