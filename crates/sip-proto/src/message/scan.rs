//! The scanner: finds lines, unfolds them, and indexes header names, without copying (RFC 3261 §7).

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;

use super::classes::{TOKEN, is_token_byte, run_end};
use super::controls::Controls;
use super::header_lines::{Field, Fields};
use super::span::Span;
use super::{Malformed, Name, name};

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
    let mut lines = Lines { bytes, controls: Controls::of(bytes), at: 0, saw_control: false };
    let start_line = lines.next().ok_or(Malformed("no start line"))?;
    if lines.is_folded() {
        return Ok(None);
    }
    let (start, mut defect) = start_of(bytes, &start_line)?;
    let mut fields = Fields::default();
    loop {
        if fields.len() < max_fields
            && let Some(field) = lines.plain_field()
        {
            fields.push(field);
            continue;
        }
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
        match any_field(bytes, &line) {
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

/// The bytes from `start` on, and zeros behind the last one.
#[inline]
fn window(bytes: &[u8], start: usize) -> [u8; name::WINDOW] {
    let ahead = bytes.get(start..).unwrap_or_default();
    ahead.first_chunk().copied().unwrap_or_else(|| {
        let mut window = [0; name::WINDOW];
        for (to, from) in window.iter_mut().zip(ahead) {
            *to = *from;
        }
        window
    })
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
    controls: Controls<'a>,
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
        let end = self.controls.next()?;
        if let Some([b'\r', b'\n', ..]) = self.bytes.get(end..) {
            self.controls.pass();
            self.at = end + 2;
            return Some(Line { range: start..end, holds_cr: false });
        }
        self.next_odd(start, end)
    }
}

impl Lines<'_> {
    /// The next line, if it is what nearly all are: a name that is known, a colon, a space, and a value, and no further line
    /// goes on with it. `None` leaves it to be looked at more closely.
    #[inline]
    fn plain_field(&mut self) -> Option<Field> {
        let (bytes, start) = (self.bytes, self.at);
        let (name, length) = Name::spelled(&window(bytes, start))?;
        let name_end = start + length;
        let [b':', b' ', first] = bytes.get(name_end..)?.first_chunk()? else { return None };
        let mut controls = self.controls;
        let end = controls.next()?;
        let [last, b'\r', b'\n', next] = bytes.get(end.checked_sub(1)?..)?.first_chunk()? else {
            return None;
        };
        let is_folded = matches!(next, b' ' | b'\t');
        if end < name_end + 3 || first.min(last) <= &b' ' || is_folded {
            return None;
        }
        controls.pass();
        (self.controls, self.at) = (controls, end + 2);
        Some(Field {
            name,
            label: Span::new(start, name_end),
            value: Span::new(name_end + 2, end),
            line: Span::new(start, end),
        })
    }

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
                    self.controls.pass();
                    self.at = end + 2;
                    return Some(Line { range: start..end, holds_cr });
                }
                (b'\r', _) => holds_cr = true,
                (b'\t', _) => {}
                _ => self.saw_control = true,
            }
            end = self.controls.next()?;
        }
    }
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

fn any_field(bytes: &[u8], line: &Line) -> Result<Field, Malformed> {
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
            let all = |field: Field| (field.name, field.label, field.value, field.line);
            for end in ["\r\n\r\n", "\r\nx", "\r\n x", "\n\n", "\r\n", "\r", ""] {
                let text = [text, end].concat();
                let bytes = text.as_bytes();
                let lines =
                    || Lines { bytes, controls: Controls::of(bytes), at: 0, saw_control: false };
                let (mut short, mut long) = (lines(), lines());
                if let Some(field) = short.plain_field() {
                    let line = long.next().unwrap();
                    assert!(!long.is_folded(), "{text:?}");
                    assert_eq!(Ok(all(field)), any_field(bytes, &line).map(all), "{text:?}");
                } else {
                    long.next();
                    short.next();
                }
                assert_eq!(short.at, long.at, "{text:?}");
                assert!(short.controls.eq(long.controls), "{text:?}");
            }
        }
    }
}
