//! The scanner: finds lines, unfolds them, and indexes header names, without copying (RFC 3261 §7).

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;

use super::grammar::{EACH, HIGH, TOKEN, is_token_byte, run_end};
use super::header_lines::{Field, Fields};
use super::span::Span;
use super::{Malformed, Name};

/// The first line.
#[derive(Debug, Clone, Copy)]
pub(super) enum Start {
    Request { method: Span, uri: Span, version: Span },
    Response { status: u16, phrase: Span },
}

/// A scanned message: its lines are known, nothing in them has been checked.
pub(super) struct Scanned {
    /// The part before the body.
    pub(super) head: ByteString,
    /// All that comes behind it.
    pub(super) body: Bytes,
    pub(super) start: Start,
    pub(super) fields: Fields,
    /// The first lexical defect; the message can still be answered with 400.
    pub(super) defect: Option<Malformed>,
}

/// What the lines of a message are.
struct Outline {
    start: Start,
    fields: Fields,
    body_at: usize,
    defect: Option<Malformed>,
    /// A control character stands somewhere that is no line end and no tab.
    saw_control: bool,
}

/// Scans one message of at most `max_fields` header lines. An error means that it cannot even be
/// answered.
pub(super) fn scan(bytes: Bytes, max_fields: usize) -> Result<Scanned, Malformed> {
    // RFC 3261 §7.5: empty lines before the start line are ignored.
    let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let mut bytes = if blank == 0 { bytes } else { bytes.slice(blank..) };
    let outline = match outline(&bytes, max_fields)? {
        Some(outline) => outline,
        None => {
            bytes = unfold(bytes);
            outline(&bytes, max_fields)?.ok_or(Malformed("a fold that cannot be undone"))?
        }
    };
    let Outline { start, fields, body_at, mut defect, saw_control } = outline;
    let Ok(head) = ByteString::try_from(bytes.split_to(body_at)) else {
        return Err(Malformed("a header section that is not UTF-8"));
    };
    if saw_control && holds_control(head.as_bytes()) {
        defect = defect.or(Some(Malformed("a control character in a header")));
    }
    Ok(Scanned { head, body: bytes, start, fields, defect })
}

/// `None` if a line is folded.
fn outline(bytes: &[u8], max_fields: usize) -> Result<Option<Outline>, Malformed> {
    let mut lines = Lines { bytes, at: 0, saw_control: false };
    let start_line = lines.next().ok_or(Malformed("no start line"))?;
    if lines.is_folded() {
        return Ok(None);
    }
    let (start, mut defect) = start_of(bytes, &start_line)?;
    let mut fields = Fields::default();
    loop {
        let Some(line) = lines.next() else {
            // The datagram is cut short; what did arrive may tell whom to answer.
            defect = defect.or(Some(Malformed("no empty line after the headers")));
            lines.at = bytes.len();
            break;
        };
        if line.range.is_empty() {
            break;
        }
        if lines.is_folded() {
            return Ok(None);
        }
        match field_of(bytes, &line) {
            // The lines so far usually tell whom to answer; the rest is not even kept.
            Ok(_) if fields.len() == max_fields => {
                defect = defect.or(Some(Malformed("too many header lines")));
            }
            Ok(field) => fields.push(field),
            Err(malformed) => defect = defect.or(Some(malformed)),
        }
    }
    let Lines { at: body_at, saw_control, .. } = lines;
    Ok(Some(Outline { start, fields, body_at, defect, saw_control }))
}

/// A control character could end a line for somebody else. RFC 3261 §25.1 allows one after a
/// backslash in a quoted string. (CR has been looked for line by line.)
fn holds_control(head: &[u8]) -> bool {
    let is_control = |byte: u8| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    let before = |at: usize| at.checked_sub(1).and_then(|at| head.get(at));
    head.iter().enumerate().any(|(at, byte)| is_control(*byte) && before(at) != Some(&b'\\'))
}

/// Replaces each line end that a space or tab follows by spaces (RFC 3261 §7.3.1), so that every
/// offset stays.
fn unfold(bytes: Bytes) -> Bytes {
    let folds = folds(&bytes);
    if folds.is_empty() {
        return bytes;
    }
    let mut bytes = BytesMut::from(bytes);
    for at in folds {
        if let Some(before) = at.checked_sub(1)
            && bytes.get(before) == Some(&b'\r')
        {
            bytes[before] = b' ';
        }
        bytes[at] = b' ';
    }
    bytes.freeze()
}

/// The line ends of the header section that a space or tab follows.
fn folds(bytes: &[u8]) -> Vec<usize> {
    let mut folds = Vec::new();
    for at in memchr::memchr_iter(b'\n', bytes) {
        match bytes.get(at + 1..) {
            Some([b' ' | b'\t', ..]) => folds.push(at),
            // The empty line that closes the section.
            Some([b'\n', ..] | [b'\r', b'\n', ..]) => break,
            _ => {}
        }
    }
    folds
}

