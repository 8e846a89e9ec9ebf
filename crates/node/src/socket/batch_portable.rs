//! The same interface as `batch_linux.rs`, with a system call for each datagram.

use std::io;
use std::os::fd::AsRawFd;

use bytes::Bytes;
use nix::sys::socket::{SockaddrStorage, recvfrom};
use sip_proto::{Packet, Transport};
use socket2::SockRef;
use tokio::net::UdpSocket;

use super::address::socket_address;

/// Most datagrams in one batch.
pub(super) const BATCH: usize = 32;
/// The longest UDP datagram there is.
const SLOT: usize = 65_535;

/// Reusable room for one datagram.
pub(super) struct Arena(Box<[u8]>);

impl Arena {
    pub(super) fn new() -> Self {
        Self(vec![0; SLOT].into_boxed_slice())
    }

    /// Appends what waits on `socket`, at most [`BATCH`] datagrams; true when that was all.
    pub(super) fn receive(
        &mut self,
        socket: &UdpSocket,
        packets: &mut Vec<Packet>,
    ) -> io::Result<bool> {
        for received in 0..BATCH {
            match recvfrom::<SockaddrStorage>(socket.as_raw_fd(), &mut self.0) {
                Ok((length, peer)) => {
                    let bytes = Bytes::copy_from_slice(&self.0[..length]);
                    let peer = peer.as_ref().and_then(socket_address);
                    let transport = Transport::Udp;
                    packets.extend(peer.map(|peer| Packet { transport, peer, bytes }));
                }
                Err(_) if received > 0 => return Ok(true),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }

    /// Only Linux tells.
    pub(super) fn kernel_drops(&self) -> u32 {
        0
    }
}

/// Sends datagrams.
pub(super) struct Outgoing;

impl Outgoing {
    pub(super) fn new() -> Self {
        Self
    }

    /// Sends the first datagrams of `packets`, at most [`BATCH`], and returns how many went.
    ///
    /// # Errors
    /// The first datagram did not go.
    pub(super) fn send(&mut self, socket: &UdpSocket, packets: &[Packet]) -> io::Result<usize> {
        for (sent, packet) in packets.iter().take(BATCH).enumerate() {
            match SockRef::from(socket).send_to(&packet.bytes, &packet.peer.into()) {
                Ok(_) => {}
                Err(_) if sent > 0 => return Ok(sent),
                Err(error) => return Err(error),
            }
        }
        Ok(packets.len().min(BATCH))
    }
}
