//! A message as it was seen between two addresses.

use std::net::SocketAddr;

use bytes::Bytes;
use sip_proto::Transport;

/// The first line of a SIP message ends within so many bytes.
const LONGEST_FIRST_LINE: usize = 4_096;

/// A message on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireMessage {
    /// Unix microseconds.
    pub at_us: u64,
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub transport: Transport,
    pub bytes: Bytes,
}

/// Whether these bytes begin as a SIP message does (RFC 3261 §7.1, §7.2).
#[must_use]
pub fn is_sip(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"SIP/2.0 ") {
        return true;
    }
    if !bytes.first().is_some_and(u8::is_ascii_uppercase) {
        return false;
    }
    let line = &bytes[..bytes.len().min(LONGEST_FIRST_LINE)];
    let Some(end) = memchr::memchr(b'\n', line) else { return false };
    line[..end].trim_ascii_end().ends_with(b" SIP/2.0")
}
