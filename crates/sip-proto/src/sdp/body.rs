//! Finds the session description in a message body.
//!
//! An emergency call carries its location beside its offer: then the body is `multipart/mixed`,
//! with the description as one part and a PIDF-LO document as another (RFC 6442 §4, RFC 5621).

use std::ops::Range;

use bytes::Bytes;

use super::SdpError;
use crate::multipart::{Unreadable, is_multipart, media_type, parts};

const SDP: &str = "application/sdp";

/// Where a description stands in a body, and the lengths that are told of it on the way there.
struct Place {
    description: Range<usize>,
    /// Where the digits stand.
    lengths: Vec<Range<usize>>,
}

/// The description inside `body`: all of it, or its first `application/sdp` part, however deep it is. `None` when there
/// is none. The result shares the memory of `body`.
///
/// # Errors
/// When the parts of the body cannot be read, or the description is encoded.
pub fn find(content_type: &str, body: &Bytes) -> Result<Option<Bytes>, SdpError> {
    let place = locate(content_type, body)?;
    Ok(place.map(|place| body.slice(place.description)))
}

/// `body` with the description that [`find`] finds in it replaced by `by`. All other parts stay as they are, and the parts
/// that hold it tell their new lengths.
#[must_use]
pub fn replace(content_type: &str, body: &Bytes, by: &[u8]) -> Bytes {
    let Ok(Some(Place { description, lengths })) = locate(content_type, body) else {
        return body.clone();
    };
    // From the inside out: the digits of a length count in the lengths around it.
    let mut growth = signed(by.len()) - signed(description.len());
    let mut told = Vec::with_capacity(lengths.len());
    for place in lengths.into_iter().rev() {
        let digits = body.get(place.clone()).and_then(|digits| str::from_utf8(digits).ok());
        let Some(have) = digits.and_then(|digits| digits.parse::<i64>().ok()) else { continue };
        let new = have.saturating_add(growth).max(0).to_string();
        growth += signed(new.len()) - signed(place.len());
        told.push((place, new));
    }
    let mut out = Vec::with_capacity(body.len() + by.len());
    let mut at = 0;
    for (place, new) in told.into_iter().rev() {
        out.extend_from_slice(&body[at..place.start]);
        out.extend_from_slice(new.as_bytes());
        at = place.end;
    }
    out.extend_from_slice(&body[at..description.start]);
    out.extend_from_slice(by);
    out.extend_from_slice(&body[description.end..]);
    out.into()
}