/// Lines without their ends; a bare LF ends a line too.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    /// A control character was seen that is no line end and no tab.
    saw_control: bool,
}

struct Line {
    range: Range<usize>,
    /// A CR stands in it that ends no line.
    holds_cr: bool,
}

impl Lines<'_> {
    /// Whether the last line goes on in the next one (RFC 3261 §7.3.1).
    fn is_folded(&self) -> bool {
        matches!(self.bytes.get(self.at), Some(b' ' | b'\t'))
    }
}

impl Iterator for Lines<'_> {
    type Item = Line;

    #[inline]
    fn next(&mut self) -> Option<Line> {
        let start = self.at;
        let end = next_control(self.bytes, start)?;
        if let Some([b'\r', b'\n', ..]) = self.bytes.get(end..) {
            self.at = end + 2;
            return Some(Line { range: start..end, holds_cr: false });
        }
        self.next_odd(start, end)
    }
}

impl Lines<'_> {
    /// The line that begins at `start`, whose first control character stands at `end`.
    fn next_odd(&mut self, start: usize, mut end: usize) -> Option<Line> {
        let mut holds_cr = false;
        loop {
            match (self.bytes.get(end)?, self.bytes.get(end + 1)) {
                (b'\n', _) => {
                    self.at = end + 1;
                    return Some(Line { range: start..end, holds_cr });
                }
                (b'\r', Some(b'\n')) => {
                    self.at = end + 2;
                    return Some(Line { range: start..end, holds_cr });
                }
                (b'\r', _) => holds_cr = true,
                (b'\t', _) => {}
                _ => self.saw_control = true,
            }
            end = next_control(self.bytes, end + 1)?;
        }
    }
}

/// Where the first byte below a space stands from `from` on: sixteen bytes at a time, as lines are too short for the set-up
/// of wider searches.
#[inline]
fn next_control(bytes: &[u8], from: usize) -> Option<usize> {
    // The high bit of each byte that is below 0x20; a borrow can only add one behind such a byte.
    let below = |word: u64| word.wrapping_sub(EACH * 0x20) & !word;
    let (chunks, rest) = bytes.get(from..)?.as_chunks::<16>();
    let mut ahead = chunks.iter();
    while let Some(chunk) = ahead.next() {
        let both = u128::from_le_bytes(*chunk);
        let (first, second) = (below(both as u64), below((both >> 64) as u64));
        if (first | second) & HIGH != 0 {
            let found = u128::from(second & HIGH) << 64 | u128::from(first & HIGH);
            let left = (ahead.as_slice().len() + 1) * 16 + rest.len();
            return Some(bytes.len() - left + found.trailing_zeros() as usize / 8);
        }
    }
    let at = rest.iter().position(|byte| *byte < b' ')?;
    Some(bytes.len() - rest.len() + at)
}

/// Where the name of a header line ends: most are short, and are looked for at once.
#[inline]
fn label_end(text: &[u8]) -> usize {
    if let Some(eight) = text.first_chunk::<8>() {
        let others = u64::from_le_bytes(*eight) ^ (EACH * u64::from(b':'));
        // The high bit of each byte that is a colon; a borrow can only add one behind such a byte.
        let colons = others.wrapping_sub(EACH) & !others & HIGH;
        if colons != 0 {
            return colons.trailing_zeros() as usize / 8;
        }
    }
    run_end(text, 0, TOKEN)
}

fn start_of(bytes: &[u8], line: &Line) -> Result<(Start, Option<Malformed>), Malformed> {
    let (from, to) = (line.range.start, line.range.end);
    let text = bytes.get(line.range.clone()).unwrap_or_default();
    let prefix = text.get(..4).unwrap_or_default();
    if prefix.eq_ignore_ascii_case(b"SIP/") {
        return status_line(text, from, line.holds_cr).map(|start| (start, None));
    }
    // Request-Line = Method SP Request-URI SP SIP-Version (RFC 3261 §7.1). A line with other white
    // space still tells enough to be answered 400, if its first word is a token and its last one a
    // version.
    let text = text.trim_ascii_end();
    let method_end = memchr::memchr(b' ', text).ok_or(Malformed("a malformed start line"))?;
    let version_at = memchr::memrchr(b' ', text).ok_or(Malformed("a malformed start line"))? + 1;
    let method = text.get(..method_end).unwrap_or_default();
    let version = text.get(version_at..).unwrap_or_default();
    let is_sip = version.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/"));
    if method.is_empty() || !method.iter().all(|b| is_token_byte(*b)) || !is_sip {
        return Err(Malformed("not a SIP message"));
    }
    let uri_end = (version_at - 1).max(method_end + 1);
    let uri = text.get(method_end + 1..uri_end).unwrap_or_default();
    let exact =
        !uri.is_empty() && !uri.iter().any(u8::is_ascii_whitespace) && from + text.len() == to;
    let start = Start::Request {
        method: Span::new(from, from + method_end),
        uri: Span::new(from + method_end + 1, from + uri_end),
        version: Span::new(from + version_at, from + text.len()),
    };
    Ok((start, (!exact).then_some(Malformed("white space in the request line"))))
}

