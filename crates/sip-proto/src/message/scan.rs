//! The scanner: finds lines, unfolds them, and indexes header names, without copying (RFC 3261 §7).

use std::ops::Range;

use bytes::{Bytes, BytesMut};

use super::grammar::is_token_byte;
use super::{Malformed, Name};

/// A part of the message's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Self {
        // Messages are at most 64 KiB; a longer one would have been refused by the transport.
        Self { start: u32::try_from(start).unwrap_or(0), end: u32::try_from(end).unwrap_or(0) }
    }

    pub(super) const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    pub(super) const fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// Where `part`, a slice of `whole`, lies, if `whole` itself lies at this span.
    pub(super) fn of_part(self, whole: &str, part: &str) -> Self {
        let offset = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
        let start = self.start as usize + offset;
        Self::new(start, start + part.len())
    }
}

/// One header line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) name: Name,
    /// The name as written.
    pub(super) label: Span,
    /// Trimmed.
    pub(super) value: Span,
    /// From the first byte of the name to the end of the line, without the line end.
    pub(super) line: Span,
}

/// The first line.
#[derive(Debug, Clone, Copy)]
pub(super) enum Start {
    Request { method: Span, uri: Span, version: Span },
    Response { status: u16, phrase: Span },
}

/// A scanned message: its lines are known, nothing in them has been checked.
pub(super) struct Scanned {
    pub(super) bytes: Bytes,
    pub(super) start: Start,
    pub(super) fields: Vec<Field>,
    /// Where the body would begin.
    pub(super) body_at: usize,
    /// The first lexical defect; the message can still be answered with 400.
    pub(super) defect: Option<Malformed>,
}

/// Scans one message of at most `max_fields` header lines. An error means that it cannot even be
/// answered.
pub(super) fn scan(bytes: Bytes, max_fields: usize) -> Result<Scanned, Malformed> {
    // RFC 3261 §7.5: empty lines before the start line are ignored.
    let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let bytes = unfold(bytes.slice(blank..));
    let mut lines = Lines { bytes: &bytes, at: 0 };
    let mut defect = None;
    let start_line = lines.next().ok_or(Malformed("no start line"))?;
    let (start, start_defect) = start_of(&bytes, start_line)?;
    defect = defect.or(start_defect);
    let mut fields = Vec::with_capacity(24);
    loop {
        let Some(line) = lines.next() else {
            // The datagram is cut short; what did arrive may tell whom to answer.
            defect = defect.or(Some(Malformed("no empty line after the headers")));
            lines.at = bytes.len();
            break;
        };
        if line.is_empty() {
            break;
        }
        match field_of(&bytes, &line) {
            // The lines so far usually tell whom to answer; the rest is not even kept.
            Ok(_) if fields.len() == max_fields => {
                defect = defect.or(Some(Malformed("too many header lines")));
            }
            Ok(field) => fields.push(field),
            Err(malformed) => defect = defect.or(Some(malformed)),
        }
    }
    let body_at = lines.at;
    let head = bytes.get(..body_at).unwrap_or_default();
    if std::str::from_utf8(head).is_err() {
        return Err(Malformed("a header section that is not UTF-8"));
    }
    if holds_control(head) {
        defect = defect.or(Some(Malformed("a control character in a header")));
    }
    Ok(Scanned { start, fields, body_at, defect, bytes: bytes.clone() })
}

/// A control character could end a line for somebody else. RFC 3261 §25.1 allows one after a
/// backslash in a quoted string. (CR has been looked for line by line.)
fn holds_control(head: &[u8]) -> bool {
    let is_control = |byte: u8| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    // Without an early exit this runs over many bytes at a time.
    if !head.iter().fold(false, |any, byte| any | is_control(*byte)) {
        return false;
    }
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
}

impl Iterator for Lines<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        let end = start + memchr::memchr(b'\n', self.bytes.get(start..)?)?;
        self.at = end + 1;
        let crlf = end > start && self.bytes.get(end - 1) == Some(&b'\r');
        Some(start..if crlf { end - 1 } else { end })
    }
}

fn start_of(bytes: &[u8], line: Range<usize>) -> Result<(Start, Option<Malformed>), Malformed> {
    let (from, to) = (line.start, line.end);
    let text = bytes.get(line).unwrap_or_default();
    let prefix = text.get(..4).unwrap_or_default();
    if prefix.eq_ignore_ascii_case(b"SIP/") {
        return status_line(text, from).map(|start| (start, None));
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

fn status_line(text: &[u8], from: usize) -> Result<Start, Malformed> {
    let bad = Malformed("a malformed status line");
    let is_ours = text.get(..7).is_some_and(|version| version.eq_ignore_ascii_case(b"SIP/2.0"));
    if !is_ours || memchr::memchr(b'\r', text).is_some() {
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

fn field_of(bytes: &[u8], line: &Range<usize>) -> Result<Field, Malformed> {
    let text = bytes.get(line.clone()).unwrap_or_default();
    let colon = memchr::memchr(b':', text).ok_or(Malformed("a header line without a colon"))?;
    let label = text.get(..colon).unwrap_or_default().trim_ascii_end();
    let value = text.get(colon + 1..).unwrap_or_default();
    if label.is_empty()
        || !label.iter().all(|b| is_token_byte(*b))
        || memchr::memchr(b'\r', text).is_some()
    {
        return Err(Malformed("a malformed header line"));
    }
    let lead = value.len() - value.trim_ascii_start().len();
    let value_at = line.start + colon + 1 + lead;
    Ok(Field {
        name: Name::recognise(label),
        label: Span::new(line.start, line.start + label.len()),
        value: Span::new(value_at, value_at + value.trim_ascii().len()),
        line: Span::new(line.start, line.end),
    })
}
