//! Text to [`Session`] (RFC 8866 §5 and §9).
//!
//! Lenient where phones are careless, strict where a guess would send media to the wrong place. The
//! limits bound what one message can make us keep.

use std::borrow::Cow;
use std::str::{FromStr, SplitAsciiWhitespace};

use super::words::known;
use super::{Address, Attribute, Line, Media, Origin, SdpError, Session};
use crate::message::grammar::split_byte;

const MAX_BYTES: usize = 65_535;
const MAX_LINES: usize = 2_048;
const MAX_STREAMS: usize = 64;
const MAX_FORMATS: usize = 128;

impl Session {
    /// Reads a message body of type `application/sdp`.
    ///
    /// # Errors
    /// Says which line is wrong. The body is then best refused with [`SdpError::status`].
    pub fn parse(body: &[u8]) -> Result<Self, SdpError> {
        limit("bytes", MAX_BYTES, body.len())?;
        // RFC 8866 §6.10: only free text may be in another character set than UTF-8; negotiation
        // never reads it.
        let text = str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::from);
        let mut reader = Reader::default();
        let mut rest = Some(&*text);
        while let Some(text) = rest {
            limit("lines", MAX_LINES, reader.line)?;
            reader.line += 1;
            let (line, after) = match split_byte(text, b'\n') {
                Some((line, after)) => (line, Some(after)),
                None => (text, None),
            };
            rest = after;
            // RFC 8866 §5: lines end with CRLF; parsers SHOULD also accept LF alone.
            let line = line.strip_suffix('\r').unwrap_or(line);
            if !line.is_empty() {
                reader.read(line)?;
            }
        }
        reader.finish()
    }
}

/// The description as far as it has been read.
#[derive(Default)]
struct Reader {
    /// Number of the current line, from 1.
    line: usize,
    has_version: bool,
    origin: Option<Origin>,
    name: String,
    connection: Option<Address>,
    lines: Vec<Line>,
    attributes: Vec<Attribute>,
    media: Vec<Media>,
}

impl Reader {
    fn read(&mut self, line: &str) -> Result<(), SdpError> {
        let malformed_line = SdpError::NotALine { line: self.line };
        if line.bytes().any(|byte| matches!(byte, b'\0' | b'\r')) {
            return Err(malformed_line);
        }
        let Some((field, value)) = split_byte(line, b'=') else {
            return Err(malformed_line);
        };
        let mut letters = field.chars();
        let (Some(field), None) = (letters.next(), letters.next()) else {
            return Err(malformed_line);
        };
        if !self.has_version && field != 'v' {
            return Err(SdpError::Missing { field: 'v' });
        }
        self.take(field, value).ok_or(SdpError::Malformed { line: self.line, field })?;
        limit("streams", MAX_STREAMS, self.media.len())?;
        let formats = self.media.last().map_or(0, |media| media.formats.len());
        limit("formats", MAX_FORMATS, formats)
    }

    /// Stores one line where it belongs. `None` when its value has the wrong form.
    fn take(&mut self, field: char, value: &str) -> Option<()> {
        match (field, self.media.last_mut()) {
            ('v', None) if !self.has_version => {
                self.has_version = true;
                (value.trim() == "0").then_some(())?;
            }
            ('v' | 'o' | 's', Some(_)) | ('v', None) => return None,
            ('o', None) if self.origin.is_none() => self.origin = Some(origin(value)?),
            ('o', None) => return None,
            ('s', None) => self.name = value.to_owned(),
            ('m', _) => self.media.push(media(value)?),
            ('c', None) if self.connection.is_none() => self.connection = Some(address(value)?),
            ('c', Some(media)) if media.connection.is_none() => {
                media.connection = Some(address(value)?);
            }
            ('a', None) => self.attributes.push(attribute(value)),
            ('a', Some(media)) => media.attributes.push(attribute(value)),
            (_, None) => self.lines.push(other(field, value)),
            (_, Some(media)) => media.lines.push(other(field, value)),
        }
        Some(())
    }

    fn finish(self) -> Result<Session, SdpError> {
        if !self.has_version {
            return Err(SdpError::Missing { field: 'v' });
        }
        Ok(Session {
            origin: self.origin.ok_or(SdpError::Missing { field: 'o' })?,
            name: self.name,
            connection: self.connection,
            lines: self.lines,
            attributes: self.attributes,
            media: self.media,
        })
    }
}

fn limit(what: &'static str, limit: usize, count: usize) -> Result<(), SdpError> {
    if count > limit {
        return Err(SdpError::TooMany { what, limit });
    }
    Ok(())
}

/// `<username> <session id> <version> <nettype> <addrtype> <address>` (RFC 8866 §5.2).
fn origin(value: &str) -> Option<Origin> {
    let mut words = value.split_ascii_whitespace();
    Some(Origin {
        username: next(&mut words)?,
        session_id: next(&mut words)?,
        version: next(&mut words)?,
        address: address_words(&mut words)?,
    })
}

/// `<nettype> <addrtype> <address>` (RFC 8866 §5.7).
fn address(value: &str) -> Option<Address> {
    address_words(&mut value.split_ascii_whitespace())
}

fn address_words(words: &mut SplitAsciiWhitespace<'_>) -> Option<Address> {
    let (network, family) = (words.next()?, words.next()?);
    let address = Address {
        network: known(network, &["IN"]),
        family: known(family, &["IP4", "IP6"]),
        host: next(words)?,
    };
    words.next().is_none().then_some(address)
}

/// `<media> <port>[/<count>] <proto> <fmt> ...` (RFC 8866 §5.14).
fn media(value: &str) -> Option<Media> {
    let mut words = value.split_ascii_whitespace();
    let kind = next(&mut words)?;
    let port = words.next()?;
    let (port, count) =
        split_byte(port, b'/').map_or((port, None), |(port, count)| (port, Some(count)));
    let media = Media {
        kind,
        port: port.parse().ok()?,
        port_count: count.map(str::parse).transpose().ok()?,
        protocol: next(&mut words)?,
        // One too many is enough to refuse them.
        formats: words.take(MAX_FORMATS + 1).map(str::to_owned).collect(),
        connection: None,
        lines: Vec::new(),
        // As many as a telephone usually has.
        attributes: Vec::with_capacity(8),
    };
    // RFC 8866 §9: at least one format.
    (!media.formats.is_empty()).then_some(media)
}

fn attribute(value: &str) -> Attribute {
    const USUAL: &[&str] =
        &["rtpmap", "fmtp", "ptime", "sendrecv", "sendonly", "recvonly", "inactive"];
    let (name, value) =
        split_byte(value, b':').map_or((value, None), |(name, value)| (name, Some(value)));
    Attribute { name: known(name, USUAL), value: value.map(str::to_owned) }
}

fn other(field: char, value: &str) -> Line {
    Line { field, value: value.to_owned() }
}

fn next<T: FromStr>(words: &mut SplitAsciiWhitespace<'_>) -> Option<T> {
    words.next()?.parse().ok()
}
