//! The offer/answer model (RFC 3264) for one audio stream of ours.
//!
//! We offer one audio stream over `RTP/AVP`. Of an offer we take the first audio stream that has a
//! codec in common with us and refuse the other streams one by one, so that a caller with video
//! still gets its call.

use std::borrow::Cow;
use std::net::IpAddr;

use super::{Address, Attribute, Codec, Direction, Line, Media, Origin, SdpError, Session};

const AUDIO: &str = "audio";
const PLAIN_RTP: &str = "RTP/AVP";
/// The same with feedback of RTCP, which whoever does not know it leaves out (RFC 4585 §4).
const WITH_FEEDBACK: &str = "RTP/AVPF";

/// What an ordinary telephone can.
const TELEPHONE: &[Codec] = &[Codec::PCMA, Codec::PCMU, Codec::TELEPHONE_EVENT];

/// What this side can do and wants, for [`offer`] and [`answer`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalMedia {
    /// Identifies the session in `o=`, with the address (RFC 8866 §5.2).
    pub session_id: u64,
    /// Where we receive RTP.
    pub address: IpAddr,
    pub port: u16,
    /// In order of preference.
    pub codecs: Cow<'static, [Codec]>,
    /// The most that we are ready to do.
    pub direction: Direction,
    /// Duration of one packet in milliseconds, unless the other side asks for another.
    pub ptime: u16,
}

impl LocalMedia {
    /// An ordinary telephone: G.711 in both laws, DTMF events, 20 ms, both ways.
    #[must_use]
    pub fn telephone(session_id: u64, address: IpAddr, port: u16) -> Self {
        Self {
            session_id,
            address,
            port,
            codecs: Cow::Borrowed(TELEPHONE),
            direction: Direction::SendRecv,
            ptime: 20,
        }
    }

    /// A description of ours with no stream yet.
    fn session(&self, time: Vec<Line>) -> Session {
        Session {
            origin: Origin {
                username: "-".to_owned(),
                session_id: self.session_id,
                version: 1,
                address: self.address.into(),
            },
            name: "-".to_owned(),
            connection: Some(Address::from(self.address)),
            lines: time,
            attributes: Vec::new(),
            media: Vec::new(),
        }
    }

    fn stream(&self, codecs: &[Codec], ptime: u16, direction: Direction) -> Media {
        let rtpmap = |codec: &Codec| Attribute::new("rtpmap", codec.to_string());
        let fmtp = |codec: &Codec| {
            let parameters = codec.parameters.as_deref()?;
            Some(Attribute::new("fmtp", format!("{} {parameters}", codec.payload_type)))
        };
        let mut attributes: Vec<Attribute> = codecs.iter().map(rtpmap).collect();
        attributes.extend(codecs.iter().filter_map(fmtp));
        attributes.push(Attribute::new("ptime", ptime.to_string()));
        attributes.push(direction.into());
        Media {
            kind: AUDIO.to_owned(),
            port: self.port,
            port_count: None,
            protocol: PLAIN_RTP.to_owned(),
            formats: codecs.iter().map(|c| c.payload_type.to_string()).collect(),
            connection: None,
            lines: Vec::new(),
            attributes,
        }
    }
}

/// The first offer of a session (RFC 3264 §5).
#[must_use]
pub fn offer(local: &LocalMedia) -> Session {
    // RFC 3264 §5: a session that the two sides end by other means has "t=0 0".
    let mut session = local.session(vec![Line { field: 't', value: "0 0".to_owned() }]);
    session.media = vec![local.stream(&local.codecs, local.ptime, local.direction)];
    session
}

/// The answer to `offer` (RFC 3264 §6).
///
/// # Errors
/// [`SdpError::NotAcceptable`] or [`SdpError::OtherFamily`] when every stream in use would be refused. An offer without
/// any stream in use is answered in kind.
pub fn answer(offer: &Session, local: &LocalMedia) -> Result<Session, SdpError> {
    // RFC 3264 §6: the "t=" line of the answer equals that of the offer.
    let time = offer.lines.iter().filter(|line| line.field == 't');
    let mut session = local.session(time.cloned().collect());
    let mut accepted = false;
    // RFC 3264 §6: one "m=" line for each of the offer, in the same order.
    for offered in &offer.media {
        // We have one port, so one stream.
        let stream = if accepted { None } else { accept(offer, offered, local) };
        accepted |= stream.is_some();
        session.media.push(stream.unwrap_or_else(|| refused(offered)));
    }
    if accepted || offer.active().next().is_none() {
        return Ok(session);
    }
    let is_elsewhere =
        |media: &Media| is_usable(media) && !is_reachable(offer, media, local.address);
    Err(match (offer.active().any(is_elsewhere), local.address.is_ipv4()) {
        (false, _) => SdpError::NotAcceptable,
        (true, true) => SdpError::OtherFamily { theirs: "IPv6", ours: "IPv4" },
        (true, false) => SdpError::OtherFamily { theirs: "IPv4", ours: "IPv6" },
    })
}

