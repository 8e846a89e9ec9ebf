//! The sockets of one box: UDP and TCP on the same address (RFC 3261 §18.2.1), and where it wants them TLS and WebSockets (RFC
//! 7118) at further ones.
//!
//! ```text
//!   bind ── Bound ── open ──► UdpReceiver ─ batches of packets ─► actor ─► UdpSender
//!  (main thread)   (arbiter)  TcpInputs ──── packets, losses ───►       ─► TcpPort
//!                                 ▲─────── a task per connection ◄───────────┘
//! ```
//!
//! A connection is a handshake (`secure.rs`, `upgrade.rs`), then messages one after the other (`wire.rs`) or in frames
//! (`websocket.rs`).
//!
//! Nothing is lost without a count in [`contract::SocketCounts`].

mod address;
#[cfg_attr(target_os = "linux", path = "media_linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "media_portable.rs")]
mod arrivals;
#[cfg_attr(target_os = "linux", path = "batch_linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "batch_portable.rs")]
mod batch;
mod bind;
mod complaint;
mod connection;
mod limits;
mod listener;
mod media;
mod progress;
mod room;
mod secure;
mod tally;
mod tcp;
mod tcp_input;
mod udp;
mod upgrade;
mod way;
mod websocket;
mod wire;

use std::io;
use std::rc::Rc;

use tokio::net::UdpSocket;

pub use bind::{BindError, udp_buffers};
pub use limits::SocketLimits;
pub use listener::Listener;

pub(crate) use arrivals::{MediaArrived, MediaWaiting};
pub(crate) use bind::{Bound, bind};
pub(crate) use media::MediaSockets;
pub(crate) use tally::Tally;
pub(crate) use tcp::{TcpInputs, TcpPort};
pub(crate) use tcp_input::TcpInput;
pub(crate) use udp::{Flushed, UdpReceiver, UdpSender};
pub(crate) use way::Way;

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
        let main = (bound.tcp, listener::Entry::TCP);
        let listeners = [main].into_iter().chain(bound.listeners).collect();
        let (tcp, tcp_inputs) = TcpPort::open(listeners, bound.address, limits, tally.clone())?;
        Ok(Self {
            udp_receiver: UdpReceiver::new(Rc::clone(&udp), tally.clone()),
            udp_sender: UdpSender::new(udp, limits.datagram_queue, tally.clone()),
            tcp_inputs,
            tcp,
            tally,
        })
    }
}
