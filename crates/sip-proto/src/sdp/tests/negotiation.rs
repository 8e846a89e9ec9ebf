//! RFC 3264: offers, answers, hold.

use std::net::Ipv4Addr;

use super::parse;
use crate::sdp::{Direction, LocalMedia, SdpError, Session, answer, next_offer, offer};

// RFC 3264 §10.1: Alice's offer.
const RFC3264_BASIC: &str = "v=0\r\n\
    o=alice 2890844526 2890844526 IN IP4 host.anywhere.com\r\n\
    s=\r\n\
    c=IN IP4 host.anywhere.com\r\n\
    t=0 0\r\n\
    m=audio 49170 RTP/AVP 0\r\n\
    a=rtpmap:0 PCMU/8000\r\n\
    m=video 51372 RTP/AVP 31\r\n\
    a=rtpmap:31 H261/90000\r\n\
    m=video 53000 RTP/AVP 32\r\n\
    a=rtpmap:32 MPV/90000\r\n";

// RFC 4317 §2.1: Alice's offer.
const RFC4317_AUDIO_VIDEO: &str = "v=0\r\n\
    o=alice 2890844526 2890844526 IN IP4 host.atlanta.example.com\r\n\
    s=\r\n\
    c=IN IP4 host.atlanta.example.com\r\n\
    t=0 0\r\n\
    m=audio 49170 RTP/AVP 0 8 97\r\n\
    a=rtpmap:0 PCMU/8000\r\n\
    a=rtpmap:8 PCMA/8000\r\n\
    a=rtpmap:97 iLBC/8000\r\n\
    m=video 51372 RTP/AVP 31 32\r\n\
    a=rtpmap:31 H261/90000\r\n\
    a=rtpmap:32 MPV/90000\r\n";

fn local() -> LocalMedia {
    LocalMedia::telephone(7, Ipv4Addr::new(192, 0, 2, 9).into(), 4000)
}

/// An offer of one audio stream with these session lines, formats and stream attributes.
fn audio(session_lines: &str, formats: &str, attributes: &str) -> Session {
    parse(&format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{session_lines}\
         m=audio 9000 RTP/AVP {formats}\r\n{attributes}"
    ))
}

fn answered_direction(offer: &Session) -> Direction {
    let answer = answer(offer, &local()).unwrap();
    answer.direction_of(&answer.media[0])
}

// RFC 3264 §6: "To reject an offered stream, the port number in the corresponding stream in the
// answer MUST be set to zero."
#[test]
fn video_of_rfc_3264_is_refused_and_its_audio_accepted() {
    let answer = answer(&parse(RFC3264_BASIC), &local()).unwrap();
    assert_eq!(
        answer.to_string(),
        "v=0\r\no=- 7 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n\
         m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\na=sendrecv\r\n\
         m=video 0 RTP/AVP 31\r\nm=video 0 RTP/AVP 32\r\n"
    );
}

// RFC 3264 §6.1: "it is RECOMMENDED that unless there is a specific reason, the answerer list
// formats in the same relative order they were present in the offer".
#[test]
fn answer_keeps_the_order_of_the_offered_formats() {
    let answer = answer(&parse(RFC4317_AUDIO_VIDEO), &local()).unwrap();
    assert_eq!(answer.media[0].formats, ["0", "8"]);
    assert_eq!(answer.media[1].port, 0);
}

