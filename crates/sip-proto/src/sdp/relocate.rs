//! Moves the streams of a description to other addresses, and leaves every other byte as it is.
//!
//! What a media relay does to an offer or an answer that it carries: the ends negotiate codecs and directions with
//! each other, also those that nobody here has heard of, and only the addresses are the relay's.

use std::net::SocketAddr;

use super::{Address, Session};

/// Lines that would lead a peer around the relay, or keep it from hearing the relay: candidates of ICE and what belongs to
/// them (RFC 8839), other addresses (RFC 6947, RFC 7006), the one source that is to be heard (RFC 4570). Without them the
/// other side knows nothing of ICE, and says so by its answer: then both keep to "c=" and "m=" (RFC 8839 §4.2.2).
const BYPASSES: [&str; 8] = [
    "a=candidate:",
    "a=end-of-candidates",
    "a=ice-",
    "a=ice2",
    "a=remote-candidates:",
    "a=altc:",
    "a=ccap:",
    "a=source-filter:",
];

/// Rewrites `body`, which `session` was parsed from. `places` has where each stream is received from now on, in the
/// order of the "m=" lines; a stream without a place stays where it is.
///
/// A stream on hold by the address 0.0.0.0 (RFC 3264 §8.4) keeps that address.
#[must_use]
pub fn relocate(body: &[u8], session: &Session, places: &[Option<SocketAddr>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 64 * places.len());
    let mut index = None;
    let moves = places.iter().any(Option::is_some);
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b"m=") {
            finish_stream(&mut out, session, index, places, line_end(line));
            index = Some(index.map_or(0, |index| index + 1));
        }
        let place = index.and_then(|index| places.get(index).copied().flatten());
        match place {
            Some(place) => write_moved(&mut out, line, place),
            // What stands before all streams is about each of them.
            None if index.is_none() && moves && is_bypass(line) => {}
            None if index.is_none() && line.starts_with(b"c=") => {
                // Streams have addresses of their own from now on, unless all move to the same one.
                match common_place(session, places) {
                    Some(place) => write_connection(&mut out, line, place),
                    None => out.extend_from_slice(line),
                }
            }
            None => out.extend_from_slice(line),
        }
    }
    let end = if body.ends_with(b"\r\n") || !body.contains(&b'\n') { "\r\n" } else { "\n" };
    finish_stream(&mut out, session, index, places, end);
    out
}

/// The address that the session's own "c=" line can have: that of all streams in use, which all move.
fn common_place(session: &Session, places: &[Option<SocketAddr>]) -> Option<SocketAddr> {
    let streams = session.media.iter().enumerate().filter(|(_, media)| media.port != 0);
    let mut moved = streams.map(|(index, _)| places.get(index).copied().flatten());
    let first = moved.next()??;
    moved.all(|place| place.is_some_and(|place| place.ip() == first.ip())).then_some(first)
}

/// After the lines of a stream that moves without having a "c=" line to say it.
fn finish_stream(
    out: &mut Vec<u8>,
    session: &Session,
    index: Option<usize>,
    places: &[Option<SocketAddr>],
    end: &str,
) {
    let Some(index) = index else { return };
    let (Some(media), Some(Some(place))) = (session.media.get(index), places.get(index)) else {
        return;
    };
    let is_held = |address: &Address| address.ip().is_some_and(|ip| ip.is_unspecified());
    let says_it = media.connection.is_some()
        || session.connection.as_ref().is_some_and(is_held)
        || (session.connection.is_some() && common_place(session, places).is_some());
    if !says_it {
        // RFC 8866 §9: "c=" stands before "b=" and "a=", so directly after the "m=" line.
        let end = if end.is_empty() { "\r\n" } else { end };
        if !out.ends_with(b"\n") {
            out.extend_from_slice(end.as_bytes());
        }
        let start = last_media_line(out);
        let line = format!("c={}{end}", Address::from(place.ip()));
        out.splice(start..start, line.into_bytes());
    }
}

/// Where the line after the last "m=" line begins.
fn last_media_line(out: &[u8]) -> usize {
    let mut start = 0;
    let mut found = out.len();
    for line in out.split_inclusive(|byte| *byte == b'\n') {
        start += line.len();
        if line.starts_with(b"m=") {
            found = start;
        }
    }
    found
}

fn write_moved(out: &mut Vec<u8>, line: &[u8], place: SocketAddr) {
    let text = String::from_utf8_lossy(line);
    let end = line_end(line);
    if let Some(rest) = text.strip_prefix("m=") {
        let mut words = rest.split_ascii_whitespace();
        let (Some(kind), Some(_)) = (words.next(), words.next()) else {
            return out.extend_from_slice(line);
        };
        let rest = words.collect::<Vec<_>>().join(" ");
        out.extend_from_slice(format!("m={kind} {} {rest}{end}", place.port()).as_bytes());
    } else if text.starts_with("c=") {
        write_connection(out, line, place);
    } else if text.starts_with("a=rtcp:") {
        // RFC 3605 §2.1: the relay keeps to the next port.
        let port = place.port().saturating_add(1);
        out.extend_from_slice(format!("a=rtcp:{port}{end}").as_bytes());
    } else if !is_bypass(line) {
        out.extend_from_slice(line);
    }
}

fn is_bypass(line: &[u8]) -> bool {
    BYPASSES.iter().any(|bypass| line.starts_with(bypass.as_bytes()))
}

