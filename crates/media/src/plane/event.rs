//! What a plane tells the box and whoever drives it.

use std::net::SocketAddr;

use crate::stream::StreamId;

/// What a box should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamEvent {
    /// The peer should send, and has sent nothing for `idle_after`.
    Idle(StreamId),
    /// It sends again.
    Resumed(StreamId),
}

/// Where a datagram goes on: by this socket, to this address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forward {
    pub socket: u32,
    pub to: SocketAddr,
}
