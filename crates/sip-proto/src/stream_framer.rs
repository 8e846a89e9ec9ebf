//! Messages in a TCP stream — RFC 3261 §18.3 and §7.5, with the keep-alive of RFC 5626 §3.5.1.
//!
//! ```text
//!            not CRLF              CRLFCRLF             Content-Length bytes
//!   Between ──────────► Header ──────────────► Body ─────────────────────────► Between + Message
//!      │ CRLFCRLF: Ping    │ too long, no or bad Content-Length
//!                          └───────────────────────► Lost (for ever)
//! ```
//!
//! Lost framing cannot be found again, so an error is final: close the connection.

use bytes::{Buf, Bytes, BytesMut};

const CRLF: &[u8] = b"\r\n";
const END_OF_HEADERS: &[u8] = b"\r\n\r\n";

/// Cuts the bytes of one connection into messages.
#[derive(Debug)]
pub struct StreamFramer {
    limit: usize,
    buffer: BytesMut,
    state: FramerState,
}

/// What the stream held next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// One whole message: start line, headers and body.
    Message(Bytes),
    /// A keep-alive of two CRLF. Answer it with one CRLF (RFC 5626 §4.4.1).
    Ping,
}

/// Why the rest of a stream cannot be cut into messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FramingError {
    #[error("a message on a stream has no Content-Length")]
    MissingLength,
    #[error("a Content-Length is not a number")]
    BadLength,
    #[error("two Content-Length headers differ")]
    TwoLengths,
    #[error("a message is longer than {limit} bytes")]
    TooLong { limit: usize },
}

#[derive(Debug, Clone, Copy)]
enum FramerState {
    /// `half_ping`: the last bytes were one CRLF, which a second one makes a ping.
    Between {
        half_ping: bool,
    },
    /// The first `scanned` bytes hold no end of headers, so that no byte is searched twice.
    Header {
        scanned: usize,
    },
    Body {
        message_length: usize,
    },
    Lost(FramingError),
}

impl StreamFramer {
    /// Frames messages of at most `limit` bytes, headers and body together.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, buffer: BytesMut::new(), state: FramerState::Between { half_ping: false } }
    }

    /// Appends bytes as they came from the socket, in order.
    pub fn push(&mut self, bytes: &[u8]) {
        if !matches!(self.state, FramerState::Lost(_)) {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next whole frame, or `None` until more bytes are pushed.
    ///
    /// # Errors
    /// The framing is lost. Every later call returns the same error.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FramingError> {
        loop {
            match self.state {
                FramerState::Between { half_ping } => {
                    if self.buffer.starts_with(CRLF) {
                        self.buffer.advance(CRLF.len());
                        self.state = FramerState::Between { half_ping: !half_ping };
                        if half_ping {
                            return Ok(Some(Frame::Ping));
                        }
                    } else if CRLF.starts_with(&self.buffer) {
                        return Ok(None); // nothing, or the first half of a CRLF
                    } else {
                        self.state = FramerState::Header { scanned: 0 };
                    }
                }
                FramerState::Header { scanned } => match self.find_end_of_headers(scanned) {
                    Ok(Some(end)) => self.state = self.body_after(end),
                    Ok(None) => return Ok(None),
                    Err(error) => self.lose(error),
                },
                FramerState::Body { message_length } => {
                    if self.buffer.len() < message_length {
                        return Ok(None);
                    }
                    // A copy, because a slice would keep the whole read buffer alive for as long
                    // as a transaction keeps this message.
                    let message = Bytes::copy_from_slice(&self.buffer[..message_length]);
                    self.buffer.advance(message_length);
                    self.state = FramerState::Between { half_ping: false };
                    return Ok(Some(Frame::Message(message)));
                }
                FramerState::Lost(error) => return Err(error),
            }
        }
    }

    /// True when bytes of an unfinished message are waiting.
    #[must_use]
    pub fn is_inside_message(&self) -> bool {
        matches!(self.state, FramerState::Header { .. } | FramerState::Body { .. })
    }

    /// Length of the header section with its empty line, once it has come whole.
    fn find_end_of_headers(&mut self, scanned: usize) -> Result<Option<usize>, FramingError> {
        let searchable = self.buffer.len().min(self.limit);
        // The terminator may have begun in bytes that were scanned already.
        let start = scanned.saturating_sub(END_OF_HEADERS.len() - 1);
        let found = self.buffer[start..searchable]
            .windows(END_OF_HEADERS.len())
            .position(|window| window == END_OF_HEADERS);
        if let Some(offset) = found {
            return Ok(Some(start + offset + END_OF_HEADERS.len()));
        }
        if searchable == self.limit {
            return Err(FramingError::TooLong { limit: self.limit });
        }
        self.state = FramerState::Header { scanned: searchable };
        Ok(None)
    }

    fn body_after(&self, end_of_headers: usize) -> FramerState {
        let length = content_length(&self.buffer[..end_of_headers], self.limit);
        match length.map(|length| end_of_headers.saturating_add(length)) {
            Ok(message_length) if message_length <= self.limit => {
                FramerState::Body { message_length }
            }
            Ok(_) => FramerState::Lost(FramingError::TooLong { limit: self.limit }),
            Err(error) => FramerState::Lost(error),
        }
    }

    fn lose(&mut self, error: FramingError) {
        self.buffer = BytesMut::new();
        self.state = FramerState::Lost(error);
    }
}

