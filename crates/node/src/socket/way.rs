//! What tells connections of a box apart.

use std::fmt;
use std::net::SocketAddr;

use sip_proto::Transport;

/// One connection: its transport, and its other end. A peer may come from one port to two ports of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Way {
    pub(crate) transport: Transport,
    pub(crate) peer: SocketAddr,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} over {}", self.peer, self.transport.token())
    }
}
