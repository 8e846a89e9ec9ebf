//! Payload formats: `a=rtpmap`, `a=fmtp` and the static numbers of RFC 3551.

use std::borrow::Cow;
use std::fmt;

use super::words::known;

/// One RTP payload format of a stream (RFC 8866 §6.6 and §6.15).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Codec {
    /// RTP payload type, 0 to 127. From 96 on it means what this description says it means.
    pub payload_type: u8,
    /// Encoding name, compared without case: `PCMA`.
    pub name: Cow<'static, str>,
    /// In hertz.
    pub clock_rate: u32,
    /// 1 when the rtpmap gives no encoding parameter.
    pub channels: u8,
    /// The parameters of `a=fmtp`, as written.
    pub parameters: Option<Cow<'static, str>>,
}

impl Codec {
    /// G.711 μ-law.
    pub const PCMU: Self = Self::fixed(0, "PCMU", 8000);
    /// G.711 A-law, what European networks prefer.
    pub const PCMA: Self = Self::fixed(8, "PCMA", 8000);
    /// DTMF digits as RTP events (RFC 4733), on the customary dynamic number.
    pub const TELEPHONE_EVENT: Self = Self {
        payload_type: 101,
        name: Cow::Borrowed("telephone-event"),
        clock_rate: 8000,
        channels: 1,
        parameters: Some(Cow::Borrowed("0-15")),
    };

    const fn fixed(payload_type: u8, name: &'static str, clock_rate: u32) -> Self {
        Self { payload_type, name: Cow::Borrowed(name), clock_rate, channels: 1, parameters: None }
    }

    /// The format that a number means without any `a=rtpmap` (RFC 3551 table 4, audio).
    pub(super) fn well_known(payload_type: u8) -> Option<Self> {
        let (name, clock_rate) = match payload_type {
            0 => return Some(Self::PCMU),
            8 => return Some(Self::PCMA),
            3 => ("GSM", 8000),
            4 => ("G723", 8000),
            // RFC 3551 §4.5.2: the RTP clock of G.722 is 8000 Hz for historical reasons.
            9 => ("G722", 8000),
            13 => ("CN", 8000),
            15 => ("G728", 8000),
            18 => ("G729", 8000),
            _ => return None,
        };
        Some(Self::fixed(payload_type, name, clock_rate))
    }

    /// Reads the encoding part of an rtpmap, `L16/44100/2`.
    pub(super) fn from_encoding(payload_type: u8, encoding: &str) -> Option<Self> {
        let mut parts = encoding.trim().splitn(3, '/');
        let name = parts.next().filter(|name| !name.is_empty())?;
        let clock_rate = parts.next()?.parse().ok()?;
        let channels = parts.next().map_or(Some(1), |count| count.parse().ok())?;
        Some(Self {
            payload_type,
            name: known(name, &["PCMA", "PCMU", "telephone-event"]),
            clock_rate,
            channels,
            parameters: None,
        })
    }

    /// Whether both sides mean the same encoding; their numbers may differ (RFC 3264 §6.1).
    #[must_use]
    pub fn is_same_encoding(&self, other: &Self) -> bool {
        self.clock_rate == other.clock_rate
            && self.channels == other.channels
            && self.name.eq_ignore_ascii_case(&other.name)
    }

    /// Whether the format carries sound; DTMF events and comfort noise only accompany one that
    /// does.
    #[must_use]
    pub fn is_voice(&self) -> bool {
        !self.name.eq_ignore_ascii_case("telephone-event") && !self.name.eq_ignore_ascii_case("CN")
    }
}

/// The value of its `a=rtpmap`.
impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut number = itoa::Buffer::new();
        f.write_str(number.format(self.payload_type))?;
        f.write_str(" ")?;
        f.write_str(&self.name)?;
        f.write_str("/")?;
        f.write_str(number.format(self.clock_rate))?;
        match self.channels {
            1 => Ok(()),
            channels => write!(f, "/{channels}"),
        }
    }
}