fn signed(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

fn locate(content_type: &str, body: &[u8]) -> Result<Option<Place>, SdpError> {
    if body.is_empty() {
        return Ok(None);
    }
    if media_type(content_type).eq_ignore_ascii_case(SDP) {
        return Ok(Some(Place { description: 0..body.len(), lengths: Vec::new() }));
    }
    if !is_multipart(content_type) {
        return Ok(None);
    }
    let found = parts(content_type, body).map_err(|why| match why {
        Unreadable::TooMany => SdpError::TooDeep,
        Unreadable::NoBoundary => SdpError::NoBoundary,
    })?;
    let mut best = None;
    for part in found {
        let is_session = part.kind().eq_ignore_ascii_case(SDP)
            && part.header("Content-Disposition").is_none_or(|it| is_session(&it));
        if !is_session {
            continue;
        }
        if ["Content-Transfer-Encoding", "Content-Encoding"]
            .iter()
            .any(|name| part.header(name).is_some_and(|coding| !is_plain(&coding)))
        {
            return Err(SdpError::Encoded);
        }
        let start = part.content.as_ptr() as usize - body.as_ptr() as usize;
        let description = start..start + part.content.len();
        let is_one_of_many = part.is_alternative();
        best = Some(Place { description, lengths: part.lengths });
        if !is_one_of_many {
            break;
        }
    }
    Ok(best)
}

/// RFC 3261 §20.11: what a description is for unless something else is said, such as early media (RFC 3959).
fn is_session(disposition: &str) -> bool {
    media_type(disposition).eq_ignore_ascii_case("session")
}

fn is_plain(coding: &str) -> bool {
    ["7bit", "8bit", "binary", "identity"].iter().any(|plain| plain.eq_ignore_ascii_case(coding))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MULTIPART: &str = "preamble\r\n--b1\r\nContent-Type: application/pidf+xml\r\n\r\n\
        <presence/>\r\n--b1\r\ncontent-type : Application/SDP\r\nContent-ID: <a@b>\r\n\r\n\
        v=0\r\ns=--b1\r\n\r\n--b1--\r\n";

    fn find_text(content_type: &str, body: &str) -> Option<String> {
        let found = find(content_type, &Bytes::copy_from_slice(body.as_bytes())).unwrap()?;
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
        let replaced = replace("multipart/mixed;boundary=b1", &body, b"v=0\r\ns=other\r\n");
        let expected = MULTIPART.replace("v=0\r\ns=--b1\r\n", "v=0\r\ns=other\r\n");
        assert_eq!(replaced, expected.as_bytes());
    }

    #[test]
    fn bodies_without_a_whole_description_have_none() {
        let cut = &MULTIPART[..MULTIPART.len() - 8];
        for (content_type, body) in [
            ("multipart/mixed;boundary=b2", MULTIPART),
            ("multipart/mixed;boundary=b1", cut),
            ("multipart/mixed;boundary=b1", "--b1"),
            ("multi", "--b1"),
        ] {
            assert_eq!(find_text(content_type, body), None, "{content_type}");
        }
    }

    /// A description two multiparts deep, with the lengths of its own part and of the one around it.
    fn nested(description: &str) -> (&'static str, String) {
        let inner = format!(
            "--ooo\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{description}\r\n\
             --ooo\r\nContent-Type: application/pidf+xml\r\n\r\n<p/>\r\n--ooo--",
            description.len()
        );
        let body = format!(
            "--oo\r\nContent-Type: multipart/mixed;\r\n boundary=\"ooo\"\r\ncontent-length : {}\r\n\r\n\
             {inner}\r\n--oo--\r\nContent-Length: 7\r\n",
            inner.len()
        );
        ("multipart/related;type=\"a;b\";boundary=oo", body)
    }

    // RFC 5621 §3: bodies nest; RFC 2046 §5.1.1: one boundary may begin like another.
    #[test]
    fn a_nested_description_is_found_and_replaced_with_all_lengths() {
        let (kind, body) = nested("v=0\r\n");
        assert_eq!(find_text(kind, &body).as_deref(), Some("v=0\r\n"));
        let longer = "v=0\r\ns=a much longer one\r\n".repeat(9);
        let replaced = replace(kind, &Bytes::from(body), longer.as_bytes());
        assert_eq!(String::from_utf8_lossy(&replaced), nested(&longer).1);
    }

    // RFC 3959: an early session is another one; RFC 2046 §5.1.4: the last form that is understood counts.
    #[test]
    fn the_description_of_the_session_is_taken() {
        let part = |lines: &str, name: &str| {
            format!("--b\r\nContent-Type: application/sdp\r\n{lines}\r\ns={name}\r\n")
        };
        let early = part("Content-Disposition: early-session;handling=optional\r\n", "early");
        let session = part("Content-Disposition: session ; handling=required\r\n", "first");
        let body = format!("{early}{session}{}--b--\r\n", part("", "second"));
        assert_eq!(find_text("multipart/mixed;boundary=b", &body).as_deref(), Some("s=first"));
        assert_eq!(
            find_text("multipart/alternative;boundary=b", &body).as_deref(),
            Some("s=second")
        );
    }

    // RFC 3261 §21.4.13: what cannot be read is refused with 415; it is not a call without an offer.
    #[test]
    fn parts_that_cannot_be_read_are_told() {
        let error = |kind: &str, body: &str| {
            let body = Bytes::copy_from_slice(body.as_bytes());
            find(kind, &body).expect_err(kind)
        };
        for kind in
            ["multipart/mixed", "multipart/mixed;boundary=", "multipart/mixed;boundary=\"\""]
        {
            assert_eq!(error(kind, MULTIPART), SdpError::NoBoundary);
        }
        let coded = MULTIPART.replace("Content-ID: <a@b>", "Content-Transfer-Encoding: base64");
        assert_eq!(error("multipart/mixed;boundary=b1", &coded), SdpError::Encoded);
        let mut deep = "v=0\r\n".to_owned();
        let mut kind = "application/sdp".to_owned();
        for level in 0..9 {
            deep = format!("--{level}\r\nContent-Type: {kind}\r\n\r\n{deep}\r\n--{level}--\r\n");
            kind = format!("multipart/mixed;boundary={level}");
        }
        assert_eq!(error(&kind, &deep), SdpError::TooDeep);
        assert_eq!(SdpError::TooDeep.status(), 415);
    }
}
