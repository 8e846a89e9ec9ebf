//! What the TCP side of a box tells the actor, and why connections end.

use std::io;
use std::net::SocketAddr;

use contract::SocketCounts;
use sip_proto::Packet;
use sip_proto::stream_framer::FramingError;
use tokio::net::TcpStream;

use super::listener::Entry;
use super::way::Way;

/// What a box's TCP side tells the actor.
#[derive(Debug)]
pub(crate) enum TcpInput {
    Accepted {
        stream: TcpStream,
        peer: SocketAddr,
        entry: Entry,
    },
    Received(Packet),
    Ended(Ended),
    /// A connection could not be accepted, as when no file descriptor is left.
    NotAccepted,
}

/// The end of a connection, or of the attempt to open one.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(super) way: Way,
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
    /// A WebSocket is closed in both directions at once (RFC 6455 §5.5.1).
    #[error("closed by the peer")]
    Left,
    #[error("closed by the peer inside a message")]
    Truncated,
    #[error("broken: {0}")]
    Broken(io::Error),
    #[error("not SIP: {0}")]
    Framing(FramingError),
    #[error("no handshake: {0}")]
    Handshake(String),
    #[error("the handshake did not end in time")]
    SlowHandshake,
    #[error("no WebSocket for SIP: {0}")]
    NoUpgrade(&'static str),
    #[error("not a sound WebSocket: {0}")]
    NotWebSocket(String),
    #[error("the peer has no connection any more, and cannot be called")]
    Gone,
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
        matches!(self, Self::Closed | Self::Truncated | Self::Framing(_) | Self::NotWebSocket(_))
    }

    /// Whether the peer hears it even if nothing is to be answered: a WebSocket is closed with a code (RFC 6455 §7.4).
    pub(super) const fn is_told(&self) -> bool {
        matches!(self, Self::NotWebSocket(_))
    }

    /// Whether somebody took what is not theirs, or may not know SIP: the operator should hear of it.
    pub(super) const fn is_abuse(&self) -> bool {
        matches!(
            self,
            Self::Framing(_)
                | Self::Handshake(_)
                | Self::SlowHandshake
                | Self::NoUpgrade(_)
                | Self::NotWebSocket(_)
                | Self::Unfinished
                | Self::Stalled
                | Self::Evicted
                | Self::OverLimit
        )
    }

    /// Counts the end of a connection; [`TcpPort`](super::TcpPort) counts what it refuses itself.
    pub(super) fn count(&self, counts: &mut SocketCounts) {
        match self {
            Self::Connect(_) => counts.tcp_connect_errors += 1,
            Self::Closed | Self::Left => counts.tcp_closed += 1,
            Self::Truncated | Self::Broken(_) => counts.tcp_broken += 1,
            Self::Framing(_) | Self::NotWebSocket(_) => counts.tcp_framing_errors += 1,
            Self::Handshake(_) | Self::SlowHandshake => counts.handshakes_failed += 1,
            Self::NoUpgrade(_) => counts.upgrades_refused += 1,
            Self::Idle => counts.tcp_idle_closed += 1,
            Self::Unfinished => counts.tcp_unfinished += 1,
            Self::Stalled => counts.tcp_overflows += 1,
            Self::Evicted => counts.tcp_evicted += 1,
            Self::Cut => counts.tcp_cut += 1,
            Self::Overflow | Self::OverLimit | Self::Gone => {}
        }
    }
}
