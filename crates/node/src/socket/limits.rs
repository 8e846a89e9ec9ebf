//! What one box allows its peers.

use std::time::Duration;

/// What one box allows its peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketLimits {
    /// Largest message on TCP, headers and body together, in bytes.
    pub message: usize,
    /// Most TCP connections, accepted and opened ones together.
    pub connections: usize,
    /// A connection that carries nothing for so long is closed. RFC 3261 §18 recommends that it
    /// stay open for at least 32 s after the last message.
    pub idle: Duration,
    /// How long a connection may take to open.
    pub connect: Duration,
    /// Messages that may wait on one connection. A peer that lets more pile up is cut off.
    pub connection_queue: usize,
    /// Datagrams that may wait while the kernel's send buffer is full.
    pub datagram_queue: usize,
}

impl Default for SocketLimits {
    fn default() -> Self {
        Self {
            message: 64 * 1024,
            connections: 1_000,
            idle: Duration::from_secs(600),
            connect: Duration::from_secs(4),
            connection_queue: 256,
            datagram_queue: 4_096,
        }
    }
}