/// The one value of all Content-Length headers (RFC 3261 §20.14; compact form `l`).
fn content_length(head: &[u8], limit: usize) -> Result<usize, FramingError> {
    let mut length = None;
    for line in Lines(head).skip(1) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let name = line[..colon].trim_ascii_end();
        if !name.eq_ignore_ascii_case(b"content-length") && !name.eq_ignore_ascii_case(b"l") {
            continue;
        }
        let value = parse_length(line[colon + 1..].trim_ascii(), limit)?;
        if length.is_some_and(|earlier| earlier != value) {
            return Err(FramingError::TwoLengths);
        }
        length = Some(value);
    }
    length.ok_or(FramingError::MissingLength)
}

fn parse_length(digits: &[u8], limit: usize) -> Result<usize, FramingError> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(FramingError::BadLength);
    }
    digits
        .iter()
        .try_fold(0_usize, |sum, digit| sum.checked_mul(10)?.checked_add(usize::from(digit - b'0')))
        .ok_or(FramingError::TooLong { limit })
}

/// Header lines, each with its folded continuation lines (RFC 3261 §7.3.1).
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let mut from = 0;
        loop {
            let Some(offset) = self.0[from..].windows(2).position(|window| window == CRLF) else {
                return (!self.0.is_empty()).then(|| std::mem::take(&mut self.0));
            };
            let end = from + offset;
            let after = end + CRLF.len();
            if !matches!(self.0.get(after), Some(b' ' | b'\t')) {
                let line = &self.0[..end];
                self.0 = &self.0[after..];
                return Some(line);
            }
            from = after;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMIT: usize = 400;

    fn message(length_line: &str, body: &str) -> Vec<u8> {
        let head = "MESSAGE sip:15@127.0.0.1 SIP/2.0\r\nCall-ID: l: 3\r\n";
        format!("{head}{length_line}\r\n{body}").into_bytes()
    }

    /// All frames of `pieces`, pushed one after another, and the error that ended them.
    fn frames<'a>(
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> (Vec<Frame>, Option<FramingError>) {
        let (mut framer, mut frames) = (StreamFramer::new(LIMIT), Vec::new());
        for piece in pieces {
            framer.push(piece);
            loop {
                match framer.next_frame() {
                    Ok(Some(frame)) => frames.push(frame),
                    Ok(None) => break,
                    Err(error) => return (frames, Some(error)),
                }
            }
        }
        (frames, None)
    }

    fn error_of(length_line: &str) -> Option<FramingError> {
        frames([&message(length_line, "hello")[..]]).1
    }

    // RFC 3261 §18.3: "the Content-Length header field is used to locate the end of each SIP
    // message in the stream".
    #[test]
    fn two_messages_in_one_segment_are_two_frames() {
        let (one, two) =
            (message("Content-Length: 5\r\n", "hello"), message("Content-Length: 0\r\n", ""));
        let both = [&one[..], &two].concat();
        let expected = vec![Frame::Message(one.into()), Frame::Message(two.into())];
        assert_eq!(frames([&both[..]]), (expected, None));
    }

    // RFC 3261 §7.3: the name is case-insensitive, has a compact form, may be followed by white
    // space, and the value may be folded on a next line.
    #[test]
    fn every_spelling_of_content_length_is_read() {
        for line in ["l:5", "L : 5", "content-LENGTH\t:5 ", "Content-Length:\r\n 5", "l: 05"] {
            let bytes = message(&format!("{line}\r\n"), "hello");
            let expected = vec![Frame::Message(bytes.clone().into())];
            assert_eq!(frames([&bytes[..]]), (expected, None), "{line}");
        }
    }

    #[test]
    fn bad_content_length_loses_the_stream() {
        assert_eq!(error_of(""), Some(FramingError::MissingLength));
        assert_eq!(error_of("Subject: a\r\n l: 5\r\n"), Some(FramingError::MissingLength));
        for bad in ["l: -1", "l: five", "l:", "l: 5, 5", "l: 1\r\n 0", "l: +5"] {
            assert_eq!(error_of(&format!("{bad}\r\n")), Some(FramingError::BadLength), "{bad}");
        }
        assert_eq!(error_of("l: 5\r\nContent-Length: 6\r\n"), Some(FramingError::TwoLengths));
        assert_eq!(error_of("l: 5\r\nContent-Length: 5\r\n"), None);
        let too_long = Some(FramingError::TooLong { limit: LIMIT });
        assert_eq!(error_of("l: 400\r\n"), too_long);
        assert_eq!(error_of("l: 99999999999999999999999999\r\n"), too_long);
    }

    #[test]
    fn endless_header_section_is_refused_at_the_limit() {
        let (_, error) = frames([&[b'a'; LIMIT - 1][..]]);
        assert_eq!(error, None);
        let (_, error) = frames([&[b'a'; LIMIT][..]]);
        assert_eq!(error, Some(FramingError::TooLong { limit: LIMIT }));
    }

    // RFC 3261 §7.5: "MUST ignore any CRLF appearing before the start-line".
    // RFC 5626 §3.5.1: a double CRLF between messages is a ping.
    #[test]
    fn one_crlf_is_ignored_and_two_are_a_ping() {
        let bytes = message("l: 0\r\n", "");
        let stream = [&b"\r\n"[..], &bytes, b"\r\n\r\n", &bytes].concat();
        let same = Frame::Message(bytes.into());
        assert_eq!(frames([&stream[..]]), (vec![same.clone(), Frame::Ping, same], None));
    }

    // One-byte segments must cost no more than a constant each: a rescan of the buffer for each
    // segment would take 10^11 steps here.
    #[test]
    fn one_byte_segments_are_not_rescanned() {
        let mut framer = StreamFramer::new(1_000_000);
        let head = format!("MESSAGE sip:1@h SIP/2.0\r\nX: {}\r\nl: 0\r\n\r\n", "x".repeat(500_000));
        let mut found = None;
        for byte in head.as_bytes() {
            framer.push(&[*byte]);
            found = framer.next_frame().expect("the message is good");
        }
        assert_eq!(found, Some(Frame::Message(Bytes::from(head))));
    }

    fn stream() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            4 => "[a-z\r\n]{0,30}".prop_map(|body| {
                message(&format!("l: {}\r\n", body.len()), &body)
            }),
            2 => Just(b"\r\n".to_vec()),
            1 => Just(message("l: x\r\n", "")),
            1 => proptest::collection::vec(any::<u8>(), 0..40),
            1 => Just(vec![b'z'; LIMIT]),
        ];
        proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn segmentation_does_not_change_the_frames(
            stream in stream(),
            mut cuts in proptest::collection::vec(0_usize..2_000, 0..20),
        ) {
            cuts.retain(|cut| *cut <= stream.len());
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]);
            prop_assert_eq!(frames(pieces), frames([&stream[..]]));
        }

        #[test]
        fn no_bytes_panic(stream in proptest::collection::vec(any::<u8>(), 0..1_000)) {
            frames(stream.chunks(7));
        }
    }
}
