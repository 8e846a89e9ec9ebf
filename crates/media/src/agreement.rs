//! What two session descriptions agree on for the audio of a terminal (RFC 3264 §6).

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use sip_proto::sdp::{Attribute, Codec, Media, Session};

use crate::g711::Law;
use crate::tone::Melody;

/// Attribute by which an end of ours says what it will play. Others ignore it (RFC 8866 §6).
const SIGN: &str = "x-tocsin-voice";

/// What an end says that it will play, so that the other end can tell whether it heard that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sign {
    Melody(Melody),
    /// A recording that the network gives this name.
    Clip(String),
}

/// The audio stream between two ends, seen from ours.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreement {
    /// Where the peer receives RTP; `None` for 0.0.0.0, the older form of hold (RFC 3264 §8.4).
    pub peer: Option<SocketAddr>,
    /// Where it receives RTCP: the next port, or what `a=rtcp` says (RFC 3605).
    pub peer_rtcp: Option<SocketAddr>,
    /// We send.
    pub sends: bool,
    /// The peer sends.
    pub receives: bool,
    /// What we send: the law, and its number with the peer.
    pub law: Law,
    pub payload_type: u8,
    /// The number of telephone events with the peer (RFC 4733).
    pub events: Option<u8>,
    /// Duration of one packet of ours.
    pub packet: Duration,
    /// What comes, by the numbers that we have given.
    pub formats: Formats,
    /// What the peer says it will play.
    pub sign: Option<Sign>,
}

/// Payload types of a stream that a terminal or a relay must tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Formats {
    pub a: Option<u8>,
    pub mu: Option<u8>,
    pub events: Option<u8>,
    /// Clock of the voice format, in hertz.
    pub clock_rate: u32,
}

/// Comfort noise (RFC 3389): sent in pauses, no voice.
pub(crate) const COMFORT_NOISE: u8 = 13;

impl Formats {
    /// The formats that `media` lists.
    #[must_use]
    pub fn of(media: &Media) -> Self {
        let codecs = media.codecs();
        let number = |wanted: &Codec| {
            codecs.iter().find(|one| one.is_same_encoding(wanted)).map(|one| one.payload_type)
        };
        let events = codecs.iter().find(|one| one.name.eq_ignore_ascii_case("telephone-event"));
        let voice = codecs.iter().find(|one| one.is_voice());
        Self {
            a: number(&Codec::PCMA),
            mu: number(&Codec::PCMU),
            events: events.map(|one| one.payload_type),
            clock_rate: voice.map_or(8_000, |one| one.clock_rate),
        }
    }

    /// The law of a payload type. The static numbers hold without being listed (RFC 3551 table 4).
    #[must_use]
    pub fn law(&self, payload_type: u8) -> Option<Law> {
        match payload_type {
            number if Some(number) == self.a => Some(Law::A),
            number if Some(number) == self.mu => Some(Law::Mu),
            8 => Some(Law::A),
            0 => Some(Law::Mu),
            _ => None,
        }
    }
}

impl Default for Formats {
    fn default() -> Self {
        Self { a: Some(8), mu: Some(0), events: Some(101), clock_rate: 8_000 }
    }
}

impl Agreement {
    /// `None` when no audio stream is in use on both sides with G.711.
    #[must_use]
    pub fn between(ours: &Session, theirs: &Session) -> Option<Self> {
        let both = ours.media.iter().zip(&theirs.media);
        let (our, their) = both
            .filter(|(our, their)| our.port != 0 && their.port != 0)
            .find(|(our, _)| our.kind == "audio")?;
        // The first of the peer's formats that we have too; in an answer, what it prefers (RFC 3264 §7).
        let (law, payload_type) = their.codecs().iter().find_map(|theirs| {
            let known = [(Law::A, Codec::PCMA), (Law::Mu, Codec::PCMU)];
            let found = known.into_iter().find(|(_, codec)| codec.is_same_encoding(theirs));
            found.map(|(law, _)| (law, theirs.payload_type))
        })?;
        let receives_at = theirs.target_of(their).filter(|address| !address.ip().is_unspecified());
        let (our_way, their_way) = (ours.direction_of(our), theirs.direction_of(their));
        let ptime =
            their.ptime().filter(|ms| (10..=200).contains(ms) && ms % 10 == 0).unwrap_or(20);
        Some(Self {
            peer: receives_at,
            peer_rtcp: receives_at.map(|address| rtcp_of(their, address)),
            sends: our_way.sends() && their_way.receives(),
            receives: our_way.receives() && their_way.sends(),
            law,
            payload_type,
            events: Formats::of(their).events,
            packet: Duration::from_millis(ptime.into()),
            formats: Formats::of(our),
            sign: announced(their),
        })
    }
}

/// Where a stream that receives RTP at `rtp` receives RTCP.
#[must_use]
pub fn rtcp_of(media: &Media, rtp: SocketAddr) -> SocketAddr {
    let written = media.attribute("rtcp").unwrap_or_default();
    let mut words = written.split_ascii_whitespace();
    // Telephones without an RTCP port of their own write 9, at 0.0.0.0.
    let port = words.next().and_then(|word| word.parse().ok()).filter(|port| *port > 9);
    // RFC 3605 §2.1: port, then optionally IN IP4 address.
    let ip = words.nth(2).and_then(|word| word.parse::<IpAddr>().ok());
    let ip = ip.filter(|ip| !ip.is_unspecified() && ip.is_ipv4() == rtp.is_ipv4());
    let next = rtp.port().saturating_add(1);
    SocketAddr::new(ip.unwrap_or_else(|| rtp.ip()), port.unwrap_or(next))
}

