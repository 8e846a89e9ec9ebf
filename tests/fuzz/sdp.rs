//! Session descriptions, alone and inside bodies of messages.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bytes::Bytes;
use media::Agreement;
use sip_proto::sdp::{
    Direction, LocalMedia, Session, advance, answer, check_answer, find, next_offer, relocate,
    replace,
};

use crate::seeds::assert_sentence;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9));

/// A description prints what it says, its answer fits it, and its streams can be moved.
pub(crate) fn description(input: &[u8]) {
    let session = match Session::parse(input) {
        Ok(session) => session,
        Err(error) => {
            assert_sentence(&error.to_string());
            assert!((400..500).contains(&error.status()));
            return;
        }
    };
    let reads_back = |session: &Session| {
        let printed = session.to_string();
        assert_eq!(Session::parse(printed.as_bytes()).as_ref(), Ok(session), "{printed:?}");
    };
    reads_back(&session);
    asked(&session);
    let local = LocalMedia::telephone(1, HERE, 4000);
    match answer(&session, &local) {
        Err(error) => assert_sentence(&error.to_string()),
        Ok(answer) => {
            reads_back(&answer);
            // RFC 3264 §6: as many streams as the offer has, in its order.
            assert_eq!(answer.media.len(), session.media.len());
            assert_eq!(check_answer(&session.kinds(), &answer), Ok(()));
            assert!(
                answer
                    .media
                    .iter()
                    .zip(&session.media)
                    .all(|(ours, theirs)| theirs.port != 0 || ours.port == 0)
            );
            let _ = Agreement::between(&answer, &session);
        }
    }
    for direction in
        [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive]
    {
        let next = next_offer(&session, direction);
        reads_back(&next);
        assert_eq!(next.media.len(), session.media.len());
    }
    moved(input, &session);
}

fn asked(session: &Session) {
    let _ = (session.audio().is_some(), session.is_hold(), session.kinds());
    for media in &session.media {
        let _ = (session.address_of(media), session.target_of(media), session.direction_of(media));
        let _ = (media.codecs(), media.ptime(), media.attribute("rtpmap"));
    }
}

fn moved(input: &[u8], session: &Session) {
    let place = |index: usize| SocketAddr::new(HERE, 10_000 + 2 * (index % 20_000) as u16);
    // Streams that are off have no place.
    let places: Vec<_> = session
        .media
        .iter()
        .enumerate()
        .map(|(index, media)| (media.port != 0).then(|| place(index)))
        .collect();
    let text = relocate(input, session, &places);
    let moved = Session::parse(&text)
        .unwrap_or_else(|why| panic!("{why}: {:?}", String::from_utf8_lossy(&text)));
    assert_eq!(moved.media.len(), session.media.len());
    for (index, (media, before)) in moved.media.iter().zip(&session.media).enumerate() {
        assert_eq!((&media.kind, &media.protocol), (&before.kind, &before.protocol));
        assert_eq!(media.port == 0, before.port == 0);
        let target = moved.target_of(media).filter(|target| !target.ip().is_unspecified());
        // Whoever holds by 0.0.0.0 keeps holding; all others send here from now on.
        assert!(target.is_none_or(|target| target == place(index)), "{target:?}: {text:?}");
    }
    let raised = Session::parse(&advance(input, 1)).expect("a description");
    assert!(raised.origin.version >= session.origin.version);
    assert_eq!(raised.media, session.media);
}

/// What is put in the place of a description is found there. The first line says of what type the body is.
pub(crate) fn body(input: &[u8]) {
    const NEW: &[u8] = b"v=0\r\no=- 1 1 IN IP4 127.0.0.9\r\ns=-\r\nt=0 0\r\n";
    let end = input.iter().position(|octet| *octet == b'\n').unwrap_or(input.len());
    let (kind, rest) = input.split_at(end);
    let Ok(kind) = str::from_utf8(kind) else { return };
    let body = Bytes::copy_from_slice(rest.get(1..).unwrap_or_default());
    match find(kind.trim(), &body) {
        Err(error) => assert_sentence(&error.to_string()),
        Ok(None) => assert_eq!(replace(kind.trim(), &body, NEW), body),
        Ok(Some(found)) => {
            assert!(found.len() <= body.len());
            // Text that contains the border of its body would not be found whole.
            let replaced = replace(kind.trim(), &body, NEW);
            let again = find(kind.trim(), &replaced).expect("a body that can be read");
            assert_eq!(again.as_deref(), Some(NEW), "{kind:?}: {replaced:?}");
        }
    }
}
