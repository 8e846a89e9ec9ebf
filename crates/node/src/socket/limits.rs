//! What one box allows its peers.

use std::time::Duration;

/// What one box allows its peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketLimits {
    /// Largest message on a connection, headers and body together, in bytes.
    pub message: usize,
    /// Most TCP connections that peers opened. One more takes the place of the idlest.
    pub connections: usize,
    /// Most of them from one source: an IPv4 address, or an IPv6 network of 64 bits.
    pub per_source: usize,
    /// Most of those from one source that have not carried a whole message yet.
    pub silent_per_source: usize,
    /// Most TCP connections that the box opened itself.
    pub opened: usize,
    /// A connection that carries nothing for so long is closed. RFC 3261 §18 recommends that it
    /// stay open for at least 32 s after the last message.
    pub idle: Duration,
    /// The same for a connection that has never carried a whole message.
    pub silent: Duration,
    /// A connection that carried a message within this time gives its place to nobody.
    pub kept: Duration,
    /// How long a message may take from its first byte to its last, however the bytes in between are spread.
    pub arrival: Duration,
    /// How long the peer may take to read a message.
    pub departure: Duration,
    /// How long a connection on which nothing more can be read stays open for answers to what came before:
    /// 64·T1, after which a request is not answered any more (RFC 3261 §17.1.2.2).
    pub answer: Duration,
    /// How long a connection may take to open.
    pub connect: Duration,
    /// How long the handshake of TLS, of a WebSocket, or of both may take.
    pub handshake: Duration,
    /// Messages that may wait on one connection. A peer that lets more pile up is cut off.
    pub connection_queue: usize,
    /// Datagrams that may wait while the kernel's send buffer is full.
    pub datagram_queue: usize,
}

impl Default for SocketLimits {
    fn default() -> Self {
        Self {
            message: 64 * 1024,
            connections: 2_000,
            per_source: 1_000,
            silent_per_source: 100,
            opened: 1_000,
            idle: Duration::from_secs(600),
            silent: Duration::from_secs(32),
            kept: Duration::from_secs(32),
            arrival: Duration::from_secs(10),
            departure: Duration::from_secs(10),
            answer: Duration::from_secs(32),
            connect: Duration::from_secs(4),
            handshake: Duration::from_secs(10),
            connection_queue: 256,
            datagram_queue: 4_096,
        }
    }
}
