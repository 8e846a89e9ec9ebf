//! Bodies of several parts (RFC 2046 §5.1, RFC 5621), one inside another as often as clients nest them.

use std::ops::Range;

use crate::message::{Name, Request};

/// RFC 2046 §5.1.1: a boundary is 1 to 70 characters long.
const LONGEST_BOUNDARY: usize = 70;

/// Multiparts inside one another; honest clients need two.
const DEEPEST: usize = 8;

/// Parts that are looked at in one body.
const MOST: usize = 256;

/// Why the parts of a body cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// More parts inside one another, or more of them, than are looked at.
    TooMany,
    /// No boundary is given, or one that cannot be.
    NoBoundary,
}

/// A part of a body that is not itself made of parts.
#[derive(Debug, Clone)]
pub(crate) struct Part<'a> {
    head: &'a [u8],
    pub(crate) content: &'a [u8],
    /// Where the digits of Content-Length stand that the heads around it tell: its own, and those of the multiparts that
    /// it is inside of.
    pub(crate) lengths: Vec<Range<usize>>,
    /// It stands in a multipart/alternative.
    in_alternative: bool,
}

impl Part<'_> {
    /// The value of a header of this part, unfolded.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        header(self.head, name)
    }

    /// `type/subtype`, without parameters. RFC 2046 §5.1: what says nothing is text.
    pub(crate) fn kind(&self) -> String {
        self.header("Content-Type")
            .map_or_else(|| "text/plain".to_owned(), |it| media_type(&it).to_owned())
    }

    /// It is one of several forms of the same thing, of which the last one that is understood counts (RFC 2046 §5.1.4).
    pub(crate) const fn is_alternative(&self) -> bool {
        self.in_alternative
    }
}

/// `type/subtype`, without parameters.
pub(crate) fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or("").trim()
}

/// True if a body of this type is made of parts.
pub(crate) fn is_multipart(content_type: &str) -> bool {
    media_type(content_type).get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/"))
}

/// The parts of `body`, also those of parts, in the order in which they stand.
pub(crate) fn parts<'a>(content_type: &str, body: &'a [u8]) -> Result<Vec<Part<'a>>, Unreadable> {
    let mut found = Vec::new();
    collect(body, content_type, body, &[], 0, &mut found)?;
    Ok(found)
}

fn collect<'a>(
    whole: &'a [u8],
    content_type: &str,
    body: &'a [u8],
    lengths: &[Range<usize>],
    depth: usize,
    found: &mut Vec<Part<'a>>,
) -> Result<(), Unreadable> {
    if depth == DEEPEST {
        return Err(Unreadable::TooMany);
    }
    let in_alternative = media_type(content_type).eq_ignore_ascii_case("multipart/alternative");
    let delimiter = format!("--{}", boundary(content_type).ok_or(Unreadable::NoBoundary)?);
    for part in Parts::of(body, delimiter.as_bytes()) {
        let Some((head, content)) = split_head(part) else { continue };
        if found.len() == MOST {
            return Err(Unreadable::TooMany);
        }
        let mut lengths = lengths.to_vec();
        lengths.extend(length_in(whole, head));
        let kind = header(head, "Content-Type").unwrap_or_default();
        if is_multipart(&kind) {
            collect(whole, &kind, content, &lengths, depth + 1, found)?;
        } else {
            found.push(Part { head, content, lengths, in_alternative });
        }
    }
    Ok(())
}

/// The type of the first part that says that it must be understood, and is not `known` (RFC 5621 §8).
pub(crate) fn required_and_not(known: impl Fn(&str) -> bool, request: &Request) -> Option<String> {
    let content_type = request.header(Name::ContentType).filter(|kind| is_multipart(kind))?;
    let body = request.body();
    let found = parts(content_type, &body).ok()?;
    found.iter().find_map(|part| {
        let disposition = part.header("Content-Disposition")?.to_ascii_lowercase();
        let is_required = disposition.replace([' ', '"'], "").contains("handling=required");
        let kind = part.kind();
        (is_required && !known(&kind)).then_some(kind)
    })
}