fn status_line(text: &[u8], from: usize, holds_cr: bool) -> Result<Start, Malformed> {
    let bad = Malformed("a malformed status line");
    let is_ours = text.get(..7).is_some_and(|version| version.eq_ignore_ascii_case(b"SIP/2.0"));
    if !is_ours || holds_cr {
        return Err(bad);
    }
    let digits = match text.get(7..) {
        Some([b' ', a, b, c]) | Some([b' ', a, b, c, b' ', ..]) => [*a, *b, *c],
        _ => return Err(bad),
    };
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(bad);
    }
    let status = digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    if !(100..700).contains(&status) {
        return Err(bad);
    }
    let phrase_at = text.len().min(12);
    Ok(Start::Response { status, phrase: Span::new(from + phrase_at, from + text.len()) })
}

#[inline]
fn field_of(bytes: &[u8], line: &Line) -> Result<Field, Malformed> {
    match plain_field(bytes, line) {
        Some(field) => Ok(field),
        None => odd_field(bytes, line),
    }
}

/// What nearly all lines are: a name, a colon, a space, and a value. `None` if there is anything to be looked at more
/// closely.
#[inline]
fn plain_field(bytes: &[u8], line: &Line) -> Option<Field> {
    let Range { start, end } = line.range;
    let text = bytes.get(start..end)?;
    let (label, rest) = text.split_at_checked(label_end(text))?;
    let [b':', b' ', first, ..] = rest else { return None };
    if label.is_empty() || *first <= b' ' || rest.last()? <= &b' ' || line.holds_cr {
        return None;
    }
    let name = Name::recognise(label);
    // A name that is known is a token.
    if name == Name::Other && run_end(label, 0, TOKEN) != label.len() {
        return None;
    }
    let label_end = start + label.len();
    Some(Field {
        name,
        label: Span::new(start, label_end),
        value: Span::new(label_end + 2, end),
        line: Span::new(start, end),
    })
}

fn odd_field(bytes: &[u8], line: &Line) -> Result<Field, Malformed> {
    let Range { start, end } = line.range;
    let text = bytes.get(start..end).unwrap_or_default();
    let label_end = run_end(text, 0, TOKEN);
    let colon = match text.get(label_end) {
        Some(b':') => label_end,
        _ => memchr::memchr(b':', text).ok_or(Malformed("a header line without a colon"))?,
    };
    // White space before the colon is allowed, and nothing else.
    let gap = text.get(label_end..colon).unwrap_or_default();
    if label_end == 0 || !gap.iter().all(u8::is_ascii_whitespace) || line.holds_cr {
        return Err(Malformed("a malformed header line"));
    }
    let label = text.get(..label_end).unwrap_or_default();
    let value = text.get(colon + 1..).unwrap_or_default();
    let lead = value.len() - value.trim_ascii_start().len();
    let value_at = start + colon + 1 + lead;
    Ok(Field {
        name: Name::recognise(label),
        label: Span::new(start, start + label_end),
        value: Span::new(value_at, value_at + value.trim_ascii().len()),
        line: Span::new(start, end),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // The short way and the long one say the same of whatever the short one takes.
    #[test]
    fn a_plain_line_is_read_as_any_other() {
        for text in [
            "To: x",
            "t: x",
            "Via: SIP/2.0/UDP h;branch=z9hG4bK1",
            "X-Unknown: a b",
            "To:x",
            "To:  x",
            "To: x ",
            "To : x",
            "To: ",
            "To:",
            "To",
            ": x",
            "To: x\ry",
            "To:\u{a0}x",
            "To: \u{a0}x\u{85}",
            "T\u{e9}: x",
            "T o: x",
            "(: x",
            "X-Long-Name-Of-A-Header: x",
            "X-Long Name-Of-A-Header: x",
            "Call-ID: x:y",
        ] {
            let line = Line { range: 0..text.len(), holds_cr: text.contains('\r') };
            let all = |field: Field| (field.name, field.label, field.value, field.line);
            let (short, long) =
                (plain_field(text.as_bytes(), &line), odd_field(text.as_bytes(), &line));
            if let Some(field) = short {
                assert_eq!(Ok(all(field)), long.map(all), "{text:?}");
            }
        }
    }

    #[test]
    fn a_control_character_is_found_wherever_it_stands() {
        for length in 0..50 {
            for from in 0..=length {
                let mut bytes = vec![b' '; length];
                assert_eq!(next_control(&bytes, from), None);
                for at in from..length {
                    for byte in [0, 0x1f] {
                        bytes[at] = byte;
                        assert_eq!(next_control(&bytes, from), Some(at));
                        bytes[at] = 0xff;
                    }
                }
            }
        }
        assert_eq!(next_control(b"x", 2), None);
        assert_eq!(
            next_control(b"\x20\x1f\x20\x20\x20\x20\x20\x20\x20\x1f\x20\x20\x20\x20\x20\x20", 0),
            Some(1)
        );
    }
}
