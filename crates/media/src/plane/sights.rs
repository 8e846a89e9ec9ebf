//! What whoever looks on from outside is told of the media of a call: its ports, whom it hears, and its reports.
//!
//! A packet of media is part of it only for who asks for them: that is all of them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

use crate::stream::StreamId;

/// Sights that wait to be taken; beyond that, as when nobody takes them any more, later ones are dropped.
const MOST_WAITING: usize = 4_096;

/// Something that happened to the media of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaSight {
    /// The call, by the number that the box gave it.
    pub call: u64,
    pub at: Instant,
    /// Where the stream receives RTP, or, of a report or packet, that port on which it came or went.
    pub local: SocketAddr,
    pub what: MediaEvent,
}

/// What happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaEvent {
    /// A port is open for it.
    Opened,
    /// From now on this address is heard, and answered.
    Latched(SocketAddr),
    /// The peer should send, and has not for so long that this is no pause.
    Stopped,
    /// It sends again.
    Resumed,
    /// The port is given back.
    Closed,
    /// RTCP came, as on the wire.
    ReportReceived { from: SocketAddr, bytes: Vec<u8> },
    /// RTCP of this box went out, as on the wire.
    ReportSent { to: SocketAddr, bytes: Vec<u8> },
    /// RTP came that the stream believes, as on the wire. Only for who asks for packets.
    PacketReceived { from: SocketAddr, bytes: Vec<u8> },
    /// RTP went out, or was sent on, or RTCP of another was. Only for who asks for packets.
    PacketSent { to: SocketAddr, bytes: Vec<u8> },
}

/// The streams whose calls are known, and what was seen of them. Nothing is noted before sights were taken for the first time: nobody
/// might want them.
#[derive(Debug, Default)]
pub(super) struct Sights {
    pub(super) calls: BTreeMap<StreamId, u64>,
    /// Packets are wanted too.
    pub(super) with_packets: bool,
    pub(super) waiting: Vec<MediaSight>,
}

impl Sights {
    pub(super) fn note(&mut self, at: Instant, id: StreamId, local: SocketAddr, what: MediaEvent) {
        if let Some(&call) = self.calls.get(&id)
            && self.waiting.len() < MOST_WAITING
        {
            self.waiting.push(MediaSight { call, at, local, what });
        }
    }
}

/// The port of a stream that reports come and go by.
pub(super) fn report_port(rtp: SocketAddr, is_multiplexed: bool) -> SocketAddr {
    match is_multiplexed {
        true => rtp,
        false => SocketAddr::new(rtp.ip(), rtp.port().saturating_add(1)),
    }
}