fn boundary(content_type: &str) -> Option<&str> {
    let mut rest = content_type.split_once(';')?.1;
    loop {
        let (name, value) = rest.split_once('=')?;
        let value = value.trim_start();
        // A quoted value may hold semicolons.
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => value.split_at(value.find(';').unwrap_or(value.len())),
        };
        if name.trim().trim_start_matches(';').trim().eq_ignore_ascii_case("boundary") {
            let value = value.trim_end();
            return (1..=LONGEST_BOUNDARY).contains(&value.len()).then_some(value);
        }
        rest = after.split_once(';')?.1;
    }
}

/// Octets of the head of a part that are read.
const MOST_OF_A_HEAD: usize = 4_096;

/// The value of a header in the head of a part, unfolded (RFC 5322 §2.2.3).
fn header(head: &[u8], name: &str) -> Option<String> {
    let head = head.get(..MOST_OF_A_HEAD).unwrap_or(head);
    let text = String::from_utf8_lossy(head).replace("\r\n", "\n");
    let text = text.replace("\n ", "  ").replace("\n\t", "  ");
    text.lines().find_map(|line| {
        let (have, value) = line.split_once(':')?;
        have.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

/// Where in `whole` the digits of the Content-Length stand that `head`, a part of it, tells.
fn length_in(whole: &[u8], head: &[u8]) -> Option<Range<usize>> {
    let base = (head.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
    let mut at = 0;
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        let colon = line.iter().position(|byte| *byte == b':');
        let name = colon.and_then(|colon| line.get(..colon)).unwrap_or_default();
        if let Some(colon) = colon
            && name.trim_ascii().eq_ignore_ascii_case(b"Content-Length")
        {
            let value = &line[colon + 1..];
            let lead = value.len() - value.trim_ascii_start().len();
            let start = base + at + colon + 1 + lead;
            return Some(start..start + value.trim_ascii().len());
        }
        at += line.len();
    }
    None
}

/// Splits a part at its empty line.
fn split_head(part: &[u8]) -> Option<(&[u8], &[u8])> {
    if let Some(at) = position(part, b"\r\n\r\n") {
        return Some((&part[..at], &part[at + 4..]));
    }
    let at = position(part, b"\n\n")?;
    Some((&part[..at], &part[at + 2..]))
}

/// The parts between the delimiter lines of a multipart body (RFC 2046 §5.1).
struct Parts<'a, 'b> {
    /// What follows the last delimiter found.
    rest: &'a [u8],
    delimiter: &'b [u8],
}

impl<'a, 'b> Parts<'a, 'b> {
    fn of(body: &'a [u8], delimiter: &'b [u8]) -> Self {
        // What precedes the first delimiter is a preamble, to be ignored.
        let rest = after_delimiter(body, delimiter).map_or(&body[..0], |(_, rest)| rest);
        Self { rest, delimiter }
    }
}

impl<'a> Iterator for Parts<'a, '_> {
    type Item = &'a [u8];

    /// A part that no delimiter ends was cut off, so it is not given out. What follows the last delimiter is an epilogue.
    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.starts_with(b"--") {
            return None;
        }
        let (before, after) = after_delimiter(self.rest, self.delimiter)?;
        self.rest = after;
        // RFC 2046 §5.1.1: the line break before a delimiter belongs to the delimiter.
        let part = before.strip_suffix(b"\n").unwrap_or(before);
        Some(part.strip_suffix(b"\r").unwrap_or(part))
    }
}

/// What precedes and what follows the first delimiter line of `text`: one boundary may be the beginning of another.
fn after_delimiter<'a>(text: &'a [u8], delimiter: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let mut from = 0;
    loop {
        let at = from + position(&text[from..], delimiter)?;
        let after = &text[at + delimiter.len()..];
        let begins_a_line = at == 0 || text[at - 1] == b'\n';
        let padding = after.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let ends_it = matches!(after.get(padding), None | Some(b'\r' | b'\n'));
        if begins_a_line && (ends_it || after.starts_with(b"--")) {
            return Some((&text[..at], after));
        }
        from = at + 1;
    }
}

fn position(text: &[u8], wanted: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, wanted)
}