/// Our side of an offered stream; `None` when we cannot take it.
fn accept(offer: &Session, offered: &Media, local: &LocalMedia) -> Option<Media> {
    let has_address = offer.address_of(offered).is_some();
    if !is_usable(offered) || !has_address || !is_reachable(offer, offered, local.address) {
        return None;
    }
    // RFC 3264 §6.1: the offered payload type numbers, RECOMMENDED in the order of the offer.
    let codecs: Vec<Codec> =
        offered.codecs().into_iter().filter_map(|theirs| common(theirs, &local.codecs)).collect();
    if !codecs.iter().any(Codec::is_voice) {
        return None;
    }
    let ptime = offered.ptime().filter(|ms| *ms != 0).unwrap_or(local.ptime);
    let direction = offer.direction_of(offered).answered(local.direction);
    Some(local.stream(&codecs, ptime, direction))
}

/// Audio over RTP, in use.
fn is_usable(offered: &Media) -> bool {
    let is_plain = offered.protocol == PLAIN_RTP || offered.protocol == WITH_FEEDBACK;
    offered.kind == AUDIO && is_plain && offered.port != 0
}

/// Whether an end at `ours` can send to where `media` is received: 0.0.0.0, which means hold, is of both families.
fn is_reachable(session: &Session, media: &Media, ours: IpAddr) -> bool {
    let theirs = session.address_of(media).and_then(Address::ip);
    theirs.is_none_or(|theirs| theirs.is_unspecified() || theirs.is_ipv4() == ours.is_ipv4())
}

/// Whether `answer` has the form that the answer to `offer` must have: as many streams, of the same media in the same
/// order (RFC 3264 §6).
///
/// # Errors
/// [`SdpError::OtherStreams`] or [`SdpError::OtherMedium`].
pub fn check_answer(offer: &[String], answer: &Session) -> Result<(), SdpError> {
    let (offered, answered) = (offer.len(), answer.media.len());
    if offered != answered {
        return Err(SdpError::OtherStreams { offered, answered });
    }
    let differs = offer.iter().zip(&answer.media).position(|(kind, media)| *kind != media.kind);
    differs.map_or(Ok(()), |at| Err(SdpError::OtherMedium { line: at + 1 }))
}

/// Their number with our parameters: `a=fmtp` says what its writer can receive.
fn common(theirs: Codec, ours: &[Codec]) -> Option<Codec> {
    let ours = ours.iter().find(|ours| ours.is_same_encoding(&theirs))?;
    Some(Codec { parameters: ours.parameters.clone(), ..theirs })
}

/// RFC 3264 §6: a refused stream keeps its place, its medium, its protocol and a format, with port
/// zero.
fn refused(offered: &Media) -> Media {
    Media {
        kind: offered.kind.clone(),
        port: 0,
        port_count: None,
        protocol: offered.protocol.clone(),
        formats: offered.formats.clone(),
        connection: None,
        lines: Vec::new(),
        attributes: Vec::new(),
    }
}

/// A later offer of the same session that sets the direction of every stream in use: `SendOnly`
/// puts the other side on hold, `SendRecv` resumes (RFC 3264 §8.4). All streams keep their place
/// (§8).
#[must_use]
pub fn next_offer(previous: &Session, direction: Direction) -> Session {
    let mut next = previous.clone();
    next.attributes.retain(|a| Direction::parse(&a.name).is_none());
    for media in next.media.iter_mut().filter(|media| media.port != 0) {
        let attributes = &mut media.attributes;
        let place = attributes.iter().position(|a| Direction::parse(&a.name).is_some());
        match place {
            Some(place) => attributes[place] = direction.into(),
            None => attributes.push(direction.into()),
        }
    }
    next.continuing(previous)
}

impl Session {
    /// The media of its streams, in order: what an answer must repeat ([`check_answer`]).
    #[must_use]
    pub fn kinds(&self) -> Vec<String> {
        self.media.iter().map(|media| media.kind.clone()).collect()
    }

    /// Makes `self` the description that follows `previous` from the same side: the same `o=`, and
    /// its version one higher if and only if something else differs (RFC 3264 §8).
    #[must_use]
    pub fn continuing(mut self, previous: &Self) -> Self {
        self.origin = previous.origin.clone();
        if self != *previous {
            self.origin.version = previous.origin.version.wrapping_add(1);
        }
        self
    }
}
