//! HEP version 3: a message as capture agents send it to a collector (the HEP3 network protocol specification, revision 12).
//!
//! ```text
//!   "HEP3"  length  chunk  chunk …         chunk: vendor u16, type u16, length u16 with these six bytes, value
//! ```

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use bytes::Bytes;
use sip_proto::Transport;

const MAGIC: &[u8; 4] = b"HEP3";
const HEAD: usize = 6;
/// Vendor of the chunks that the specification defines.
const GENERIC: u16 = 0;

const FAMILY: u16 = 1;
const PROTOCOL: u16 = 2;
const FROM_V4: u16 = 3;
const TO_V4: u16 = 4;
const FROM_V6: u16 = 5;
const TO_V6: u16 = 6;
const FROM_PORT: u16 = 7;
const TO_PORT: u16 = 8;
const SECONDS: u16 = 9;
const MICROS: u16 = 10;
const KIND: u16 = 11;
const AGENT: u16 = 12;
const AUTH_KEY: u16 = 14;
const PAYLOAD: u16 = 15;
const COMPRESSED: u16 = 16;
const CORRELATION: u16 = 17;
const NODE_NAME: u16 = 19;

/// Address families as Linux and the specification number them.
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

/// What a payload is: chunk 11.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HepKind(pub u8);

impl HepKind {
    pub const SIP: Self = Self(1);
    /// A report of RTCP as JSON.
    pub const RTCP_JSON: Self = Self(5);
    /// A short report on the quality of a call, as JSON.
    pub const QUALITY_JSON: Self = Self(34);
    pub const LOG: Self = Self(100);
}

/// A captured message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HepPacket {
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub transport: Transport,
    /// Unix microseconds.
    pub at_us: u64,
    pub kind: HepKind,
    /// Which capture agent sends it.
    pub agent: u32,
    /// By its name.
    pub node_name: Option<String>,
    pub auth_key: Option<String>,
    /// Joins all messages of a call, whatever their Call-IDs are.
    pub correlation_id: Option<String>,
    pub payload: Bytes,
}

/// Why bytes are no HEP packet that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HepError {
    #[error("it does not begin with HEP3: versions 1 and 2 are not read")]
    NoHep3,
    #[error("its length is {said}, and it has {length} bytes")]
    BadLength { said: usize, length: usize },
    #[error("a chunk at byte {at} is longer than what is left")]
    BadChunk { at: usize },
    #[error("chunk {kind} has {length} bytes")]
    BadValue { kind: u16, length: usize },
    #[error("it has no {0}")]
    Missing(&'static str),
    #[error("its payload is compressed, which is not read")]
    Compressed,
    #[error("IP protocol {0} is neither UDP nor TCP")]
    UnknownTransport(u8),
}

/// Appends the packet to `out`. A payload that is too long for a packet is cut.
pub fn encode(packet: &HepPacket, out: &mut Vec<u8>) {
    let begin = out.len();
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&[0, 0]);
    let mut chunk = |kind: u16, value: &[u8]| {
        out.extend_from_slice(&GENERIC.to_be_bytes());
        out.extend_from_slice(&kind.to_be_bytes());
        out.extend_from_slice(&((value.len() + HEAD) as u16).to_be_bytes());
        out.extend_from_slice(value);
    };
    match (packet.from.ip(), packet.to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            chunk(FAMILY, &[AF_INET]);
            chunk(FROM_V4, &from.octets());
            chunk(TO_V4, &to.octets());
        }
        (from, to) => {
            chunk(FAMILY, &[AF_INET6]);
            chunk(FROM_V6, &v6(from).octets());
            chunk(TO_V6, &v6(to).octets());
        }
    }
    chunk(PROTOCOL, &[if packet.transport == Transport::Udp { 17 } else { 6 }]);
    chunk(FROM_PORT, &packet.from.port().to_be_bytes());
    chunk(TO_PORT, &packet.to.port().to_be_bytes());
    chunk(SECONDS, &((packet.at_us / 1_000_000) as u32).to_be_bytes());
    chunk(MICROS, &((packet.at_us % 1_000_000) as u32).to_be_bytes());
    chunk(KIND, &[packet.kind.0]);
    chunk(AGENT, &packet.agent.to_be_bytes());
    for (kind, text) in [
        (AUTH_KEY, &packet.auth_key),
        (CORRELATION, &packet.correlation_id),
        (NODE_NAME, &packet.node_name),
    ] {
        if let Some(text) = text {
            chunk(kind, &text.as_bytes()[..text.floor_char_boundary(1_024)]);
        }
    }
    let used = out.len() - begin + HEAD;
    let payload = &packet.payload[..packet.payload.len().min(usize::from(u16::MAX) - used)];
    out.extend_from_slice(&GENERIC.to_be_bytes());
    out.extend_from_slice(&PAYLOAD.to_be_bytes());
    out.extend_from_slice(&((payload.len() + HEAD) as u16).to_be_bytes());
    out.extend_from_slice(payload);
    let length = ((out.len() - begin) as u16).to_be_bytes();
    out[begin + 4..begin + 6].copy_from_slice(&length);
}