#[test]
fn offer_is_one_plain_audio_stream() {
    assert_eq!(
        offer(&local()).to_string(),
        "v=0\r\no=- 7 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n\
         m=audio 4000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    );
}

// RFC 3264 §6.1: "if a particular codec was referenced with a specific payload type number in the
// offer, that same payload type number SHOULD be used for that codec in the answer".
#[test]
fn answer_uses_the_offered_payload_types() {
    let map = "a=rtpmap:118 telephone-event/8000\r\na=fmtp:118 0-16\r\na=rtpmap:99 pcma/8000\r\n";
    let answer = answer(&audio("", "99 118", map), &local()).unwrap();
    assert_eq!(answer.media[0].formats, ["99", "118"]);
    assert_eq!(answer.media[0].attribute("fmtp"), Some("118 0-15"));
}

#[test]
fn dtmf_alone_is_not_a_call() {
    let only_digits = audio("", "101", "a=rtpmap:101 telephone-event/8000\r\n");
    assert_eq!(answer(&only_digits, &local()), Err(SdpError::NotAcceptable));
    assert_eq!(SdpError::NotAcceptable.status(), 488);
}

#[test]
fn other_protocols_and_unknown_codecs_are_not_acceptable() {
    let secure = RFC3264_BASIC.replace("RTP/AVP", "RTP/SAVP");
    let g729 = audio("", "18", "").to_string();
    let nowhere = RFC3264_BASIC.replace("c=IN IP4 host.anywhere.com\r\n", "");
    for text in [secure, g729, nowhere] {
        assert_eq!(answer(&parse(&text), &local()), Err(SdpError::NotAcceptable));
    }
}

// RFC 3264 §6: a second audio stream that we cannot serve is refused, the call is not.
#[test]
fn only_the_first_acceptable_stream_is_taken() {
    let text = audio("", "18", "").to_string()
        + "m=audio 0 RTP/AVP 8\r\nm=audio 9002 RTP/AVP 8\r\nm=audio 9004 RTP/AVP 8\r\n";
    let answer = answer(&parse(&text), &local()).unwrap();
    let ports: Vec<u16> = answer.media.iter().map(|media| media.port).collect();
    assert_eq!(ports, [0, 0, 4000, 0]);
}

// RFC 3264 §5: an offer has zero or more streams; without one, they are to be added later.
#[test]
fn offer_without_a_stream_in_use_is_answered_in_kind() {
    let none = parse("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n");
    assert_eq!(answer(&none, &local()).unwrap().media, []);
    let off = parse(&audio("", "8", "").to_string().replace("9000", "0"));
    assert_eq!(answer(&off, &local()).unwrap().media[0].port, 0);
}

// RFC 3264 §6.1: "If a stream is offered as sendonly, the corresponding stream MUST be marked as
// recvonly or inactive in the answer"; "inactive" MUST be answered "inactive".
#[test]
fn direction_is_mirrored() {
    for (offered, answered) in [
        ("sendrecv", Direction::SendRecv),
        ("sendonly", Direction::RecvOnly),
        ("recvonly", Direction::SendOnly),
        ("inactive", Direction::Inactive),
    ] {
        let line = format!("a={offered}\r\n");
        assert_eq!(answered_direction(&audio("", "8", &line)), answered);
        assert_eq!(answered_direction(&audio(&line, "8", "")), answered);
    }
}

// RFC 3264 §8.4: RFC 2543 put a user on hold with a connection address of 0.0.0.0.
#[test]
fn null_address_is_hold() {
    let legacy = audio("", "8", "c=IN IP4 0.0.0.0\r\n");
    assert!(legacy.is_hold());
    assert_eq!(answered_direction(&legacy), Direction::RecvOnly);
}

#[test]
fn our_own_wish_limits_the_answer() {
    let mute = LocalMedia { direction: Direction::Inactive, ..local() };
    let answer = answer(&audio("", "8", ""), &mute).unwrap();
    assert_eq!(answer.direction_of(&answer.media[0]), Direction::Inactive);
}

#[test]
fn packet_time_follows_the_offer() {
    let answer = answer(&audio("", "8", "a=ptime:30\r\n"), &local()).unwrap();
    assert_eq!(answer.media[0].ptime(), Some(30));
}

// RFC 3264 §8: "the version in the origin field MUST increment by one from the previous SDP"; if it
// is unchanged the description MUST be too.
#[test]
fn version_grows_only_on_change() {
    let first = offer(&local());
    assert_eq!(next_offer(&first, Direction::SendRecv), first);

    let hold = next_offer(&first, Direction::SendOnly);
    assert!(hold.is_hold() && !first.is_hold());
    assert_eq!(hold.origin.version, 2);
    let resumed = next_offer(&hold, Direction::SendRecv);
    assert_eq!(resumed.origin.version, 3);
    assert_eq!(resumed.media, first.media);
}

#[test]
fn later_answer_continues_the_session() {
    let first = answer(&audio("", "8", ""), &local()).unwrap();
    let hold = audio("", "8", "a=sendonly\r\n");
    let other_id = LocalMedia { session_id: 99, ..local() };
    let second = answer(&hold, &other_id).unwrap().continuing(&first);
    assert_eq!((second.origin.session_id, second.origin.version), (7, 2));
    let again = answer(&hold, &local()).unwrap().continuing(&second);
    assert_eq!(again, second);
}
