//! The sockets of one box: UDP and TCP on the same address (RFC 3261 §18.2.1).
//!
//! ```text
//!   bind ── Bound ── open ──► UdpReceiver ─ batches of packets ─► actor ─► UdpSender
//!  (main thread)   (arbiter)  TcpInputs ──── packets, losses ───►       ─► TcpPort
//!                                 ▲─────── a task per connection ◄───────────┘
//! ```
//!
//! Nothing is lost without a count in [`contract::SocketCounts`].

#[cfg_attr(target_os = "linux", path = "media_linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "media_portable.rs")]
mod arrivals;
#[cfg_attr(target_os = "linux", path = "batch_linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "batch_portable.rs")]
mod batch;
mod bind;
mod connection;
mod media;
mod tally;
mod tcp;
mod tcp_input;
mod udp;

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use nix::sys::socket::SockaddrStorage;
use tokio::net::UdpSocket;

pub use bind::{BindError, udp_buffers};

pub(crate) use arrivals::{MediaArrived, MediaWaiting};
pub(crate) use bind::{Bound, bind};
pub(crate) use media::MediaSockets;
pub(crate) use tally::Tally;
pub(crate) use tcp::{TcpInputs, TcpPort};
pub(crate) use tcp_input::TcpInput;
pub(crate) use udp::{Flushed, UdpReceiver, UdpSender};

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

/// Both ways in and both ways out of one box, on the arbiter that runs it.
pub(crate) struct Sockets {
    pub(crate) udp_receiver: UdpReceiver,
    pub(crate) udp_sender: UdpSender,
    pub(crate) tcp_inputs: TcpInputs,
    pub(crate) tcp: TcpPort,
    pub(crate) tally: Tally,
}

impl Sockets {
    /// Gives bound sockets to the reactor of this thread.
    pub(crate) fn open(bound: Bound, limits: SocketLimits) -> io::Result<Self> {
        let tally = Tally::new(bound.receive_buffer, bound.send_buffer);
        let udp = Rc::new(UdpSocket::from_std(bound.udp)?);
        let (tcp, tcp_inputs) = TcpPort::open(bound.tcp, bound.address, limits, tally.clone())?;
        Ok(Self {
            udp_receiver: UdpReceiver::new(Rc::clone(&udp), tally.clone()),
            udp_sender: UdpSender::new(udp, limits.datagram_queue, tally.clone()),
            tcp_inputs,
            tcp,
            tally,
        })
    }
}

fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| SocketAddr::V4((*v4).into()));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| SocketAddr::V6((*v6).into())))
}