/// Says in `session` what this end will play.
pub fn announce(session: &mut Session, sign: &Sign) {
    if let Some(audio) = session.media.iter_mut().find(|media| media.port != 0) {
        let value = Some(match sign {
            Sign::Melody(melody) => format!("melody {:08x}", melody.0),
            Sign::Clip(name) => format!("clip {name}"),
        });
        audio.attributes.push(Attribute { name: Cow::Borrowed(SIGN), value });
    }
}

fn announced(media: &Media) -> Option<Sign> {
    match media.attribute(SIGN)?.split_once(' ')? {
        ("melody", notes) => {
            u32::from_str_radix(notes, 16).ok().map(|notes| Sign::Melody(Melody(notes)))
        }
        ("clip", name) => Some(Sign::Clip(name.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use sip_proto::sdp::{self, Direction, LocalMedia};

    use super::*;

    fn telephone(port: u16) -> LocalMedia {
        LocalMedia::telephone(1, Ipv4Addr::LOCALHOST.into(), port)
    }

    fn parse(text: &str) -> Session {
        Session::parse(text.as_bytes()).expect("a description")
    }

    #[test]
    fn two_telephones_agree_on_what_the_answer_prefers() {
        let offer = sdp::offer(&telephone(4_000));
        let mut callee = telephone(5_000);
        callee.codecs.to_mut().retain(|codec| *codec != Codec::PCMA);
        let answer = sdp::answer(&offer, &callee).expect("G.711");
        let agreement = Agreement::between(&offer, &answer).expect("audio on both sides");
        assert_eq!(agreement.peer, Some("127.0.0.1:5000".parse().unwrap()));
        assert_eq!(agreement.peer_rtcp, Some("127.0.0.1:5001".parse().unwrap()));
        assert_eq!((agreement.law, agreement.payload_type), (Law::Mu, 0));
        assert_eq!(
            (agreement.sends, agreement.receives, agreement.events),
            (true, true, Some(101))
        );
        assert_eq!(agreement.packet, Duration::from_millis(20));
    }

    #[test]
    fn hold_stops_one_way_or_both() {
        let offer = sdp::offer(&telephone(4_000));
        for (way, sends, receives) in [
            (Direction::SendOnly, false, true),
            (Direction::RecvOnly, true, false),
            (Direction::Inactive, false, false),
        ] {
            let theirs = LocalMedia { direction: way, ..telephone(5_000) };
            let answer = sdp::answer(&offer, &theirs).expect("G.711");
            let agreement = Agreement::between(&offer, &answer).expect("audio");
            assert_eq!((agreement.sends, agreement.receives), (sends, receives), "{way:?}");
        }
        let held = parse(
            "v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nc=IN IP4 0.0.0.0\nt=0 0\nm=audio 9 RTP/AVP 8\n",
        );
        let agreement = Agreement::between(&offer, &held).expect("audio");
        assert_eq!((agreement.peer, agreement.sends), (None, false));
    }

    // RFC 3605 §2.1; RFC 8866 §6.4.
    #[test]
    fn other_rtcp_port_packet_time_and_numbers_are_followed() {
        let offer = sdp::offer(&telephone(4_000));
        let theirs = parse(
            "v=0\no=- 1 1 IN IP4 127.0.0.9\ns=-\nc=IN IP4 127.0.0.9\nt=0 0\n\
             m=audio 6000 RTP/AVP 96 97\na=rtpmap:96 PCMA/8000\na=rtpmap:97 telephone-event/8000\n\
             a=rtcp:7001 IN IP4 127.0.0.8\na=ptime:30\n",
        );
        let agreement = Agreement::between(&offer, &theirs).expect("audio");
        assert_eq!(
            (agreement.law, agreement.payload_type, agreement.events),
            (Law::A, 96, Some(97))
        );
        assert_eq!(agreement.peer_rtcp, Some("127.0.0.8:7001".parse().unwrap()));
        assert_eq!(agreement.packet, Duration::from_millis(30));
        assert_eq!(Formats::of(&theirs.media[0]).law(96), Some(Law::A));
    }

    #[test]
    fn nothing_in_common_is_no_agreement() {
        let offer = sdp::offer(&telephone(4_000));
        for line in ["m=audio 0 RTP/AVP 8", "m=video 6000 RTP/AVP 8", "m=audio 6000 RTP/AVP 18"] {
            let text =
                format!("v=0\no=- 1 1 IN IP4 1.1.1.1\ns=-\nc=IN IP4 1.1.1.1\nt=0 0\n{line}\n");
            let ours = if line.starts_with("m=video") {
                let mut ours = offer.clone();
                ours.media[0].kind = "video".to_owned();
                ours
            } else {
                offer.clone()
            };
            assert_eq!(Agreement::between(&ours, &parse(&text)), None, "{line}");
        }
    }

    #[test]
    fn what_an_end_plays_is_announced_in_its_description() {
        for sign in [Sign::Melody(Melody(0x00ab_cdef)), Sign::Clip("alert".to_owned())] {
            let mut offer = sdp::offer(&telephone(4_000));
            announce(&mut offer, &sign);
            let read = parse(&offer.to_string());
            let agreement =
                Agreement::between(&sdp::offer(&telephone(5_000)), &read).expect("audio");
            assert_eq!(agreement.sign, Some(sign));
        }
    }
}
