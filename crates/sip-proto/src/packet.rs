//! What crosses the boundary between the pure protocol and the sockets.

use std::net::SocketAddr;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// How a message travels (RFC 3261 §18, RFC 7118 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    Udp,
    Tcp,
    /// TLS over TCP.
    Tls,
    /// A WebSocket.
    Ws,
    /// A WebSocket over TLS.
    Wss,
}

impl Transport {
    pub const ALL: [Self; 5] = [Self::Udp, Self::Tcp, Self::Tls, Self::Ws, Self::Wss];

    /// The token of Via's sent-protocol.
    #[must_use]
    pub const fn token(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
            Self::Wss => "WSS",
        }
    }

    /// The transport of a token, however it is written.
    #[must_use]
    pub fn of_token(token: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.token().eq_ignore_ascii_case(token))
    }

    /// The value of the `transport` URI parameter (RFC 3261 §19.1.1): a WebSocket over TLS has that of a WebSocket (RFC 7118 §5.2.3).
    #[must_use]
    pub const fn parameter(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Ws | Self::Wss => "ws",
        }
    }

    /// Reliable transports do not retransmit (RFC 3261 §17).
    #[must_use]
    pub const fn is_reliable(self) -> bool {
        !matches!(self, Self::Udp)
    }

    /// Nobody on the way reads it: a `sips:` request goes by no other (RFC 3261 §26.2.2, RFC 5630 §5.3).
    #[must_use]
    pub const fn is_secured(self) -> bool {
        matches!(self, Self::Tls | Self::Wss)
    }

    /// Only who opened a connection is reached by it, and as long as it stands: a telephone or a browser has no certificate by which
    /// it would be called (RFC 5626 §1, RFC 7118 §5).
    #[must_use]
    pub const fn is_of_clients(self) -> bool {
        matches!(self, Self::Tls | Self::Ws | Self::Wss)
    }
}

/// One SIP message between a node and one peer, in either direction.
///
/// On TCP, `peer` names the connection: the shell sends on the connection that it has with that
/// address, or opens one. On TLS and WebSocket it opens none ([`Transport::is_of_clients`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    pub transport: Transport,
    pub peer: SocketAddr,
    pub bytes: Bytes,
}
