//! What became of everything that crossed a box's sockets.

use serde::{Deserialize, Serialize};

/// Counters of one box's sockets since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketCounts {
    pub udp_received: u64,
    pub udp_sent: u64,
    /// Datagrams that the kernel dropped because the box did not read fast enough (Linux only).
    pub udp_kernel_drops: u64,
    /// Calls to receive that failed for another reason than an empty socket.
    pub udp_receive_errors: u64,
    /// Datagrams that the kernel refused to send.
    pub udp_send_errors: u64,
    /// Datagrams that had to wait for room in the kernel's send buffer.
    pub udp_delayed: u64,
    /// Datagrams dropped because too many waited already.
    pub udp_dropped: u64,
    /// Messages too long for a datagram.
    pub udp_oversize: u64,
    /// RTP and RTCP datagrams that the kernel dropped because the box did not read fast enough (Linux only).
    pub media_kernel_drops: u64,
    /// RTP and RTCP datagrams that the kernel did not take.
    pub media_unsent: u64,
    /// Whatever says TCP here counts TLS and WebSockets too.
    pub tcp_received: u64,
    /// Messages given to the kernel whole.
    pub tcp_sent: u64,
    pub tcp_accepted: u64,
    pub tcp_opened: u64,
    /// Accepts that failed, as when no file descriptor was left.
    pub tcp_accept_errors: u64,
    /// Connections refused, in either direction, because the box had its limit of connections, all in use.
    pub tcp_over_limit: u64,
    /// Connections that were idle and were closed to make room for another one.
    pub tcp_evicted: u64,
    /// Connections that could not be opened.
    pub tcp_connect_errors: u64,
    /// Connections that the peer closed.
    pub tcp_closed: u64,
    /// Connections that ended in an error of the kernel or inside a message.
    pub tcp_broken: u64,
    /// Connections closed because their bytes were not SIP messages (RFC 3261 §18.3).
    pub tcp_framing_errors: u64,
    pub tcp_idle_closed: u64,
    /// Connections closed because a message on them did not come whole in time.
    pub tcp_unfinished: u64,
    /// Connections cut off because the peer did not read what was sent.
    pub tcp_overflows: u64,
    /// Messages that waited on a connection when it ended.
    pub tcp_unsent: u64,
    /// Datagrams and messages, in or out, that an impairment of the campaign let vanish.
    #[serde(default)]
    pub impaired_lost: u64,
    /// The same, put off.
    #[serde(default)]
    pub impaired_late: u64,
    /// Datagrams that it let pass twice.
    #[serde(default)]
    pub impaired_twice: u64,
    /// Connections that a cut of the campaign broke or refused.
    #[serde(default)]
    pub tcp_cut: u64,
    /// Handshakes of TLS or WebSocket that failed, or did not end in time.
    #[serde(default)]
    pub handshakes_failed: u64,
    /// Requests of HTTP that asked for no WebSocket for SIP, and were told so.
    #[serde(default)]
    pub upgrades_refused: u64,
    /// Bytes that the kernel granted for received datagrams.
    pub receive_buffer: usize,
    /// Bytes that the kernel granted for datagrams to be sent.
    pub send_buffer: usize,
}
