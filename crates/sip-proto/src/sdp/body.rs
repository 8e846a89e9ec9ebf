//! Finds the session description in a message body.
//!
//! An emergency call carries its location beside its offer: then the body is `multipart/mixed`,
//! with the description as one part and a PIDF-LO document as another (RFC 6442 §4, RFC 5621).

use bytes::Bytes;

const SDP: &str = "application/sdp";

/// RFC 2046 §5.1.1: a boundary is 1 to 70 characters long.
const LONGEST_BOUNDARY: usize = 70;

/// The description inside `body`: all of it, or its first `application/sdp` part. `None` when there
/// is none. The result shares the memory of `body`.
#[must_use]
pub fn find(content_type: &str, body: &Bytes) -> Option<Bytes> {
    if body.is_empty() {
        return None;
    }
    if media_type(content_type).eq_ignore_ascii_case(SDP) {
        return Some(body.clone());
    }
    let multipart = media_type(content_type).get(..10)?;
    if !multipart.eq_ignore_ascii_case("multipart/") {
        return None;
    }
    let delimiter = format!("--{}", boundary(content_type)?);
    Parts::of(body, delimiter.as_bytes()).find_map(|part| {
        let (head, description) = split_head(part)?;
        is_sdp(head).then(|| body.slice_ref(description))
    })
}

/// `body` with `description`, which [`find`] found in it, replaced by `by`. All other parts stay as they are.
#[must_use]
pub fn replace(body: &Bytes, description: &Bytes, by: &[u8]) -> Bytes {
    // `find` gives a slice of the body itself, so the two begin that far apart.
    let start = (description.as_ptr() as usize).wrapping_sub(body.as_ptr() as usize);
    let (before, after) = (body.get(..start), body.get(start.wrapping_add(description.len())..));
    match (before, after) {
        (Some(before), Some(after)) => [before, by, after].concat().into(),
        _ => Bytes::copy_from_slice(by),
    }
}

/// `type/subtype`, without parameters.
fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or("").trim()
}

fn boundary(content_type: &str) -> Option<&str> {
    let mut parameters = content_type.split(';').skip(1);
    let value = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then_some(value)
    })?;
    let value = value.trim().trim_matches('"');
    (1..=LONGEST_BOUNDARY).contains(&value.len()).then_some(value)
}

/// Whether the header lines of a part say `application/sdp`.
fn is_sdp(head: &[u8]) -> bool {
    head.split(|byte| *byte == b'\n').any(|line| {
        let line = str::from_utf8(line).unwrap_or("");
        line.split_once(':').is_some_and(|(name, value)| {
            name.trim().eq_ignore_ascii_case("content-type")
                && media_type(value).eq_ignore_ascii_case(SDP)
        })
    })
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
struct Parts<'a> {
    /// What follows the last delimiter found.
    rest: &'a [u8],
    delimiter: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(body: &'a [u8], delimiter: &'a [u8]) -> Self {
        // What precedes the first delimiter is a preamble, to be ignored.
        let rest = after_delimiter(body, delimiter).map_or(&body[..0], |(_, rest)| rest);
        Self { rest, delimiter }
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    /// A part that no delimiter ends was cut off, so it is not given out.
    fn next(&mut self) -> Option<&'a [u8]> {
        let (before, after) = after_delimiter(self.rest, self.delimiter)?;
        self.rest = after;
        // RFC 2046 §5.1.1: the line break before a delimiter belongs to the delimiter.
        let part = before.strip_suffix(b"\n").unwrap_or(before);
        Some(part.strip_suffix(b"\r").unwrap_or(part))
    }
}

/// What precedes and what follows the first line of `text` that begins with `delimiter`.
fn after_delimiter<'a>(text: &'a [u8], delimiter: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let mut from = 0;
    loop {
        let at = from + position(&text[from..], delimiter)?;
        let after = &text[at + delimiter.len()..];
        if at == 0 || text[at - 1] == b'\n' {
            return Some((&text[..at], after));
        }
        from = at + 1;
    }
}

fn position(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MULTIPART: &str = "preamble\r\n--b1\r\nContent-Type: application/pidf+xml\r\n\r\n\
        <presence/>\r\n--b1\r\ncontent-type : Application/SDP\r\nContent-ID: <a@b>\r\n\r\n\
        v=0\r\ns=--b1\r\n\r\n--b1--\r\n";

    fn find_text(content_type: &str, body: &str) -> Option<String> {
        let found = find(content_type, &Bytes::copy_from_slice(body.as_bytes()))?;
        Some(String::from_utf8(found.to_vec()).unwrap())
    }

    #[test]
    fn plain_description_is_the_whole_body() {
        let found = find_text("application/SDP;charset=utf-8", "v=0\r\n");
        assert_eq!(found.as_deref(), Some("v=0\r\n"));
        assert_eq!(find_text("application/sdp", ""), None);
        assert_eq!(find_text("text/plain", "v=0\r\n"), None);
    }

    // RFC 2046 §5.1.1: a delimiter counts only at the beginning of a line, and its line break is
    // not content.
    #[test]
    fn description_is_found_beside_a_location() {
        for content_type in
            ["multipart/mixed;boundary=b1", "multipart/mixed; charset=x; BOUNDARY=\"b1\""]
        {
            let found = find_text(content_type, MULTIPART);
            assert_eq!(found.as_deref(), Some("v=0\r\ns=--b1\r\n"));
        }
        let bare = find_text("multipart/mixed;boundary=b1", &MULTIPART.replace("\r\n", "\n"));
        assert_eq!(bare.as_deref(), Some("v=0\ns=--b1\n"));
    }

    #[test]
    fn a_description_is_replaced_where_it_stands() {
        let body = Bytes::from_static(MULTIPART.as_bytes());
        let found = find("multipart/mixed;boundary=b1", &body).expect("a description");
        let replaced = replace(&body, &found, b"v=0\r\ns=other\r\n");
        let expected = MULTIPART.replace("v=0\r\ns=--b1\r\n", "v=0\r\ns=other\r\n");
        assert_eq!(replaced, expected.as_bytes());
    }

    #[test]
    fn bodies_without_a_whole_description_have_none() {
        let cut = &MULTIPART[..MULTIPART.len() - 8];
        for (content_type, body) in [
            ("multipart/mixed", MULTIPART),
            ("multipart/mixed;boundary=", MULTIPART),
            ("multipart/mixed;boundary=b2", MULTIPART),
            ("multipart/mixed;boundary=b1", cut),
            ("multipart/mixed;boundary=b1", "--b1"),
            ("multi", "--b1"),
        ] {
            assert_eq!(find_text(content_type, body), None, "{content_type}");
        }
    }
}