fn write_connection(out: &mut Vec<u8>, line: &[u8], place: SocketAddr) {
    let text = String::from_utf8_lossy(line);
    let host = text.split_ascii_whitespace().nth(2).unwrap_or_default();
    if host == "0.0.0.0" || host == "::" {
        return out.extend_from_slice(line);
    }
    out.extend_from_slice(format!("c={}{}", Address::from(place.ip()), line_end(line)).as_bytes());
}

fn line_end(line: &[u8]) -> &'static str {
    match line {
        [.., b'\r', b'\n'] => "\r\n",
        [.., b'\n'] => "\n",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(body: &str, places: &[Option<&str>]) -> String {
        let session = Session::parse(body.as_bytes()).expect("a description");
        let places: Vec<_> = places
            .iter()
            .map(|place| place.map(|place| place.parse().expect("an address")))
            .collect();
        String::from_utf8(relocate(body.as_bytes(), &session, &places)).expect("text")
    }

    const PHONE: &str = "v=0\r\no=alice 1 1 IN IP4 10.0.0.7\r\ns=é\r\nc=IN IP4 10.0.0.7\r\nt=0 0\r\n\
        a=x-unknown:1\r\nm=audio 4000 RTP/AVP 8 96\r\na=rtpmap:96 opus/48000/2\r\na=rtcp:4009\r\na=sendrecv\r\n";

    #[test]
    fn only_addresses_change() {
        let expected = PHONE
            .replace("c=IN IP4 10.0.0.7", "c=IN IP4 127.0.0.11")
            .replace("audio 4000", "audio 20000")
            .replace("a=rtcp:4009", "a=rtcp:20001");
        assert_eq!(moved(PHONE, &[Some("127.0.0.11:20000")]), expected);
        assert_eq!(moved(PHONE, &[None]), PHONE);
    }

    #[test]
    fn the_address_family_may_change() {
        let text = moved(PHONE, &[Some("[::1]:20000")]);
        assert!(text.contains("\r\nc=IN IP6 ::1\r\n"), "{text}");
        let read = Session::parse(text.as_bytes()).expect("still a description");
        let audio = read.audio().expect("audio");
        assert_eq!(read.target_of(audio), Some("[::1]:20000".parse().expect("an address")));
    }

    #[test]
    fn each_stream_moves_by_itself_and_one_that_does_not_keeps_its_address() {
        let body = "v=0\no=- 1 1 IN IP4 10.0.0.7\ns=-\nc=IN IP4 10.0.0.7\nt=0 0\nm=audio 4000 RTP/AVP 8\na=ptime:20\n\
            m=message 5000 TCP/MSRP *\na=path:x\nm=video 4002 RTP/AVP 31\nc=IN IP4 10.0.0.8\n";
        let text = moved(body, &[Some("127.0.0.11:20000"), None, Some("127.0.0.11:20002")]);
        let read = Session::parse(text.as_bytes()).expect("still a description");
        let places: Vec<_> = read
            .media
            .iter()
            .map(|media| read.target_of(media).expect("in use").to_string())
            .collect();
        assert_eq!(places, ["127.0.0.11:20000", "10.0.0.7:5000", "127.0.0.11:20002"]);
        assert!(
            text.contains("m=audio 20000 RTP/AVP 8\nc=IN IP4 127.0.0.11\na=ptime:20\n"),
            "{text}"
        );
    }

    // RFC 3264 §8.4: hold by address; §6: a refused stream has port zero.
    #[test]
    fn hold_and_refusal_cross() {
        let held = PHONE.replace("c=IN IP4 10.0.0.7", "c=IN IP4 0.0.0.0");
        assert!(moved(&held, &[Some("127.0.0.11:20000")]).contains("c=IN IP4 0.0.0.0\r\n"));
        let refused = PHONE.replace("audio 4000", "audio 0");
        assert_eq!(moved(&refused, &[None]), refused);
    }

    // The parser is as lenient.
    #[test]
    fn careless_lines_are_moved_too() {
        let body = "v=0\no=- 1 1 IN IP4 10.0.0.7\ns=-\nt=0 0\nm=audio\t4000  RTP/AVP 8";
        let text = moved(body, &[Some("127.0.0.11:20000")]);
        assert!(text.ends_with("m=audio 20000 RTP/AVP 8\nc=IN IP4 127.0.0.11\n"), "{text:?}");
        let held = "v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nc=IN IP4 0.0.0.0\nt=0 0\nm=audio 4000 RTP/AVP 8\n\
            m=message 5000 TCP/MSRP *\n";
        let text = moved(held, &[Some("127.0.0.11:20000"), None]);
        let read = Session::parse(text.as_bytes()).expect("still a description");
        assert!(!read.direction_of(&read.media[0]).receives(), "{text}");
    }

    #[test]
    fn nothing_leads_around_the_relay() {
        let lines = "a=candidate:1 1 UDP 1 10.0.0.7 4000 typ host\r\na=ice-ufrag:x\r\na=ice-pwd:y\r\na=ice-options:ice2\r\n\
            a=ice-lite\r\na=end-of-candidates\r\na=remote-candidates:1 10.0.0.7 4000\r\na=altc:1 IP4 10.0.0.7 4000\r\n\
            a=source-filter: incl IN IP4 * 10.0.0.7\r\n";
        let expected = format!("{}a=mid:0\r\n", moved(PHONE, &[Some("127.0.0.11:20000")]));
        let of_stream = format!("{PHONE}{lines}a=mid:0\r\n");
        let of_session =
            of_stream.replace(lines, "").replace("m=audio", &format!("{lines}m=audio"));
        for body in [&of_stream, &of_session] {
            assert_eq!(moved(body, &[Some("127.0.0.11:20000")]), expected);
            assert_eq!(moved(body, &[None]), *body, "nothing moves");
        }
    }
}
