//! Properties over descriptions and bytes drawn from a fixed seed.

use std::borrow::Cow;
use std::net::Ipv4Addr;

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

use crate::sdp::{
    Address, Attribute, Direction, Line, LocalMedia, Media, Origin, Session, answer, next_offer,
};

const CASES: u64 = 2_000;

fn word(rng: &mut impl Rng) -> String {
    const LETTERS: &[u8] = b"abcXYZ0129-._";
    let length = rng.random_range(1..8);
    (0..length).map(|_| char::from(LETTERS[rng.random_range(0..LETTERS.len())])).collect()
}

/// Free text, with what a parser could mistake for structure.
fn text(rng: &mut impl Rng) -> String {
    const LETTERS: &[char] = &['a', '=', ':', ' ', '/', '\t', 'é', '0', 'm'];
    let length = rng.random_range(0..12);
    (0..length).map(|_| LETTERS[rng.random_range(0..LETTERS.len())]).collect()
}

fn several<T>(rng: &mut StdRng, most: usize, mut one: impl FnMut(&mut StdRng) -> T) -> Vec<T> {
    let count = rng.random_range(0..=most);
    (0..count).map(|_| one(rng)).collect()
}

fn address(rng: &mut impl Rng) -> Address {
    let family = if rng.random() { "IP4" } else { "IP6" };
    let hosts = ["192.0.2.1", "2001:db8::1", "0.0.0.0", "224.2.1.1/127"];
    Address {
        network: Cow::Borrowed("IN"),
        family: Cow::Borrowed(family),
        host: hosts[rng.random_range(0..hosts.len())].to_owned(),
    }
}

fn maybe<T>(rng: &mut StdRng, one: impl FnOnce(&mut StdRng) -> T) -> Option<T> {
    if rng.random() { Some(one(rng)) } else { None }
}

/// Lines in the order of RFC 8866 §5: those before `c=`, then those after it.
fn lines(rng: &mut StdRng) -> Vec<Line> {
    let pick = |fields: &'static [char]| {
        move |rng: &mut StdRng| Line {
            field: fields[rng.random_range(0..fields.len())],
            value: text(rng),
        }
    };
    let mut lines = several(rng, 2, pick(&['i', 'u', 'e', 'p']));
    lines.extend(several(rng, 3, pick(&['b', 't', 'r', 'z', 'k', 'Q'])));
    lines
}

fn attribute(rng: &mut StdRng) -> Attribute {
    if rng.random_ratio(1, 4) {
        return Direction::Inactive.into();
    }
    Attribute { name: Cow::Owned(word(rng)), value: maybe(rng, text) }
}

fn media(rng: &mut StdRng) -> Media {
    let mut formats = several(rng, 4, |rng| rng.random_range(0..128_u8).to_string());
    formats.push(word(rng));
    Media {
        kind: ["audio", "video", "text"][rng.random_range(0..3)].to_owned(),
        port: rng.random(),
        port_count: maybe(rng, |rng| rng.random()),
        protocol: ["RTP/AVP", "RTP/SAVP"][rng.random_range(0..2)].to_owned(),
        formats,
        connection: maybe(rng, address),
        lines: lines(rng),
        attributes: several(rng, 4, attribute),
    }
}

fn session(rng: &mut StdRng) -> Session {
    Session {
        origin: Origin {
            username: word(rng),
            session_id: rng.random(),
            version: rng.random(),
            address: address(rng),
        },
        name: text(rng),
        connection: maybe(rng, address),
        lines: lines(rng),
        attributes: several(rng, 4, attribute),
        media: several(rng, 4, media),
    }
}

fn sessions() -> impl Iterator<Item = Session> {
    (0..CASES).map(|seed| session(&mut StdRng::seed_from_u64(seed)))
}

#[test]
fn what_is_printed_reads_back_the_same() {
    for session in sessions() {
        let printed = session.to_string();
        let read = Session::parse(printed.as_bytes());
        assert_eq!(read, Ok(session), "{printed}");
    }
}

#[test]
fn damaged_descriptions_never_panic() {
    let mut rng = StdRng::seed_from_u64(1);
    for session in sessions() {
        let mut bytes = session.to_string().into_bytes();
        for _ in 0..rng.random_range(1..6) {
            let place = rng.random_range(0..bytes.len());
            bytes[place] = rng.random();
        }
        bytes.truncate(rng.random_range(0..=bytes.len()));
        if let Ok(session) = Session::parse(&bytes) {
            let local = LocalMedia::telephone(1, Ipv4Addr::LOCALHOST.into(), 4000);
            let _ = answer(&session, &local);
            let _ = next_offer(&session, Direction::SendOnly);
        }
    }
}

// RFC 3264 §6: "For each "m=" line in the offer, there MUST be a corresponding "m=" line in the
// answer. The answer MUST contain exactly the same number of "m=" lines as the offer."
#[test]
fn answers_keep_the_streams_of_the_offer_in_place() {
    let local = LocalMedia::telephone(1, Ipv4Addr::LOCALHOST.into(), 4000);
    let mut answered = 0;
    for offer in sessions() {
        let Ok(answer) = answer(&offer, &local) else {
            continue;
        };
        answered += 1;
        assert_eq!(answer.media.len(), offer.media.len());
        for (ours, theirs) in answer.media.iter().zip(&offer.media) {
            assert_eq!((&ours.kind, &ours.protocol), (&theirs.kind, &theirs.protocol));
            assert!(theirs.port != 0 || ours.port == 0);
            assert!(ours.formats.iter().all(|f| theirs.formats.contains(f)));
        }
        assert!(answer.active().count() <= 1);
    }
    assert!(answered > 100, "only {answered} offers were acceptable");
}
