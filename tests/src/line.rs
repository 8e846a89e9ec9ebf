//! A telephone on a real socket, for benches: whoever has it says when it reads and sends.

use std::net::{SocketAddr, UdpSocket};
use std::time::Instant;

use bytes::Bytes;
use sip_proto::user_agent::{Config, UserAgent};
use sip_proto::{Packet, Transport};

/// A user agent with its socket.
#[derive(Debug)]
pub struct Line {
    socket: UdpSocket,
    pub address: SocketAddr,
    pub agent: UserAgent,
}

impl Line {
    /// Takes a socket, which must not block.
    ///
    /// # Errors
    /// The socket has no address.
    pub fn new(socket: UdpSocket, seed: u64) -> anyhow::Result<Self> {
        let address = socket.local_addr()?;
        Ok(Self { socket, address, agent: UserAgent::new(Config::new(address, seed)) })
    }

    /// Reads what has come, and does what is due.
    pub fn listen(&mut self, now: Instant) {
        let mut bytes = [0; 65_535];
        while let Ok((length, peer)) = self.socket.recv_from(&mut bytes) {
            let bytes = Bytes::copy_from_slice(&bytes[..length]);
            self.agent.handle_packet(now, Packet { transport: Transport::Udp, peer, bytes });
        }
        if self.agent.poll_timeout().is_some_and(|due| due <= now) {
            self.agent.handle_timeout(now);
        }
    }

    /// Sends what it has to send.
    pub fn transmit(&mut self) {
        while let Some(packet) = self.agent.poll_transmit() {
            // A message that is lost here is sent again when its timer says so.
            let _ = self.socket.send_to(&packet.bytes, packet.peer);
        }
    }
}
