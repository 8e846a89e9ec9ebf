//! What the TCP side of a box tells the actor, and why connections end.

use std::io;
use std::net::SocketAddr;

use contract::SocketCounts;
use sip_proto::Packet;
use sip_proto::stream_framer::FramingError;
use tokio::net::TcpStream;

/// What a box's TCP side tells the actor.
#[derive(Debug)]
pub(crate) enum TcpInput {
    Accepted {
        stream: TcpStream,
        peer: SocketAddr,
    },
    Received(Packet),
    Ended(Ended),
    /// A connection could not be accepted, as when no file descriptor is left.
    NotAccepted,
}

/// The end of a connection, or of the attempt to open one.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(super) peer: SocketAddr,
    pub(super) serial: u64,
    pub(super) cause: Cause,
    /// Messages that were not given to the kernel whole.
    pub(super) unsent: usize,
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Cause {
    #[error("cannot connect: {0}")]
    Connect(io::Error),
    #[error("closed by the peer")]
    Closed,
    #[error("closed by the peer inside a message")]
    Truncated,
    #[error("broken: {0}")]
    Broken(io::Error),
    #[error("not SIP: {0}")]
    Framing(FramingError),
    #[error("idle for too long")]
    Idle,
    #[error("a message did not arrive whole in time")]
    Unfinished,
    #[error("the peer does not read what is sent")]
    Overflow,
    #[error("a message did not leave whole in time")]
    Stalled,
    #[error("closed to make room for another one")]
    Evicted,
    #[error("the box has its limit of connections")]
    OverLimit,
    #[error("cut by the campaign")]
    Cut,
}

impl Cause {
    /// Whether the peer may still read: nothing more comes from it, and answers to what came before may go.
    pub(super) const fn leaves_a_way_back(&self) -> bool {
        matches!(self, Self::Closed | Self::Truncated | Self::Framing(_))
    }

    /// Whether somebody took what is not theirs, or may not know SIP: the operator should hear of it.
    pub(super) const fn is_abuse(&self) -> bool {
        matches!(
            self,
            Self::Framing(_) | Self::Unfinished | Self::Stalled | Self::Evicted | Self::OverLimit
        )
    }

    /// Counts the end of a connection; [`TcpPort`](super::TcpPort) counts what it refuses itself.
    pub(super) fn count(&self, counts: &mut SocketCounts) {
        match self {
            Self::Connect(_) => counts.tcp_connect_errors += 1,
            Self::Closed => counts.tcp_closed += 1,
            Self::Truncated | Self::Broken(_) => counts.tcp_broken += 1,
            Self::Framing(_) => counts.tcp_framing_errors += 1,
            Self::Idle => counts.tcp_idle_closed += 1,
            Self::Unfinished => counts.tcp_unfinished += 1,
            Self::Stalled => counts.tcp_overflows += 1,
            Self::Evicted => counts.tcp_evicted += 1,
            Self::Cut => counts.tcp_cut += 1,
            Self::Overflow | Self::OverLimit => {}
        }
    }
}
