//! What crosses the boundary between the pure protocol and the sockets.

use std::net::SocketAddr;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// How a message travels (RFC 3261 §18).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    Udp,
    Tcp,
}

impl Transport {
    /// The token of Via's sent-protocol and of the `transport` URI parameter.
    #[must_use]
    pub const fn token(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        }
    }

    /// Reliable transports do not retransmit (RFC 3261 §17).
    #[must_use]
    pub const fn is_reliable(self) -> bool {
        matches!(self, Self::Tcp)
    }
}

/// One SIP message between a node and one peer, in either direction.
///
/// On TCP, `peer` names the connection: the shell sends on the connection that it has with that
/// address, or opens one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    pub transport: Transport,
    pub peer: SocketAddr,
    pub bytes: Bytes,
}
