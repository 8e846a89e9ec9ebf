//! RFC 8866: reading and printing.

use super::parse;
use crate::sdp::{Direction, SdpError, Session};

// RFC 8866 §5, the example description.
const RFC8866_EXAMPLE: &str = "v=0\r\n\
    o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\n\
    s=Call to John Smith\r\n\
    i=SDP Offer #1\r\n\
    u=http://www.jdoe.example.com/home.html\r\n\
    e=Jane Doe <jane@jdoe.example.com>\r\n\
    p=+1 617 555-6011\r\n\
    c=IN IP4 198.51.100.1\r\n\
    t=0 0\r\n\
    m=audio 49170 RTP/AVP 0\r\n\
    m=audio 49180 RTP/AVP 0\r\n\
    m=video 51372 RTP/AVP 99\r\n\
    c=IN IP6 2001:db8::2\r\n\
    a=rtpmap:99 h263-1998/90000\r\n";

const SHORT: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";

#[test]
fn example_of_rfc_8866_is_printed_byte_for_byte() {
    assert_eq!(parse(RFC8866_EXAMPLE).to_string(), RFC8866_EXAMPLE);
}

// RFC 8866 §5.7: a "c=" of a media description overrides the one of the session, also with another
// family.
#[test]
fn stream_address_overrides_the_session_address() {
    let session = parse(RFC8866_EXAMPLE);
    let targets: Vec<String> =
        session.media.iter().map(|media| session.target_of(media).unwrap().to_string()).collect();
    assert_eq!(targets, ["198.51.100.1:49170", "198.51.100.1:49180", "[2001:db8::2]:51372"]);
}

// RFC 8866 §5: "The sequence CRLF is used to end a line, though parsers should be tolerant and also
// accept lines terminated with a single newline character."
#[test]
fn bare_line_feeds_are_read_like_crlf() {
    let bare = RFC8866_EXAMPLE.replace("\r\n", "\n");
    assert_eq!(parse(&bare), parse(RFC8866_EXAMPLE));
    assert_eq!(parse(bare.trim_end()), parse(RFC8866_EXAMPLE));
}

#[test]
fn unknown_lines_and_attributes_are_kept_in_order() {
    let text =
        format!("{SHORT}Z=later\r\na=zebra\r\na=apple:1:2\r\nm=audio 9 RTP/AVP 8\r\na=x:\r\n");
    assert_eq!(parse(&text).to_string(), text);
}

#[test]
fn static_payload_types_need_no_rtpmap() {
    let session = parse(&format!(
        "{SHORT}m=audio 9 RTP/AVP 8 18 96 97\r\n\
         a=rtpmap:97 opus/48000/2\r\na=fmtp:97 useinbandfec=1\r\n"
    ));
    let codecs = session.media[0].codecs();
    let rtpmaps: Vec<String> = codecs.iter().map(ToString::to_string).collect();
    // 96 is dynamic and has no rtpmap: nobody knows what it is.
    assert_eq!(rtpmaps, ["8 PCMA/8000", "18 G729/8000", "97 opus/48000/2"]);
    assert_eq!(codecs[2].parameters.as_deref(), Some("useinbandfec=1"));
}

// RFC 8866 §6.7: the session's direction is the default of its streams; without any it is
// "sendrecv".
#[test]
fn direction_falls_back_to_the_session_and_then_to_both_ways() {
    let session = parse(&format!(
        "{SHORT}a=recvonly\r\nm=audio 9 RTP/AVP 8\r\nm=audio 9 RTP/AVP 8\r\na=sendonly\r\n"
    ));
    assert_eq!(session.direction_of(&session.media[0]), Direction::RecvOnly);
    assert_eq!(session.direction_of(&session.media[1]), Direction::SendOnly);
    let plain = parse(&format!("{SHORT}m=audio 9 RTP/AVP 8\r\n"));
    assert_eq!(plain.direction_of(&plain.media[0]), Direction::SendRecv);
}

#[test]
fn errors_name_the_line() {
    let cases: [(&[u8], SdpError); 9] = [
        (b"", SdpError::Missing { field: 'v' }),
        (b"v=0\r\ns=-\r\n", SdpError::Missing { field: 'o' }),
        (b"o=- 1 1 IN IP4 192.0.2.1\r\n", SdpError::Missing { field: 'v' }),
        (b"v=1\r\n", SdpError::Malformed { line: 1, field: 'v' }),
        (b"v=0\r\nhello\r\n", SdpError::NotALine { line: 2 }),
        (b"v=0\r\ns=a\0b\r\n", SdpError::NotALine { line: 2 }),
        (b"v=0\r\no=- x 1 IN IP4 192.0.2.1\r\n", SdpError::Malformed { line: 2, field: 'o' }),
        (b"v=0\r\nm=audio 70000 RTP/AVP 0\r\n", SdpError::Malformed { line: 2, field: 'm' }),
        (b"v=0\r\nm=audio 9 RTP/AVP\r\n", SdpError::Malformed { line: 2, field: 'm' }),
    ];
    for (bytes, error) in cases {
        assert_eq!(error.status(), 400);
        assert_eq!(Session::parse(bytes), Err(error));
    }
}

#[test]
fn floods_are_refused() {
    let streams = format!("{SHORT}{}", "m=audio 9 RTP/AVP 8\r\n".repeat(65));
    let formats = format!("{SHORT}m=audio 9 RTP/AVP{}\r\n", " 8".repeat(129));
    let lines = format!("{SHORT}{}", "a=x\r\n".repeat(2_050));
    let bytes = format!("{SHORT}i={}\r\n", "x".repeat(70_000));
    for (text, what) in
        [(streams, "streams"), (formats, "formats"), (lines, "lines"), (bytes, "bytes")]
    {
        let refused = Session::parse(text.as_bytes());
        assert!(matches!(refused, Err(SdpError::TooMany { what: w, .. }) if w == what));
    }
}