const fn v6(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

/// What chunks say, before it is known whether they say enough.
#[derive(Debug, Default)]
struct Chunks {
    from: Option<IpAddr>,
    to: Option<IpAddr>,
    from_port: u16,
    to_port: u16,
    protocol: u8,
    seconds: u32,
    micros: u32,
    kind: Option<u8>,
    agent: u32,
    node_name: Option<String>,
    auth_key: Option<String>,
    correlation_id: Option<String>,
    payload: Option<Bytes>,
}

/// Reads a packet. Chunks of vendors and of types that are not known are passed over.
///
/// # Errors
/// It is none, or lacks what a message needs.
pub fn decode(bytes: &Bytes) -> Result<HepPacket, HepError> {
    let length = bytes.len();
    if !bytes.starts_with(MAGIC) {
        return Err(HepError::NoHep3);
    }
    let said =
        bytes.get(4..6).map_or(0, |octets| usize::from(octets[0]) << 8 | usize::from(octets[1]));
    if said < HEAD || said > length {
        return Err(HepError::BadLength { said, length });
    }
    let mut chunks = Chunks::default();
    let mut at = HEAD;
    while at < said {
        let head = bytes.get(at..at + HEAD).ok_or(HepError::BadChunk { at })?;
        let number = |place: usize| u16::from_be_bytes([head[place], head[place + 1]]);
        let (vendor, kind, chunk_length) = (number(0), number(2), usize::from(number(4)));
        if chunk_length < HEAD || at + chunk_length > said {
            return Err(HepError::BadChunk { at });
        }
        if vendor == GENERIC {
            chunks.take(kind, &bytes.slice(at + HEAD..at + chunk_length))?;
        }
        at += chunk_length;
    }
    chunks.finish()
}

impl Chunks {
    fn take(&mut self, kind: u16, value: &Bytes) -> Result<(), HepError> {
        let bad = HepError::BadValue { kind, length: value.len() };
        let text = || Some(String::from_utf8_lossy(value).into_owned());
        match kind {
            PROTOCOL => self.protocol = fixed::<1>(value).ok_or(bad)?[0],
            FROM_V4 => self.from = Some(fixed::<4>(value).ok_or(bad)?.into()),
            TO_V4 => self.to = Some(fixed::<4>(value).ok_or(bad)?.into()),
            FROM_V6 => self.from = Some(fixed::<16>(value).ok_or(bad)?.into()),
            TO_V6 => self.to = Some(fixed::<16>(value).ok_or(bad)?.into()),
            FROM_PORT => self.from_port = u16::from_be_bytes(fixed(value).ok_or(bad)?),
            TO_PORT => self.to_port = u16::from_be_bytes(fixed(value).ok_or(bad)?),
            SECONDS => self.seconds = u32::from_be_bytes(fixed(value).ok_or(bad)?),
            MICROS => self.micros = u32::from_be_bytes(fixed(value).ok_or(bad)?),
            KIND => self.kind = Some(fixed::<1>(value).ok_or(bad)?[0]),
            AGENT => self.agent = u32::from_be_bytes(fixed(value).ok_or(bad)?),
            AUTH_KEY => self.auth_key = text(),
            CORRELATION => self.correlation_id = text(),
            NODE_NAME => self.node_name = text(),
            PAYLOAD => self.payload = Some(value.clone()),
            COMPRESSED => return Err(HepError::Compressed),
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<HepPacket, HepError> {
        let transport = match self.protocol {
            17 => Transport::Udp,
            // TLS (6 with a port of its own) is TCP to whoever sees it decrypted.
            6 => Transport::Tcp,
            other => return Err(HepError::UnknownTransport(other)),
        };
        let from = self.from.ok_or(HepError::Missing("source address"))?;
        let to = self.to.ok_or(HepError::Missing("destination address"))?;
        Ok(HepPacket {
            from: SocketAddr::new(from, self.from_port),
            to: SocketAddr::new(to, self.to_port),
            transport,
            at_us: u64::from(self.seconds) * 1_000_000 + u64::from(self.micros.min(999_999)),
            kind: HepKind(self.kind.ok_or(HepError::Missing("type of payload"))?),
            agent: self.agent,
            node_name: self.node_name,
            auth_key: self.auth_key,
            correlation_id: self.correlation_id,
            payload: self.payload.ok_or(HepError::Missing("payload"))?,
        })
    }
}

fn fixed<const LENGTH: usize>(value: &[u8]) -> Option<[u8; LENGTH]> {
    value.try_into().ok()
}
