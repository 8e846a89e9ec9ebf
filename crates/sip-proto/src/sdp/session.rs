//! A session description as a tree: session part, then one part per stream.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use super::Codec;
use crate::message::grammar::split_byte;

/// A whole session description (RFC 8866 §5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub origin: Origin,
    /// The `s=` line; phones leave it empty or write `-`.
    pub name: String,
    /// Where to send the media of every stream that has no address of its own.
    pub connection: Option<Address>,
    /// Session lines that are neither `v= o= s= c= a=`, in order.
    pub lines: Vec<Line>,
    /// Session attributes, in order.
    pub attributes: Vec<Attribute>,
    pub media: Vec<Media>,
}

/// Who made the description, and which edition it is (RFC 8866 §5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub username: String,
    pub session_id: u64,
    /// Grows by one each time the same side changes its description (RFC 3264 §8).
    pub version: u64,
    pub address: Address,
}

/// `IN IP4 192.0.2.1`: network type, address type and address of `o=` and `c=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub network: Cow<'static, str>,
    pub family: Cow<'static, str>,
    /// An IP address or a domain name; for multicast with `/ttl`.
    pub host: String,
}

/// A line that negotiation does not use, kept as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub field: char,
    pub value: String,
}

/// `a=name` or `a=name:value` (RFC 8866 §5.13).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    pub name: Cow<'static, str>,
    pub value: Option<String>,
}

/// One `m=` section: a stream (RFC 8866 §5.14).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// `audio`, `video`, `text`, `application`, …
    pub kind: String,
    /// Zero: the stream is refused or switched off (RFC 3264 §6 and §8.2).
    pub port: u16,
    /// The number after the slash in `49170/2`.
    pub port_count: Option<u16>,
    /// `RTP/AVP`, `RTP/SAVP`, …
    pub protocol: String,
    /// Payload types for RTP, in order of preference.
    pub formats: Vec<String>,
    pub connection: Option<Address>,
    /// Lines of this stream that are neither `m= c= a=`, in order.
    pub lines: Vec<Line>,
    pub attributes: Vec<Attribute>,
}

/// Which way media flows, seen by the side that wrote the description (RFC 8866 §6.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

impl Session {
    /// The streams in use: those whose port is not zero.
    pub fn active(&self) -> impl Iterator<Item = &Media> {
        self.media.iter().filter(|media| media.port != 0)
    }

    /// The first audio stream in use.
    #[must_use]
    pub fn audio(&self) -> Option<&Media> {
        self.active().find(|media| media.kind == "audio")
    }

    /// The address that applies to `media`: its own, else that of the session (RFC 8866 §5.7).
    #[must_use]
    pub fn address_of<'a>(&'a self, media: &'a Media) -> Option<&'a Address> {
        media.connection.as_ref().or(self.connection.as_ref())
    }

    /// Where to send the RTP of `media`, when the address is an IP address.
    #[must_use]
    pub fn target_of(&self, media: &Media) -> Option<SocketAddr> {
        let ip = self.address_of(media)?.ip()?;
        (media.port != 0).then(|| SocketAddr::new(ip, media.port))
    }

    /// The direction that applies to `media`: its own, else that of the session, else both ways.
    ///
    /// RFC 3264 §8.4: an address of 0.0.0.0 is the older form of hold: its writer wants nothing
    /// sent to it.
    #[must_use]
    pub fn direction_of(&self, media: &Media) -> Direction {
        let written = Direction::of(&media.attributes)
            .or_else(|| Direction::of(&self.attributes))
            .unwrap_or(Direction::SendRecv);
        match self.address_of(media).and_then(Address::ip) {
            Some(ip) if ip.is_unspecified() => written.held(),
            _ => written,
        }
    }

    /// Whether the writer puts the other side on hold: it has streams and receives none of them
    /// (RFC 3264 §8.4).
    #[must_use]
    pub fn is_hold(&self) -> bool {
        let mut streams = self.active().peekable();
        streams.peek().is_some() && streams.all(|media| !self.direction_of(media).receives())
    }
}

impl Media {
    /// The value of the first attribute of that name; `Some("")` when it has none.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|a| a.name == name)?;
        Some(found.value.as_deref().unwrap_or(""))
    }

    /// Preferred duration of one packet, in milliseconds (RFC 8866 §6.4).
    #[must_use]
    pub fn ptime(&self) -> Option<u16> {
        self.attribute("ptime")?.trim().parse().ok()
    }

    /// The payload formats that are understood, in the writer's order of preference. A number
    /// without an `a=rtpmap` and without a static meaning is left out.
    #[must_use]
    pub fn codecs(&self) -> Vec<Codec> {
        let numbers = self.formats.iter().filter_map(|f| f.parse::<u8>().ok());
        numbers.filter_map(|number| self.codec(number)).collect()
    }

    fn codec(&self, payload_type: u8) -> Option<Codec> {
        let mut codec = match self.attribute_of_format("rtpmap", payload_type) {
            Some(encoding) => Codec::from_encoding(payload_type, encoding)?,
            None => Codec::well_known(payload_type)?,
        };
        if let Some(parameters) = self.attribute_of_format("fmtp", payload_type) {
            codec.parameters = Some(Cow::Owned(parameters.to_owned()));
        }
        Some(codec)
    }

    /// The rest of `a=<name>:<payload type> <rest>`.
    fn attribute_of_format(&self, name: &str, payload_type: u8) -> Option<&str> {
        let mut values = self.attributes.iter().filter(|a| a.name == name);
        values.find_map(|attribute| {
            let (number, rest) = split_byte(attribute.value.as_deref()?, b' ')?;
            (number.parse() == Ok(payload_type)).then_some(rest)
        })
    }
}

impl Address {
    /// The IP address, without a multicast `/ttl`. `None` for a domain name.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        let host = split_byte(&self.host, b'/').map_or(&*self.host, |(host, _)| host);
        host.parse().ok()
    }
}

impl From<IpAddr> for Address {
    fn from(ip: IpAddr) -> Self {
        let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
        Self { network: Cow::Borrowed("IN"), family: Cow::Borrowed(family), host: ip.to_string() }
    }
}

impl Attribute {
    /// `a=name:value`.
    pub(super) fn new(name: &'static str, value: String) -> Self {
        Self { name: Cow::Borrowed(name), value: Some(value) }
    }
}

impl From<Direction> for Attribute {
    fn from(direction: Direction) -> Self {
        Self { name: Cow::Borrowed(direction.as_str()), value: None }
    }
}

impl Direction {
    /// The attribute name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// Whether the writer sends media.
    #[must_use]
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether the writer wants to receive media.
    #[must_use]
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same direction without reception (RFC 3264 §8.4).
    #[must_use]
    pub const fn held(self) -> Self {
        Self::from_flows(self.sends(), false)
    }

    /// The direction of an answer: what the offer leaves to us, and no more than `wish` (RFC 3264
    /// §6.1).
    #[must_use]
    pub const fn answered(self, wish: Self) -> Self {
        Self::from_flows(self.receives() && wish.sends(), self.sends() && wish.receives())
    }

    const fn from_flows(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        let all = [Self::SendRecv, Self::SendOnly, Self::RecvOnly, Self::Inactive];
        all.into_iter().find(|direction| direction.as_str() == name)
    }

    fn of(attributes: &[Attribute]) -> Option<Self> {
        attributes.iter().find_map(|a| Self::parse(&a.name))
    }
}
